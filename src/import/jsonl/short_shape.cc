#include "import/jsonl/short_shape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "import/jsonl/typed_shape.h"

namespace larder::importer {

enum class ShortShape::Member : uint8_t {
  kKey,
  kValue,
  kType,
  kExpiresAt,
  kTtl,
  kVersion,
  kFlags,
  kEncoding,
  kFieldEncoding,
  kKeyEncoding,
};

namespace {

// In the order of Member.
constexpr std::array<std::string_view, 10> kMemberNames = {
    "key",     "value", "type",     "expires_at_ms",  "ttl_ms",
    "version", "flags", "encoding", "field_encoding", "key_encoding"};

struct NamedType {
  std::string_view name;
  ValueType type;
};

constexpr std::array<NamedType, 7> kTypes = {{
    {"string", ValueType::kString},
    {"hash", ValueType::kHash},
    {"list", ValueType::kList},
    {"set", ValueType::kSet},
    {"zset", ValueType::kZset},
    {"ordered_set", ValueType::kZset},
    {"json", ValueType::kJson},
}};

constexpr std::string_view kBase64 = "base64";

// As much of a number as a message has room for.
constexpr size_t kShownNumberBytes = 40;

const NamedType* TypeOf(std::string_view name) {
  const auto* found = std::ranges::find(kTypes, name, &NamedType::name);
  return found == kTypes.end() ? nullptr : found;
}

std::string_view NameOf(ValueType type) {
  return std::ranges::find(kTypes, type, &NamedType::type)->name;
}

std::string_view KindOf(const char* at) {
  switch (*at) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case '"':
      return "a string";
    case 'n':
      return "null";
    case 't':
    case 'f':
      return "a boolean";
    default:
      return "a number";
  }
}

ValueType NaturalType(const char* at) {
  if (*at == '{') return ValueType::kHash;
  return *at == '[' ? ValueType::kList : ValueType::kString;
}

bool Fits(ValueType type, const char* at) {
  switch (type) {
    case ValueType::kString:
      return !JsonLine::IsNested(at);
    case ValueType::kHash:
    case ValueType::kZset:
      return *at == '{';
    case ValueType::kList:
    case ValueType::kSet:
      return *at == '[';
    case ValueType::kJson:
      return true;
  }
  return false;
}

}  // namespace

bool ValueReading::IsNoted(std::string_view name) {
  return name == "type" || name == "encoding" || name == "field_encoding";
}

void ValueReading::Note(std::string_view name, std::string_view text) {
  if (name == "encoding") {
    encoded = text == kBase64;
  } else if (name == "field_encoding") {
    names_encoded = text == kBase64;
  } else if (const NamedType* found = TypeOf(text)) {
    type = found->type;
  }
}

std::optional<ShortShape::Member> ShortShape::MemberOf(std::string_view name) {
  const auto* found = std::ranges::find(kMemberNames, name);
  if (found == kMemberNames.end()) return std::nullopt;
  return static_cast<Member>(found - kMemberNames.begin());
}

bool ShortShape::Read(const ValueReading& known) {
  seen_ = 0;
  reading_ = known;
  key_encoded_ = false;
  field_encoding_at_ = nullptr;
  decoder_.Begin(line_.text().size());
  return line_.ForEachMember([this](std::string_view name, JsonLine::Value value) {
    return ReadMember(name, value);
  }) && Conclude();
}

bool ShortShape::ReadMember(std::string_view name, JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  const auto member = MemberOf(name);
  if (!member) {
    // Writers that know all shapes write null for those that do not apply.
    if (*at == 'n' && IsRecordMember(name)) return line_.Skip(value);
    return RefuseUnknown(at, name);
  }
  const bool required = *member == Member::kKey || *member == Member::kValue;
  if (*at == 'n' && !required) return line_.Skip(value);
  const unsigned bit = 1U << static_cast<unsigned>(*member);
  if ((seen_ & bit) != 0) return line_.Refuse(at, "the member " + Quoted(name) + " stands twice");
  seen_ |= bit;
  return ReadKnown(*member, name, value);
}

