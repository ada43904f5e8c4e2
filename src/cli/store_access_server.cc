#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/resp_client.h"
#include "cli/store_access.h"

namespace larder::cli {

namespace {

int64_t Number(const Reply& reply, std::string_view field) {
  const Reply* const found = reply.Field(field);
  return found == nullptr ? 0 : found->integer;
}

std::string Text(const Reply& reply, std::string_view field) {
  const Reply* const found = reply.Field(field);
  return found == nullptr ? "" : found->text;
}

// RESP2 has no booleans: :1 and :0.
bool Flag(const Reply& reply, std::string_view field) { return Number(reply, field) != 0; }

class StoreAtServer : public StoreAccess {
 public:
  // `dataset` is the server's line of LARDER DATASETS.
  StoreAtServer(RespClient client, const Reply& dataset)
      : client_(std::move(client)),
        store_(Text(dataset, "name")),
        directory_(Text(dataset, "directory")),
        database_(Number(dataset, "database")) {}

  const std::string& name() const override { return store_; }
  const std::string& directory() const override { return directory_; }
  Result<std::vector<dataset::VersionInfo>> Versions() override;
  Result<dataset::SwitchReport> Rollback(std::optional<uint64_t> version) override;
  Result<dataset::SwitchReport> Pin(uint64_t version) override;
  Result<dataset::SwitchReport> Unpin() override;
  Result<dataset::SwitchReport> Accept() override;
  Result<std::optional<PlainValue>> Get(const std::string& key) override;

 private:
  Result<Reply> Ask(const std::vector<std::string_view>& arguments);
  Result<dataset::SwitchReport> Switch(const std::vector<std::string_view>& arguments);

