#include "command/geohash.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

namespace larder::command {
namespace {

constexpr double kDegree = std::numbers::pi / 180;  // in radians

struct Range {
  double min;
  double max;
};
constexpr Range kLongitudes = {-kMaxLongitude, kMaxLongitude};
constexpr Range kLatitudes = {-kMaxLatitude, kMaxLatitude};
constexpr Range kLatitudesOfText = {-90, 90};

double CellsPerSide(int step) { return static_cast<double>(uint64_t{1} << step); }

// Which of 2^step equal pieces of the range `value` lies in.
uint32_t PieceAt(double value, Range range, int step) {
  const double share = (value - range.min) / (range.max - range.min);
  return static_cast<uint32_t>(share * CellsPerSide(step));
}

double StartOfPiece(double piece, Range range, int step) {
  return range.min + piece / CellsPerSide(step) * (range.max - range.min);
}

// Bit i goes to bit 2i: each line halves the groups of bits that stand together.
uint64_t Spread(uint32_t bits) {
  uint64_t spread = bits;
  spread = (spread | spread << 16) & 0x0000ffff0000ffff;
  spread = (spread | spread << 8) & 0x00ff00ff00ff00ff;
  spread = (spread | spread << 4) & 0x0f0f0f0f0f0f0f0f;
  spread = (spread | spread << 2) & 0x3333333333333333;
  return (spread | spread << 1) & 0x5555555555555555;
}

uint32_t Gather(uint64_t spread) {
  uint64_t bits = spread & 0x5555555555555555;
  bits = (bits | bits >> 1) & 0x3333333333333333;
  bits = (bits | bits >> 2) & 0x0f0f0f0f0f0f0f0f;
  bits = (bits | bits >> 4) & 0x00ff00ff00ff00ff;
  bits = (bits | bits >> 8) & 0x0000ffff0000ffff;
  return static_cast<uint32_t>(bits | bits >> 16);
}

// A score that is no geohash: what a conversion to 64 bits makes of it on Redis's machines.
uint64_t BitsOf(double score) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (score >= 0 && score < 2 * kTwoTo63) return static_cast<uint64_t>(score);
  if (score < 0 && score >= -kTwoTo63) return static_cast<uint64_t>(static_cast<int64_t>(score));
  return score < 0 ? uint64_t{1} << 63 : 0;
}

double MiddleOf(double start, double end, double limit) {
  return std::clamp((start + end) / 2, -limit, limit);
}

}  // namespace

bool IsOnMap(Position position) {
  return std::abs(position.longitude) <= kMaxLongitude &&
         std::abs(position.latitude) <= kMaxLatitude;
}

GeoCell CellAt(Position position, int step) {
  return {.east = PieceAt(position.longitude, kLongitudes, step),
          .north = PieceAt(position.latitude, kLatitudes, step),
          .step = step};
}

GeoBox BoxOf(GeoCell cell) {
  const auto east = static_cast<double>(cell.east);
  const auto north = static_cast<double>(cell.north);
  return {.west = StartOfPiece(east, kLongitudes, cell.step),
          .east = StartOfPiece(east + 1, kLongitudes, cell.step),
          .south = StartOfPiece(north, kLatitudes, cell.step),
          .north = StartOfPiece(north + 1, kLatitudes, cell.step)};
}

GeoCell Neighbor(GeoCell cell, int east, int north) {
  const uint32_t mask = (uint32_t{1} << cell.step) - 1;
  // A place on the map's very edge is in a cell beyond it, and stays there unless it moves.
  if (east != 0) cell.east = (cell.east + static_cast<uint32_t>(east)) & mask;
  if (north != 0) cell.north = (cell.north + static_cast<uint32_t>(north)) & mask;
  return cell;
}

uint64_t HashOf(GeoCell cell) { return Spread(cell.north) | Spread(cell.east) << 1; }

Position PositionOf(double score) {
  const uint64_t bits = BitsOf(score);
  const GeoBox box = BoxOf({.east = Gather(bits >> 1), .north = Gather(bits)});
  return {.longitude = MiddleOf(box.west, box.east, kMaxLongitude),
          .latitude = MiddleOf(box.south, box.north, kMaxLatitude)};
}

std::array<char, 11> GeohashText(Position position) {
  constexpr std::string_view kAlphabet = "0123456789bcdefghjkmnpqrstuvwxyz";
  constexpr int kBitsPerCharacter = 5;
  const uint64_t bits = HashOf({.east = PieceAt(position.longitude, kLongitudes, kGeoSteps),
                                .north = PieceAt(position.latitude, kLatitudesOfText, kGeoSteps)});
  std::array<char, 11> text;
  text.back() = kAlphabet[0];
  int left = 2 * kGeoSteps;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    left -= kBitsPerCharacter;
    text[i] = kAlphabet[bits >> left & 0x1f];
  }
  return text;
}

// A library's general way to so many decimals costs more than all else that answers a place. Under
// 1000 the fraction, times 10^17, fits 128 bits exactly.
std::string_view CoordinateText(double degrees, std::array<char, 32>& memory) {
  constexpr int kDecimals = 17;
  constexpr uint64_t kOne = 100'000'000'000'000'000;  // 10^17
  constexpr int kMantissaBits = 53;
  __extension__ using Wide = unsigned __int128;
  double whole = 0;
  int exponent = 0;
  const double mantissa = std::frexp(std::modf(std::abs(degrees), &whole), &exponent);
  const Wide scaled = static_cast<Wide>(std::ldexp(mantissa, kMantissaBits)) * kOne;
  const int below = kMantissaBits - exponent;  // bits after the point
  auto integer = static_cast<uint64_t>(whole);
  uint64_t decimals = 0;
  if (below < 2 * kMantissaBits + 10) {
    const Wide rest = scaled & ((Wide{1} << below) - 1);
    const Wide half = Wide{1} << (below - 1);
    decimals = static_cast<uint64_t>(scaled >> below);
    if (rest > half || (rest == half && decimals % 2 == 1)) ++decimals;
  }
  if (decimals == kOne) {
    ++integer;
    decimals = 0;
  }
  char* to = memory.data();
  if (degrees < 0 && integer + decimals > 0) *to++ = '-';
  to = std::to_chars(to, to + 4, integer).ptr;
  if (decimals == 0) return {memory.data(), to};
  *to++ = '.';
  int digits = kDecimals;
  for (; decimals % 10 == 0; decimals /= 10) --digits;
  for (int i = digits - 1; i >= 0; --i, decimals /= 10) {
    to[i] = static_cast<char>('0' + decimals % 10);
  }
  return {memory.data(), to + digits};
}

double DegreesToRadians(double degrees) { return degrees * kDegree; }
double RadiansToDegrees(double radians) { return radians / kDegree; }

double DistanceInMeters(Position from, Position to) {
  const double from_latitude = DegreesToRadians(from.latitude);
  const double to_latitude = DegreesToRadians(to.latitude);
  const double turn = DegreesToRadians(to.longitude) - DegreesToRadians(from.longitude);
  const double across = std::sin(turn / 2);
  // On one meridian the latitudes are the whole way, without rounding.
  if (across == 0) return kEarthRadiusInMeters * std::abs(to_latitude - from_latitude);
  const double along = std::sin((to_latitude - from_latitude) / 2);
  const double haversine =
      along * along + std::cos(from_latitude) * std::cos(to_latitude) * across * across;
  return 2.0 * kEarthRadiusInMeters * std::asin(std::sqrt(haversine));
}

}  // namespace larder::command
