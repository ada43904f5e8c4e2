// What PFCOUNT makes of strings; that its estimates are Redis's is shown by tests/conformance.
#include <algorithm>
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "command/hyperloglog_registers.h"

namespace larder::command {
namespace {

using std::string_literals::operator""s;

const std::string kStale = "\0\0\0\0\0\0\0\x80"s;
const std::string kSparseHead = "HYLL\x01\0\0\0"s + kStale;
const std::string kDenseHead = "HYLL\0\0\0\0"s + kStale;
// 16384 zeros; 16383 zeros and a register of 3.
const std::string kNoneSeen = kSparseHead + "\x7f\xff"s;
const std::string kOneSeen = kSparseHead + "\x7f\xfe\x88"s;

std::optional<uint64_t> CountOf(std::string_view text) {
  const auto view = HyperLogLogView::Of(text);
  EXPECT_TRUE(view.has_value());
  return view ? view->Count() : std::nullopt;
}

bool Merges(std::string_view text, HyperLogLogRegisters& into) {
  const auto view = HyperLogLogView::Of(text);
  return view && view->MergeInto(into);
}

TEST(HyperLogLog, IsToldByItsHead) {
  EXPECT_TRUE(HyperLogLogView::Of(kNoneSeen));
  EXPECT_TRUE(HyperLogLogView::Of(kSparseHead));
  EXPECT_TRUE(HyperLogLogView::Of(kDenseHead + std::string(12288, '\0')));
  EXPECT_FALSE(HyperLogLogView::Of(kDenseHead + std::string(12287, '\0')));
  EXPECT_FALSE(HyperLogLogView::Of(kDenseHead + std::string(12289, '\0')));
  EXPECT_FALSE(HyperLogLogView::Of(kSparseHead.substr(0, 15)));
  EXPECT_FALSE(HyperLogLogView::Of("HYLL\x02\0\0\0"s + kStale));
  EXPECT_FALSE(HyperLogLogView::Of("HILL\x01\0\0\0"s + kStale));
  EXPECT_FALSE(HyperLogLogView::Of(""));
}

TEST(HyperLogLog, CountsWhatItHasSeen) {
  EXPECT_EQ(CountOf(kNoneSeen), 0U);
  EXPECT_EQ(CountOf(kOneSeen), 1U);
  EXPECT_EQ(CountOf(kDenseHead + std::string(12288, '\0')), 0U);
}

TEST(HyperLogLog, TrustsACountThatIsNotStale) {
  EXPECT_EQ(CountOf("HYLL\x01\0\0\0\x39\x05\0\0\0\0\0\0"s), 1337U);
}

TEST(HyperLogLog, IsCorruptUnlessItsRunsAreAllRegisters) {
  EXPECT_EQ(CountOf(kSparseHead), std::nullopt);
  EXPECT_EQ(CountOf(kSparseHead + "\x7f\xfe"s), std::nullopt);
  EXPECT_EQ(CountOf(kNoneSeen + "\x80"s), std::nullopt);
  EXPECT_EQ(CountOf(kSparseHead + "\x7f"s), std::nullopt);
  HyperLogLogRegisters merged;
  EXPECT_FALSE(Merges(kSparseHead + "\x7f\xfe"s, merged));
  EXPECT_FALSE(Merges(kSparseHead, merged));
}

TEST(HyperLogLog, MergesToTheHighestOfEachRegister) {
  HyperLogLogRegisters merged;
  EXPECT_EQ(merged.Estimate(), 0U);
  EXPECT_TRUE(Merges(kOneSeen, merged));
  EXPECT_TRUE(Merges(kOneSeen, merged));
  EXPECT_EQ(merged.Estimate(), 1U);
  // The first register instead of the last.
  EXPECT_TRUE(Merges(kSparseHead + "\x80\x7f\xfe"s, merged));
  EXPECT_EQ(merged.Estimate(), 2U);
}

TEST(HyperLogLog, ReadsDenseRegistersFromTheLowestBits) {
  std::string dense = kDenseHead + std::string(12288, '\0');
  dense[16] = 0x02;          // register 0: 2
  dense[16 + 12287] = 0x0c;  // register 16383: 3
  EXPECT_EQ(CountOf(dense), 2U);
  HyperLogLogRegisters merged;
  EXPECT_TRUE(Merges(dense, merged));
  EXPECT_TRUE(Merges(kOneSeen, merged));  // the last register: 3
  EXPECT_EQ(merged.Estimate(), 2U);
}

TEST(HyperLogLog, EstimatesWithinItsErrorForLargeCounts) {
  // Registers as 2^20 elements leave them on average: 64 to each of 16384.
  RegisterHistogram histogram{};
  uint64_t left = kHyperLogLogRegisters;
  double at_most = 0;
  for (size_t value = 1; value <= 50 && left > 0; ++value) {
    const double upto = std::exp(-64.0 / static_cast<double>(uint64_t{1} << value));
    const auto share = static_cast<uint64_t>((upto - at_most) * kHyperLogLogRegisters + 0.5);
    histogram[value] = std::min(share, left);
    left -= histogram[value];
    at_most = upto;
  }
  histogram[20] += left;
  const auto estimate = static_cast<double>(EstimateCount(histogram));
  EXPECT_NEAR(estimate, 1 << 20, (1 << 20) * 0.03);
}

}  // namespace
}  // namespace larder::command
