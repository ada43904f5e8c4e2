#include "import/jsonl/jsonl_importer.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "import/jsonl/chunk_source.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kPath = "data.jsonl";

RecordCopy String(std::string key, std::string value) {
  return {std::move(key), ValueType::kString, std::move(value), {}, {}};
}

struct Imported {
  Result<ImportOutcome> report;
  std::vector<RecordCopy> records;
  std::string error() const { return report ? "no error" : report.error().message(); }
};

Imported Import(MemoryFiles& files, size_t chunk_bytes = kChunkBytes,
                const ImportOptions& options = {}) {
  RecordCopies sink;
  auto report = ImportJsonlInChunks(files, kPath, sink, options, chunk_bytes);
  return {std::move(report), sink.records()};
}

Imported Import(std::string text, size_t chunk_bytes = kChunkBytes,
                const ImportOptions& options = {}) {
  MemoryFiles files;
  files.Put(kPath, std::move(text));
  return Import(files, chunk_bytes, options);
}

TEST(JsonlImportTest, EveryTypeIsRead) {
  const Imported imported = Import(
      R"({"key":"s","type":"string","string_record":{"value":"v"}}
{"key":"h","type":"hash","hash_record":{"fields":{"a":"1","b":"2"}}}
{"key":"l","type":"list","list_record":{"elements":["x","y","x"]}}
{"key":"t","type":"set","set_record":{"elements":["m","n"]}}
{"key":"z","type":"zset","ordered_set_record":{"elements":[{"value":"p","score":1.5},{"score":"-inf","value":"q"}]}}
)");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_THAT(
      imported.records,
      ElementsAre(String("s", "v"), RecordCopy{"h", ValueType::kHash, "", {"a", "1", "b", "2"}, {}},
                  RecordCopy{"l", ValueType::kList, "", {"x", "y", "x"}, {}},
                  RecordCopy{"t", ValueType::kSet, "", {"m", "n"}, {}},
                  RecordCopy{"z", ValueType::kZset, "", {"p", "q"}, {1.5, -INFINITY}}));
  EXPECT_EQ(imported.report->records, 5U);
}

// A line of a string record, with its newline.
std::string Line(std::string_view key, std::string_view value) {
  return fmt::format(R"({{"key":"{}","type":"string","string_record":{{"value":"{}"}}}})"
                     "\n",
                     key, value);
}

// `count` lines of different lengths.
std::string Lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += Line(std::to_string(i), std::string(static_cast<size_t>(i) * 31 % 97, 'v'));
  }
  return text;
}

const std::string kBadLine = R"({"key":"bad","type":"string","string_record":{"value":null}})"
                             "\n";

// ---- What a file may look like.

TEST(JsonlImportTest, AnEmptyFileHasNoRecords) {
  const Imported imported = Import("");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_EQ(imported.report->records, 0U);
  EXPECT_THAT(imported.records, IsEmpty());
}

TEST(JsonlImportTest, TheLastLineNeedsNoNewline) {
  const Imported imported = Import(Line("a", "1") + R"({"key":"b","type":"string",)" +
                                   R"("string_record":{"value":"2"}})");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_THAT(imported.records, ElementsAre(String("a", "1"), String("b", "2")));
}

TEST(JsonlImportTest, LinesMayEndInCarriageReturnAndNewline) {
  std::string text = Lines(5);
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\r');
  }
  const Imported imported = Import(text);
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_EQ(imported.records, Import(Lines(5)).records);
}

TEST(JsonlImportTest, AByteOrderMarkAtTheStartIsSkipped) {
  const Imported imported = Import("\xef\xbb\xbf" + Line("a", "1"));
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_THAT(imported.records, ElementsAre(String("a", "1")));
  const Imported alone = Import("\xef\xbb\xbf");
  ASSERT_TRUE(alone.report) << alone.error();
}

TEST(JsonlImportTest, AByteOrderMarkElsewhereIsABadLine) {
  EXPECT_THAT(Import(Line("a", "1") + "\xef\xbb\xbf" + Line("b", "2")).error(),
              StartsWith("data.jsonl:2:1: "));
  // Also where a chunk starts.
  EXPECT_FALSE(Import(Line("a", "1") + "\xef\xbb\xbf" + Line("b", "2"), 1).report);
}

TEST(JsonlImportTest, BlankLinesAreCounted) {
  const Imported imported =
      Import("\n  \t\n" + Line("a", "1") + "\r\n \r\n" + Line("b", "2") + " ");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_EQ(imported.report->blank_lines, 5U);
  EXPECT_EQ(imported.report->records, 2U);
}

