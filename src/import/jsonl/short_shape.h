// ShortShape: a record whose value stands in "value", as what it is in JSON, with members that say
// what JSON cannot.
//
// The value is read where it stands when the type and the encodings stood before it. When they
// stand behind it, the walk fails, and is done again with what they are known to be.
//
// Format: docs/formats/jsonl.md, "Short"
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "import/jsonl/base64.h"
#include "import/jsonl/json_line.h"
#include "import/jsonl/line_parts.h"

namespace larder::importer {

// How a value is to be read.
struct ValueReading {
  std::optional<ValueType> type;  // none: what it is in JSON
  bool encoded = false;           // texts are base64
  bool names_encoded = false;     // names of fields are

  bool operator==(const ValueReading&) const = default;

  // Whether a member of the name says something of it.
  static bool IsNoted(std::string_view name);
  // Takes over what a member of the line says, `text`, when it is one that is understood.
  void Note(std::string_view name, std::string_view text);
};

class ShortShape {
 public:
  ShortShape(JsonLine& line, LineParts& parts, const LineOptions& options)
      : line_(line), parts_(parts), mtime_ms_(options.mtime_ms) {}

  // The walk of a line that has begun. `known` is what the members are known to say; without it a
  // line that is sound may fail.
  bool Read(const ValueReading& known);

 private:
  enum class Member : uint8_t;

  static std::optional<Member> MemberOf(std::string_view name);

  bool ReadMember(std::string_view name, JsonLine::Value value);
  bool ReadKnown(Member member, std::string_view name, JsonLine::Value value);
  bool ReadKey(JsonLine::Value value);
  bool ReadType(JsonLine::Value value);
  bool ReadEncoding(std::string_view name, JsonLine::Value value, bool& encoded);
  bool ReadExpiry(Member member, std::string_view name, JsonLine::Value value);
  template <typename Integer>
  bool ReadInteger(std::string_view name, JsonLine::Value value, Integer least, Integer& to);

  bool ReadValue(JsonLine::Value value);
  bool ReadFields(JsonLine::Value value);
  bool ReadElements(JsonLine::Value value);
  bool ReadScored(JsonLine::Value value);
  bool ReadText(JsonLine::Value value, std::string_view& to);
  bool ReadTextOrJson(JsonLine::Value value, std::string_view& to);
  bool Decode(const char* at, std::string_view& text);
  bool RefuseUnknown(const char* at, std::string_view name);
  bool RefuseKind(const char* at);
  bool Conclude();

  JsonLine& line_;
  LineParts& parts_;
  const int64_t mtime_ms_;
  Base64Decoder decoder_;

  unsigned seen_ = 0;     // a bit a member
  ValueReading reading_;  // what the members have said, or are known to say
  ValueReading used_;     // when the value was read
  bool key_encoded_ = false;
  const char* key_at_ = nullptr;
  const char* field_encoding_at_ = nullptr;
};

}  // namespace larder::importer