bool ShortShape::ReadKnown(Member member, std::string_view name, JsonLine::Value value) {
  switch (member) {
    case Member::kKey:
      return ReadKey(value);
    case Member::kValue:
      return ReadValue(value);
    case Member::kType:
      return ReadType(value);
    case Member::kExpiresAt:
    case Member::kTtl:
      return ReadExpiry(member, name, value);
    case Member::kVersion:
      return ReadInteger<uint64_t>(name, value, 0, parts_.version.emplace());
    case Member::kFlags:
      return ReadInteger<uint32_t>(name, value, 0, parts_.flags.emplace());
    case Member::kEncoding:
      return ReadEncoding(name, value, reading_.encoded);
    case Member::kFieldEncoding:
      field_encoding_at_ = JsonLine::StartOf(value);
      return ReadEncoding(name, value, reading_.names_encoded);
    case Member::kKeyEncoding:
      return ReadEncoding(name, value, key_encoded_);
  }
  return false;
}

bool ShortShape::ReadKey(JsonLine::Value value) {
  key_at_ = JsonLine::StartOf(value);
  std::string_view key;
  if (!line_.ReadString(value, key)) return false;
  parts_.key = key;
  parts_.key_text = key;
  return true;
}

bool ShortShape::ReadType(JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (*at != '"') return line_.Refuse(at, "the type is not a string");
  std::string_view name;
  if (!line_.ReadString(value, name)) return false;
  const NamedType* found = TypeOf(name);
  if (found == nullptr) {
    return line_.Refuse(at,
                        "the type is none of \"string\", \"hash\", \"list\", \"set\", \"zset\", "
                        "\"json\"");
  }
  reading_.type = found->type;
  return true;
}

bool ShortShape::ReadEncoding(std::string_view name, JsonLine::Value value, bool& encoded) {
  const char* at = JsonLine::StartOf(value);
  std::string_view text;
  if (*at == '"' && !line_.ReadString(value, text)) return false;
  encoded = text == kBase64;
  return encoded || line_.Refuse(at, Quoted(name) + " is not \"base64\", the only encoding");
}

bool ShortShape::ReadExpiry(Member member, std::string_view name, JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  if (parts_.expires_at_ms) {
    return line_.Refuse(at, "\"expires_at_ms\" and \"ttl_ms\" both stand; only one can be meant");
  }
  int64_t ms = 0;
  // Some writers mean "never" by 0 or -1; the record would be gone at once.
  if (!ReadInteger<int64_t>(name, value, 1, ms)) return false;
  if (member == Member::kTtl) {
    if (mtime_ms_ > 0 && ms > std::numeric_limits<int64_t>::max() - mtime_ms_) {
      return line_.Refuse(at, "\"ttl_ms\" ends later than the largest time, 2^63 - 1 ms");
    }
    ms += mtime_ms_;
    parts_.depends_on_mtime = true;
  }
  parts_.expires_at_ms = ms;
  return true;
}

