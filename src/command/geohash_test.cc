#include "command/geohash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "command/geo_area.h"
#include "command/random.h"

namespace larder::command {
namespace {

Position AnyPlace(RandomSource& random) {
  const auto share = [&random] { return static_cast<double>(random.Below(1 << 30)) / (1 << 30); };
  return {.longitude = share() * 360 - 180, .latitude = share() * 170 - 85};
}

TEST(GeohashTest, PlacesComeBackFromTheirHashes) {
  RandomSource random(1);
  for (int i = 0; i < 1000; ++i) {
    const Position place = AnyPlace(random);
    const auto score = static_cast<double>(HashOf(CellAt(place, kGeoSteps)));
    EXPECT_LT(DistanceInMeters(place, PositionOf(score)), 0.7);
  }
}

TEST(GeohashTest, TextIsThatOfGeohashOrg) {
  const auto text = GeohashText({.longitude = 13.361389, .latitude = 38.115556});
  EXPECT_EQ(std::string_view(text.data(), 10), "sqc8b49rny");
}

TEST(GeohashTest, ScoresThatAreNoHashesHavePlacesOnTheMap) {
  for (const double score : {-1.0, 1e300, std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), 9.3e18, 0.5}) {
    EXPECT_TRUE(IsOnMap(PositionOf(score))) << score;
  }
}

TEST(GeohashTest, NeighborsGoAroundTheMap) {
  const GeoCell corner{.east = 0, .north = 3, .step = 2};
  EXPECT_EQ(Neighbor(corner, -1, 1), (GeoCell{.east = 3, .north = 0, .step = 2}));
}

TEST(GeohashTest, CoordinatesAreRoundedExactly) {
  std::array<char, 32> memory;
  EXPECT_EQ(CoordinateText(180, memory), "180");
  EXPECT_EQ(CoordinateText(-0.0, memory), "0");
  EXPECT_EQ(CoordinateText(1e-30, memory), "0");
  EXPECT_EQ(CoordinateText(-85.05112878, memory), "-85.0511287799999991");
  RandomSource random(2);
  for (int i = 0; i < 1000; ++i) {
    const double degrees = std::ldexp(AnyPlace(random).longitude, -static_cast<int>(i % 70));
    std::string expected = fmt::format("{:.17f}", degrees);
    expected.erase(expected.find_last_not_of('0') + 1);
    if (expected.back() == '.') expected.pop_back();
    if (expected == "-0") expected = "0";
    EXPECT_EQ(CoordinateText(degrees, memory), expected);
  }
}

// Away from the poles nine cells hold every place that is in reach.
TEST(GeohashTest, CellsHoldTheArea) {
  RandomSource random(3);
  for (int i = 0; i < 5000; ++i) {
    Position center = AnyPlace(random);
    center.latitude *= 0.7;
    GeoArea area{.center = center, .is_box = i % 2 == 0};
    area.radius = std::exp2(static_cast<double>(random.Below(20)));
    area.width = area.height = area.radius;
    Position place = center;
    const double reach = RadiansToDegrees(area.radius / kEarthRadiusInMeters);
    place.latitude += reach * (static_cast<double>(random.Below(2000)) / 1000 - 1);
    place.longitude += reach * (static_cast<double>(random.Below(2000)) / 1000 - 1);
    if (!IsOnMap(place) || !area.DistanceTo(place)) continue;
    const auto score = static_cast<double>(HashOf(CellAt(place, kGeoSteps)));
    int found = 0;
    const GeoCells cells(area);
    for (const ScoreSpan& span : cells.spans()) {
      found += score >= span.min && score < span.end ? 1 : 0;
    }
    EXPECT_EQ(found, 1) << i;
  }
}

TEST(RandomTest, ChosenNumbersDiffer) {
  RandomSource random(4);
  for (const uint64_t size : {uint64_t{1}, uint64_t{10}, uint64_t{1000}, uint64_t{100'000}}) {
    for (const uint64_t count : {uint64_t{1}, size / 100 + 1, size - 1, size}) {
      std::vector<uint64_t> chosen = ChooseDistinct(random, count, size);
      ASSERT_EQ(chosen.size(), count);
      std::ranges::sort(chosen);
      EXPECT_TRUE(std::ranges::adjacent_find(chosen) == chosen.end());
      if (count > 0) {
        EXPECT_LT(chosen.back(), size);
      }
    }
  }
}

}  // namespace
}  // namespace larder::command
