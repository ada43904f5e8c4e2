#include "cli/config.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "io/file_system.h"
#include "server/address.h"

namespace larder::cli {

namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::string_view kDefaultUser = "default";

// One pass over one file: the tables are read in the order of the struct.
class ConfigParser {
 public:
  explicit ConfigParser(const std::string& path) : path_(path) {
    const size_t slash = path.rfind('/');
    if (slash != std::string::npos) folder_ = path.substr(0, slash + 1);
  }

  Result<Config> Parse(const toml::table& root);

 private:
  Result<void> ParseServer(const toml::table& table);
  Result<void> ParseLimits(const toml::table& table);
  Result<void> ParseLog(const toml::table& table);
  Result<void> ParseListener(const toml::table& table);
  void ParseAddress(TomlReader& reader, server::ListenerOptions& to);
  void ParseTls(TomlReader& reader, server::TlsOptions& to);
  Result<void> ParseUser(const toml::table& table);
  Result<void> MakeUsers();
  Result<void> ParseStore(const toml::table& table);
  void ParseNames(TomlReader& reader, StoreConfig& store);
  void ParseImport(TomlReader& reader, dataset::Options& to);
  void ParseVersions(TomlReader& reader, dataset::Options& to);
  Result<void> ParseGate(const toml::table& table, GateOptions& to);
  Result<void> ParseRequiredKey(const toml::table& table, GateOptions& to);
  Result<void> ParseCanary(const toml::table& table, GateOptions& to);
  Result<void> ParseProbation(const toml::table& table, ProbationOptions& to);

  // Where a value stood first; refuses it when it stands there again.
  template <typename Value>
  void OnlyOnce(TomlReader& reader, std::map<Value, toml::source_index>& seen, const Value& value,
                std::string_view key, std::string_view whose);
  std::string Resolve(const std::string& path) const {
    return path.empty() || path.starts_with('/') ? path : folder_ + path;
  }

  const std::string& path_;
  std::string folder_;
  Config config_;
  std::map<std::string, toml::source_index> names_;
  std::map<std::string, toml::source_index> directories_;
  std::map<uint32_t, toml::source_index> databases_;
  std::map<std::string, toml::source_index> addresses_;
  std::map<std::string, toml::source_index> user_names_;
  std::vector<command::UserOptions> users_;
};

// `parse` is called with the table under `key`, if there is one.
template <typename ParseTable>
void ReadTable(TomlReader& reader, std::string_view name, std::string_view key, ParseTable parse) {
  const toml::node* const node = reader.Node(key);
  if (node == nullptr) return;
  if (const toml::table* const table = node->as_table()) return reader.Adopt(parse(*table));
  reader.FailAt(node->source(), fmt::format("expected {}", FindSettingTable(name)->title));
}

template <typename ParseTable>
void ReadTables(TomlReader& reader, std::string_view key, ParseTable parse) {
  const toml::node* const node = reader.Node(key);
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>()) {
    return reader.FailAt(node->source(), fmt::format("expected {}", FindSettingTable(key)->title));
  }
  for (const toml::node& element : *array) reader.Adopt(parse(*element.as_table()));
}

// Elements are tables; where `shorthand` is given, a string is short for a table with that key.
template <typename ParseTable>
void ReadElements(TomlReader& reader, std::string_view key, std::string_view shorthand,
                  ParseTable parse) {
  const toml::node* const node = reader.Node(key);
  if (node == nullptr) return;
  const toml::array* const array = node->as_array();
  if (array == nullptr) return reader.Fail(key, "expected an array");
  for (const toml::node& element : *array) {
    if (const toml::table* const table = element.as_table()) {
      reader.Adopt(parse(*table));
    } else if (!shorthand.empty() && element.is_string()) {
      toml::table whole;
      whole.insert(shorthand, element.value_or(std::string()));
      reader.Adopt(parse(whole));
    } else {
      reader.FailAt(element.source(), fmt::format("{}: expected {}{{ ... }}", key,
                                                  shorthand.empty() ? "" : "a string or "));
    }
  }
}

template <typename Value>
void ConfigParser::OnlyOnce(TomlReader& reader, std::map<Value, toml::source_index>& seen,
                            const Value& value, std::string_view key, std::string_view whose) {
  const auto [found, first] = seen.emplace(value, reader.LineOf(key));
  if (!first)
    reader.Fail(key, fmt::format("{} is taken by {} of line {}", value, whose, found->second));
}

