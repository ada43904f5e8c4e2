// larder get: one value, from a Snapshot file, a running server or a store's directory.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/store_access.h"
#include "cli/subcommands.h"
#include "io/file_system.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

namespace {

struct GetArguments {
  StoreArguments where;
  std::string key;
  bool json = false;
};

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

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

Json JsonOf(const PlainValue& value) {
  switch (value.type) {
    case ValueType::kString:
    case ValueType::kJson:
      return value.texts[0];
    case ValueType::kList:
    case ValueType::kSet:
      return value.texts;
    case ValueType::kHash: {
      Json fields = Json::object();
      for (size_t i = 0; i + 1 < value.texts.size(); i += 2)
        fields[value.texts[i]] = value.texts[i + 1];
      return fields;
    }
    case ValueType::kZset: {
      Json members = Json::array();
      for (size_t i = 0; i < value.texts.size(); ++i)
        members.push_back({{"value", value.texts[i]}, {"score", value.scores[i]}});
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
    return ReportError(Error(ErrorCode::kNotFound, fmt::format("no key \"{}\"", arguments.key)));
  }
  if (arguments.json) {
    PrintJson(
        {{"key", arguments.key}, {"type", ValueTypeName(value->type)}, {"value", JsonOf(*value)}});
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
      "Exits with 3 when there is no such key.");
  get->callback([arguments, &chosen] { chosen = [arguments] { return RunGet(*arguments); }; });
}

}  // namespace larder::cli
