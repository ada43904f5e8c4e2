#include "export/jsonl_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include <openssl/evp.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <simdjson.h>

namespace larder::exporter {

namespace {

// Lines are read with at most 256 levels (docs/formats/jsonl.md); the record itself takes some.
constexpr size_t kMaxJsonDepth = 200;
constexpr std::string_view kJsonSpace = " \t\r\n";

using snapshot::CollectionView;
using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

rapidjson::SizeType Length(std::string_view text) {
  return static_cast<rapidjson::SizeType>(text.size());  // a text has at most 512 MiB
}

// Of the texts first, first + step...
bool AllUtf8(const CollectionView& view, uint64_t texts, uint64_t first = 0, uint64_t step = 1) {
  for (uint64_t i = first; i < texts; i += step) {
    if (!IsUtf8(view.Text(i))) return false;
  }
  return true;
}

}  // namespace

struct JsonlWriter::State {
  rapidjson::StringBuffer buffer;
  Writer writer{buffer};
  std::string base64;
  simdjson::dom::parser parser;

  State() { std::ignore = parser.allocate(0, kMaxJsonDepth); }

  std::string_view Base64(std::string_view bytes);
  void Text(std::string_view text, bool encoded);
  void Name(std::string_view name, bool encoded);
  void Member(std::string_view name, std::string_view text);
  void Score(double score);

  void Key(std::string_view key);
  void Extras(const snapshot::Value& value);
  void String(std::string_view text);
  void Json(std::string_view text);
  void Hash(const CollectionView& hash);
  void List(const CollectionView& elements);  // and a set
  void Zset(const CollectionView& zset);
  void Encoding(bool encoded) {
    if (encoded) Member("encoding", "base64");
  }
  bool FitsALine(std::string_view json);
};

std::string_view JsonlWriter::State::Base64(std::string_view bytes) {
  base64.resize(4 * ((bytes.size() + 2) / 3) + 1);  // and the zero that EVP_EncodeBlock writes
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  return std::string_view(base64).substr(0, static_cast<size_t>(length));
}

void JsonlWriter::State::Text(std::string_view text, bool encoded) {
  const std::string_view shown = encoded ? Base64(text) : text;
  // The length is told. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  writer.String(shown.data(), Length(shown));
}

void JsonlWriter::State::Name(std::string_view name, bool encoded) {
  const std::string_view shown = encoded ? Base64(name) : name;
  // The length is told. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
  writer.Key(shown.data(), Length(shown));
}

void JsonlWriter::State::Member(std::string_view name, std::string_view text) {
  Name(name, false);
  Text(text, false);
}

// The shortest text that reads back as the same number; JSON has no infinities.
void JsonlWriter::State::Score(double score) {
  if (std::isinf(score)) return Text(score > 0 ? "inf" : "-inf", false);
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), score);
  writer.RawValue(digits.data(), static_cast<size_t>(end - digits.data()), rapidjson::kNumberType);
}

void JsonlWriter::State::Key(std::string_view key) {
  const bool encoded = !IsUtf8(key);
  Name("key", false);
  Text(key, encoded);
  if (encoded) Member("key_encoding", "base64");
}

void JsonlWriter::State::Extras(const snapshot::Value& value) {
  if (value.expires_at_ms) {
    Name("expires_at_ms", false);
    // A source says no time before 1970; what has expired by then has expired at its start too.
    writer.Int64(std::max(*value.expires_at_ms, int64_t{1}));
  }
  if (value.version) {
    Name("version", false);
    writer.Uint64(*value.version);
  }
  if (value.flags != 0) {
    Name("flags", false);
    writer.Uint(value.flags);
  }
}

void JsonlWriter::State::String(std::string_view text) {
  const bool encoded = !IsUtf8(text);
  Encoding(encoded);
  Name("value", false);
  Text(text, encoded);
}

// Whether the text comes back as it is when it stands in a line as JSON.
bool JsonlWriter::State::FitsALine(std::string_view json) {
  if (json.empty() || json.find_first_of("\r\n") != std::string_view::npos) return false;
  if (kJsonSpace.find(json.front()) != std::string_view::npos) return false;
  if (kJsonSpace.find(json.back()) != std::string_view::npos) return false;
  simdjson::dom::element root;
  return parser.parse(json.data(), json.size()).get(root) == simdjson::SUCCESS;
}

void JsonlWriter::State::Json(std::string_view text) {
  Member("type", "json");
  const bool fits = FitsALine(text);
  Encoding(!fits);
  Name("value", false);
  if (!fits) return Text(text, true);
  writer.RawValue(text.data(), text.size(), rapidjson::kObjectType);
}

void JsonlWriter::State::Hash(const CollectionView& hash) {
  const uint64_t texts = 2 * hash.count();  // field, value, field, value...
  const bool names = !AllUtf8(hash, texts, 0, 2);
  const bool values = !AllUtf8(hash, texts, 1, 2);
  if (names) Member("field_encoding", "base64");
  Encoding(values);
  Name("value", false);
  writer.StartObject();
  for (uint64_t i = 0; i < texts; i += 2) {
    Name(hash.Text(i), names);
    Text(hash.Text(i + 1), values);
  }
  writer.EndObject();
}

void JsonlWriter::State::List(const CollectionView& elements) {
  const bool encoded = !AllUtf8(elements, elements.count());
  Encoding(encoded);
  Name("value", false);
  writer.StartArray();
  for (uint64_t i = 0; i < elements.count(); ++i) Text(elements.Text(i), encoded);
  writer.EndArray();
}

void JsonlWriter::State::Zset(const CollectionView& zset) {
  const bool encoded = !AllUtf8(zset, zset.count());
  Encoding(encoded);
  Name("value", false);
  writer.StartObject();
  for (uint64_t i = 0; i < zset.count(); ++i) {
    Name(zset.Text(i), encoded);
    Score(zset.Score(i));
  }
  writer.EndObject();
}

JsonlWriter::JsonlWriter() : state_(std::make_unique<State>()) {}
JsonlWriter::~JsonlWriter() = default;

void JsonlWriter::Append(const snapshot::Entry& entry) {
  State& state = *state_;
  state.writer.Reset(state.buffer);
  state.writer.StartObject();
  state.Key(entry.key);
  state.Extras(entry.value);
  switch (entry.value.type) {
    case ValueType::kString:
      state.String(snapshot::TextView(entry.value).text());
      break;
    case ValueType::kJson:
      state.Json(snapshot::TextView(entry.value).text());
      break;
    case ValueType::kHash:
      state.Hash(CollectionView(entry.value));
      break;
    case ValueType::kList:
      state.List(CollectionView(entry.value));
      break;
    case ValueType::kSet:
      state.Member("type", "set");
      state.List(CollectionView(entry.value));
      break;
    case ValueType::kZset:
      state.Member("type", "zset");
      state.Zset(CollectionView(entry.value));
      break;
  }
  state.writer.EndObject();
  state.buffer.Put('\n');
}

std::string_view JsonlWriter::text() const {
  return {state_->buffer.GetString(), state_->buffer.GetSize()};
}

void JsonlWriter::Clear() { state_->buffer.Clear(); }

}  // namespace larder::exporter
