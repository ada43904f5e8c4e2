// For tests: a record as a line of JSONL, in one of the many ways that mean the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "import/jsonl/json_token.h"
#include "import/record_copies.h"

namespace larder::importer {

// Without randomness always the same plain way; with it every choice that JSON and the format leave
// is taken at random: whitespace, escapes, order, members that are ignored.
class RecordJson {
 public:
  explicit RecordJson(std::mt19937_64* random = nullptr) : random_(random) {}

  static bool IsUtf8(std::string_view text) { return FindInvalidUtf8(text) == text.size(); }

  // Whether the typed shape has a place for all that the record is.
  static bool IsTypable(const RecordCopy& record) {
    return record.type != ValueType::kJson && !record.expires_at_ms && !record.version &&
           !record.flags && IsUtf8(record.key) && IsUtf8(record.text) &&
           std::ranges::all_of(record.items, IsUtf8);
  }

  // Of a record that is typable.
  std::string Line(const RecordCopy& record) {
    std::vector<std::string> members = {Member("key", String(record.key)),
                                        Member("type", String(ValueTypeName(record.type))),
                                        Form(record)};
    if (Chance(8)) members.push_back(Member("ignored", R"([{"a":[1.5e3,null]},"\n",true])"));
    return Object(std::move(members));
  }

  // Of any record; with randomness the text of kJson must be JSON of one line.
  std::string ShortLine(const RecordCopy& record) {
    std::vector<std::string> members;
    const bool encoded_key = !IsUtf8(record.key) || Chance(6);
    members.push_back(Member("key", Text(record.key, encoded_key)));
    if (encoded_key) members.push_back(kKeyEncoding);
    const bool natural = record.type <= ValueType::kList;
    const std::string_view type =
        record.type == ValueType::kJson ? "json" : ValueTypeName(record.type);
    if (!natural || Chance(2)) members.push_back(Member("type", String(type)));
    ShortValue(record, members);
    const auto number = [&](std::string_view name, auto value) {
      if (value) members.push_back(Member(name, fmt::format("{}", *value)));
    };
    number("expires_at_ms", record.expires_at_ms);
    number("version", record.version);
    number("flags", record.flags);
    if (Chance(8)) members.push_back(R"("set_record":null)");
    return Object(std::move(members));
  }

  // Of a typable hash, none of whose fields is the key field.
  std::string RowLine(const RecordCopy& record, std::string_view key_field) {
    std::vector<std::string> members = FieldMembers(record, false, false);
    const size_t at = random_ == nullptr ? 0 : (*random_)() % (members.size() + 1);
    members.insert(members.begin() + static_cast<std::ptrdiff_t>(at),
                   Member(key_field, String(record.key)));
    return Joined('{', members, '}');
  }

 private:
  inline static const std::string kKeyEncoding = R"("key_encoding":"base64")";
  inline static const std::string kFieldEncoding = R"("field_encoding":"base64")";
  inline static const std::string kEncoding = R"("encoding":"base64")";

  void ShortValue(const RecordCopy& record, std::vector<std::string>& members) {
    const bool hash = record.type == ValueType::kHash;
    bool names = false;  // encoded
    bool values = Chance(6) || !IsUtf8(record.text);
    for (size_t i = 0; i < record.items.size(); ++i) {
      bool& encoded = hash && i % 2 == 0 ? names : values;
      encoded = encoded || !IsUtf8(record.items[i]);
    }
    if (record.type == ValueType::kJson) values = !Chance(2);
    if (names) members.push_back(kFieldEncoding);
    if (values) members.push_back(kEncoding);
    members.push_back(Member("value", ShortContents(record, names, values)));
  }

  std::string ShortContents(const RecordCopy& record, bool names, bool values) {
    switch (record.type) {
      case ValueType::kString:
        return Text(record.text, values);
      case ValueType::kJson:
        return values ? Text(record.text, true) : record.text;
      case ValueType::kHash:
        return Joined('{', FieldMembers(record, names, values), '}');
      case ValueType::kZset:
        return Joined('{', ScoredMembers(record, values), '}');
      default:
        return Elements(record, values);
    }
  }

  std::vector<std::string> FieldMembers(const RecordCopy& record, bool names, bool values) {
    std::vector<std::string> fields;
    for (size_t i = 0; i + 1 < record.items.size(); i += 2) {
      fields.push_back(Text(record.items[i], names) + Space() + ':' + Space() +
                       Text(record.items[i + 1], values));
    }
    return fields;
  }

  std::vector<std::string> ScoredMembers(const RecordCopy& record, bool encoded) {
    std::vector<std::string> members;
    for (size_t i = 0; i < record.items.size(); ++i) {
      members.push_back(Text(record.items[i], encoded) + Space() + ':' + Score(record.scores[i]));
    }
    return members;
  }

