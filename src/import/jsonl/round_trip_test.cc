// Random records, written in random ways, are read back as they were.
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "base/test_scale.h"
#include "import/jsonl/jsonl_importer.h"
#include "import/jsonl/record_json.h"
#include "import/memory_files.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

constexpr uint64_t kSeed = 20;

class RandomRecords {
 public:
  explicit RandomRecords(uint64_t seed) : random_(seed) {}

  std::mt19937_64& random() { return random_; }
  uint64_t Below(uint64_t limit) { return random_() % limit; }

  RecordCopy Record() {
    binary_ = Below(4) == 0;
    RecordCopy record{Text(), static_cast<ValueType>(Below(kValueTypeCount)), "", {}, {}};
    if (Below(4) == 0)
      record.expires_at_ms = static_cast<int64_t>(1 + (random_() >> 1 >> Below(60)));
    if (Below(4) == 0) record.version = random_() >> Below(64);
    if (Below(4) == 0) record.flags = static_cast<uint32_t>(random_() >> 32 >> Below(32));
    if (record.type == ValueType::kJson) {
      record.text = kJson[Below(std::size(kJson))];
      return record;
    }
    if (record.type == ValueType::kString) {
      record.text = Text();
      return record;
    }
    const uint64_t elements = 1 + Below(Below(10) == 0 ? 300 : 6);
    for (uint64_t i = 0; i < elements; ++i) {
      record.items.push_back(Text());
      if (record.type == ValueType::kHash) record.items.push_back(Text());
      if (record.type == ValueType::kZset) record.scores.push_back(Score());
    }
    return record;
  }

 private:
  static constexpr std::string_view kJson[] = {
      "null", "{}", "[]", "1.10", R"("t\u00e9")", R"({"a":[1, null],"b":{"c":"]}"}})"};

  std::string Text() {
    if (binary_ && Below(2) == 0) return Bytes();
    constexpr std::string_view kCharacters[] = {"a",
                                                "Z",
                                                "0",
                                                " ",
                                                "\"",
                                                "\\",
                                                "/",
                                                "\n",
                                                "\r",
                                                "\t",
                                                "{",
                                                "}",
                                                "[",
                                                "]",
                                                ":",
                                                ",",
                                                "\x7f",
                                                "\xc2\x80",
                                                "\xc3\xa9",
                                                "\xe2\x82\xac",
                                                "\xed\x9f\xbf",
                                                "\xee\x80\x80",
                                                "\xef\xbf\xbf",
                                                "\xf0\x90\x80\x80",
                                                "\xf0\x9f\x98\x80",
                                                "\xf4\x8f\xbf\xbf",
                                                std::string_view("\0", 1),
                                                "\x1f"};
    std::string text;
    const uint64_t characters = Below(Below(8) == 0 ? 200 : 12);
    for (uint64_t i = 0; i < characters; ++i) text += kCharacters[Below(std::size(kCharacters))];
    return text;
  }

  std::string Bytes() {
    std::string bytes;
    for (uint64_t left = Below(20); left > 0; --left) bytes += static_cast<char>(Below(256));
    return bytes;
  }

  double Score() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    switch (Below(6)) {
      case 0:
        return static_cast<double>(Below(1000));
      case 1:
        return Below(2) == 0 ? kInfinity : -kInfinity;
      case 2:
        return -0.5 * static_cast<double>(Below(1000));
      default:
        return FiniteBits();
    }
  }

  double FiniteBits() {
    for (;;) {
      const auto score = std::bit_cast<double>(random_());
      if (std::isfinite(score)) return score;
    }
  }

  std::mt19937_64 random_;
  bool binary_ = false;  // the record's texts may be no UTF-8
};

// No text of the random ones is this.
constexpr std::string_view kKeyField = "the key";

// In a shape that can say what the record is.
std::string LineOf(const RecordCopy& record, RecordJson& json, RandomRecords& random) {
  if (!RecordJson::IsTypable(record) || random.Below(3) == 0) return json.ShortLine(record);
  if (record.type == ValueType::kHash && random.Below(2) == 0) {
    return json.RowLine(record, kKeyField);
  }
  return json.Line(record);
}

TEST(RoundTripTest, RandomRecordsAreReadBackAsTheyWere) {
  RandomRecords records(kSeed);
  RecordJson json(&records.random());
  const uint64_t files_count = ScaledCount(40, 3);
  for (uint64_t round = 0; round < files_count; ++round) {
    std::string text;
    std::vector<RecordCopy> expected;
    for (int i = 0; i < 50; ++i) {
      expected.push_back(records.Record());
      text += LineOf(expected.back(), json, records) + (records.Below(4) == 0 ? "\r\n" : "\n");
    }
    if (records.Below(2) == 0) text.pop_back();
    const uint64_t form = records.Below(3);
    MemoryFiles files;
    files.Put("random.jsonl", form == 0 ? text : form == 1 ? GzipForTest(text) : ZstdForTest(text));
    RecordCopies sink;
    ImportOptions options;
    options.source.key_field = kKeyField;
    options.threads = static_cast<unsigned>(1 + records.Below(4));
    const auto report = ImportJsonlInChunks(files, "random.jsonl", sink, options,
                                            1 + static_cast<size_t>(records.Below(3000)));
    ASSERT_TRUE(report) << report.error().message() << "\n" << text;
    ASSERT_EQ(sink.records(), expected);
  }
}

}  // namespace
}  // namespace larder::importer
