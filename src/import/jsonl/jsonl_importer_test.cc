#include "import/jsonl/jsonl_importer.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/memory_files.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kPath = "data.jsonl";

RecordCopy String(std::string key, std::string value) {
  return {std::move(key), ValueType::kString, std::move(value), {}, {}};
}

struct Imported {
  Result<ImportReport> report;
  std::vector<RecordCopy> records;
  std::string error() const { return report ? "no error" : report.error().message(); }
};

Imported Import(MemoryFiles& files, size_t chunk_bytes = kJsonlChunkBytes,
                const ImportOptions& options = {}) {
  RecordCopies sink;
  auto report = ImportJsonlInChunks(files, kPath, sink, options, chunk_bytes);
  return {std::move(report), sink.records()};
}

Imported Import(std::string text, size_t chunk_bytes = kJsonlChunkBytes,
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

TEST(JsonlImportTest, AnEmptyFileHasNoRecords) {
  const Imported imported = Import("");
  ASSERT_TRUE(imported.report) << imported.error();
  EXPECT_EQ(imported.report->records, 0U);
  EXPECT_THAT(imported.records, IsEmpty());
}

}  // namespace
}  // namespace larder::importer