  std::string Text(std::string_view text, bool encoded) {
    if (!encoded) return String(text);
    std::string base64(4 * ((text.size() + 2) / 3) + 1, '\0');
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                     reinterpret_cast<const unsigned char*>(text.data()),
                                     static_cast<int>(text.size()));
    base64.resize(static_cast<size_t>(size));
    return String(base64);
  }

  bool Chance(uint64_t one_in) { return random_ != nullptr && (*random_)() % one_in == 0; }

  std::string Space() {
    if (!Chance(10)) return {};
    constexpr std::string_view kSpaces[] = {" ", "\t", "  ", " \t ", "\r"};
    return std::string(kSpaces[(*random_)() % std::size(kSpaces)]);
  }

  std::string Member(std::string_view name, std::string value) {
    return String(name) + Space() + ':' + Space() + std::move(value);
  }

  // The members in any order.
  std::string Object(std::vector<std::string> members) {
    if (random_ != nullptr) std::shuffle(members.begin(), members.end(), *random_);
    return Joined('{', members, '}');
  }

  std::string Joined(char open, const std::vector<std::string>& parts, char close) {
    std::string out(1, open);
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) out += ',';
      out += Space() + parts[i] + Space();
    }
    return out + Space() + close;
  }

  std::string Form(const RecordCopy& record) {
    switch (record.type) {
      case ValueType::kString:
        return Member("string_record", Object({Member("value", String(record.text))}));
      case ValueType::kHash:
        return Member(
            "hash_record",
            Object({Member("fields", Joined('{', FieldMembers(record, false, false), '}'))}));
      case ValueType::kList:
        return Member("list_record", Object({Member("elements", Elements(record, false))}));
      case ValueType::kSet:
        return Member("set_record", Object({Member("elements", Elements(record, false))}));
      default:
        return Member("ordered_set_record", Object({Member("elements", Scored(record))}));
    }
  }

  std::string Elements(const RecordCopy& record, bool encoded) {
    std::vector<std::string> elements;
    elements.reserve(record.items.size());
    for (const std::string& item : record.items) elements.push_back(Text(item, encoded));
    return Joined('[', elements, ']');
  }

  std::string Scored(const RecordCopy& record) {
    std::vector<std::string> elements;
    elements.reserve(record.items.size());
    for (size_t i = 0; i < record.items.size(); ++i) {
      elements.push_back(Object(
          {Member("value", String(record.items[i])), Member("score", Score(record.scores[i]))}));
    }
    return Joined('[', elements, ']');
  }

  std::string Score(double score) {
    if (std::isinf(score)) return score < 0 ? "\"-inf\"" : "\"Infinity\"";
    return Chance(2) ? fmt::format("{:.17e}", score) : fmt::format("{}", score);
  }

  std::string String(std::string_view text) {
    std::string out = "\"";
    for (size_t at = 0; at < text.size();) at += AppendCharacter(text.substr(at), out);
    return out + '"';
  }

  // Returns how many bytes the character had.
  size_t AppendCharacter(std::string_view text, std::string& out) {
    const auto lead = static_cast<uint8_t>(text[0]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const bool must = lead < 0x20 || lead == '"' || lead == '\\';
    if (must || Chance(5)) {
      AppendEscape(CodePoint(text.substr(0, bytes)), out);
    } else {
      out += text.substr(0, bytes);
    }
    return bytes;
  }

  static uint32_t CodePoint(std::string_view character) {
    const auto lead = static_cast<uint8_t>(character[0]);
    if (character.size() == 1) return lead;
    uint32_t code = lead & (0x7fU >> character.size());
    for (const char c : character.substr(1)) code = code << 6 | (static_cast<uint8_t>(c) & 0x3fU);
    return code;
  }

  void AppendEscape(uint32_t code, std::string& out) {
    constexpr std::string_view kShort = "\"\\/\b\f\n\r\t";
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    const size_t at = code < 0x80 ? kShort.find(static_cast<char>(code)) : std::string_view::npos;
    if (at != std::string_view::npos && !Chance(3)) {
      out += '\\';
      out += kLetters[at];
    } else if (code >= 0x10000) {
      AppendUnit(0xd800 + ((code - 0x10000) >> 10), out);
      AppendUnit(0xdc00 + ((code - 0x10000) & 0x3ff), out);
    } else {
      AppendUnit(code, out);
    }
  }

  void AppendUnit(uint32_t unit, std::string& out) {
    out += Chance(2) ? fmt::format("\\u{:04X}", unit) : fmt::format("\\u{:04x}", unit);
  }

  std::mt19937_64* random_;
};

}  // namespace larder::importer