TEST(JsonlImportTest, EmptyCollectionsAreCountedAndNoRecords) {
  const Imported imported =
      Import(R"({"key":"e","type":"set","set_record":{"elements":[]}})"
             "\n" +
             Line("a", "1") + R"({"key":"e","type":"hash","hash_record":{"fields":{}}})");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_EQ(imported.report->empty_collections, 2U);
  EXPECT_EQ(imported.report->records, 1U);
  EXPECT_THAT(imported.records, ElementsAre(String("a", "1")));
}

// rostore ended the load silently at such a line.
TEST(JsonlImportTest, ALineOver64KiBIsALineLikeAnother) {
  for (const size_t bytes : {size_t{65'535}, size_t{65'536}, size_t{70'000}, size_t{5'000'000}}) {
    const std::string value(bytes, 'v');
    const Imported imported =
        Import(Line("a", "1") + Line("long", value) + Line("b", "2") + Line("c", value));
    ASSERT_TRUE(imported.report) << imported.error();
    EXPECT_EQ(imported.records, (std::vector<RecordCopy>{String("a", "1"), String("long", value),
                                                         String("b", "2"), String("c", value)}));
  }
}

TEST(JsonlImportTest, EveryChunkSizeGivesTheSame) {
  std::string text = "\xef\xbb\xbf" + Lines(12) + "\n \r\n" + Lines(3);
  text += R"({"key":"h","type":"hash","hash_record":{"fields":{"f":"\u00e9\n"}}})";
  const Imported whole = Import(text);
  ASSERT_TRUE(whole.report) << whole.error();
  ASSERT_EQ(whole.records.size(), 16U);
  for (size_t chunk_bytes = 1; chunk_bytes <= 200; ++chunk_bytes) {
    ImportOptions options;
    options.threads = 1 + static_cast<unsigned>(chunk_bytes % 3);
    const Imported imported = Import(text, chunk_bytes, options);
    ASSERT_TRUE(imported.report) << imported.error();
    ASSERT_EQ(imported.records, whole.records) << chunk_bytes;
    EXPECT_EQ(imported.report->blank_lines, whole.report->blank_lines);
    EXPECT_EQ(imported.report->text_bytes, text.size());
  }
}

TEST(JsonlImportTest, TheOrderIsTheFilesWhateverTheThreads) {
  const std::string text = Lines(3000);
  for (const unsigned threads : {1U, 2U, 8U}) {
    ImportOptions options;
    options.threads = threads;
    const Imported imported = Import(text, 500, options);
    ASSERT_TRUE(imported.report) << imported.error();
    ASSERT_EQ(imported.records.size(), 3000U);
    for (size_t i = 0; i < imported.records.size(); ++i) {
      ASSERT_EQ(imported.records[i].key, std::to_string(i));
    }
  }
}

// Takes nothing until the import has read as far ahead as it may.
class LateSink : public RecordSink {
 public:
  LateSink(const MemoryFiles::File& file, uint64_t may_read, uint64_t must_read)
      : file_(file), may_read_(may_read), must_read_(must_read) {}

  std::unique_ptr<RecordBatch> NewBatch() override { return std::make_unique<Batch>(); }
  Result<void> Append(std::unique_ptr<RecordBatch>) override {
    while (file_.read_to < must_read_) std::this_thread::yield();
    // An import without a bound would be at the end of the file soon.
    for (int turn = 0; turn < 1000 && file_.read_to <= may_read_; ++turn) std::this_thread::yield();
    EXPECT_LE(file_.read_to, may_read_);
    must_read_ = 0;
    may_read_ = UINT64_MAX;
    return {};
  }

 private:
  struct Batch : RecordBatch {
    Result<void> Add(const RecordView&) override { return {}; }
  };
  const MemoryFiles::File& file_;
  uint64_t may_read_;
  uint64_t must_read_;
};

TEST(JsonlImportTest, ReadsAheadOnlyAFewChunks) {
  constexpr size_t kChunkBytes = 10'000;
  constexpr unsigned kThreads = 2;
  constexpr uint64_t kInFlight = 2 * kThreads + 2;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    text += fmt::format(R"({{"key":"{}","type":"string","string_record":{{"value":"v"}}}})"
                        "\n",
                        i);
  }
  ASSERT_GT(text.size(), 10 * kInFlight * kChunkBytes);
  MemoryFiles files;
  files.Put(kPath, std::move(text));
  // Besides the chunks in flight one is being filled, when there is room again.
  LateSink sink(files.At(kPath), (kInFlight + 1) * kChunkBytes, (kInFlight - 1) * kChunkBytes);
  ImportOptions options;
  options.threads = kThreads;
  const auto report = ImportJsonlInChunks(files, kPath, sink, options, kChunkBytes);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->records, 20'000U);
}

TEST(JsonlImportTest, CompressedFilesGiveTheSame) {
  const std::string text = Lines(2000);
  const Imported plain = Import(text);
  ASSERT_TRUE(plain.report) << plain.error();
  const size_t half = text.size() / 2;  // somewhere in a line
  for (const std::string& bytes :
       {GzipForTest(text), ZstdForTest(text),
        GzipForTest(text.substr(0, half)) + GzipForTest("") + GzipForTest(text.substr(half)),
        ZstdForTest(text.substr(0, half)) + ZstdForTest(text.substr(half))}) {
    for (const size_t chunk_bytes : {size_t{100}, kChunkBytes}) {
      const Imported imported = Import(bytes, chunk_bytes);
      ASSERT_TRUE(imported.report) << imported.error();
      EXPECT_EQ(imported.records, plain.records);
      EXPECT_EQ(imported.report->raw_bytes, bytes.size());
      EXPECT_EQ(imported.report->text_bytes, text.size());
    }
  }
}

TEST(JsonlImportTest, LastWinsIsLeftToTheSink) {
  const Imported imported = Import(Line("a", "1") + Line("a", "2"));
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_THAT(imported.records, ElementsAre(String("a", "1"), String("a", "2")));
}

// ---- What refuses it.

TEST(JsonlImportTest, ABadLineIsToldWithFileLineColumnReasonAndKey) {
  const Imported imported = Import("\n" + Lines(2) + kBadLine + Line("z", "z"));
  ASSERT_FALSE(imported.report);
  EXPECT_EQ(imported.report.error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(imported.error(), "data.jsonl:4:55: null, where a string is meant (key \"bad\")");
}

TEST(JsonlImportTest, ColumnsAreCountedBehindTheByteOrderMark) {
  EXPECT_EQ(Import("\xef\xbb\xbf[]").error(), "data.jsonl:1:1: a record is a JSON object, {...}");
}

TEST(JsonlImportTest, KeysInMessagesAreShortAndPrintable) {
  EXPECT_THAT(Import(R"({"key":"a\"\n\u0000é","value":null})").error(),
              EndsWith("(key \"a\\\"\\x0a\\x00é\")"));
  std::string key;
  for (int i = 0; i < 100; ++i) key += "é";
  const std::string message = Import(R"({"key":"x)" + key + R"(","value":null})").error();
  EXPECT_THAT(message, EndsWith("é...\")"));
  EXPECT_LT(message.size(), 200U);
}

TEST(JsonlImportTest, TheFirstErrorInTheFileIsTold) {
  std::string text = Lines(300) + kBadLine;
  for (int i = 0; i < 500; ++i) text += "nonsense\n";
  for (const unsigned threads : {1U, 2U, 8U}) {
    for (const size_t chunk_bytes : {10U, 500U, 5000U}) {
      ImportOptions options;
      options.threads = threads;
      const Imported imported = Import(text, chunk_bytes, options);
      EXPECT_EQ(imported.error(), "data.jsonl:301:55: null, where a string is meant (key \"bad\")");
    }
  }
}

TEST(JsonlImportTest, LineLengthHasALimit) {
  const std::string line = Line("k", std::string(100, 'v'));
  const size_t bytes = line.size() - 1;
  for (size_t chunk_bytes = 1; chunk_bytes < 400; chunk_bytes += 7) {
    for (const std::string end : {"", "\n", "\r\n"}) {
      const std::string text = Line("a", "1") + line.substr(0, bytes) + end;
      ImportOptions options;
      options.max_line_bytes = bytes;
      const Imported fits = Import(text, chunk_bytes, options);
      ASSERT_TRUE(fits.report) << fits.error() << " chunk " << chunk_bytes;
      options.max_line_bytes = bytes - 1;
      const Imported longer = Import(text, chunk_bytes, options);
      ASSERT_FALSE(longer.report) << "chunk " << chunk_bytes;
      EXPECT_EQ(longer.report.error().code(), ErrorCode::kLimit);
      EXPECT_THAT(longer.error(), StartsWith(fmt::format("data.jsonl:2:{}: ", bytes)));
    }
  }
}

TEST(JsonlImportTest, AnEndlessLineIsNotReadToItsEnd) {
  MemoryFiles files;
  files.Put(kPath, std::string(20'000'000, ' '));
  ImportOptions options;
  options.max_line_bytes = 1000;
  uint64_t read = 0;
  options.progress = [&read](uint64_t done, uint64_t) { return read = done, true; };
  const Imported imported = Import(files, 100, options);
  ASSERT_FALSE(imported.report);
  EXPECT_EQ(imported.report.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(read, 0U) << "nothing was appended";
}

TEST(JsonlImportTest, TruncatedCompressedFilesAreRefusedAtEveryByte) {
  const std::string text = Lines(20);
  for (const std::string& bytes : {GzipForTest(text), ZstdForTest(text)}) {
    for (size_t size = 1; size < bytes.size(); ++size) {
      const Imported imported = Import(bytes.substr(0, size));
      ASSERT_FALSE(imported.report) << size;
      EXPECT_EQ(imported.report.error().code(), ErrorCode::kCorrupt) << imported.error();
      EXPECT_THAT(imported.error(), StartsWith("data.jsonl:"));
    }
  }
}

TEST(JsonlImportTest, DamagedCompressedFilesAreRefused) {
  const std::string text = Lines(200);
  for (const std::string& bytes : {GzipForTest(text), ZstdForTest(text)}) {
    for (size_t at = 12; at < bytes.size(); at += 97) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 1);
      // A bit of padding means nothing; all others must be noticed.
      const Imported imported = Import(damaged, 300);
      if (imported.report) {
        EXPECT_EQ(imported.records, Import(text).records) << at;
      }
    }
    EXPECT_FALSE(Import(bytes + "x").report);
  }
}

