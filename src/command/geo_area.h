// GeoArea: what a search looks for, and the cells of the map where it may be found.
//
// A search visits the cell around its centre and the eight around that one, at the size where nine
// cells hold the whole area. Order of the visit and choice of the size are Redis's, so that replies
// without ASC or DESC, and those cut short by COUNT ... ANY, have the same members in the same
// order; so are its blind spots (docs/decisions/0095-geo-searches.md).
//
// Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "command/geohash.h"

namespace larder::command {

struct GeoArea {
  Position center;
  bool is_box = false;
  double radius = 0;  // in units, as all lengths
  double width = 0;
  double height = 0;
  double unit = 1;  // in meters

  // Meters from the centre; none: it is outside.
  std::optional<double> DistanceTo(Position position) const;
};

// Scores from `min` up to and without `end`.
struct ScoreSpan {
  double min = 0;
  double end = 0;
};

class GeoCells {
 public:
  explicit GeoCells(const GeoArea& area);
  // In the order of the visit.
  std::span<const ScoreSpan> spans() const { return std::span(spans_).first(count_); }

 private:
  std::array<ScoreSpan, 9> spans_;
  size_t count_ = 0;
};

}  // namespace larder::command