  RespClient client_;
  std::string store_;
  std::string directory_;
  int64_t database_;
};

// What an error reply of Larder means to a script.
ErrorCode CodeOfErrorReply(std::string_view text) {
  for (const std::string_view missing : {"there is no", "no such", "no version"}) {
    if (text.find(missing) != std::string_view::npos) return ErrorCode::kNotFound;
  }
  if (text.starts_with("LOADING")) return ErrorCode::kNotFound;
  if (text.starts_with("NOPERM")) return ErrorCode::kPermissionDenied;
  return ErrorCode::kIoError;
}

Result<Reply> StoreAtServer::Ask(const std::vector<std::string_view>& arguments) {
  LARDER_ASSIGN(Reply reply, client_.Call(arguments));
  if (reply.kind != Reply::Kind::kError) return reply;
  return Fail(CodeOfErrorReply(reply.text),
              fmt::format("{} answers: {}", client_.address(), reply.text));
}

Result<std::vector<dataset::VersionInfo>> StoreAtServer::Versions() {
  LARDER_ASSIGN(const Reply reply, Ask({"LARDER", "VERSIONS", store_}));
  std::vector<dataset::VersionInfo> versions;
  for (const Reply& element : reply.elements) {
    dataset::VersionInfo& version = versions.emplace_back();
    version.number = static_cast<uint64_t>(Number(element, "number"));
    version.current = Flag(element, "current");
    version.damaged = Flag(element, "damaged");
    version.refused = Flag(element, "refused");
    version.verdict = Text(element, "verdict");
    version.records = static_cast<uint64_t>(Number(element, "records"));
    version.file_bytes = static_cast<uint64_t>(Number(element, "bytes"));
    version.source = Text(element, "source");
    version.source_checksum = Text(element, "checksum");
    version.built_at_ms = Number(element, "built_at_ms");
  }
  return versions;
}

Result<dataset::SwitchReport> StoreAtServer::Switch(
    const std::vector<std::string_view>& arguments) {
  LARDER_ASSIGN(const Reply reply, Ask(arguments));
  dataset::SwitchReport report;
  report.previous = static_cast<uint64_t>(Number(reply, "previous"));
  report.current = static_cast<uint64_t>(Number(reply, "current"));
  report.pinned = Flag(reply, "pinned");
  report.compiled = Flag(reply, "compiled");
  return report;
}

Result<dataset::SwitchReport> StoreAtServer::Rollback(std::optional<uint64_t> version) {
  if (!version) return Switch({"LARDER", "ROLLBACK", store_});
  return Switch({"LARDER", "ROLLBACK", store_, fmt::format("{}", *version)});
}

Result<dataset::SwitchReport> StoreAtServer::Pin(uint64_t version) {
  const std::string number = fmt::format("{}", version);
  return Switch({"LARDER", "PIN", store_, number});
}

Result<dataset::SwitchReport> StoreAtServer::Unpin() { return Switch({"LARDER", "UNPIN", store_}); }

Result<dataset::SwitchReport> StoreAtServer::Accept() {
  return Switch({"LARDER", "ACCEPT", store_});
}

Result<std::optional<PlainValue>> StoreAtServer::Get(const std::string& key) {
  const std::string database = fmt::format("{}", database_);
  LARDER_TRY(Ask({"SELECT", database}));
  LARDER_ASSIGN(const Reply type, Ask({"TYPE", key}));
  if (type.text == "none") return std::nullopt;
  PlainValue value;
  std::vector<std::string_view> request = {"GET", key};
  if (type.text == ValueTypeName(ValueType::kHash)) {
    value.type = ValueType::kHash;
    request = {"HGETALL", key};
  } else if (type.text == ValueTypeName(ValueType::kList)) {
    value.type = ValueType::kList;
    request = {"LRANGE", key, "0", "-1"};
  } else if (type.text == ValueTypeName(ValueType::kSet)) {
    value.type = ValueType::kSet;
    request = {"SMEMBERS", key};
  } else if (type.text == ValueTypeName(ValueType::kZset)) {
    value.type = ValueType::kZset;
    request = {"ZRANGE", key, "0", "-1", "WITHSCORES"};
  }
  LARDER_ASSIGN(Reply reply, Ask(request));
  if (reply.kind == Reply::Kind::kNull) return std::nullopt;
  if (reply.kind == Reply::Kind::kBulk) value.texts.push_back(std::move(reply.text));
  for (size_t i = 0; i < reply.elements.size(); ++i) {
    const bool score = value.type == ValueType::kZset && i % 2 == 1;
    (score ? value.scores : value.texts).push_back(std::move(reply.elements[i].text));
  }
  return value;
}

Result<Reply> DatasetsReply(RespClient& client) {
  LARDER_ASSIGN(Reply stores, client.Call({"LARDER", "DATASETS"}));
  if (stores.kind == Reply::Kind::kArray) return stores;
  if (stores.text.starts_with("NOPERM")) {
    return Fail(ErrorCode::kPermissionDenied,
                fmt::format("{} answers: {}; it wants a user whose commands in larder.toml have "
                            "\"admin\", by --user NAME",
                            client.address(), stores.text));
  }
  return Fail(ErrorCode::kUnsupported,
              fmt::format("{} is no Larder: it answers {}", client.address(), stores.text));
}

}  // namespace

Result<std::vector<dataset::Status>> AskDatasets(RespClient& client) {
  LARDER_ASSIGN(const Reply stores, DatasetsReply(client));
  std::vector<dataset::Status> all;
  for (const Reply& element : stores.elements) {
    dataset::Status& status = all.emplace_back();
    status.name = Text(element, "name");
    status.source = Text(element, "source");
    status.directory = Text(element, "directory");
    status.current = static_cast<uint64_t>(Number(element, "current"));
    status.pinned = Flag(element, "pinned");
    status.compiling = Flag(element, "compiling");
    status.records = static_cast<uint64_t>(Number(element, "records"));
    status.file_bytes = static_cast<uint64_t>(Number(element, "bytes"));
    status.switches = static_cast<uint64_t>(Number(element, "switches"));
    status.refused = static_cast<uint64_t>(Number(element, "refused"));
    status.damaged = static_cast<uint64_t>(Number(element, "damaged"));
    status.last_error = Text(element, "last_error");
    status.refused_version = static_cast<uint64_t>(Number(element, "refused_version"));
    status.verdict = Text(element, "verdict");
    status.probation_until_ms = Number(element, "probation_until_ms");
  }
  return all;
}

Result<std::unique_ptr<StoreAccess>> OpenStoreAtServer(const ServerPlace& place,
                                                       const std::string& store) {
  LARDER_ASSIGN(RespClient client, RespClient::Connect(place));
  LARDER_ASSIGN(const Reply stores, DatasetsReply(client));
  std::vector<std::string> names;
  for (const Reply& element : stores.elements) {
    names.push_back(Text(element, "name"));
    if (names.back() != store && !(store.empty() && stores.elements.size() == 1)) continue;
    return std::make_unique<StoreAtServer>(std::move(client), element);
  }
  if (store.empty() && !names.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("which store? {} has {}", place.address, fmt::join(names, ", ")));
  }
  return Fail(ErrorCode::kNotFound, fmt::format("{} has no store \"{}\"; it has {}", place.address,
                                                store, fmt::join(names, ", ")));
}

}  // namespace larder::cli
