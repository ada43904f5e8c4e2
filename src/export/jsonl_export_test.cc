#include "export/jsonl_export.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "snapshot/builder.h"

namespace larder::exporter {
namespace {

using snapshot::Builder;
using snapshot::Snapshot;

using ::testing::HasSubstr;

constexpr char kPath[] = "/d/a.snap";

std::shared_ptr<const Snapshot> SnapshotOf(io::FaultyFileSystem& files,
                                           const std::vector<RecordView>& records) {
  EXPECT_TRUE(files.MakeDirectories("/d"));
  auto builder = Builder::Create(files, kPath, snapshot::BuildOptions{});
  EXPECT_TRUE(builder);
  auto batch = (*builder)->NewBatch();
  for (const RecordView& record : records) EXPECT_TRUE(batch->Add(record));
  EXPECT_TRUE((*builder)->Append(std::move(batch)));
  EXPECT_TRUE((*builder)->Finish());
  auto snapshot = Snapshot::Open(files, kPath);
  EXPECT_TRUE(snapshot);
  return *snapshot;
}

std::string Exported(const std::vector<RecordView>& records) {
  io::FaultyFileSystem files;
  const auto snapshot = SnapshotOf(files, records);
  std::string text;
  const auto report = ExportJsonl(*snapshot, [&text](std::string_view lines) -> Result<void> {
    text += lines;
    return {};
  });
  EXPECT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->records, snapshot->record_count());
  EXPECT_EQ(report->text_bytes, text.size());
  return text;
}

RecordView Record(std::string_view key, ValueType type, std::string_view text,
                  std::span<const std::string_view> items = {},
                  std::span<const double> scores = {}) {
  return {.key = key,
          .type = type,
          .text = text,
          .items = items,
          .scores = scores,
          .expires_at_ms = {},
          .version = {},
          .flags = {}};
}

RecordView Text(std::string_view key, std::string_view text) {
  return Record(key, ValueType::kString, text);
}

TEST(ExportJsonl, WritesEachTypeInItsShortestForm) {
  const std::vector<std::string_view> items = {"b", "1", "a", ""};
  EXPECT_EQ(Exported({Text("k", "v")}), "{\"key\":\"k\",\"value\":\"v\"}\n");
  EXPECT_EQ(Exported({Record("h", ValueType::kHash, "", items)}),
            "{\"key\":\"h\",\"value\":{\"b\":\"1\",\"a\":\"\"}}\n");
  EXPECT_EQ(Exported({Record("l", ValueType::kList, "", items)}),
            "{\"key\":\"l\",\"value\":[\"b\",\"1\",\"a\",\"\"]}\n");
  EXPECT_EQ(Exported({Record("s", ValueType::kSet, "", items)}),
            "{\"key\":\"s\",\"type\":\"set\",\"value\":[\"b\",\"1\",\"a\",\"\"]}\n");
}

TEST(ExportJsonl, ScoresAreTheShortestThatReadBack) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<std::string_view> members = {"a", "b", "c", "d", "e", "f", "g"};
  const std::vector<double> scores = {-kInfinity, -0.0, 0.1, 5, 1e300, 5e-324, kInfinity};
  const std::string text = Exported({Record("z", ValueType::kZset, "", members, scores)});
  for (const char* const part : {"\"type\":\"zset\"", "\"a\":\"-inf\"", "\"b\":-0,", "\"c\":0.1,",
                                 "\"d\":5,", "\"e\":1e+300,", "\"f\":5e-324", "\"g\":\"inf\""}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ExportJsonl, EscapesWhatJsonMust) {
  EXPECT_EQ(Exported({Text("a\"\\\n", std::string_view("\0\x1f/\xe2\x82\xac", 6))}),
            "{\"key\":\"a\\\"\\\\\\n\",\"value\":\"\\u0000\\u001F/\xe2\x82\xac\"}\n");
}

TEST(ExportJsonl, ExpiryVersionAndFlagsStandBesideTheValue) {
  RecordView record = Text("k", "v");
  record.expires_at_ms = std::numeric_limits<int64_t>::max();
  record.version = std::numeric_limits<uint64_t>::max();
  record.flags = std::numeric_limits<uint32_t>::max();
  EXPECT_EQ(Exported({record}),
            "{\"key\":\"k\",\"expires_at_ms\":9223372036854775807,"
            "\"version\":18446744073709551615,\"flags\":4294967295,\"value\":\"v\"}\n");
  // No source says a time before 1970.
  record = Text("k", "v");
  record.expires_at_ms = -5;
  EXPECT_EQ(Exported({record}), "{\"key\":\"k\",\"expires_at_ms\":1,\"value\":\"v\"}\n");
}

TEST(ExportJsonl, WhatIsNoUtf8GoesOutAsBase64) {
  const std::vector<std::string_view> items = {"\xff", "plain"};
  EXPECT_EQ(Exported({Text("\xff", "v")}),
            "{\"key\":\"/w==\",\"key_encoding\":\"base64\",\"value\":\"v\"}\n");
  EXPECT_EQ(Exported({Text("k", "\xff\xfe\xfd")}),
            "{\"key\":\"k\",\"encoding\":\"base64\",\"value\":\"//79\"}\n");
  EXPECT_EQ(Exported({Record("l", ValueType::kList, "", items)}),
            "{\"key\":\"l\",\"encoding\":\"base64\",\"value\":[\"/w==\",\"cGxhaW4=\"]}\n");
  EXPECT_EQ(Exported({Record("h", ValueType::kHash, "", items)}),
            "{\"key\":\"h\",\"field_encoding\":\"base64\",\"value\":{\"/w==\":\"plain\"}}\n");
  const std::vector<std::string_view> turned = {"plain", "\xff"};
  EXPECT_EQ(Exported({Record("h", ValueType::kHash, "", turned)}),
            "{\"key\":\"h\",\"encoding\":\"base64\",\"value\":{\"plain\":\"/w==\"}}\n");
  const std::vector<double> scores = {1, 2};
  EXPECT_EQ(Exported({Record("z", ValueType::kZset, "", items, scores)}),
            "{\"key\":\"z\",\"type\":\"zset\",\"encoding\":\"base64\","
            "\"value\":{\"/w==\":1,\"cGxhaW4=\":2}}\n");
}

TEST(ExportJsonl, JsonGoesOutAsItsSource) {
  for (const std::string json : {R"({"a": [1, 2.50]})", "[]", "5", "\"text\"", "1.10"}) {
    EXPECT_EQ(Exported({Record("j", ValueType::kJson, json)}),
              "{\"key\":\"j\",\"type\":\"json\",\"value\":" + json + "}\n");
  }
}

TEST(ExportJsonl, JsonThatNoLineHoldsGoesOutAsBase64) {
  const std::string deep = std::string(230, '[') + std::string(230, ']');
  for (const std::string& json :
       {std::string(), std::string("{\"a\":\n1}"), std::string(" 1"), std::string("1 "),
        std::string("{"), std::string("\"\xff\""), std::string("1}{"), deep}) {
    EXPECT_THAT(Exported({Record("j", ValueType::kJson, json)}),
                HasSubstr("\"type\":\"json\",\"encoding\":\"base64\",\"value\":\""));
  }
}

TEST(ExportJsonl, KeepsTheOrderOfTheSourceWithoutDuplicates) {
  EXPECT_EQ(Exported({Text("c", "1"), Text("a", "1"), Text("c", "2"), Text("b", "1")}),
            "{\"key\":\"a\",\"value\":\"1\"}\n{\"key\":\"c\",\"value\":\"2\"}\n"
            "{\"key\":\"b\",\"value\":\"1\"}\n");
  EXPECT_EQ(Exported({}), "");
}

TEST(ExportJsonl, WhatTheSinkSaysEndsIt) {
  io::FaultyFileSystem files;
  const auto snapshot = SnapshotOf(files, {Text("k", "v")});
  const auto report = ExportJsonl(*snapshot, [](std::string_view) -> Result<void> {
    return Fail(ErrorCode::kNoSpace, "full");
  });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kNoSpace);
}

TEST(ExportJsonl, CanBeCancelled) {
  io::FaultyFileSystem files;
  const std::string large(1 << 20, 'x');
  const auto snapshot = SnapshotOf(files, {Text("a", large), Text("b", large)});
  int pieces = 0;
  const auto report = ExportJsonl(
      *snapshot,
      [&pieces](std::string_view) -> Result<void> {
        ++pieces;
        return {};
      },
      [](uint64_t) { return false; });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
  EXPECT_EQ(pieces, 1);
}

}  // namespace
}  // namespace larder::exporter