Result<Config> ConfigParser::Parse(const toml::table& root) {
  TomlReader reader(root, "", path_);
  ReadTable(reader, "server", "server", [this](const auto& table) { return ParseServer(table); });
  ReadTable(reader, "limits", "limits", [this](const auto& table) { return ParseLimits(table); });
  ReadTable(reader, "log", "log", [this](const auto& table) { return ParseLog(table); });
  ReadTables(reader, "user", [this](const auto& table) { return ParseUser(table); });
  // Whether a listener may be reached by others depends on the users.
  reader.Adopt(MakeUsers());
  ReadTables(reader, "listener", [this](const auto& table) { return ParseListener(table); });
  ReadTables(reader, "store", [this](const auto& table) { return ParseStore(table); });
  LARDER_TRY(reader.Finish());
  if (config_.server.listeners.empty())
    config_.server.listeners.push_back({.address = std::string(kDefaultAddress)});
  config_.server.config_file = path_;
  return std::move(config_);
}

Result<void> ConfigParser::ParseServer(const toml::table& table) {
  TomlReader reader(table, "server", path_);
  config_.server.threads = static_cast<unsigned>(reader.Number("threads"));
  config_.server.protected_mode = reader.Boolean("protected_mode");
  config_.reload = reader.Boolean("reload");
  if (const auto password = reader.OptionalText("requirepass")) {
    if (password->empty()) reader.Fail("requirepass", "is empty; leave it out for no password");
    users_.push_back({.name = std::string(kDefaultUser),
                      .password_hashes = {command::PasswordHash(*password)},
                      .may_admin = true});
  }
  return reader.Finish();
}

Result<void> ConfigParser::ParseLimits(const toml::table& table) {
  TomlReader reader(table, "limits", path_);
  server::ServerOptions& to = config_.server;
  to.max_clients = reader.Number("max_clients");
  to.max_output_bytes = reader.Bytes("max_output");
  to.request.query_bytes = reader.Bytes("max_query");
  const auto idle = reader.Duration("idle_timeout");
  to.idle_timeout = std::chrono::duration_cast<std::chrono::seconds>(idle);
  if (to.idle_timeout != idle) reader.Fail("idle_timeout", "expected whole seconds");
  return reader.Finish();
}

Result<void> ConfigParser::ParseLog(const toml::table& table) {
  TomlReader reader(table, "log", path_);
  config_.log_format = static_cast<LogFormat>(reader.Choice("format"));
  config_.log_level = static_cast<LogLevel>(reader.Choice("level"));
  return reader.Finish();
}

Result<void> ConfigParser::ParseListener(const toml::table& table) {
  TomlReader reader(table, "listener", path_);
  server::ListenerOptions listener;
  reader.Choice("protocol");
  listener.read_only_is_noperm = reader.Choice("read_only_error") == 1;
  ParseTls(reader, listener.tls);
  ParseAddress(reader, listener);
  config_.server.listeners.push_back(std::move(listener));
  return reader.Finish();
}

void ConfigParser::ParseAddress(TomlReader& reader, server::ListenerOptions& to) {
  to.address = reader.Text("address");
  if (to.address.empty()) return reader.Fail("address", "is empty");
  if (to.address.starts_with(kUnixPrefix))
    to.address = fmt::format("{}{}", kUnixPrefix, Resolve(to.address.substr(kUnixPrefix.size())));
  const auto parsed = server::ParseAddress(to.address);
  if (!parsed) {
    reader.Fail("address", parsed.error().message());
  } else if (!server::MayListen(config_.server, to, *parsed)) {
    reader.Fail("address", fmt::format("{} can be reached by other machines and there is no "
                                       "password; set requirepass in [server], or protected_mode = "
                                       "false if the network is yours",
                                       to.address));
  } else if (parsed->unix_socket()) {
    OnlyOnce(reader, addresses_, TidyPath(parsed->path()), "address", "the listener");
  } else if (parsed->port() != 0) {
    OnlyOnce(reader, addresses_, parsed->ToString(), "address", "the listener");
  }
}

void ConfigParser::ParseTls(TomlReader& reader, server::TlsOptions& to) {
  to.certificate = Resolve(reader.Text("tls_certificate"));
  to.key = Resolve(reader.Text("tls_key"));
  to.client_ca = Resolve(reader.Text("tls_client_ca"));
  // An empty path is a variable that was not filled in.
  for (const std::string_view key : {"tls_certificate", "tls_key", "tls_client_ca"}) {
    if (reader.Has(key) && reader.Text(key).empty()) return reader.Fail(key, "is empty");
  }
  if (to.certificate.empty() != to.key.empty()) {
    const bool key_is_there = to.certificate.empty();
    return reader.Fail(
        key_is_there ? "tls_key" : "tls_certificate",
        key_is_there ? "there is no tls_certificate beside it" : "there is no tls_key beside it");
  }
  if (!to.client_ca.empty() && !to.enabled())
    reader.Fail("tls_client_ca", "there are no tls_certificate and tls_key beside it");
}

