#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "import/importer.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const Pointer kPointer{"records", "index"};

Result<void> Check(std::string records, std::string index,
                   const std::function<bool(uint64_t, uint64_t)>& progress = {}) {
  MemoryFiles files;
  files.Put("records", std::move(records));
  files.Put("index", std::move(index));
  return CheckIndex(files, kPointer, progress);
}

std::string Message(std::string records, std::string index) {
  const auto checked = Check(std::move(records), std::move(index));
  if (checked) return "";
  EXPECT_EQ(checked.error().code(), ErrorCode::kRefused);
  return checked.error().message();
}

std::string Record(const std::string& key, const std::string& type, const std::string& more = "") {
  return fmt::format(R"({{"key":"{}","type":"{}"{}}})", key, type, more);
}

std::string Entry(const std::string& key, uint64_t offset, uint64_t bytes,
                  const std::string& type) {
  return fmt::format("{{\"key\":\"{}\",\"offset\":{},\"len\":{},\"type\":\"{}\"}}\n", key, offset,
                     bytes, type);
}

// 27, 25 and 25 bytes; offsets 0, 28, 54.
const std::string kRecords =
    Record("b", "string") + "\n" + Record("c", "hash") + "\n" + Record("a", "zset") + "\n";
const uint64_t kB = Record("b", "string").size();
const uint64_t kC = Record("c", "hash").size();
const uint64_t kA = Record("a", "zset").size();
const uint64_t kAtC = kB + 1;
const uint64_t kAtA = kB + kC + 2;

TEST(IndexCheckTest, AnIndexInAnyOrderMayBeTrue) {
  const std::string a = Entry("a", kAtA, kA, "zset");
  const std::string b = Entry("b", 0, kB, "string");
  const std::string c = Entry("c", kAtC, kC, "hash");
  EXPECT_EQ(Message(kRecords, a + b + c), "");
  EXPECT_EQ(Message(kRecords, b + c + a), "");
  EXPECT_EQ(Message(kRecords, c + "\n \r\n" + b + a.substr(0, a.size() - 1)), "");
  EXPECT_EQ(Message(kRecords.substr(0, kRecords.size() - 1), a + b + c), "");
  EXPECT_EQ(Message("", ""), "");
}

TEST(IndexCheckTest, LengthsMayCountTheLineEnd) {
  EXPECT_EQ(Message(Record("b", "string") + "\r\n" + Record("c", "hash") + "\r\n",
                    Entry("b", 0, kB, "string") + Entry("c", kB + 2, kC + 2, "hash")),
            "");
  EXPECT_EQ(Message(Record("b", "string") + "\r\n", Entry("b", 0, kB + 1, "string")), "");
  EXPECT_EQ(Message(kRecords, Entry("b", 0, kB + 1, "string") + Entry("c", kAtC, kC + 1, "hash") +
                                  Entry("a", kAtA, kA + 1, "zset")),
            "");
  EXPECT_THAT(Message(Record("b", "string"), Entry("b", 0, kB + 1, "string")),
              HasSubstr("is at offset 0"));
  EXPECT_THAT(Message(Record("b", "string") + "\n", Entry("b", 0, kB - 1, "string")),
              HasSubstr("is at offset 0"));
}

TEST(IndexCheckTest, OrderedSetIsAnotherNameOfZset) {
  EXPECT_EQ(Message(Record("a", "ordered_set") + "\n", Entry("a", 0, kA + 7, "zset")), "");
  EXPECT_EQ(Message(Record("a", "zset") + "\n", Entry("a", 0, kA, "ordered_set")), "");
}

TEST(IndexCheckTest, ShortRecordsAreOfTheTypeOfTheirValue) {
  const auto check = [](const std::string& value, const std::string& type) {
    const std::string record = R"({"key":"k","value":)" + value + "}";
    return Message(record, Entry("k", 0, record.size(), type));
  };
  EXPECT_EQ(check("1", "string"), "");
  EXPECT_EQ(check("{}", "hash"), "");
  EXPECT_EQ(check("[]", "list"), "");
  EXPECT_THAT(check("[]", "hash"), HasSubstr("is the list \"k\""));
}

TEST(IndexCheckTest, KeysAreComparedWithoutTheirEscapes) {
  const std::string record = R"({"key":"\u0061\u0000/","type":"string"})";
  EXPECT_EQ(Message(record, R"({"type":"string","len":)" + std::to_string(record.size()) +
                                R"(,"offset":0,"key":"a\u0000\/"})"),
            "");
}

TEST(IndexCheckTest, TheFirstDifferenceIsTold) {
  const std::string a = Entry("a", kAtA, kA, "zset");
  const std::string b = Entry("b", 0, kB, "string");
  EXPECT_EQ(Message(kRecords, a + b + Entry("d", kAtC, kC, "hash")),
            "index:3: the index says that the hash \"d\" is at offset 28, 25 bytes long; "
            "records:2, at offset 28, has 25 bytes and is the hash \"c\"; write the index of these "
            "records");
  EXPECT_THAT(Message(kRecords, a + b + Entry("c", kAtC, kC, "list")),
              StartsWith("index:3: the index says that the list \"c\""));
  EXPECT_THAT(Message(kRecords, a + b + Entry("c", kAtC, kC - 1, "hash")),
              HasSubstr("24 bytes long; records:2, at offset 28, has 25 bytes"));
  EXPECT_THAT(Message(kRecords, b + a),
              StartsWith("index: the index has no line for the record \"c\" of records:2, at "
                         "offset 28"));
  EXPECT_THAT(Message(kRecords, a + b + Entry("c", kAtC, kC, "hash") + Entry("x", 500, 5, "list")),
              HasSubstr("index:4: the index says that the list \"x\" is at offset 500, 5 bytes "
                        "long; the records end before"));
  EXPECT_THAT(Message(kRecords, a + b + Entry("x", 3, 5, "list") + Entry("c", kAtC, kC, "hash")),
              HasSubstr("that is inside the line before records:2, at offset 28; write"));
}

