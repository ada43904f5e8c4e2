#include "dataset/origin_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace larder::dataset {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kFormatVersion = 1;
constexpr size_t kChecksumDigits = 32;

const Json* Member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

std::optional<std::string> Text(const Json& object, const char* name) {
  const Json* const member = Member(object, name);
  if (member == nullptr || !member->is_string()) return std::nullopt;
  return *member->get_ptr<const std::string*>();
}

std::optional<int64_t> Number(const Json& object, const char* name) {
  const Json* const member = Member(object, name);
  if (member == nullptr || !member->is_number_integer()) return std::nullopt;
  if (member->is_number_unsigned() && *member->get_ptr<const uint64_t*>() > INT64_MAX) {
    return std::nullopt;
  }
  return member->get<int64_t>();
}

bool IsChecksum(std::string_view text) {
  return text.size() == kChecksumDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

std::string EncodeOrigin(const Origin& origin) {
  const Json document = {{"format", kFormatVersion},    {"source", origin.source},
                         {"bytes", origin.bytes},       {"mtime_ns", origin.mtime_ns},
                         {"checksum", origin.checksum}, {"taken_at_ms", origin.taken_at_ms}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Origin> ParseOrigin(std::string_view text) {
  const Json document = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto format = document.is_object() ? Number(document, "format") : std::nullopt;
  if (!format) return Fail(ErrorCode::kCorrupt, "it is no JSON object with a format");
  if (*format != static_cast<int64_t>(kFormatVersion)) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("format {}, this program understands {}", *format, kFormatVersion));
  }
  auto source = Text(document, "source");
  auto checksum = Text(document, "checksum");
  const auto bytes = Number(document, "bytes");
  const auto mtime_ns = Number(document, "mtime_ns");
  const auto taken_at_ms = Number(document, "taken_at_ms");
  const bool whole = source && checksum && bytes && mtime_ns && taken_at_ms;
  if (!whole || *bytes < 0 || !IsChecksum(*checksum)) {
    return Fail(ErrorCode::kCorrupt, "its members are not those of format 1");
  }
  return Origin{.source = *std::move(source),
                .bytes = static_cast<uint64_t>(*bytes),
                .mtime_ns = *mtime_ns,
                .checksum = *std::move(checksum),
                .taken_at_ms = *taken_at_ms};
}

}  // namespace larder::dataset
