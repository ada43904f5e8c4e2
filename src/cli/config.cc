#include "cli/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "cli/toml_reader.h"
#include "io/file_system.h"
#include "server/address.h"
#include "store/catalogue.h"

namespace larder::cli {

namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
constexpr uint64_t kMaxKeep = 1000;
constexpr uint64_t kMaxClientsLimit = 1'000'000;
constexpr uint64_t kMinQuery = uint64_t{1} << 20;  // as Redis's client-query-buffer-limit
constexpr std::chrono::milliseconds kMinWatch{10};
constexpr std::chrono::milliseconds kMaxDuration = std::chrono::hours(24 * 365);
constexpr std::string_view kUnixPrefix = "unix:";

struct Unit {
  std::string_view name;
  uint64_t factor;
};

std::optional<uint64_t> ParseWithUnit(std::string_view text, std::span<const Unit> units) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string_view name(end, text.data() + text.size());
  for (const Unit& unit : units) {
    uint64_t product = 0;
    if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &product)) return product;
  }
  return std::nullopt;
}

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
  Result<void> ParseListener(const toml::table& table);
  Result<void> ParseStore(const toml::table& table);
  void ParseStoreNumbers(TomlReader& reader, StoreConfig& store);
  template <typename Each>
  Result<void> ForEachTable(TomlReader& root, std::string_view key, Each each);

  std::string Resolve(const std::string& path) const {
    return path.empty() || path.starts_with('/') ? path : folder_ + path;
  }
  std::optional<std::chrono::milliseconds> Duration(TomlReader& reader, std::string_view key,
                                                    std::chrono::milliseconds smallest);
  std::optional<uint64_t> Bytes(TomlReader& reader, std::string_view key, uint64_t smallest);

  const std::string& path_;
  std::string folder_;
  Config config_;
  std::set<std::string> names_;
  std::set<std::string> directories_;
  std::set<uint32_t> databases_;
};

template <typename Each>
Result<void> ConfigParser::ForEachTable(TomlReader& root, std::string_view key, Each each) {
  const toml::node* const node = root.Find(key);
  if (node == nullptr) return {};
  const toml::array* const array = node->as_array();
  if (array == nullptr || !array->is_homogeneous<toml::table>()) {
    root.FailAt(node->source(), fmt::format("expected [[{}]]", key));
    return {};
  }
  for (const toml::node& element : *array) LARDER_TRY(each(*element.as_table()));
  return {};
}

Result<Config> ConfigParser::Parse(const toml::table& root) {
  TomlReader reader(root, "the file", path_);
  if (const toml::node* const node = reader.Find("server")) {
    if (const toml::table* const table = node->as_table()) {
      LARDER_TRY(ParseServer(*table));
    } else {
      reader.FailAt(node->source(), "expected [server]");
    }
  }
  LARDER_TRY(
      ForEachTable(reader, "listener", [this](const auto& table) { return ParseListener(table); }));
  LARDER_TRY(
      ForEachTable(reader, "store", [this](const auto& table) { return ParseStore(table); }));
  LARDER_TRY(reader.Finish());
  if (config_.server.listeners.empty())
    config_.server.listeners.push_back({std::string(kDefaultAddress), server::Protocol::kResp});
  config_.server.config_file = path_;
  return std::move(config_);
}

Result<void> ConfigParser::ParseServer(const toml::table& table) {
  TomlReader reader(table, "[server]", path_);
  server::ServerOptions& to = config_.server;
  to.threads = static_cast<unsigned>(reader.Number("threads", 0, kMaxThreads).value_or(0));
  to.protected_mode = reader.Boolean("protected_mode").value_or(to.protected_mode);
  to.max_clients = reader.Number("max_clients", 1, kMaxClientsLimit).value_or(to.max_clients);
  to.max_output_bytes = Bytes(reader, "max_output", 1).value_or(to.max_output_bytes);
  to.request.query_bytes = Bytes(reader, "max_query", kMinQuery).value_or(to.request.query_bytes);
  if (const auto idle = Duration(reader, "idle_timeout", std::chrono::milliseconds(0))) {
    to.idle_timeout = std::chrono::duration_cast<std::chrono::seconds>(*idle);
    if (to.idle_timeout != *idle) reader.Fail("idle_timeout", "expected whole seconds");
  }
  // The numbers are those of LogLevel.
  if (const auto level =
          reader.OneOf("log_level", {{"debug", 0}, {"info", 1}, {"warning", 2}, {"error", 3}})) {
    config_.log_level = static_cast<LogLevel>(*level);
  }
  return reader.Finish();
}

Result<void> ConfigParser::ParseListener(const toml::table& table) {
  TomlReader reader(table, "[[listener]]", path_);
  server::ListenerOptions listener;
  std::optional<std::string> address = reader.String("address");
  reader.OneOf("protocol", {{"resp", 0}});
  if (!address) {
    reader.Fail("address", "is missing");
    return reader.Finish();
  }
  if (address->starts_with(kUnixPrefix))
    address = fmt::format("{}{}", kUnixPrefix, Resolve(address->substr(kUnixPrefix.size())));
  const auto parsed = server::ParseAddress(*address);
  if (!parsed) {
    reader.Fail("address", parsed.error().message());
  } else if (config_.server.protected_mode && !parsed->local()) {
    reader.Fail("address", fmt::format("{} can be reached by other machines and there is no "
                                       "password; set protected_mode = false in [server] if the "
                                       "network is yours",
                                       *address));
  }
  listener.address = *address;
  config_.server.listeners.push_back(listener);
  return reader.Finish();
}

