#include "import/json/json_importer.h"

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/memory_files.h"
#include "import/record_copies.h"
#include "io/file_system.h"

namespace larder::importer {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct Imported {
  Result<ImportOutcome> outcome = ImportOutcome{};
  std::vector<RecordCopy> records;
  std::string message() const { return outcome ? "" : outcome.error().message(); }
};

Imported Import(std::string text, const SourceOptions& source = {}, size_t chunk_bytes = 64) {
  MemoryFiles files;
  files.Put("doc.json", std::move(text));
  RecordCopies sink;
  ImportOptions options;
  options.source = source;
  options.threads = 2;
  Imported imported;
  imported.outcome = ImportJsonInChunks(files, "doc.json", sink, options, chunk_bytes);
  imported.records = sink.records();
  return imported;
}

RecordCopy String(std::string key, std::string text) {
  return {std::move(key), ValueType::kString, std::move(text), {}, {}};
}
RecordCopy Hash(std::string key, std::vector<std::string> items) {
  return {std::move(key), ValueType::kHash, "", std::move(items), {}};
}
RecordCopy List(std::string key, std::vector<std::string> items) {
  return {std::move(key), ValueType::kList, "", std::move(items), {}};
}

TEST(JsonImporterTest, MembersAreStringsHashesAndLists) {
  const Imported imported =
      Import(R"({"a":"\u00e9\u0000","b":1.50,"c":false,"d":{"f":1,"g":"x"},"e":["y",2],"f":[]})");
  ASSERT_EQ(imported.message(), "");
  EXPECT_THAT(
      imported.records,
      ElementsAre(String("a", std::string("\xc3\xa9\0", 3)), String("b", "1.50"),
                  String("c", "false"), Hash("d", {"f", "1", "g", "x"}), List("e", {"y", "2"})));
  EXPECT_EQ(imported.outcome->format, Format::kJson);
  EXPECT_EQ(imported.outcome->records, 5U);
  EXPECT_EQ(imported.outcome->empty_collections, 1U);
}

TEST(JsonImporterTest, TwoLevelsAreNamespaceAndKey) {
  SourceOptions options;
  options.levels = 2;
  const Imported imported = Import(R"({"n/\"":{"a":1,"b":{"c":2}},"m":{"a":3}})", options);
  ASSERT_EQ(imported.message(), "");
  EXPECT_THAT(imported.records,
              ElementsAre(String("n/\"/a", "1"), Hash("n/\"/b", {"c", "2"}), String("m/a", "3")));
}

TEST(JsonImporterTest, ElementsAreRecordsOfEveryShape) {
  SourceOptions options;
  options.key_field = "id";
  const Imported imported = Import(
      R"([{"key":"a","type":"string","string_record":{"value":"v"}},
          {"key":"b","type":"set","value":["x"]},
          {"id":7,"name":"Ada"}])",
      options);
  ASSERT_EQ(imported.message(), "");
  EXPECT_THAT(imported.records,
              ElementsAre(String("a", "v"), RecordCopy{"b", ValueType::kSet, "", {"x"}, {}},
                          Hash("7", {"name", "Ada"})));
}

TEST(JsonImporterTest, MembersWithAKeyFieldAreArraysOfRows) {
  SourceOptions options;
  options.key_field = "id";
  options.key_prefix = "p:";
  const std::string text =
      R"({"one":[{"id":1,"n":"x"},{"id":2,"n":"y"}],"two":[{"n":"z","id":3}]})";
  const Imported imported = Import(text, options);
  ASSERT_EQ(imported.message(), "");
  EXPECT_THAT(imported.records, ElementsAre(Hash("p:1", {"n", "x"}), Hash("p:2", {"n", "y"}),
                                            Hash("p:3", {"n", "z"})));
  options.levels = 2;
  for (const size_t chunk_bytes : {size_t{1}, size_t{64}, size_t{1} << 20}) {
    const Imported spaces = Import(text, options, chunk_bytes);
    ASSERT_EQ(spaces.message(), "");
    EXPECT_THAT(spaces.records,
                ElementsAre(Hash("p:one/1", {"n", "x"}), Hash("p:one/2", {"n", "y"}),
                            Hash("p:two/3", {"n", "z"})));
  }
}

TEST(JsonImporterTest, ABadRecordIsToldWhereItStands) {
  EXPECT_EQ(Import("{\"a\":1,\n \"b\":null}").message().substr(0, 15), "doc.json:2:2: n");
  EXPECT_THAT(Import("{\"a\":1,\n \"b\":null}").message(), HasSubstr("(key \"b\")"));
  EXPECT_THAT(Import("[{\"key\":\"a\",\"value\":1},\n\n  5]").message(),
              StartsWith("doc.json:3:3: "));
  EXPECT_THAT(Import("[{\"key\":\"a\"}]").message(), StartsWith("doc.json:1:2: "));
  EXPECT_THAT(Import("{\"\\udc00\":1}").message(), StartsWith("doc.json:1:2: "));
}

