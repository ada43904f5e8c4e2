// What a publisher may do wrong with a plain file: each is refused with its reason, and the old
// version serves on. (Of Snapshots and pointer files: snapshot_source_test.cc,
// pointer_source_test.cc.)
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "dataset/test_dataset.h"
#include "io/test_directory.h"

namespace larder::dataset {
namespace {

using ::testing::HasSubstr;

class PublisherMistakes : public ::testing::Test {
 protected:
  PublisherMistakes() {
    test_.Open();
    test_.Load("old");
  }

  // What is in the source's place now is not taken; publishing right afterwards is.
  Error Refused() {
    const auto report = test_->Refresh(true);
    EXPECT_FALSE(report) << "it was taken";
    EXPECT_EQ(test_.Word(), "old");
    EXPECT_NE(test_->status().last_error, "");
    const Error error = report ? Error(ErrorCode::kInternal, "taken") : report.error();
    test_.files().ClearFaults();
    test_.Load("new");
    EXPECT_EQ(test_.Word(), "new");
    EXPECT_EQ(test_->status().last_error, "");
    return error;
  }
  void Put(std::string_view bytes) { test_.files().PutFile(test_.options().source, bytes); }

  TestDataset test_;
};

TEST_F(PublisherMistakes, AnEmptyFile) {
  Put("");
  EXPECT_THAT(Refused().message(), HasSubstr("record"));
}

TEST_F(PublisherMistakes, ATruncatedGzip) {
  const std::string packed = GzipForTest(SourceOf("new"));
  Put(packed.substr(0, packed.size() - 9));
  EXPECT_EQ(Refused().code(), ErrorCode::kCorrupt);
}

TEST_F(PublisherMistakes, ABadLineInTheMiddle) {
  Put(SourceOf("new") + "{\"key\":\"x\",\"type\":\"string\",\"string_reco\n" + SourceOf("new"));
  const Error error = Refused();
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr(test_.options().source + ":6:"));
}

TEST_F(PublisherMistakes, AFullDisk) {
  Put(SourceOf("new"));
  test_.files().LimitSpace(100);
  EXPECT_EQ(Refused().code(), ErrorCode::kNoSpace);
}

TEST_F(PublisherMistakes, NoPermission) {
  Put(SourceOf("new"));
  test_.files().DenyReading(test_.options().source);
  const Error error = Refused();
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(error.message(), HasSubstr(test_.options().source));
}

TEST_F(PublisherMistakes, NoPermissionIsTriedAgainUntilThereIsSome) {
  Put(SourceOf("new"));
  test_.files().DenyReading(test_.options().source);
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_FALSE(test_->Refresh(false));
  test_.files().ClearFaults();
  for (int look = 0; look < 2; ++look) ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "new");
}

TEST_F(PublisherMistakes, AFileThatIsReplacedWhileItIsRead) {
  Options options = test_.options();
  bool replaced = false;
  options.progress = [&](std::string_view step, double) {
    if (step == "read" && !replaced) Put(SourceOf("newer"));
    replaced = true;
  };
  test_->Reconfigure(options);
  Put(SourceOf("new"));
  const Error error = Refused();
  EXPECT_EQ(error.code(), ErrorCode::kRefused);
  EXPECT_THAT(error.message(), HasSubstr("changed"));
}

TEST_F(PublisherMistakes, LinesThatMayBeBadAreSkippedCountedAndTold) {
  Options options = test_.options();
  options.import.bad_lines = 2;
  test_->Reconfigure(options);
  Put("x\n" + SourceOf("new") + "y\n");
  ASSERT_TRUE(test_->Refresh(true));
  EXPECT_EQ(test_.Word(), "new");
  EXPECT_EQ(test_->status().skipped_lines, 2U);
  std::string skipped;
  for (const auto& [name, value] : test_->Current()->snapshot->Metadata()) {
    if (name == "skipped_lines") skipped = value;
  }
  EXPECT_EQ(skipped, "2");
  Put("x\ny\nz\n" + SourceOf("newer"));
  EXPECT_FALSE(test_->Refresh(true)) << "three are too many";
  EXPECT_EQ(test_.Word(), "new");
}

TEST_F(PublisherMistakes, ATimeToLiveBeginsAnewWhenTheFileIsTouched) {
  const auto take = [this](const std::string& text) {
    Put(text);
    const auto report = test_->Refresh(true);
    EXPECT_TRUE(report) << report.error().message();
    return report.value_or(SwitchReport{}).compiled;
  };
  std::string text;
  for (int i = 0; i < kTestRecords; ++i) {
    text += fmt::format("{{\"key\":\"key/{}\",\"value\":\"new\",\"ttl_ms\":3600000}}\n", i);
  }
  EXPECT_TRUE(take(text));
  EXPECT_TRUE(take(text)) << "another modification time";
  EXPECT_FALSE(test_->Refresh(true).value_or(SwitchReport{.compiled = true}).compiled);
  EXPECT_FALSE(take(SourceOf("old"))) << "where nothing depends on it, it does not count";
}

TEST(StoreDirectory, OneThatWasRemovedIsToldAndServedOn) {
  SetLogLevel(LogLevel::kOff);
  const io::TestDirectory directory;
  io::FileSystem& files = io::RealFileSystem();
  EpochDomain epochs;
  Options options = TestOptions();
  options.source = directory / "features.jsonl";
  options.directory = directory / "var/features";
  ASSERT_TRUE(io::PublishFile(files, SourceOf("old"), options.source));
  const auto dataset = Dataset::Open(files, epochs, options);
  ASSERT_TRUE(dataset && (*dataset)->Refresh(true));
  std::filesystem::remove_all(options.directory);
  ASSERT_TRUE(io::PublishFile(files, SourceOf("new"), options.source));
  const auto report = (*dataset)->Refresh(true);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr(options.directory + ", where versions are kept"));
  EXPECT_EQ(WordOf((*dataset)->Current()), "old");
}

TEST_F(PublisherMistakes, ADirectoryInPlaceOfTheFile) {
  ASSERT_TRUE(test_.files().Remove(test_.options().source));
  ASSERT_TRUE(test_.files().MakeDirectories(test_.options().source));
  const auto report = test_->Refresh(true);
  ASSERT_FALSE(report);
  EXPECT_THAT(report.error().message(), HasSubstr("a directory"));
  EXPECT_EQ(test_.Word(), "old");
  EXPECT_THAT(test_->status().last_error, HasSubstr("a directory"));
}

}  // namespace
}  // namespace larder::dataset
