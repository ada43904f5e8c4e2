// Records of every type with any bytes: a Snapshot, exported and compiled again, is equal.
#include <atomic>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "dataset/compile.h"
#include "export/jsonl_export.h"
#include "export/text_file.h"
#include "io/faulty_file_system.h"
#include "snapshot/builder.h"
#include "snapshot/difference.h"

namespace larder::cli {
namespace {

using snapshot::Snapshot;

struct OwnedRecord {
  std::string key;
  ValueType type = ValueType::kString;
  std::string text;
  std::vector<std::string> items;
  std::vector<double> scores;
};

class Dice {
 public:
  explicit Dice(uint64_t seed) : engine_(seed) {}
  uint64_t Below(uint64_t end) { return engine_() % end; }
  uint64_t Any() { return engine_(); }

  std::string Bytes() {
    static constexpr std::string_view kWords[] = {
        "", "plain", "\xe2\x82\xac", "\"\\/\b\n\r\t", "true", "1e3", "{}"};
    if (Below(2) == 0) return std::string(kWords[Below(std::size(kWords))]);
    std::string bytes(Below(Below(8) == 0 ? 3000 : 12), '\0');
    for (char& byte : bytes) byte = static_cast<char>(Any());
    return bytes;
  }
  double Score() {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    constexpr double kSome[] = {0.0, -0.0, 0.1, kInfinity, -kInfinity, 5e-324, 1.7e308, 1e21, 123};
    if (Below(2) == 0) return kSome[Below(std::size(kSome))];
    const double score = std::bit_cast<double>(Any());
    return std::isnan(score) ? 1 : score;
  }
  std::string Json() {
    static constexpr std::string_view kSome[] = {R"({"a":[1,2.50,null],"b":"x"})",
                                                 "[]",
                                                 "null",
                                                 "true",
                                                 "\"text\"",
                                                 "1e999",
                                                 "-0",
                                                 "{\n \"a\": 1\n}",
                                                 " 1 ",
                                                 "",
                                                 "no json",
                                                 "\xff",
                                                 "9999999999999999999999999999"};
    return std::string(kSome[Below(std::size(kSome))]);
  }

 private:
  std::mt19937_64 engine_;
};

OwnedRecord SomeRecord(Dice& dice, uint64_t number) {
  OwnedRecord record;
  record.key = dice.Bytes() + std::to_string(number);
  record.type = static_cast<ValueType>(dice.Below(kValueTypeCount));
  if (record.type == ValueType::kString) record.text = dice.Bytes();
  if (record.type == ValueType::kJson) record.text = dice.Json();
  const uint64_t count = dice.Below(10) == 0 ? 200 : 1 + dice.Below(5);
  for (uint64_t i = 0; i < count; ++i) {
    record.items.push_back(dice.Bytes());
    if (record.type == ValueType::kHash) record.items.push_back(dice.Bytes());
    if (record.type == ValueType::kZset) record.scores.push_back(dice.Score());
  }
  return record;
}

void BuildRandom(io::FileSystem& files, const std::string& path, uint64_t count) {
  Dice dice(7);
  auto builder = snapshot::Builder::Create(files, path, snapshot::BuildOptions{});
  ASSERT_TRUE(builder);
  auto batch = (*builder)->NewBatch();
  for (uint64_t number = 0; number < count; ++number) {
    const OwnedRecord record = SomeRecord(dice, number);
    const std::vector<std::string_view> items(record.items.begin(), record.items.end());
    RecordView view;
    view.key = record.key;
    view.type = record.type;
    view.text = record.text;
    view.items = items;
    view.scores = record.scores;
    if (dice.Below(3) == 0) view.expires_at_ms = 1 + static_cast<int64_t>(dice.Any() >> 1) / 2;
    if (dice.Below(3) == 0) view.version = dice.Any();
    if (dice.Below(3) == 0) view.flags = static_cast<uint32_t>(dice.Any());
    ASSERT_TRUE(batch->Add(view));
  }
  ASSERT_TRUE((*builder)->Append(std::move(batch)));
  ASSERT_TRUE((*builder)->Finish());
}

void Export(io::FileSystem& files, const Snapshot& snapshot, const std::string& path) {
  const auto file = exporter::TextFile::Create(files, path);
  ASSERT_TRUE(file);
  const auto exported = exporter::ExportJsonl(
      snapshot, [&file](std::string_view lines) { return (*file)->Write(lines); });
  ASSERT_TRUE(exported) << exported.error().message();
  ASSERT_TRUE((*file)->Publish());
}

void Compile(io::FileSystem& files, const std::string& source, const std::string& path) {
  const std::atomic<bool> cancelled{false};
  dataset::Options options;
  options.source = source;
  options.threads = 1;
  dataset::CompileRequest request;
  request.path = path;
  request.cancelled = &cancelled;
  const auto compiled = dataset::CompileSource(files, options, request);
  ASSERT_TRUE(compiled) << compiled.error().message();
}

TEST(ExportRoundTrip, RandomRecordsOfEveryTypeComeBackEqual) {
  for (const std::string source : {"/d/out.jsonl", "/d/out.jsonl.gz", "/d/out.jsonl.zst"}) {
    io::FaultyFileSystem files;
    ASSERT_TRUE(files.MakeDirectories("/d"));
    BuildRandom(files, "/d/first.snap", ScaledCount(2000, 200));
    const auto first = Snapshot::Open(files, "/d/first.snap");
    ASSERT_TRUE(first);
    Export(files, **first, source);
    Compile(files, source, "/d/second.snap");
    const auto second = Snapshot::Open(files, "/d/second.snap");
    ASSERT_TRUE(second);
    const auto found = snapshot::Compare(**first, **second, {.samples = 3, .progress = {}});
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_TRUE(found->none()) << found->added << " " << found->removed << " " << found->changed
                               << (found->changed_samples.empty() ? ""
                                                                  : found->changed_samples[0].key);
    EXPECT_EQ(found->equal, (*first)->record_count());
  }
}

}  // namespace
}  // namespace larder::cli