TEST(JsonImporterTest, BadRecordsMayBeSkippedButNotBadGrammar) {
  SourceOptions options;
  options.bad_lines = 1;
  const Imported imported = Import("{\"a\":1,\n\"b\":null,\"c\":3}", options);
  ASSERT_EQ(imported.message(), "");
  EXPECT_THAT(imported.records, ElementsAre(String("a", "1"), String("c", "3")));
  EXPECT_EQ(imported.outcome->skipped_lines, 1U);
  EXPECT_THAT(imported.outcome->bad_lines, ElementsAre(StartsWith("doc.json:2:1: ")));
  EXPECT_NE(Import("{\"a\":null,\"b\":null}", options).message(), "");
  options.bad_lines = kSkipAllBadLines;
  EXPECT_THAT(Import("{\"a\":null,\n,}", options).message(), StartsWith("doc.json:2:1: "));
}

TEST(JsonImporterTest, OfABadRecordAndBadGrammarBehindItTheRecordIsTold) {
  EXPECT_THAT(Import("{\"a\":null,\"b\":}").message(), StartsWith("doc.json:1:2: "));
}

TEST(JsonImporterTest, ADocumentMayBeCompressed) {
  const std::string text = "{\"a\":1,\"b\":\"" + std::string(100000, 'x') + "\"}";
  for (const std::string& file : {GzipForTest(text), ZstdForTest(text)}) {
    const Imported imported = Import(file, {}, 4096);
    ASSERT_EQ(imported.message(), "");
    EXPECT_THAT(imported.records,
                ElementsAre(String("a", "1"), String("b", std::string(100000, 'x'))));
  }
  const std::string cut = GzipForTest(text);
  EXPECT_THAT(Import(cut.substr(0, cut.size() - 9)).message(), StartsWith("doc.json: "));
}

// The same records, whichever of the two says them.
TEST(JsonImporterTest, AnArrayIsWhatItsElementsAreAsLines) {
  const std::string records[] = {
      R"({"key":"a","value":{"n":[1, {"x":null}]},"ttl_ms":5})",
      R"({"key":"b","type":"zset","value":{"m":1e3}})",
      R"({"key":"c","type":"json","value":[1.0,null,"\ud83d\ude00"]})",
      R"({"key":"k\u0000","key_encoding":null,"value":777777777777777777777777777777777e999})"};
  std::string lines;
  std::string array = "[";
  for (const std::string& record : records) {
    lines += record + "\n";
    array += (array.size() > 1 ? ",\n" : "") + record;
  }
  MemoryFiles files;
  files.Put("lines", lines);
  RecordCopies sink;
  ASSERT_TRUE(ImportJsonl(files, "lines", sink, {}));
  const Imported imported = Import(array + "]");
  ASSERT_EQ(imported.message(), "");
  EXPECT_EQ(imported.records, sink.records());
  EXPECT_TRUE(imported.outcome->depends_on_mtime);
}

TEST(JsonImporterTest, ManyRecordsKeepTheirOrder) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) {
    text += fmt::format("{}\"key{}\":{{\"i\":{}}}", i > 0 ? ",\n" : "", i, i);
  }
  const Imported imported = Import(text + "}", {}, 1000);
  ASSERT_EQ(imported.message(), "");
  ASSERT_EQ(imported.records.size(), 5000U);
  for (int i = 0; i < 5000; ++i) {
    EXPECT_EQ(imported.records[static_cast<size_t>(i)],
              Hash(fmt::format("key{}", i), {"i", std::to_string(i)}));
  }
}

// Debian's iso-codes, as in docs/formats/json.md.
TEST(JsonImporterTest, TheCountriesOfTheWorldAreRows) {
  SourceOptions options;
  options.key_field = "alpha_2";
  RecordCopies sink;
  ImportOptions import;
  import.source = options;
  const auto outcome =
      ImportJson(io::RealFileSystem(), "/usr/share/iso-codes/json/iso_3166-1.json", sink, import);
  ASSERT_TRUE(outcome) << outcome.error().message() << "; is the package iso-codes installed?";
  EXPECT_GE(outcome->records, 249U);
  EXPECT_EQ(outcome->skipped_lines, 0U);
  const auto& records = sink.records();
  const auto andorra = std::ranges::find(records, "AD", &RecordCopy::key);
  ASSERT_NE(andorra, records.end());
  EXPECT_EQ(andorra->type, ValueType::kHash);
  EXPECT_THAT(andorra->items, testing::IsSupersetOf({"alpha_3", "AND", "name", "Andorra"}));
}

}  // namespace
}  // namespace larder::importer
