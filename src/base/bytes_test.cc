#include "base/bytes.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Bytes, NumbersAreLittleEndian) {
  std::string bytes;
  AppendLe<uint32_t>(bytes, 0x01020304);
  EXPECT_EQ(bytes, std::string("\x04\x03\x02\x01", 4));
  AppendLe<uint16_t>(bytes, 0xbeef);
  EXPECT_EQ(bytes.size(), 6U);
  EXPECT_EQ(LoadLe<uint16_t>(bytes.data() + 4), 0xbeef);
}

TEST(Bytes, UnalignedNumbersAreReadAndWritten) {
  std::string bytes(17, '\0');
  StoreLe<uint64_t>(bytes.data() + 3, 0x1122334455667788);
  EXPECT_EQ(LoadLe<uint64_t>(bytes.data() + 3), 0x1122334455667788U);
  EXPECT_EQ(bytes[2], '\0');
  EXPECT_EQ(bytes[3], '\x88');
  EXPECT_EQ(bytes[11], '\0');
  StoreLe<double>(bytes.data() + 5, -0.5);
  EXPECT_EQ(LoadLe<double>(bytes.data() + 5), -0.5);
}

TEST(Bytes, AlignUpGoesToTheNextMultiple) {
  EXPECT_EQ(AlignUp(0, 8), 0U);
  EXPECT_EQ(AlignUp(1, 8), 8U);
  EXPECT_EQ(AlignUp(8, 8), 8U);
  EXPECT_EQ(AlignUp((uint64_t{1} << 40) + 1, 64), (uint64_t{1} << 40) + 64);
}

}  // namespace
}  // namespace larder