template <typename Integer>
bool ShortShape::ReadInteger(std::string_view name, JsonLine::Value value, Integer least,
                             Integer& to) {
  const char* at = JsonLine::StartOf(value);
  const std::string_view text = TrimToken(value.raw_json_token());
  if (!IsJsonNumber(text)) {
    return line_.Skip(value) &&
           line_.Refuse(at, fmt::format("\"{}\" is {}, not an integer", name, KindOf(at)));
  }
  const std::string_view shown = text.substr(0, kShownNumberBytes);
  if (text.find_first_of(".eE") != std::string_view::npos) {
    return line_.Refuse(at, fmt::format("\"{}\" is {}, not written as an integer", name, shown));
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  if (error == std::errc() && end == text.data() + text.size() && to >= least) return true;
  return line_.Refuse(at, fmt::format("\"{}\" is {}, not from {} to {}", name, shown, least,
                                      std::numeric_limits<Integer>::max()));
}

bool ShortShape::ReadValue(JsonLine::Value value) {
  const char* at = JsonLine::StartOf(value);
  used_ = reading_;
  used_.type = reading_.type.value_or(NaturalType(at));
  if (!Fits(*used_.type, at)) return RefuseKind(at);
  switch (*used_.type) {
    case ValueType::kString:
      return ReadText(value, parts_.text);
    case ValueType::kHash:
      return ReadFields(value);
    case ValueType::kList:
    case ValueType::kSet:
      return ReadElements(value);
    case ValueType::kZset:
      return ReadScored(value);
    case ValueType::kJson:
      return used_.encoded ? ReadText(value, parts_.text) : line_.ReadJson(value, parts_.text);
  }
  return false;
}

bool ShortShape::ReadFields(JsonLine::Value value) {
  return line_.ForEachField(value, [this](std::string_view name, JsonLine::Value field) {
    const char* at = JsonLine::StartOf(field);
    if (*at == 'n') return line_.Skip(field);
    if (used_.names_encoded && !Decode(at, name)) return false;
    parts_.items.push_back(name);
    return ReadTextOrJson(field, parts_.items.emplace_back());
  });
}

bool ShortShape::ReadElements(JsonLine::Value value) {
  return line_.ForEachElement(value, [this](JsonLine::Value element) {
    return ReadTextOrJson(element, parts_.items.emplace_back());
  });
}

bool ShortShape::ReadScored(JsonLine::Value value) {
  return line_.ForEachField(value, [this](std::string_view member, JsonLine::Value score) {
    if (used_.encoded && !Decode(JsonLine::StartOf(score), member)) return false;
    parts_.items.push_back(member);
    return line_.ReadScore(score, parts_.scores.emplace_back());
  });
}

bool ShortShape::ReadTextOrJson(JsonLine::Value value, std::string_view& to) {
  const bool json = !used_.encoded && JsonLine::IsNested(JsonLine::StartOf(value));
  return json ? line_.ReadJson(value, to) : ReadText(value, to);
}

bool ShortShape::ReadText(JsonLine::Value value, std::string_view& to) {
  if (!used_.encoded) return line_.ReadString(value, to);
  const char* at = JsonLine::StartOf(value);
  if (*at != '"') {
    return line_.Skip(value) &&
           line_.Refuse(at, fmt::format("{}, where base64 in a string is meant", KindOf(at)));
  }
  return line_.ReadString(value, to) && Decode(at, to);
}

bool ShortShape::Decode(const char* at, std::string_view& text) {
  const auto decoded = decoder_.Decode(text);
  if (!decoded) return line_.Refuse(at, "not base64 (RFC 4648, with padding, nothing else in it)");
  text = *decoded;
  return true;
}

bool ShortShape::RefuseUnknown(const char* at, std::string_view name) {
  std::string names;
  for (const std::string_view known : kMemberNames) {
    names += (names.empty() ? "" : ", ") + std::string(known);
  }
  return line_.Refuse(at, "unknown member \"" + std::string(name.substr(0, kShownNumberBytes)) +
                              "\"; a short record has only " + names);
}

bool ShortShape::RefuseKind(const char* at) {
  return line_.Refuse(
      at, fmt::format("the type is \"{}\", but the value is {}", NameOf(*used_.type), KindOf(at)));
}

bool ShortShape::Conclude() {
  const auto seen = [this](Member member) {
    return (seen_ & 1U << static_cast<unsigned>(member)) != 0;
  };
  if (!seen(Member::kKey)) return line_.Refuse(line_.start(), "the record has no member \"key\"");
  if (!seen(Member::kValue)) {
    return line_.Refuse(line_.start(), "the record has no member \"value\"");
  }
  reading_.type = reading_.type.value_or(*used_.type);
  if (reading_ != used_) return line_.Refuse(key_at_, "the value stands before what it depends on");
  if (used_.names_encoded && *used_.type != ValueType::kHash) {
    return line_.Refuse(field_encoding_at_,
                        "\"field_encoding\" is for hashes; for members and "
                        "elements there is \"encoding\"");
  }
  parts_.type = *used_.type;
  if (!key_encoded_) return line_.CheckKey(key_at_, *parts_.key);
  if (*key_at_ != '"') {
    return line_.Refuse(key_at_,
                        fmt::format("{}, where base64 in a string is meant", KindOf(key_at_)));
  }
  return Decode(key_at_, *parts_.key) && line_.CheckKey(key_at_, *parts_.key);
}

}  // namespace larder::importer
