#include "command/hyperloglog_registers.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/bytes.h"

namespace larder::command {
namespace {

constexpr std::string_view kMagic = "HYLL";
constexpr size_t kHeaderBytes = 16;
constexpr size_t kEncodingAt = 4;
constexpr size_t kCountAt = 8;
constexpr uint64_t kStale = uint64_t{1} << 63;
constexpr uint8_t kSparse = 1;
constexpr int kRegisterBits = 6;
constexpr size_t kDenseBytes = kHeaderBytes + kHyperLogLogRegisters * kRegisterBits / 8;

// The highest value of a register: 64 bits of hash, 14 of them choose the register.
constexpr int kHighest = 64 - 14 + 1;
// 1 / (2 ln 2), to the digits that Redis has.
constexpr double kAlpha = 0.721347520444481703680;

// x + sum of x^(2^k) 2^(k-1), until a term changes nothing.
double Sigma(double x) {
  if (x == 1.) return std::numeric_limits<double>::infinity();
  double sum = x;
  double before = 0;
  for (double weight = 1; sum != before; weight += weight) {
    x *= x;
    before = sum;
    sum += x * weight;
  }
  return sum;
}

// (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3, the same way.
double Tau(double x) {
  if (x == 0. || x == 1.) return 0.;
  double sum = 1 - x;
  double before = 0;
  for (double weight = 0.5; sum != before; weight *= 0.5) {
    x = std::sqrt(x);
    before = sum;
    sum -= std::pow(1 - x, 2) * weight;
  }
  return sum / 3;
}

// Calls `run(value, length)` for each run of equal registers. False: cut off by it.
template <typename Run>
bool ForEachRun(std::string_view runs, Run&& run) {
  for (size_t at = 0; at < runs.size(); ++at) {
    const auto byte = static_cast<uint8_t>(runs[at]);
    uint8_t value = 0;
    uint64_t length = 0;
    if ((byte & 0x80) != 0) {
      value = static_cast<uint8_t>(((byte >> 2) & 31) + 1);
      length = (byte & 3) + 1U;
    } else if ((byte & 0x40) != 0) {
      // A second byte that is not there is the zero behind Redis's string.
      ++at;
      const uint64_t low = at < runs.size() ? static_cast<uint8_t>(runs[at]) : 0;
      length = ((byte & 63U) << 8 | low) + 1;
    } else {
      length = (byte & 63U) + 1;
    }
    if (!run(value, length)) return false;
  }
  return true;
}

// Calls `take(number, value)` for each register of the dense form.
template <typename Take>
void ForEachDense(std::string_view registers, Take&& take) {
  // Four registers in three bytes.
  for (size_t at = 0, number = 0; number < kHyperLogLogRegisters; at += 3) {
    const auto byte = [&](size_t i) {
      return static_cast<uint32_t>(static_cast<uint8_t>(registers[at + i]));
    };
    uint32_t four = byte(0) | byte(1) << 8 | byte(2) << 16;
    for (int i = 0; i < 4; ++i, ++number, four >>= kRegisterBits) {
      take(number, static_cast<uint8_t>(four & 63));
    }
  }
}

}  // namespace

uint64_t EstimateCount(const RegisterHistogram& histogram) {
  constexpr auto kCount = static_cast<double>(kHyperLogLogRegisters);
  const auto number = [&histogram](int value) {
    return static_cast<double>(histogram[static_cast<size_t>(value)]);
  };
  double sum = kCount * Tau((kCount - number(kHighest)) / kCount);
  for (int value = kHighest - 1; value >= 1; --value) {
    sum += number(value);
    sum *= 0.5;
  }
  sum += kCount * Sigma(number(0) / kCount);
  return static_cast<uint64_t>(std::llround(kAlpha * kCount * kCount / sum));
}

uint64_t HyperLogLogRegisters::Estimate() const {
  RegisterHistogram histogram{};
  for (const uint8_t value : registers_) ++histogram[value];
  return EstimateCount(histogram);
}

std::optional<HyperLogLogView> HyperLogLogView::Of(std::string_view text) {
  if (text.size() < kHeaderBytes || !text.starts_with(kMagic)) return std::nullopt;
  const auto encoding = static_cast<uint8_t>(text[kEncodingAt]);
  if (encoding > kSparse) return std::nullopt;
  if (encoding != kSparse && text.size() != kDenseBytes) return std::nullopt;
  return HyperLogLogView(text, encoding == kSparse);
}

std::string_view HyperLogLogView::registers() const { return text_.substr(kHeaderBytes); }

std::optional<uint64_t> HyperLogLogView::Count() const {
  const auto cached = LoadLe<uint64_t>(text_.data() + kCountAt);
  if ((cached & kStale) == 0) return cached;
  RegisterHistogram histogram{};
  if (!sparse_) {
    ForEachDense(registers(), [&](size_t, uint8_t value) { ++histogram[value]; });
    return EstimateCount(histogram);
  }
  uint64_t number = 0;
  ForEachRun(registers(), [&](uint8_t value, uint64_t length) {
    histogram[value] += length;
    number += length;
    return true;
  });
  if (number != kHyperLogLogRegisters) return std::nullopt;
  return EstimateCount(histogram);
}

bool HyperLogLogView::MergeInto(HyperLogLogRegisters& into) const {
  if (!sparse_) {
    ForEachDense(registers(), [&](size_t number, uint8_t value) { into.Raise(number, value); });
    return true;
  }
  uint64_t number = 0;
  const bool fits = ForEachRun(registers(), [&](uint8_t value, uint64_t length) {
    if (number + length > kHyperLogLogRegisters) return false;
    for (uint64_t i = 0; i < length && value > 0; ++i) into.Raise(number + i, value);
    number += length;
    return true;
  });
  return fits && number == kHyperLogLogRegisters;
}

}  // namespace larder::command
