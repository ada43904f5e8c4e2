#include "import/pointer/pointer_text.h"

#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

namespace larder::importer {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kRecordsMember = "records_file_name";
constexpr std::string_view kIndexMember = "index_file_name";

// nlohmann-json reads arrays in arrays without recursion, but nothing here is meant to be deep.
constexpr int kMaxDepth = 32;

std::expected<Json, PointerFault> ParseJson(std::string_view text) {
  std::set<std::string> names;
  std::optional<std::string> fault;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) fault = "nested too deeply";
    if (depth == 1 && event == Json::parse_event_t::key &&
        !names.insert(value.get<std::string>()).second) {
      fault = "the member \"" + value.get<std::string>() + "\" stands twice";
    }
    return !fault;  // false: the value is dropped, the rest is read on
  };
  try {
    Json json = Json::parse(text, watch);
    if (fault) return std::unexpected(PointerFault{0, *std::move(fault)});
    return json;
  } catch (const Json::parse_error& error) {
    const size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    return std::unexpected(PointerFault{offset < text.size() ? offset : text.size(),
                                        offset < text.size() ? "not JSON" : "it ends too early"});
  } catch (const Json::exception& error) {
    return std::unexpected(PointerFault{0, error.what()});
  }
}

std::expected<std::string, PointerFault> ReadName(const Json& value, std::string_view member) {
  const auto fault = [member](const char* reason) {
    return std::unexpected(PointerFault{0, "\"" + std::string(member) + "\" " + reason});
  };
  if (!value.is_string()) return fault("is not a string");
  std::string name = value.get<std::string>();
  if (name.find('\0') != std::string::npos) return fault("holds a NUL, as no file's name does");
  return name;
}

}  // namespace

std::expected<PointerNames, PointerFault> ParsePointer(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json) return std::unexpected(json.error());
  if (!json->is_object()) return std::unexpected(PointerFault{0, "not a JSON object"});
  const auto records = json->find(kRecordsMember);
  if (records == json->end()) {
    return std::unexpected(
        PointerFault{0, "no member \"" + std::string(kRecordsMember) + "\", the file of records"});
  }
  PointerNames names;
  auto name = ReadName(*records, kRecordsMember);
  if (!name) return std::unexpected(std::move(name).error());
  names.records = *std::move(name);
  if (names.records.empty()) {
    return std::unexpected(PointerFault{0, "\"" + std::string(kRecordsMember) + "\" is empty"});
  }
  const auto index = json->find(kIndexMember);
  if (index == json->end() || index->is_null()) return names;
  name = ReadName(*index, kIndexMember);
  if (!name) return std::unexpected(std::move(name).error());
  names.index = *std::move(name);
  return names;
}

bool LooksLikePointer(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json || !json->is_object()) return false;
  const auto records = json->find(kRecordsMember);
  return records != json->end() && records->is_string();
}

}  // namespace larder::importer
