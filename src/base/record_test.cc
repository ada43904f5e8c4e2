#include "larder/record.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(ValueType, NumbersOfTheFormatNeverChange) {
  EXPECT_EQ(static_cast<int>(ValueType::kString), 0);
  EXPECT_EQ(static_cast<int>(ValueType::kHash), 1);
  EXPECT_EQ(static_cast<int>(ValueType::kList), 2);
  EXPECT_EQ(static_cast<int>(ValueType::kSet), 3);
  EXPECT_EQ(static_cast<int>(ValueType::kZset), 4);
  EXPECT_EQ(static_cast<int>(ValueType::kJson), 5);
  EXPECT_EQ(kValueTypeCount, 6);
}

TEST(ValueType, NamesAreThoseOfRedis) {
  EXPECT_EQ(ValueTypeName(ValueType::kString), "string");
  EXPECT_EQ(ValueTypeName(ValueType::kHash), "hash");
  EXPECT_EQ(ValueTypeName(ValueType::kList), "list");
  EXPECT_EQ(ValueTypeName(ValueType::kSet), "set");
  EXPECT_EQ(ValueTypeName(ValueType::kZset), "zset");
  EXPECT_EQ(ValueTypeName(ValueType::kJson), "ReJSON-RL");
  EXPECT_EQ(ValueTypeName(static_cast<ValueType>(6)), "unknown");
}

TEST(Record, LimitsFitTheFieldsOfTheFormat) {
  EXPECT_LT(kMaxKeyBytes, uint64_t{1} << 17);     // key_bytes: 17 bits of the record's head
  EXPECT_LT(kMaxStringBytes, uint64_t{1} << 40);  // value_bytes: 40 bits
  EXPECT_LT(kMaxElements, uint64_t{1} << 32);     // count: 4 bytes
}

}  // namespace
}  // namespace larder
