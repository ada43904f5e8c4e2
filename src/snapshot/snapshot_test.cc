#include "snapshot/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/test_directory.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

TEST(Snapshot, FindsEveryRecordByItsKey) {
  const io::TestDirectory directory;
  std::vector<TestRecord> records;
  for (int i = 0; i < 20000; ++i) {
    records.push_back(StringRecord("key/" + std::to_string(i), "value " + std::to_string(i)));
  }
  const std::string path = directory / "a.snap";
  const auto report = Build(io::RealFileSystem(), path, records);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->records, records.size());
  const auto snapshot = Snapshot::Open(io::RealFileSystem(), path);
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  for (const TestRecord& record : records) {
    const auto value = (*snapshot)->Find(record.key);
    ASSERT_TRUE(value);
    EXPECT_EQ(TextView(*value).text(), record.text);
  }
  EXPECT_FALSE((*snapshot)->Find("key/20000"));
}

}  // namespace
}  // namespace larder::snapshot
