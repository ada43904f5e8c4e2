// Bad lines that may be skipped, chunks of another producer than a file of lines, and what options
// say of the lines.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "import/jsonl/chunk_source.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kPath = "data.jsonl";
constexpr size_t kChunkSizes[] = {1, 40, 100, 1000, kChunkBytes};

struct Imported {
  Result<ImportOutcome> outcome;
  std::vector<RecordCopy> records;
  std::string error() const { return outcome ? "no error" : outcome.error().message(); }
};

Imported Import(MemoryFiles& files, const SourceOptions& source, size_t chunk_bytes = kChunkBytes,
                unsigned threads = 2) {
  RecordCopies sink;
  ImportOptions options;
  options.source = source;
  options.threads = threads;
  auto outcome = ImportJsonlInChunks(files, kPath, sink, options, chunk_bytes);
  return {std::move(outcome), sink.records()};
}

Imported Import(std::string text, const SourceOptions& source, size_t chunk_bytes = kChunkBytes,
                unsigned threads = 2) {
  MemoryFiles files;
  files.Put(kPath, std::move(text));
  return Import(files, source, chunk_bytes, threads);
}

SourceOptions Allowing(uint64_t bad_lines) {
  SourceOptions source;
  source.bad_lines = bad_lines;
  return source;
}

std::string Good(int number) { return fmt::format("{{\"key\":\"g{}\",\"value\":1}}\n", number); }
std::string Bad(int number) { return fmt::format("{{\"key\":\"b{}\",\"value\":null}}\n", number); }
std::string BadAt(int line, int number) {
  const size_t column = fmt::format("{{\"key\":\"b{}\",\"value\":", number).size() + 1;
  return fmt::format("data.jsonl:{}:{}: null, where a string is meant (key \"b{}\")", line, column,
                     number);
}

// ---- Bad lines.

TEST(BadLinesTest, TheFirstFailsWhenNoneMayBeSkipped) {
  for (const size_t chunk_bytes : kChunkSizes) {
    EXPECT_EQ(Import(Good(1) + Bad(1) + Bad(2), Allowing(0), chunk_bytes).error(), BadAt(2, 1));
  }
}

TEST(BadLinesTest, AsManyAsAllowedAreSkippedCountedAndShown) {
  for (const size_t chunk_bytes : kChunkSizes) {
    for (const uint64_t allowed : {uint64_t{2}, uint64_t{3}, kSkipAllBadLines}) {
      const Imported imported =
          Import(Bad(1) + Good(1) + "\n" + Bad(2) + Good(2), Allowing(allowed), chunk_bytes);
      ASSERT_TRUE(imported.outcome) << imported.error();
      EXPECT_THAT(imported.records, SizeIs(2));
      EXPECT_EQ(imported.outcome->records, 2U);
      EXPECT_EQ(imported.outcome->skipped_lines, 2U);
      EXPECT_EQ(imported.outcome->blank_lines, 1U);
      EXPECT_THAT(imported.outcome->bad_lines, ElementsAre(BadAt(1, 1), BadAt(4, 2)));
    }
  }
}

TEST(BadLinesTest, OneMoreThanAllowedIsRefusedWithTheFirstThree) {
  const std::string text = Good(1) + Bad(1) + Bad(2) + Good(2) + Bad(3) + Bad(4) + Good(3) + Bad(5);
  for (const size_t chunk_bytes : kChunkSizes) {
    const auto error = [&](uint64_t allowed) {
      const Imported imported = Import(text, Allowing(allowed), chunk_bytes);
      EXPECT_FALSE(imported.outcome);
      EXPECT_EQ(imported.outcome.error().code(), ErrorCode::kCorrupt);
      return imported.error();
    };
    EXPECT_EQ(error(1), "data.jsonl: 2 bad lines, and at most 1 may be skipped: " + BadAt(2, 1) +
                            "; " + BadAt(3, 2));
    EXPECT_EQ(error(2), "data.jsonl: 3 bad lines, and at most 2 may be skipped: " + BadAt(2, 1) +
                            "; " + BadAt(3, 2) + "; " + BadAt(5, 3));
    EXPECT_EQ(error(4), "data.jsonl: 5 bad lines, and at most 4 may be skipped: " + BadAt(2, 1) +
                            "; " + BadAt(3, 2) + "; " + BadAt(5, 3) + "; ...");
  }
}

TEST(BadLinesTest, TheFirstTenAreShownInTheOrderOfTheFile) {
  std::string text;
  std::vector<std::string> shown;
  for (int i = 0; i < 300; ++i) {
    text += i % 3 == 0 ? Bad(i) : Good(i);
    if (i % 3 == 0 && shown.size() < kShownBadLines) shown.push_back(BadAt(i + 1, i));
  }
  for (const size_t chunk_bytes : kChunkSizes) {
    for (const unsigned threads : {1U, 2U, 5U}) {
      const Imported imported = Import(text, Allowing(100), chunk_bytes, threads);
      ASSERT_TRUE(imported.outcome) << imported.error();
      EXPECT_EQ(imported.outcome->skipped_lines, 100U);
      EXPECT_EQ(imported.outcome->bad_lines, shown);
      EXPECT_THAT(imported.records, SizeIs(200));
    }
  }
}

