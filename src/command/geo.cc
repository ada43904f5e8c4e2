// Places: sorted sets whose scores are geohashes (command/geohash.h).
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/geo_area.h"
#include "command/geohash.h"
#include "command/handlers.h"
#include "command/zset_reply.h"

namespace larder::command {
namespace {

using snapshot::CollectionView;

constexpr std::string_view kNoSuchMember = "ERR could not decode requested zset member";

struct Unit {
  std::string_view name;
  double meters;
};
constexpr Unit kUnits[] = {{"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};

// None: refused and answered; so with all functions here that read arguments.
std::optional<double> ReadUnit(Context& context, std::string_view text) {
  for (const Unit& unit : kUnits) {
    if (IsOption(text, unit.name)) return unit.meters;
  }
  context.reply.Error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return std::nullopt;
}

std::optional<Position> ReadPosition(Context& context, Arguments two) {
  const auto longitude = ParseDouble(two[0]);
  const auto latitude = longitude ? ParseDouble(two[1]) : std::nullopt;
  if (!latitude) {
    context.reply.Error("ERR value is not a valid float");
    return std::nullopt;
  }
  const Position position{.longitude = *longitude, .latitude = *latitude};
  if (IsOnMap(position)) return position;
  context.reply.Error(
      fmt::format("ERR invalid longitude,latitude pair {:.6f},{:.6f}", *longitude, *latitude));
  return std::nullopt;
}

// A radius and its unit.
bool ReadRadius(Context& context, Arguments two, GeoArea& area) {
  const auto radius = ParseDouble(two[0]);
  if (!radius || *radius < 0) {
    context.reply.Error(radius ? "ERR radius cannot be negative" : "ERR need numeric radius");
    return false;
  }
  const auto unit = ReadUnit(context, two[1]);
  if (!unit) return false;
  area.is_box = false;
  area.radius = *radius;
  area.unit = *unit;
  return true;
}

// Width, height and their unit.
bool ReadBox(Context& context, Arguments three, GeoArea& area) {
  const auto refuse = [&context](std::string_view error) {
    context.reply.Error(error);
    return false;
  };
  const auto width = ParseDouble(three[0]);
  if (!width) return refuse("ERR need numeric width");
  const auto height = ParseDouble(three[1]);
  if (!height) return refuse("ERR need numeric height");
  if (*width < 0 || *height < 0) return refuse("ERR height or width cannot be negative");
  const auto unit = ReadUnit(context, three[2]);
  if (!unit) return false;
  area.is_box = true;
  area.width = *width;
  area.height = *height;
  area.unit = *unit;
  return true;
}

void AnswerCoordinate(Context& context, double degrees) {
  std::array<char, 32> memory;
  const std::string_view number = CoordinateText(degrees, memory);
  if (!context.resp3()) return context.reply.Bulk(number);
  context.reply.Raw(",");
  context.reply.Raw(number);
  context.reply.Raw("\r\n");
}

void AnswerPosition(Context& context, Position position) {
  context.reply.Array(2);
  AnswerCoordinate(context, position.longitude);
  AnswerCoordinate(context, position.latitude);
}

void AnswerDistance(Context& context, double distance) {
  std::array<char, 32> text;
  context.reply.Bulk({text.data(), fmt::format_to(text.data(), "{:.4f}", distance)});
}

// What follows the area in a search.
struct Search {
  GeoArea area;
  bool has_center = false;
  bool from_member = false;
  bool from_position = false;
  bool by_radius = false;
  bool by_box = false;
  bool with_distance = false;
  bool with_hash = false;
  bool with_position = false;
  bool any = false;
  int order = 0;       // 1: nearest first, -1: farthest first
  uint64_t count = 0;  // 0: all
};

// The centre is a member's place; without the key there is nothing to look up.
bool ReadMember(Context& context, const CollectionView* zset, std::string_view member,
                Search& search) {
  search.from_member = true;
  if (zset == nullptr) return true;
  const auto element = zset->FindMember(member);
  if (!element) {
    context.reply.Error(kNoSuchMember);
    return false;
  }
  search.area.center = PositionOf(zset->Score(*element));
  return true;
}

bool ReadCount(Context& context, std::string_view text, Search& search) {
  const auto count = ParseInteger(text);
  if (!count || *count <= 0) {
    context.reply.Error(count ? "ERR COUNT must be > 0" : kNotAnInteger);
    return false;
  }
  search.count = static_cast<uint64_t>(*count);
  return true;
}

// The words that take no argument.
bool TakeWord(std::string_view word, Search& search) {
  const auto is = [word](std::string_view name) { return IsOption(word, name); };
  if (is("withdist")) return search.with_distance = true;
  if (is("withhash")) return search.with_hash = true;
  if (is("withcoord")) return search.with_position = true;
  if (is("any")) return search.any = true;
  if (!is("asc") && !is("desc")) return false;
  search.order = is("asc") ? 1 : -1;
  return true;
}

// The options that say where to look; only GEOSEARCH has them. How many words; 0: it is none; none:
// refused and answered.
std::optional<size_t> ReadPlace(Context& context, const CollectionView* zset, Arguments options,
                                Search& search) {
  const size_t left = options.size() - 1;
  const auto taken = [](bool read, size_t words) {
    return read ? std::optional(words) : std::nullopt;
  };
  if (left >= 1 && !search.from_position && IsOption(options[0], "frommember")) {
    return taken(ReadMember(context, zset, options[1], search), 2);
  }
  if (left >= 2 && !search.from_member && IsOption(options[0], "fromlonlat")) {
    const auto center = ReadPosition(context, options.subspan(1, 2));
    if (!center) return std::nullopt;
    search.area.center = *center;
    search.from_position = true;
    return 3;
  }
  if (left >= 2 && !search.by_box && IsOption(options[0], "byradius")) {
    search.by_radius = true;
    return taken(ReadRadius(context, options.subspan(1, 2), search.area), 3);
  }
  if (left >= 3 && !search.by_radius && IsOption(options[0], "bybox")) {
    search.by_box = true;
    return taken(ReadBox(context, options.subspan(1, 3), search.area), 4);
  }
  return 0;
}

// `searcher`: GEOSEARCH as the client spells it, for whom the options say where to search; empty
// for the commands whose arguments do.
bool ReadOptions(Context& context, const CollectionView* zset, Arguments options,
                 std::string_view searcher, Search& search) {
  while (!options.empty()) {
    std::optional<size_t> words = 0;
    if (TakeWord(options[0], search)) {
      words = 1;
    } else if (options.size() >= 2 && IsOption(options[0], "count")) {
      if (!ReadCount(context, options[1], search)) return false;
      words = 2;
    } else if (!searcher.empty()) {
      words = ReadPlace(context, zset, options, search);
    }
    if (!words) return false;
    if (*words == 0) {
      context.reply.Error(kSyntaxError);
      return false;
    }
    options = options.subspan(*words);
  }
  const auto refuse = [&context](std::string_view error) {
    context.reply.Error(error);
    return false;
  };
  if (!searcher.empty() && !search.from_member && !search.from_position) {
    return refuse(fmt::format("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for {}",
                              searcher));
  }
  if (!searcher.empty() && !search.by_radius && !search.by_box) {
    return refuse(
        fmt::format("ERR exactly one of BYRADIUS and BYBOX can be specified for {}", searcher));
  }
  if (search.any && search.count == 0) {
    return refuse("ERR the ANY argument requires COUNT argument");
  }
  // The nearest ones are meant, unless any will do.
  if (search.count != 0 && !search.any && search.order == 0) search.order = 1;
  return true;
}

struct Found {
  double distance;  // in meters
  uint64_t element;
  uint64_t visit;  // the order of places at one distance
};

std::vector<Found> FindIn(const CollectionView& zset, const Search& search) {
  std::vector<Found> found;
  const uint64_t limit = search.any ? search.count : UINT64_MAX;
  const GeoCells cells(search.area);
  for (const ScoreSpan& span : cells.spans()) {
    const uint64_t end = zset.LowerBound(span.end);
    for (uint64_t element = zset.LowerBound(span.min); element < end; ++element) {
      const auto distance = search.area.DistanceTo(PositionOf(zset.Score(element)));
      if (!distance) continue;
      found.push_back({.distance = *distance, .element = element, .visit = found.size()});
      if (found.size() >= limit) return found;
    }
  }
  return found;
}

// The first `answered` in the order that is asked for. Which of several at the same distance are
// cut off is left open, as in Redis.
void Order(const Search& search, uint64_t answered, std::vector<Found>& found) {
  if (search.order == 0) return;
  const auto nearer = [&search](const Found& left, const Found& right) {
    if (left.distance == right.distance) return left.visit < right.visit;
    return search.order > 0 ? left.distance < right.distance : left.distance > right.distance;
  };
  if (answered < found.size()) {
    std::ranges::nth_element(found, found.begin() + static_cast<ptrdiff_t>(answered), nearer);
    found.resize(answered);
  }
  std::ranges::sort(found, nearer);
}

void AnswerSearch(Context& context, const CollectionView& zset, const Search& search) {
  std::vector<Found> found = FindIn(zset, search);
  uint64_t answered = found.size();
  if (search.count != 0) answered = std::min(answered, search.count);
  Order(search, answered, found);
  const uint64_t details =
      uint64_t{search.with_distance} + uint64_t{search.with_hash} + uint64_t{search.with_position};
  context.reply.Array(answered);
  for (const Found& place : std::span(found).first(answered)) {
    if (details > 0) context.reply.Array(1 + details);
    context.Slice(zset.Bulk(place.element));
    const double score = zset.Score(place.element);
    if (search.with_distance) AnswerDistance(context, place.distance / search.area.unit);
    if (search.with_hash) context.reply.Integer(static_cast<int64_t>(score));
    if (search.with_position) AnswerPosition(context, PositionOf(score));
  }
}

// The sorted set, or null where there is no key; false: refused and answered.
bool FindPlaces(Context& context, std::string_view key, std::optional<CollectionView>& zset) {
  bool missing = false;
  zset = FindZset(context, key, &missing);
  return zset || missing;
}

const CollectionView* PointerTo(const std::optional<CollectionView>& zset) {
  return zset ? &*zset : nullptr;
}

void Answer(Context& context, const std::optional<CollectionView>& zset, const Search& search) {
  if (!zset) return context.reply.Array(0);
  AnswerSearch(context, *zset, search);
}

}  // namespace

void GeoPos(Context& context, Arguments args) {
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  const Arguments members = args.subspan(2);
  context.reply.Array(members.size());
  for (const std::string_view member : members) {
    const auto element = zset ? zset->FindMember(member) : std::nullopt;
    if (element) {
      AnswerPosition(context, PositionOf(zset->Score(*element)));
    } else {
      context.reply.NullArray();
    }
  }
}

void GeoHash(Context& context, Arguments args) {
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  const Arguments members = args.subspan(2);
  context.reply.Array(members.size());
  for (const std::string_view member : members) {
    const auto element = zset ? zset->FindMember(member) : std::nullopt;
    if (element) {
      const auto text = GeohashText(PositionOf(zset->Score(*element)));
      context.reply.Bulk({text.data(), text.size()});
    } else {
      context.reply.Null();
    }
  }
}

void GeoDist(Context& context, Arguments args) {
  if (args.size() > 5) return context.reply.Error(kSyntaxError);
  const auto unit = args.size() == 5 ? ReadUnit(context, args[4]) : std::optional(1.0);
  if (!unit) return;
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  const auto from = zset ? zset->FindMember(args[2]) : std::nullopt;
  const auto to = zset ? zset->FindMember(args[3]) : std::nullopt;
  if (!from || !to) return context.reply.Null();
  const double meters =
      DistanceInMeters(PositionOf(zset->Score(*from)), PositionOf(zset->Score(*to)));
  AnswerDistance(context, meters / *unit);
}

void GeoSearch(Context& context, Arguments args) {
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  Search search;
  if (!ReadOptions(context, PointerTo(zset), args.subspan(2), args[0], search)) return;
  Answer(context, zset, search);
}

void GeoRadiusReadOnly(Context& context, Arguments args) {
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  Search search;
  const auto center = ReadPosition(context, args.subspan(2, 2));
  if (!center) return;
  search.area.center = *center;
  if (!ReadRadius(context, args.subspan(4, 2), search.area)) return;
  if (!ReadOptions(context, PointerTo(zset), args.subspan(6), {}, search)) return;
  Answer(context, zset, search);
}

void GeoRadiusByMemberReadOnly(Context& context, Arguments args) {
  std::optional<CollectionView> zset;
  if (!FindPlaces(context, args[1], zset)) return;
  Search search;
  // Without the key the radius is not looked at either.
  if (zset && (!ReadMember(context, PointerTo(zset), args[2], search) ||
               !ReadRadius(context, args.subspan(3, 2), search.area))) {
    return;
  }
  if (!ReadOptions(context, PointerTo(zset), args.subspan(5), {}, search)) return;
  Answer(context, zset, search);
}

}  // namespace larder::command