TEST(IndexCheckTest, AnIndexOfOtherRecordsIsRefused) {
  EXPECT_THAT(Message("", Entry("b", 0, kB, "string")), HasSubstr("the records end before"));
  EXPECT_THAT(Message(kRecords, ""), HasSubstr("no line for the record \"b\" of records:1"));
  EXPECT_THAT(Message("\n", Entry("b", 0, 1, "string")), HasSubstr("records:1, at offset 0, is"));
  EXPECT_THAT(Message("{\"id\":1}\n", Entry("b", 0, 8, "string")),
              HasSubstr("is no record: it has no member \"key\""));
}

TEST(IndexCheckTest, LinesOfTheIndexMustBeWhole) {
  EXPECT_EQ(Message(kRecords, "\nhello"),
            "index:2: not a line of an index, {\"key\":..., \"offset\":..., \"len\":..., "
            "\"type\":...}: not a JSON object");
  for (const char* member : {"key", "offset", "len", "type"}) {
    std::string line = Entry("b", 0, kB, "string");
    line.replace(line.find(member), 1, "x");
    EXPECT_THAT(Message(kRecords, line), HasSubstr(fmt::format("no member \"{}\"", member)));
  }
  EXPECT_THAT(Message(kRecords, R"({"key":"b","offset":-1,"len":1,"type":"string"})"),
              HasSubstr("its \"offset\" is not a number of bytes"));
  EXPECT_THAT(Message(kRecords, R"({"key":7,"offset":1,"len":1,"type":"string"})"),
              HasSubstr("its \"key\" is not a string"));
}

// What rostore writes for a key that stands twice: the last record's line, twice.
TEST(IndexCheckTest, ARepeatedKeyMayHaveTheLineOfItsLastRecordForEach) {
  const std::string records = Record("b", "string") + "\n" + Record("b", "list") + "\n" +
                              Record("b", "hash") + "\n" + Record("c", "hash") + "\n";
  const uint64_t at_list = kB + 1;
  const uint64_t at_hash = at_list + kC + 1;
  const std::string last = Entry("b", at_hash, kC, "hash");
  const std::string c = Entry("c", at_hash + kC + 1, kC, "hash");
  EXPECT_EQ(Message(records, last + last + last + c), "");
  EXPECT_THAT(Message(records, last + last + last + last + c),
              HasSubstr("another line of the index says the same"));
  EXPECT_THAT(Message(records, last + last + c), HasSubstr("no line for the record \"b\""));
  EXPECT_THAT(Message(records, last + last + last + c + c),
              HasSubstr("another line of the index says the same"));
  EXPECT_EQ(
      Message(records, Entry("b", 0, kB, "string") + Entry("b", at_list, kC, "list") + last + c),
      "");
}

TEST(IndexCheckTest, BadLinesThatTheIndexDoesNotCountAreTheImportersBusiness) {
  EXPECT_EQ(Message("hello\n" + Record("b", "string") + "\n", Entry("b", 6, kB, "string")), "");
}

TEST(IndexCheckTest, OffsetsCountTheTextOfCompressedRecords) {
  const std::string index =
      Entry("a", kAtA, kA, "zset") + Entry("b", 0, kB, "string") + Entry("c", kAtC, kC, "hash");
  EXPECT_EQ(Message(GzipForTest(kRecords), ZstdForTest(index)), "");
  EXPECT_THAT(Message(ZstdForTest(kRecords), Entry("b", 0, kB, "string")),
              HasSubstr("no line for"));
}

TEST(IndexCheckTest, AMissingFileIsNotFound) {
  MemoryFiles files;
  files.Put("records", kRecords);
  const auto checked = CheckIndex(files, kPointer);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code(), ErrorCode::kNotFound);
}

TEST(IndexCheckTest, ManyRecordsAcrossChunksCanBeCancelled) {
  std::string records;
  std::vector<std::string> entries;
  for (int i = 0; i < 20000; ++i) {
    const std::string key = fmt::format("key{}", i);
    const std::string record = Record(key, "hash", fmt::format(R"(,"x":{})", i));
    entries.push_back(Entry(key, records.size(), record.size(), "hash"));
    records += record + "\n";
  }
  std::ranges::sort(entries);
  std::string index;
  for (const std::string& entry : entries) index += entry;
  uint64_t last_done = 0;
  uint64_t calls = 0;
  const auto checked = Check(records, index, [&](uint64_t done, uint64_t total) {
    EXPECT_EQ(total, records.size() + index.size());
    EXPECT_GE(done, last_done);
    EXPECT_LE(done, total);
    last_done = done;
    ++calls;
    return true;
  });
  EXPECT_TRUE(checked) << checked.error().message();
  EXPECT_GT(calls, 4U);
  const auto cancelled = Check(records, index, [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code(), ErrorCode::kCancelled);
}

TEST(IndexCheckTest, AFileThatChangesIsRefusedForThat) {
  MemoryFiles files;
  files.Put("records", kRecords + "\n");
  files.Put("index", Entry("b", 0, kB, "string"));
  files.At("records").reads_until_change = 1;
  const auto checked = CheckIndex(files, kPointer);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message(), HasSubstr("records: the file changed"));
}

}  // namespace
}  // namespace larder::importer