TEST(BadLinesTest, AFileOfNothingElseIsSkippedWhole) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "x\n";
  const Imported imported = Import(text, Allowing(kSkipAllBadLines));
  ASSERT_TRUE(imported.outcome) << imported.error();
  EXPECT_EQ(imported.outcome->skipped_lines, 100'000U);
  EXPECT_THAT(imported.outcome->bad_lines, SizeIs(kShownBadLines));
  EXPECT_THAT(imported.records, IsEmpty());
}

TEST(BadLinesTest, ARecordThatTheBatchRefusesIsABadLine) {
  MemoryFiles files;
  files.Put(kPath, Good(1) + Good(2) + Good(3));
  RecordCopies sink;
  sink.RefuseKey("g2");
  ImportOptions options;
  options.source.bad_lines = 1;
  const auto outcome = ImportJsonl(files, kPath, sink, options);
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(outcome->records, 2U);
  EXPECT_THAT(outcome->bad_lines,
              ElementsAre("data.jsonl:2:1: the value is too large (key \"g2\")"));
  EXPECT_EQ(sink.records().back().key, "g3");
}

TEST(BadLinesTest, ALineThatIsTooLongIsNotSkipped) {
  for (const size_t chunk_bytes : kChunkSizes) {
    MemoryFiles files;
    files.Put(kPath, Good(1) + Bad(1) + std::string(500, ' ') + "\n" + Good(2));
    RecordCopies sink;
    ImportOptions options;
    options.source.bad_lines = kSkipAllBadLines;
    options.max_line_bytes = 400;
    const auto outcome = ImportJsonlInChunks(files, kPath, sink, options, chunk_bytes);
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code(), ErrorCode::kLimit);
    EXPECT_EQ(outcome.error().message(), "data.jsonl:3:401: the line is longer than 400 bytes");
  }
}

TEST(BadLinesTest, WhatIsWrongWithTheFileIsNotSkipped) {
  const std::string text = Good(1) + Bad(1) + Good(2);
  const std::string gzip = GzipForTest(text);
  const Imported cut = Import(gzip.substr(0, gzip.size() - 3), Allowing(kSkipAllBadLines));
  ASSERT_FALSE(cut.outcome);
  EXPECT_EQ(cut.outcome.error().code(), ErrorCode::kCorrupt);
  MemoryFiles files;
  files.Put(kPath, text);
  files.At(kPath).reads_until_change = 1;
  EXPECT_THAT(Import(files, Allowing(kSkipAllBadLines)).error(), HasSubstr("changed while"));
  files.Put(kPath, text + Bad(2));
  files.At(kPath).reads_until_change = 1;
  EXPECT_THAT(Import(files, Allowing(1)).error(), HasSubstr("changed while"));
  files.Put(kPath, text);
  files.At(kPath).reads_until_error = 1;
  EXPECT_EQ(Import(files, Allowing(kSkipAllBadLines)).outcome.error().code(), ErrorCode::kIoError);
}

TEST(BadLinesTest, WhatStandsFirstIsTold) {
  ImportOptions options;
  options.source.bad_lines = 1;
  options.max_line_bytes = 100;
  const auto error = [&](const std::string& text, size_t chunk_bytes) {
    MemoryFiles files;
    files.Put(kPath, text);
    RecordCopies sink;
    return ImportJsonlInChunks(files, kPath, sink, options, chunk_bytes).error().message();
  };
  const std::string longer = std::string(200, ' ') + "\n";
  for (const size_t chunk_bytes : kChunkSizes) {
    EXPECT_THAT(error(Bad(1) + Bad(2) + longer, chunk_bytes),
                StartsWith("data.jsonl: 2 bad lines"));
    EXPECT_THAT(error(Bad(1) + longer + Bad(2), chunk_bytes), StartsWith("data.jsonl:2:101:"));
  }
}

// ---- Options of the lines.

TEST(LineOptionsTest, KeyFieldAndPrefixMakeRows) {
  SourceOptions source;
  source.key_field = "id";
  source.key_prefix = "p/";
  const Imported imported = Import("{\"id\":1,\"a\":2}\n{\"key\":\"k\",\"value\":\"v\"}", source);
  ASSERT_TRUE(imported.outcome) << imported.error();
  EXPECT_EQ(imported.outcome->format, Format::kJsonl);
  EXPECT_THAT(imported.records, ElementsAre(RecordCopy{"p/1", ValueType::kHash, "", {"a", "2"}, {}},
                                            RecordCopy{"k", ValueType::kString, "v", {}, {}}));
}