Result<void> ConfigParser::ParseUser(const toml::table& table) {
  TomlReader reader(table, "user", path_);
  command::UserOptions user;
  user.name = reader.Text("name");
  user.password_hashes = reader.Texts("password_sha256");
  user.any_password = reader.Boolean("any_password");
  user.enabled = reader.Boolean("enabled");
  const std::vector<std::string> commands = reader.Texts("commands");
  const auto may = [&commands](size_t name) {
    return std::ranges::find(commands, kUserCommandNames[name]) != commands.end();
  };
  user.may_read = may(0);
  user.may_admin = may(1);
  if (commands.empty()) reader.Fail("commands", "is empty; enabled = false keeps a user out");
  OnlyOnce(reader, user_names_, user.name, "name", "the user");
  if (user.name == kDefaultUser && !users_.empty() && users_[0].name == kDefaultUser)
    reader.Fail("name", "default has the password of requirepass in [server]; give one of the two");
  if (user.enabled && !user.any_password && user.password_hashes.empty()) {
    reader.Fail("name", fmt::format("{} has no password; give password_sha256, or any_password = "
                                    "true, or enabled = false",
                                    user.name));
  }
  const auto checked = command::Users::Make({user});
  if (!checked)
    reader.Fail(reader.Has("password_sha256") ? "password_sha256" : "name",
                checked.error().message());
  users_.push_back(std::move(user));
  return reader.Finish();
}

Result<void> ConfigParser::MakeUsers() {
  auto users = command::Users::Make(users_);
  // What is wrong with one was said with its line.
  if (users) config_.server.users = *std::move(users);
  return {};
}

void ConfigParser::ParseNames(TomlReader& reader, StoreConfig& store) {
  dataset::Options& to = store.options;
  to.name = reader.Text("name");
  if (!ValidStoreName(to.name))
    reader.Fail("name", "expected letters, digits, \"-_.:\", at most 255");
  OnlyOnce(reader, names_, to.name, "name", "the store");
  reader.Choice("kind");
  to.source = Resolve(reader.Text("source"));
  to.directory = Resolve(reader.OptionalText("directory")
                             .value_or(fmt::format("{}/{}", kDefaultDataDirectory, to.name)));
  if (to.directory.empty()) reader.Fail("directory", "is empty");
  OnlyOnce(reader, directories_, TidyPath(to.directory), "directory", "the store");
  const uint64_t place = config_.stores.size();
  store.database =
      static_cast<uint32_t>(reader.Has("database") ? reader.Number("database") : place);
  if (store.database >= store::kMaxDatabases) {
    reader.Fail("database", fmt::format("is missing, and {} stores need more databases than 0 to "
                                        "{}",
                                        place + 1, store::kMaxDatabases - 1));
  }
  OnlyOnce(reader, databases_, store.database, "database", "the store");
}

void ConfigParser::ParseImport(TomlReader& reader, dataset::Options& to) {
  to.import.format = static_cast<importer::Format>(reader.Choice("format"));
  to.import.shape = static_cast<importer::Shape>(reader.Choice("shape"));
  to.import.key_field = reader.Text("key_field");
  to.import.key_prefix = reader.Text("key_prefix");
  to.import.levels = static_cast<unsigned>(reader.Number("levels"));
  const TomlReader::NumberOrWord bad_lines = reader.ReadNumberOrWord("bad_lines");
  to.import.bad_lines =
      bad_lines.number.value_or(bad_lines.word == 0 ? 0 : importer::kSkipAllBadLines);
}

void ConfigParser::ParseVersions(TomlReader& reader, dataset::Options& to) {
  to.keep = static_cast<unsigned>(reader.Number("keep"));
  to.watch = reader.Duration("watch");
  to.residency = static_cast<Residency>(reader.Choice("residency"));
  to.build_memory_bytes = reader.Bytes("build_memory");
  to.duplicates = static_cast<snapshot::Duplicates>(reader.Choice("duplicates"));
  const std::string separator = reader.Text("separator");
  if (separator.size() > 1) reader.Fail("separator", "expected one byte, or \"\" for none");
  to.separator = separator.empty() ? std::nullopt : std::optional<char>(separator[0]);
}

