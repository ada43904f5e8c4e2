// larder get: one value, from a Snapshot file, a running server or a store's directory.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/store_access.h"
#include "cli/subcommands.h"
#include "cli/time_text.h"
#include "io/file_system.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

namespace {

struct GetArguments {
  StoreArguments where;
  std::string key;
  bool json = false;
};

Result<std::optional<PlainValue>> GetFromFile(const std::string& path, const std::string& key) {
  LARDER_ASSIGN(const auto snapshot, snapshot::Snapshot::Open(io::RealFileSystem(), path));
  const std::optional<snapshot::Value> value = snapshot->Find(key);
  if (!value || value->Expired(NowMs())) return std::nullopt;
  return PlainValueOf(*value);
}

bool NamesAFile(const GetArguments& arguments) {
  if (arguments.where.store.empty() || !arguments.where.server.empty()) return false;
  const auto info = io::RealFileSystem().Stat(arguments.where.store);
  return info && info->kind == io::FileKind::kRegular;
}

Result<std::optional<PlainValue>> Get(const GetArguments& arguments) {
  if (NamesAFile(arguments)) return GetFromFile(arguments.where.store, arguments.key);
  LARDER_ASSIGN(const auto store, OpenStore(arguments.where));
  return store->Get(arguments.key);
}

// As short JSONL has it: base64 where anything is not UTF-8, said beside the value.
class JsonValue {
 public:
  JsonValue(const std::string& key, const PlainValue& value) : value_(value) {
    PutBytes(document_, "key", key);
    document_["type"] = ValueTypeName(value.type);
    const bool hash = value.type == ValueType::kHash;
    texts_encoded_ = !AllUtf8(hash ? 1 : 0, hash ? 2 : 1);
    fields_encoded_ = hash && !AllUtf8(0, 2);
    if (texts_encoded_) document_["encoding"] = "base64";
    if (fields_encoded_) document_["field_encoding"] = "base64";
    document_["value"] = Value();
  }
  const Json& document() const { return document_; }

 private:
  bool AllUtf8(size_t first, size_t step) const {
    for (size_t i = first; i < value_.texts.size(); i += step) {
      if (!IsUtf8(value_.texts[i])) return false;
    }
    return true;
  }
  std::string Text(size_t number, bool encoded) const {
    return encoded ? Base64(value_.texts[number]) : value_.texts[number];
  }
  // JSON has no infinities.
  Json Score(size_t number) const {
    const std::string& text = value_.scores[number];
    double score = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), score);
    const bool whole = error == std::errc() && end == text.data() + text.size();
    return whole && std::isfinite(score) ? Json(score) : Json(text);
  }
  Json Value() const;

  const PlainValue& value_;
  bool texts_encoded_ = false;
  bool fields_encoded_ = false;
  Json document_ = Json::object();
};

Json JsonValue::Value() const {
  switch (value_.type) {
    case ValueType::kString:
    case ValueType::kJson:
      return Text(0, texts_encoded_);
    case ValueType::kList:
    case ValueType::kSet: {
      Json elements = Json::array();
      for (size_t i = 0; i < value_.texts.size(); ++i) elements.push_back(Text(i, texts_encoded_));
      return elements;
    }
    case ValueType::kHash: {
      Json fields = Json::object();
      for (size_t i = 0; i + 1 < value_.texts.size(); i += 2)
        fields[Text(i, fields_encoded_)] = Text(i + 1, texts_encoded_);
      return fields;
    }
    case ValueType::kZset: {
      Json members = Json::array();
      for (size_t i = 0; i < value_.texts.size(); ++i)
        members.push_back({{"value", Text(i, texts_encoded_)}, {"score", Score(i)}});
      return members;
    }
  }
  return {};
}

// A line per element; fields and values, members and scores are separated by a tab.
void PrintText(const PlainValue& value) {
  for (size_t i = 0; i < value.texts.size(); ++i) {
    std::fwrite(value.texts[i].data(), 1, value.texts[i].size(), stdout);
    if (value.type == ValueType::kZset) fmt::print("\t{}", value.scores[i]);
    fmt::print("{}", value.type == ValueType::kHash && i % 2 == 0 ? '\t' : '\n');
  }
}

int RunGet(const GetArguments& arguments) {
  const auto found = Get(arguments);
  if (!found) return ReportError(found.error());
  const std::optional<PlainValue>& value = *found;
  if (!value) {
    return ReportError(
        Error(ErrorCode::kNotFound,
              fmt::format("{} has no key {}", arguments.where.store, JsonText(arguments.key))));
  }
  if (arguments.json) {
    PrintJson(JsonValue(arguments.key, *value).document());
  } else {
    PrintText(*value);
  }
  return kExitOk;
}

}  // namespace

void AddGet(CLI::App& app, Run& chosen) {
  auto arguments = std::make_shared<GetArguments>();
  CLI::App* const get = app.add_subcommand("get", "Print one value");
  get->add_option("WHERE", arguments->where.store, "A .snap file, or a store's name")->required();
  get->add_option("KEY", arguments->key, "The key")->required();
  AddStoreOptions(*get, arguments->where);
  get->add_flag("--json", arguments->json, "Key, type and value as JSON");
  get->footer(
      "Examples:\n"
      "  larder get features.snap user:1\n"
      "  larder get features user:1 --json\n"
      "Exits with 3 when there is no such key. As JSON, what is not UTF-8 stands as base64, and\n"
      "\"encoding\" says so.");
  get->callback([arguments, &chosen] { chosen = [arguments] { return RunGet(*arguments); }; });
}

}  // namespace larder::cli
