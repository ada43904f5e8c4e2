#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "import/importer.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

using testing::HasSubstr;

// A line is a key and a value, with a colon between.
class ColonImporter : public Importer {
 public:
  std::string_view name() const override { return "colon"; }
  std::string settings() const override { return "v=1 x"; }

  Result<ImportReport> Import(SourceText& text, RecordSink& sink) const override {
    if (throws_) static_cast<void>(std::string().at(1));
    std::string all;
    std::string piece(7, '\0');
    while (all.size() < most_) {
      const auto got = text.Read(piece.data(), piece.size());
      if (!got && hides_errors_) break;
      if (!got) return std::unexpected(got.error());
      if (*got == 0) break;
      all.append(piece, 0, *got);
    }
    if (!fault_.empty()) return std::unexpected(Error(ErrorCode::kCorrupt, fault_));
    auto batch = sink.NewBatch();
    ImportReport report;
    for (size_t at = 0; at < all.size();) {
      const size_t end = std::min(all.find('\n', at), all.size());
      const std::string_view line = std::string_view(all).substr(at, end - at);
      RecordView record;
      record.key = line.substr(0, line.find(':'));
      record.text = line.substr(line.find(':') + 1);
      if (auto added = batch->Add(record); !added) return std::unexpected(added.error());
      ++report.records;
      at = end + 1;
    }
    if (auto added = sink.Append(std::move(batch)); !added) return std::unexpected(added.error());
    return report;
  }

  bool throws_ = false;
  bool hides_errors_ = false;
  size_t most_ = SIZE_MAX;
  std::string fault_;
};

struct Imported {
  Result<ImportOutcome> outcome = ImportOutcome{};
  std::vector<RecordCopy> records;
};

Imported Import(const std::string& name, std::string text, SourceOptions source = {},
                std::function<bool(uint64_t, uint64_t)> progress = {}) {
  MemoryFiles files;
  files.Put(name, std::move(text));
  RecordCopies sink;
  ImportOptions options;
  options.threads = 1;
  options.source = std::move(source);
  options.progress = std::move(progress);
  Imported imported;
  imported.outcome = ImportSource(files, name, sink, options);
  imported.records = sink.records();
  return imported;
}

SourceOptions Custom(std::shared_ptr<ColonImporter> importer) {
  SourceOptions options;
  options.importer = std::move(importer);
  return options;
}

TEST(ImportSourceTest, TheFormatIsFoundOrForced) {
  const Imported json = Import("a", "{\n\"a\":1}");
  ASSERT_TRUE(json.outcome) << json.outcome.error().message();
  EXPECT_EQ(json.outcome->format, Format::kJson);
  ASSERT_EQ(json.records.size(), 1U);
  const Imported jsonl =
      Import("a.json", "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":2}");
  ASSERT_TRUE(jsonl.outcome) << jsonl.outcome.error().message();
  EXPECT_EQ(jsonl.outcome->format, Format::kJsonl);
  EXPECT_EQ(jsonl.records.size(), 2U);
  SourceOptions forced;
  forced.format = Format::kJson;
  EXPECT_THAT(Import("a", "{\"a\":1}\n{\"b\":2}", forced).outcome.error().message(),
              HasSubstr("a:2:1: another document follows"));
}

TEST(ImportSourceTest, APointerOrSnapshotHoldsNoRecords) {
  for (const char* text : {R"({"records_file_name":"r"})", "LARDSNAP"}) {
    const Imported imported = Import("a", text);
    ASSERT_FALSE(imported.outcome);
    EXPECT_EQ(imported.outcome.error().code(), ErrorCode::kInvalidArgument);
  }
}

TEST(ImportSourceTest, AnImporterOfTheProgramReadsTheTextBehindTheCompression) {
  const std::string text = "a:1\nb:2\n";
  for (const std::string& file : {text, GzipForTest(text)}) {
    uint64_t calls = 0;
    const Imported imported = Import("a.json", file, Custom(std::make_shared<ColonImporter>()),
                                     [&](uint64_t done, uint64_t total) {
                                       EXPECT_LE(done, total);
                                       ++calls;
                                       return true;
                                     });
    ASSERT_TRUE(imported.outcome) << imported.outcome.error().message();
    EXPECT_EQ(imported.outcome->records, 2U);
    EXPECT_EQ(imported.outcome->raw_bytes, file.size());
    EXPECT_EQ(imported.outcome->text_bytes, text.size());
    EXPECT_EQ(imported.outcome->format, Format::kAuto);
    ASSERT_EQ(imported.records.size(), 2U);
    EXPECT_EQ(imported.records[1].key, "b");
    EXPECT_EQ(imported.records[1].text, "2");
    EXPECT_GT(calls, 1U);
  }
}