TEST(JsonlImportTest, WhatTheBatchRefusesIsToldWithItsLine) {
  MemoryFiles files;
  files.Put(kPath, Lines(10));
  RecordCopies sink;
  sink.RefuseKey("7");
  const auto report = ImportJsonlInChunks(files, kPath, sink, {}, 50);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(report.error().message(), "data.jsonl:8:1: the value is too large (key \"7\")");
}

TEST(JsonlImportTest, AnErrorOfTheSinkEndsTheImport) {
  MemoryFiles files;
  files.Put(kPath, Lines(1000));
  RecordCopies sink;
  sink.FailAppendsAfter(3);
  const auto report = ImportJsonlInChunks(files, kPath, sink, {}, 500);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNoSpace);
}

TEST(JsonlImportTest, ProgressIsToldAndCancels) {
  MemoryFiles files;
  files.Put(kPath, Lines(1000));
  uint64_t last = 0;
  uint64_t total = 0;
  ImportOptions options;
  options.progress = [&](uint64_t done, uint64_t all) {
    EXPECT_GE(done, last);
    last = done;
    total = all;
    return true;
  };
  ASSERT_TRUE(Import(files, 500, options).report);
  EXPECT_EQ(last, Lines(1000).size());
  EXPECT_EQ(total, Lines(1000).size());
  int calls = 0;
  options.progress = [&](uint64_t, uint64_t) { return ++calls < 3; };
  const Imported cancelled = Import(files, 500, options);
  ASSERT_FALSE(cancelled.report);
  EXPECT_EQ(cancelled.report.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(calls, 3);
}

TEST(JsonlImportTest, AFileThatChangesWhileItIsReadIsRefused) {
  MemoryFiles files;
  for (size_t reads = 0; reads < 4; ++reads) {
    files.Put(kPath, Lines(100));
    files.At(kPath).reads_until_change = reads;
    const Imported imported = Import(files, 3000);
    ASSERT_FALSE(imported.report) << reads;
    EXPECT_EQ(imported.report.error().code(), ErrorCode::kRefused) << imported.error();
  }
}

TEST(JsonlImportTest, AChangeExplainsABadLineBetter) {
  MemoryFiles files;
  files.Put(kPath, Lines(3) + "{\"key\":");
  files.At(kPath).reads_until_change = 1;
  EXPECT_THAT(Import(files).error(), HasSubstr("changed while it was read"));
}

TEST(JsonlImportTest, AFileShorterThanItSaysIsRefused) {
  MemoryFiles files;
  files.Put(kPath, Lines(3));
  files.At(kPath).info.bytes += 100;
  const Imported imported = Import(files);
  ASSERT_FALSE(imported.report);
  EXPECT_EQ(imported.report.error().code(), ErrorCode::kRefused);
}

TEST(JsonlImportTest, AnErrorOfTheDiskEndsTheImport) {
  MemoryFiles files;
  for (size_t reads = 0; reads < 4; ++reads) {
    files.Put(kPath, Lines(100));
    files.At(kPath).reads_until_error = reads;
    const Imported imported = Import(files, 1500);
    ASSERT_FALSE(imported.report) << reads;
    EXPECT_EQ(imported.report.error().code(), ErrorCode::kIoError);
  }
}

TEST(JsonlImportTest, WhatIsNoFileIsRefused) {
  MemoryFiles files;
  EXPECT_EQ(Import(files).report.error().code(), ErrorCode::kNotFound);
  files.PutDirectory(kPath);
  const Imported imported = Import(files);
  EXPECT_EQ(imported.report.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(imported.error(), HasSubstr("directory"));
}

}  // namespace
}  // namespace larder::importer
