#include "larder/importer.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "larder/build.h"
#include "library/test_program.h"

namespace larder {
namespace {

using ::testing::HasSubstr;

// KEY=VALUE lines. A line "fail" fails, a line "throw" throws.
class PairsImporter : public Importer {
 public:
  explicit PairsImporter(std::string settings = "1") : settings_(std::move(settings)) {}
  std::string_view name() const override { return "pairs"; }
  std::string settings() const override {
    if (settings_ == "throw") std::ignore = std::stoi(settings_);
    return settings_;
  }

  Result<ImportReport> Import(SourceText& text, RecordSink& sink) const override {
    std::string all(4096, '\0');
    LARDER_ASSIGN(const size_t bytes, text.Read(all.data(), all.size()));
    const std::string_view lines(all.data(), bytes);
    ImportReport report;
    auto batch = sink.NewBatch();
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at);
      const std::string_view line = lines.substr(at, end - at);
      if (line == "fail") return Fail(ErrorCode::kCorrupt, text.path() + ": told to fail");
      if (line == "throw") std::ignore = std::stoi(std::string(line));
      RecordView record;
      record.key = line.substr(0, line.find('='));
      record.text = line.substr(record.key.size() + 1);
      LARDER_TRY(batch->Add(record));
      ++report.records;
      at = end + 1;
    }
    LARDER_TRY(sink.Append(std::move(batch)));
    return report;
  }

 private:
  std::string settings_;
};

DatasetOptions PairsOptions(const TestProgram& program, std::string settings = "1") {
  DatasetOptions options = program.Options();
  options.source = program / "words.pairs";
  options.import.importer = std::make_shared<PairsImporter>(std::move(settings));
  return options;
}

TEST(LibraryImporterTest, DatasetReadsAFormatOfTheProgram) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\nb=2\na=3\n");
  const auto dataset = Dataset::Open(PairsOptions(program));
  ASSERT_TRUE(dataset);
  const auto version = dataset->WaitForVersion(kLongEnough);
  ASSERT_TRUE(version) << version.error().message();
  EXPECT_EQ(version->Find("a")->text(), "3");
  EXPECT_EQ(version->Find("b")->text(), "2");
}

TEST(LibraryImporterTest, FailureIsReportedAndTheVersionBeforeServesOn) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\n");
  const auto dataset = Dataset::Open(PairsOptions(program));
  ASSERT_TRUE(dataset);
  ASSERT_TRUE(dataset->WaitForVersion(kLongEnough));
  program.Publish("words.pairs", "a=2\nfail\n");
  const auto refreshed = dataset->Refresh();
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(refreshed.error().message(), HasSubstr("told to fail"));
  EXPECT_EQ(dataset->Find("a")->text(), "1");
}

TEST(LibraryImporterTest, ExceptionBecomesAnError) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\nthrow\n");
  const auto dataset = Dataset::Open(PairsOptions(program));
  ASSERT_TRUE(dataset);
  const auto refreshed = dataset->Refresh();
  ASSERT_FALSE(refreshed);
  EXPECT_EQ(refreshed.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(refreshed.error().message(), HasSubstr("importer pairs threw an exception: stoi"));
}

TEST(LibraryImporterTest, ExceptionOfItsSettingsBecomesAnErrorOfOpen) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\n");
  const auto dataset = Dataset::Open(PairsOptions(program, "throw"));
  ASSERT_FALSE(dataset);
  EXPECT_EQ(dataset.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(dataset.error().message(), HasSubstr("settings() of importer pairs threw"));
}

TEST(LibraryImporterTest, OtherSettingsImportTheSameFileAgain) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\n");
  for (const auto& [settings, number] :
       {std::pair("1", uint64_t{1}), std::pair("1", uint64_t{1}), std::pair("2", uint64_t{2})}) {
    const auto dataset = Dataset::Open(PairsOptions(program, settings));
    ASSERT_TRUE(dataset);
    const auto report = dataset->Refresh();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(dataset->Current().version_number(), number);
  }
}

TEST(LibraryImporterTest, BuildSnapshotUsesItToo) {
  TestProgram program;
  program.Publish("words.pairs", "a=1\nb=2\na=3\n");
  BuildOptions options;
  options.import.importer = std::make_shared<PairsImporter>();
  const auto built = BuildSnapshot(program / "words.pairs", program / "words.snap", options);
  ASSERT_TRUE(built) << built.error().message();
  EXPECT_EQ(built->records, 2);
  EXPECT_EQ(built->duplicates, 1);
  EXPECT_EQ(Snapshot::Open(program / "words.snap")->record_count(), 2);
}

}  // namespace
}  // namespace larder