Result<void> ConfigParser::ParseStore(const toml::table& table) {
  TomlReader reader(table, "store", path_);
  StoreConfig store;
  ParseNames(reader, store);
  ParseImport(reader, store.options);
  ParseVersions(reader, store.options);
  ReadTable(reader, "store.gate", "gate",
            [&](const auto& inner) { return ParseGate(inner, store.options.gate); });
  ReadTable(reader, "store.probation", "probation",
            [&](const auto& inner) { return ParseProbation(inner, store.options.probation); });
  LARDER_TRY(reader.Finish());
  config_.stores.push_back(std::move(store));
  return {};
}

Result<void> ConfigParser::ParseGate(const toml::table& table, GateOptions& to) {
  TomlReader reader(table, "store.gate", path_);
  to.min_records = reader.Number("min_records");
  to.max_record_shrink = reader.Share("max_record_shrink");
  to.max_record_growth = reader.Share("max_record_growth");
  to.max_byte_shrink = reader.Share("max_byte_shrink");
  to.max_byte_growth = reader.Share("max_byte_growth");
  to.free_records = reader.Number("free_records");
  to.free_bytes = reader.Bytes("free_bytes");
  to.max_duplicates = reader.Share("max_duplicates");
  to.max_skipped = reader.Number("max_skipped");
  ReadElements(reader, "required_keys", "key",
               [&](const auto& element) { return ParseRequiredKey(element, to); });
  ReadElements(reader, "canaries", "",
               [&](const auto& element) { return ParseCanary(element, to); });
  return reader.Finish();
}

Result<void> ConfigParser::ParseRequiredKey(const toml::table& table, GateOptions& to) {
  TomlReader reader(table, "required_keys", path_);
  GateOptions::RequiredKey required;
  required.key = reader.Text("key");
  if (const auto type = reader.OptionalChoice("type"))
    required.type = static_cast<ValueType>(*type);
  to.required_keys.push_back(std::move(required));
  return reader.Finish();
}

Result<void> ConfigParser::ParseCanary(const toml::table& table, GateOptions& to) {
  TomlReader reader(table, "canaries", path_);
  GateOptions::Canary canary;
  canary.key = reader.Text("key");
  canary.field = reader.OptionalText("field");
  canary.value = reader.Text("value");
  to.canaries.push_back(std::move(canary));
  return reader.Finish();
}

Result<void> ConfigParser::ParseProbation(const toml::table& table, ProbationOptions& to) {
  TomlReader reader(table, "store.probation", path_);
  to.window = reader.Duration("window");
  to.max_misses = reader.Share("max_misses");
  to.max_errors = reader.Share("max_errors");
  to.min_commands = reader.Number("min_commands");
  return reader.Finish();
}

}  // namespace

std::string TidyPath(const std::string& path) {
  std::string tidy = std::filesystem::path(path).lexically_normal().string();
  while (tidy.size() > 1 && tidy.ends_with('/')) tidy.pop_back();
  return tidy;
}

bool ValidStoreName(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':';
  };
  return !name.empty() && name != "." && name != ".." && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), allowed);
}

std::string StoreNameOf(std::string_view source) {
  std::string name(source.substr(source.rfind('/') + 1));
  for (const auto suffixes : {std::array{".gz", ".zst", ".zstd"}, {".jsonl", ".ndjson", ".json"}}) {
    for (const std::string_view suffix : suffixes) {
      if (name.size() > suffix.size() && name.ends_with(suffix))
        name.resize(name.size() - suffix.size());
    }
  }
  if (name.size() > 5 && name.ends_with(".snap")) name.resize(name.size() - 5);
  for (char& c : name) {
    if (!ValidStoreName(std::string_view(&c, 1)) && c != '.') c = '_';
  }
  return ValidStoreName(name) ? name : "store";
}

Result<Config> ParseConfig(std::string_view text, const std::string& path) {
  try {
    const toml::table root = toml::parse(text, path);
    return ConfigParser(path).Parse(root);
  } catch (const toml::parse_error& error) {
    const toml::source_position& at = error.source().begin;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}:{}:{}: {}", path, at.line, at.column, error.description()));
  }
}

Result<std::string> ReadConfigText(const std::string& path) {
  return io::ReadWholeFile(io::RealFileSystem(), path, kMaxConfigBytes);
}

Result<Config> LoadConfig(const std::string& path) {
  LARDER_ASSIGN(const std::string text, ReadConfigText(path));
  return ParseConfig(text, path);
}

}  // namespace larder::cli
