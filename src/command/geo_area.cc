#include "command/geo_area.h"

#include <algorithm>
#include <cmath>

namespace larder::command {
namespace {

// Half the way around the equator, as the map of the web measures it, in meters.
constexpr double kHalfMapInMeters = 20037726.37;

// Around the globe a degree of longitude shrinks towards the poles, so the cells do: from here on
// they must be larger by one step, and by another.
constexpr double kNarrowLatitude = 66;
constexpr double kNarrowestLatitude = 80;

// The box around an area: its meridians are those of the edge nearest to a pole, which are widest
// apart in degrees.
GeoBox Around(const GeoArea& area) {
  const double half_height = area.unit * (area.is_box ? area.height / 2 : area.radius);
  const double half_width = area.unit * (area.is_box ? area.width / 2 : area.radius);
  const double north_south = RadiansToDegrees(half_height / kEarthRadiusInMeters);
  const double edge = area.center.latitude < 0 ? area.center.latitude - north_south
                                               : area.center.latitude + north_south;
  const double east_west =
      RadiansToDegrees(half_width / kEarthRadiusInMeters / std::cos(DegreesToRadians(edge)));
  return {.west = area.center.longitude - east_west,
          .east = area.center.longitude + east_west,
          .south = area.center.latitude - north_south,
          .north = area.center.latitude + north_south};
}

// The smallest cells of which nine are sure to hold everything within `reach` meters, away from the
// poles.
int StepFor(double reach, double latitude) {
  if (reach == 0) return kGeoSteps;
  int step = -1;
  double size = reach;
  while (size < kHalfMapInMeters) {
    size *= 2;
    ++step;
  }
  if (std::abs(latitude) > kNarrowLatitude) --step;
  if (std::abs(latitude) > kNarrowestLatitude) --step;
  return std::clamp(step, 1, kGeoSteps);
}

// The nine cells reach as far as the box in each direction.
bool Reach(GeoCell center, const GeoBox& box) {
  return BoxOf(Neighbor(center, 0, 1)).north >= box.north &&
         BoxOf(Neighbor(center, 0, -1)).south <= box.south &&
         BoxOf(Neighbor(center, 1, 0)).east >= box.east &&
         BoxOf(Neighbor(center, -1, 0)).west <= box.west;
}

ScoreSpan SpanOf(GeoCell cell) {
  const int below = 2 * (kGeoSteps - cell.step);
  const uint64_t hash = HashOf(cell);
  return {.min = static_cast<double>(hash << below),
          .end = static_cast<double>((hash + 1) << below)};
}

struct Direction {
  int east;
  int north;
};
constexpr Direction kVisits[] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                 {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};

}  // namespace

std::optional<double> GeoArea::DistanceTo(Position position) const {
  if (is_box) {
    const double north_south =
        DistanceInMeters(center, {.longitude = center.longitude, .latitude = position.latitude});
    if (north_south > height * unit / 2) return std::nullopt;
    const double east_west =
        DistanceInMeters({.longitude = center.longitude, .latitude = position.latitude}, position);
    if (east_west > width * unit / 2) return std::nullopt;
    return DistanceInMeters(center, position);
  }
  const double distance = DistanceInMeters(center, position);
  if (distance > radius * unit) return std::nullopt;
  return distance;
}

GeoCells::GeoCells(const GeoArea& area) {
  const GeoBox box = Around(area);
  const double reach = area.unit * (area.is_box ? std::sqrt(area.width / 2 * (area.width / 2) +
                                                            area.height / 2 * (area.height / 2))
                                                : area.radius);
  GeoCell center = CellAt(area.center, StepFor(reach, area.center.latitude));
  if (center.step > 1 && !Reach(center, box)) center = CellAt(area.center, center.step - 1);
  const GeoBox middle = BoxOf(center);
  // What the middle cell holds by itself on one side needs no neighbours there. With four cells in
  // all, each is a neighbour on two sides.
  const bool choose = center.step >= 2;
  GeoCell last = center;
  for (const auto [east, north] : kVisits) {
    if (choose &&
        ((north > 0 && middle.north > box.north) || (north < 0 && middle.south < box.south) ||
         (east > 0 && middle.east > box.east) || (east < 0 && middle.west < box.west))) {
      continue;
    }
    const GeoCell cell = Neighbor(center, east, north);
    if (count_ > 0 && cell == last) continue;
    spans_[count_++] = SpanOf(cell);
    last = cell;
  }
}

}  // namespace larder::command