TEST(ImportSourceTest, WhatAnImporterThrowsIsAnError) {
  auto importer = std::make_shared<ColonImporter>();
  importer->throws_ = true;
  const Imported imported = Import("a", "a:1\n", Custom(importer));
  ASSERT_FALSE(imported.outcome);
  EXPECT_EQ(imported.outcome.error().code(), ErrorCode::kInternal);
  EXPECT_THAT(imported.outcome.error().message(),
              testing::StartsWith("a: the importer \"colon\" threw: "));
}

TEST(ImportSourceTest, AnImportersErrorIsHandedOn) {
  auto importer = std::make_shared<ColonImporter>();
  importer->fault_ = "a:1: no colon";
  const Imported imported = Import("a", "a\n", Custom(importer));
  ASSERT_FALSE(imported.outcome);
  EXPECT_EQ(imported.outcome.error().message(), "a:1: no colon");
}

TEST(ImportSourceTest, AnImporterIsCancelledEvenWhenItHidesErrors) {
  auto importer = std::make_shared<ColonImporter>();
  importer->hides_errors_ = true;
  const Imported imported =
      Import("a", "a:1\n", Custom(importer), [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(imported.outcome);
  EXPECT_EQ(imported.outcome.error().code(), ErrorCode::kCancelled);
}

TEST(ImportSourceTest, ASourceIsReadToItsEndAlsoWhenAnImporterStopsEarly) {
  auto importer = std::make_shared<ColonImporter>();
  importer->most_ = 1;
  EXPECT_TRUE(Import("a", "a:1\nb:2\n", Custom(importer)).outcome);
  const std::string file = GzipForTest("a:1\nb:2\n");
  const Imported cut = Import("a", file.substr(0, file.size() - 1), Custom(importer));
  ASSERT_FALSE(cut.outcome);
  EXPECT_EQ(cut.outcome.error().code(), ErrorCode::kCorrupt);
}

TEST(SourceOptionsTextTest, SaysTheVersionAndWhatIsNotUsual) {
  SourceOptions options;
  EXPECT_EQ(SourceOptionsText(options), "auto 1 jsonl 2 json 1");
  options.format = Format::kJsonl;
  EXPECT_EQ(SourceOptionsText(options), "jsonl 2");
  options.shape = Shape::kRows;
  options.key_field = "id";
  options.key_prefix = "p/";
  options.bad_lines = 7;
  EXPECT_EQ(SourceOptionsText(options),
            "jsonl 2 shape=rows key_field=id key_prefix=p/ bad_lines=7");
  options.bad_lines = kSkipAllBadLines;
  options.format = Format::kJson;
  options.levels = 2;
  options.level_separator = ' ';
  EXPECT_EQ(SourceOptionsText(options),
            "json 1 jsonl 2 shape=rows key_field=id key_prefix=p/ bad_lines=skip levels=2 "
            "level_separator=%20");
  options.format = Format::kSnapshot;
  EXPECT_EQ(SourceOptionsText(options), "snapshot 1");
}

TEST(SourceOptionsTextTest, NoValueImitatesAnotherOption) {
  std::set<std::string> texts;
  const auto add = [&](const std::string& key_field, const std::string& key_prefix) {
    SourceOptions options;
    options.format = Format::kJsonl;
    options.key_field = key_field;
    options.key_prefix = key_prefix;
    const std::string text = SourceOptionsText(options);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_TRUE(texts.insert(text).second) << text;
  };
  add("a key_prefix=b", "");
  add("a", "b");
  add("a%20key_prefix=b", "");
  add("a%20key_prefix%3db", "");
  add("a", "b bad_lines=3");
  add("\xc3\xa9\n", "");
  add("%c3%a9%0a", "");
}

TEST(SourceOptionsTextTest, SaysAnImportersNameAndSettings) {
  SourceOptions options = Custom(std::make_shared<ColonImporter>());
  options.key_field = "id";
  EXPECT_EQ(SourceOptionsText(options), "importer colon settings=v%3d1%20x");
}

TEST(NamesTest, AreThoseOfTheConfiguration) {
  EXPECT_EQ(FormatName(Format::kAuto), "auto");
  EXPECT_EQ(FormatName(Format::kJsonl), "jsonl");
  EXPECT_EQ(FormatName(Format::kJson), "json");
  EXPECT_EQ(FormatName(Format::kPointer), "pointer");
  EXPECT_EQ(FormatName(Format::kSnapshot), "snapshot");
  EXPECT_EQ(ShapeName(Shape::kAuto), "auto");
  EXPECT_EQ(ShapeName(Shape::kTyped), "typed");
  EXPECT_EQ(ShapeName(Shape::kShort), "short");
  EXPECT_EQ(ShapeName(Shape::kRows), "rows");
}

}  // namespace
}  // namespace larder::importer