void ConfigParser::ParseStoreNumbers(TomlReader& reader, StoreConfig& store) {
  dataset::Options& to = store.options;
  const uint64_t next = config_.stores.size();
  store.database =
      static_cast<uint32_t>(reader.Number("database", 0, store::kMaxDatabases - 1).value_or(next));
  to.keep = static_cast<unsigned>(reader.Number("keep", 1, kMaxKeep).value_or(to.keep));
  to.watch = Duration(reader, "watch", kMinWatch).value_or(to.watch);
  to.build_memory_bytes =
      Bytes(reader, "build_memory", kMinBuildMemory).value_or(to.build_memory_bytes);
  if (store.database >= store::kMaxDatabases) {
    reader.Fail("database", fmt::format("is missing, and {} stores need more databases than 0 to "
                                        "{}",
                                        next + 1, store::kMaxDatabases - 1));
  } else if (!databases_.insert(store.database).second) {
    reader.Fail("database", fmt::format("{} is another store's", store.database));
  }
}

Result<void> ConfigParser::ParseStore(const toml::table& table) {
  TomlReader reader(table, "[[store]]", path_);
  StoreConfig store;
  dataset::Options& to = store.options;
  to.name = reader.String("name").value_or("");
  reader.OneOf("kind", {{"dataset", 0}});
  to.source = Resolve(reader.String("source").value_or(""));
  to.directory = Resolve(
      reader.String("directory").value_or(fmt::format("{}/{}", kDefaultDataDirectory, to.name)));
  ParseStoreNumbers(reader, store);
  if (const auto duplicates = reader.OneOf("duplicates", {{"last", 0}, {"first", 1}, {"error", 2}}))
    to.duplicates = static_cast<snapshot::Duplicates>(*duplicates);
  if (const auto separator = reader.String("separator")) {
    if (separator->size() > 1) reader.Fail("separator", "expected one byte, or \"\" for none");
    to.separator = separator->empty() ? std::nullopt : std::optional<char>((*separator)[0]);
  }
  if (!ValidStoreName(to.name)) {
    reader.Fail("name", to.name.empty() ? "is missing" : "expected letters, digits, \"-_.:\"");
  } else if (!names_.insert(to.name).second) {
    reader.Fail("name", fmt::format("\"{}\" is another store's", to.name));
  }
  if (to.directory.empty()) reader.Fail("directory", "is empty");
  if (!directories_.insert(to.directory).second)
    reader.Fail("directory", fmt::format("{} is another store's", to.directory));
  LARDER_TRY(reader.Finish());
  config_.stores.push_back(std::move(store));
  return {};
}

std::optional<std::chrono::milliseconds> ConfigParser::Duration(
    TomlReader& reader, std::string_view key, std::chrono::milliseconds smallest) {
  const std::optional<std::string> text = reader.String(key);
  if (!text) return std::nullopt;
  const auto duration = ParseDuration(*text);
  if (duration && *duration >= smallest && *duration <= kMaxDuration) return duration;
  reader.Fail(key, fmt::format("\"{}\": expected a duration of at least {} ms, like \"500ms\", "
                               "\"5s\" or \"2m\"",
                               *text, smallest.count()));
  return std::nullopt;
}

std::optional<uint64_t> ConfigParser::Bytes(TomlReader& reader, std::string_view key,
                                            uint64_t smallest) {
  const toml::node* const node = reader.Find(key);
  if (node == nullptr) return std::nullopt;
  std::optional<uint64_t> bytes;
  if (const auto number = node->value_exact<int64_t>(); number && *number >= 0)
    bytes = static_cast<uint64_t>(*number);
  if (const auto text = node->value_exact<std::string>()) bytes = ParseBytes(*text);
  if (bytes && *bytes >= smallest) return bytes;
  reader.Fail(key, fmt::format("expected a size of at least {} bytes, like 4096, \"64KiB\", "
                               "\"512MiB\" or \"1GiB\"",
                               smallest));
  return std::nullopt;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  const auto ms = ParseWithUnit(text, kUnits);
  if (!ms || *ms > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return std::chrono::milliseconds(static_cast<int64_t>(*ms));
}

std::optional<uint64_t> ParseBytes(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {{{"", 1},
                                                  {"KiB", uint64_t{1} << 10},
                                                  {"MiB", uint64_t{1} << 20},
                                                  {"GiB", uint64_t{1} << 30}}};
  return ParseWithUnit(text, kUnits);
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

Result<Config> LoadConfig(const std::string& path) {
  LARDER_ASSIGN(const std::string text,
                io::ReadWholeFile(io::RealFileSystem(), path, kMaxConfigBytes));
  return ParseConfig(text, path);
}

}  // namespace larder::cli
