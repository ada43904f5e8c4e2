#include "rdb/dump_payload.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace larder::rdb {
namespace {

using std::string_literals::operator""s;

// Without the checksum.
std::string Body(const RecordView& record) {
  std::string payload = EncodeDumpPayload(record);
  payload.resize(payload.size() - 8);
  return payload;
}

RecordView StringOf(std::string_view text) {
  RecordView record;
  record.text = text;
  return record;
}

TEST(Crc64, IsTheOneOfRedis) {
  // The check value of this CRC, and of no bytes.
  EXPECT_EQ(Crc64("123456789"), 0xe9c6d914c4b8d9caU);
  EXPECT_EQ(Crc64(""), 0U);
}

TEST(DumpPayload, EndsWithVersionAndChecksum) {
  const std::string payload = EncodeDumpPayload(StringOf("hello"));
  ASSERT_EQ(payload.size(), 17U);
  EXPECT_EQ(payload.substr(0, 9), "\x00\x05hello\x0a\x00"s);
  uint64_t checksum = 0;
  payload.copy(reinterpret_cast<char*>(&checksum), 8, 9);
  EXPECT_EQ(checksum, Crc64(payload.substr(0, 9)));
}

TEST(DumpPayload, WritesLengthsInAsManyBytesAsTheyNeed) {
  EXPECT_EQ(Body(StringOf("")), "\x00\x00\x0a\x00"s);
  EXPECT_EQ(Body(StringOf(std::string(63, 'x'))).substr(0, 3), "\x00\x3fx"s);
  EXPECT_EQ(Body(StringOf(std::string(64, 'x'))).substr(0, 4), "\x00\x40\x40x"s);
  EXPECT_EQ(Body(StringOf(std::string(16383, 'x'))).substr(0, 4), "\x00\x7f\xffx"s);
  EXPECT_EQ(Body(StringOf(std::string(16384, 'x'))).substr(0, 7), "\x00\x80\x00\x00\x40\x00x"s);
}

TEST(DumpPayload, CountsTheFieldsOfAHashAndTheElementsOfOthers) {
  const std::vector<std::string_view> items = {"f", "v", "g", "w"};
  RecordView record;
  record.items = items;
  record.type = ValueType::kHash;
  EXPECT_EQ(Body(record),
            "\x04\x02\x01"s
            "f\x01v\x01g\x01w\x0a\x00"s);
  record.type = ValueType::kList;
  EXPECT_EQ(Body(record),
            "\x01\x04\x01"s
            "f\x01v\x01g\x01w\x0a\x00"s);
  record.type = ValueType::kSet;
  EXPECT_EQ(Body(record),
            "\x02\x04\x01"s
            "f\x01v\x01g\x01w\x0a\x00"s);
}

TEST(DumpPayload, WritesScoresAsDoublesTheHighestFirst) {
  const std::vector<std::string_view> items = {"a", "b"};
  const std::vector<double> scores = {1, 2};
  RecordView record;
  record.type = ValueType::kZset;
  record.items = items;
  record.scores = scores;
  EXPECT_EQ(Body(record),
            "\x05\x02\x01"s
            "b\0\0\0\0\0\0\0\x40\x01"s
            "a\0\0\0\0\0\0\xf0\x3f\x0a\x00"s);
}

}  // namespace
}  // namespace larder::rdb