TEST(LineOptionsTest, RowsNeedAKeyField) {
  SourceOptions source;
  source.shape = Shape::kRows;
  const Imported imported = Import(Good(1), source);
  ASSERT_FALSE(imported.outcome);
  EXPECT_EQ(imported.outcome.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(imported.error(), HasSubstr("rows need key_field"));
}

TEST(LineOptionsTest, ShapesCanBeForced) {
  SourceOptions source;
  source.shape = Shape::kTyped;
  EXPECT_THAT(Import(Good(1), source).error(), HasSubstr("no member \"type\""));
}

TEST(LineOptionsTest, TtlsAreCountedFromTheFilesMtime) {
  MemoryFiles files;
  files.Put(kPath, R"({"key":"a","value":1,"ttl_ms":5})");
  files.At(kPath).info.mtime_ns = 1'234'999'999;
  const Imported imported = Import(files, {});
  ASSERT_TRUE(imported.outcome) << imported.error();
  EXPECT_TRUE(imported.outcome->depends_on_mtime);
  EXPECT_EQ(imported.records.at(0).expires_at_ms, 1239);
  EXPECT_FALSE(Import(Good(1), {}).outcome->depends_on_mtime);
}

TEST(LineOptionsTest, ALineThatIsNoRecordDependsOnNothing) {
  const Imported imported = Import(R"({"key":"a","value":[],"ttl_ms":5})"
                                   "\n"
                                   R"({"key":"a","ttl_ms":5,"value":null})",
                                   Allowing(1));
  ASSERT_TRUE(imported.outcome) << imported.error();
  EXPECT_FALSE(imported.outcome->depends_on_mtime);
}

// ---- Another producer of chunks.

// Every line twice as deep in a text of its own, a few in a chunk; then an end or an error.
class MadeLines : public ChunkSource {
 public:
  MadeLines(SourceStream& stream, std::vector<std::string> lines, bool fails)
      : stream_(stream), lines_(std::move(lines)), fails_(fails) {}

  Result<void> Next(SourceChunk& chunk) override {
    chunk.lines.Clear();
    chunk.positions.clear();
    for (int i = 0; i < 3 && next_ < lines_.size(); ++i, ++next_) {
      LARDER_TRY(chunk.lines.AddLine(lines_[next_], stream_.path()));
      chunk.positions.push_back({.line = 10 * next_, .column = 7});
    }
    if (!chunk.lines.text().empty()) return {};
    if (fails_) return Fail(ErrorCode::kCorrupt, "data.jsonl:99:1: the document is cut off");
    for (char byte = 0;;) {
      LARDER_ASSIGN(const size_t got, stream_.Read(&byte, 1));
      if (got == 0) return {};
    }
  }

 private:
  SourceStream& stream_;
  const std::vector<std::string> lines_;
  const bool fails_;
  size_t next_ = 0;
};

Imported ImportMade(const std::vector<std::string>& lines, const SourceOptions& source,
                    bool fails = false) {
  MemoryFiles files;
  files.Put(kPath, "the document");
  auto stream = SourceStream::Open(files, kPath);
  MadeLines made(**stream, lines, fails);
  RecordCopies sink;
  ImportOptions options;
  options.source = source;
  options.threads = 3;
  auto outcome = ImportChunks(**stream, made, sink, options);
  return {std::move(outcome), sink.records()};
}

TEST(ChunkSourceTest, LinesOfAnyProducerAreRecordsInTheirOrder) {
  std::vector<std::string> lines;
  for (int i = 0; i < 1000; ++i) lines.push_back(Good(i).substr(0, Good(i).size() - 1));
  const Imported imported = ImportMade(lines, {});
  ASSERT_TRUE(imported.outcome) << imported.error();
  ASSERT_THAT(imported.records, SizeIs(1000));
  for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(imported.records[i].key, fmt::format("g{}", i));
  EXPECT_EQ(imported.outcome->text_bytes, std::string_view("the document").size());
  EXPECT_EQ(imported.outcome->raw_bytes, std::string_view("the document").size());
}

TEST(ChunkSourceTest, ErrorsStandWhereTheProducerSays) {
  std::vector<std::string> lines(20, R"({"key":"k","value":1})");
  lines[13] = R"({"key":"k","value":null})";
  EXPECT_EQ(ImportMade(lines, {}).error(),
            "data.jsonl:130:7: null, where a string is meant (key \"k\")");
  const Imported skipped = ImportMade(lines, Allowing(1));
  ASSERT_TRUE(skipped.outcome) << skipped.error();
  EXPECT_THAT(skipped.outcome->bad_lines, ElementsAre(StartsWith("data.jsonl:130:7: null")));
}

TEST(ChunkSourceTest, AnErrorOfTheProducerIsTheImports) {
  const std::vector<std::string> lines(20, R"({"key":"k","value":1})");
  const Imported imported = ImportMade(lines, Allowing(kSkipAllBadLines), true);
  EXPECT_EQ(imported.error(), "data.jsonl:99:1: the document is cut off");
  EXPECT_THAT(imported.records, SizeIs(20));
}

}  // namespace
}  // namespace larder::importer
