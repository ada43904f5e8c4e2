#include "import/pointer/record_line.h"

#include <optional>

#include <simdjson.h>

#include "import/line_chunks.h"

namespace larder::importer {
namespace {

namespace ondemand = simdjson::ondemand;

std::unexpected<std::string> Because(const char* reason) {
  return std::unexpected<std::string>(reason);
}

std::string_view TypeOfName(std::string_view name) { return name == "ordered_set" ? "zset" : name; }

// Of a short line without a type.
std::string_view TypeOfValue(ondemand::json_type type) {
  if (type == ondemand::json_type::object) return "hash";
  return type == ondemand::json_type::array ? "list" : "string";
}

}  // namespace

struct LineHeadParser::Json {
  ondemand::parser parser;
  ondemand::document document;

  bool Start(std::string_view line, ondemand::object& object) {
    return parser.iterate(line.data(), line.size(), line.size() + kChunkPadding).get(document) ==
               simdjson::SUCCESS &&
           document.get_object().get(object) == simdjson::SUCCESS;
  }
};

LineHeadParser::LineHeadParser() : json_(std::make_unique<Json>()) {}
LineHeadParser::~LineHeadParser() = default;

std::expected<RecordHead, std::string> LineHeadParser::ParseRecord(std::string_view line) {
  ondemand::object object;
  if (!json_->Start(line, object)) return Because("not a JSON object");
  std::optional<std::string_view> key;
  std::optional<std::string_view> type;
  std::string_view value_type;
  for (auto item : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Because("malformed JSON");
    }
    std::string_view text;
    ondemand::json_type form{};
    if (name == "key" || name == "type") {
      if (field.value().get_string().get(text) != simdjson::SUCCESS) {
        return Because("its key or type is not a string");
      }
      (name == "key" ? key : type) = text;
    } else if (name == "value" && field.value().type().get(form) == simdjson::SUCCESS) {
      value_type = TypeOfValue(form);
    }
    if (key && type) break;  // the rest is not needed
  }
  if (!key) return Because("it has no member \"key\"");
  return RecordHead{*key, TypeOfName(type.value_or(value_type))};
}

std::expected<IndexHead, std::string> LineHeadParser::ParseIndex(std::string_view line) {
  ondemand::object object;
  if (!json_->Start(line, object)) return Because("not a JSON object");
  std::optional<std::string_view> key;
  std::optional<std::string_view> type;
  std::optional<uint64_t> offset;
  std::optional<uint64_t> bytes;
  for (auto item : object) {
    ondemand::field field;
    std::string_view name;
    if (std::move(item).get(field) != simdjson::SUCCESS ||
        field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return Because("malformed JSON");
    }
    simdjson::error_code error = simdjson::SUCCESS;
    if (name == "key") error = field.value().get_string().get(key.emplace());
    if (name == "type") error = field.value().get_string().get(type.emplace());
    if (name == "offset") error = field.value().get_uint64().get(offset.emplace());
    if (name == "len") error = field.value().get_uint64().get(bytes.emplace());
    if (error != simdjson::SUCCESS) {
      return std::unexpected("its \"" + std::string(name) + "\" is not a " +
                             (name == "key" || name == "type" ? "string" : "number of bytes"));
    }
  }
  const char* missing = !key      ? "it has no member \"key\""
                        : !type   ? "it has no member \"type\""
                        : !offset ? "it has no member \"offset\""
                        : !bytes  ? "it has no member \"len\""
                                  : nullptr;
  if (missing != nullptr) return Because(missing);
  return IndexHead{*key, TypeOfName(*type), *offset, *bytes};
}

}  // namespace larder::importer
