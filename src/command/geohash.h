// Geohashes: places on the globe as whole numbers that sort places near each other together.
//
// Longitude and latitude are each cut in halves `step` times; the bits that say which halves are
// interleaved, longitude first. With 26 steps that is 52 bits, which a sorted set's score holds
// exactly: the form in which Redis keeps places. Its latitudes end where the map of the web does
// (85.05 degrees); geohashes as text, as geohash.org writes them, reach to the poles.
//
// Pure functions. The order of the floating-point operations is part of what they promise: results
// equal Redis's to the last bit.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace larder::command {

inline constexpr int kGeoSteps = 26;
inline constexpr double kMaxLongitude = 180;
inline constexpr double kMaxLatitude = 85.05112878;

struct Position {
  double longitude = 0;  // degrees
  double latitude = 0;
};
bool IsOnMap(Position position);

// A cell: how far east and north of the map's corner, in cells of its size.
struct GeoCell {
  uint32_t east = 0;
  uint32_t north = 0;
  int step = kGeoSteps;  // 1 .. kGeoSteps

  bool operator==(const GeoCell&) const = default;
};

struct GeoBox {
  double west = 0;
  double east = 0;
  double south = 0;
  double north = 0;
};

// The position must be on the map; on its eastern or northern edge, the cell is one beyond it.
GeoCell CellAt(Position position, int step);
GeoBox BoxOf(GeoCell cell);
// So many cells away; around the map's edges, in both directions.
GeoCell Neighbor(GeoCell cell, int east, int north);

// 2 * step bits.
uint64_t HashOf(GeoCell cell);
// The middle of the cell that a score names. Any score is taken, as Redis's conversions take it.
Position PositionOf(double score);

// Eleven characters, as geohash.org writes them; the last is always '0', for want of bits.
std::array<char, 11> GeohashText(Position position);

// Degrees with 17 decimals, exactly rounded, without the zeros at their end. For numbers under
// 1000.
std::string_view CoordinateText(double degrees, std::array<char, 32>& memory);

// Meters along a great circle of a sphere (the haversine formula).
double DistanceInMeters(Position from, Position to);
double DegreesToRadians(double degrees);
double RadiansToDegrees(double radians);
inline constexpr double kEarthRadiusInMeters = 6372797.560856;

}  // namespace larder::command
