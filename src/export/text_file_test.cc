#include "export/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"

namespace larder::exporter {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr char kPath[] = "/d/out.jsonl";

Result<uint64_t> WriteText(io::FileSystem& files, std::string_view text) {
  LARDER_ASSIGN(const auto file, TextFile::Create(files, kPath));
  LARDER_TRY(file->Write(text));
  return file->Publish();
}

TEST(TextFile, IsThereOnceItIsWhole) {
  io::FaultyFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("/d"));
  const auto bytes = WriteText(files, "text\n");
  ASSERT_TRUE(bytes) << bytes.error().message();
  EXPECT_EQ(*bytes, 5U);
  EXPECT_THAT(files.Contents(kPath), Optional(std::string("text\n")));
  EXPECT_THAT(*files.List("/d"), ElementsAre("out.jsonl"));
}

TEST(TextFile, UnpublishedItLeavesNothing) {
  io::FaultyFileSystem files;
  files.PutFile(kPath, "old");
  {
    const auto file = TextFile::Create(files, kPath);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Write("new"));
  }
  EXPECT_THAT(files.Contents(kPath), Optional(std::string("old")));
  EXPECT_THAT(*files.List("/d"), ElementsAre("out.jsonl"));
}

TEST(TextFile, AFailedOperationLeavesTheOldFile) {
  for (uint64_t n = 1; n <= 4; ++n) {
    io::FaultyFileSystem files;
    files.PutFile(kPath, "old");
    files.FailOperation(n, ErrorCode::kNoSpace);
    const auto written = WriteText(files, "new");
    ASSERT_FALSE(written) << n;
    EXPECT_EQ(written.error().code(), ErrorCode::kNoSpace);
    EXPECT_THAT(files.Contents(kPath), Optional(std::string("old")));
    EXPECT_THAT(*files.List("/d"), ElementsAre("out.jsonl"));
  }
}

TEST(TextFile, ACrashAnywhereLeavesOneOrTheOther) {
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      io::FaultyFileSystem files(n);
      files.PutFile(kPath, "old");
      files.CrashAtOperation(n);
      std::ignore = WriteText(files, "new");
      if (!files.crashed()) break;
      files.Reboot(survival);
      EXPECT_THAT(files.Contents(kPath),
                  AnyOf(Optional(std::string("old")), Optional(std::string("new"))));
    }
  }
}

}  // namespace
}  // namespace larder::exporter
