// Guards: docs/configuration.md is what the table says, the table's defaults are the program's, and
// every key of the table is read.
#include "cli/settings.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/config.h"
#include "import/importer.h"
#include "io/resident_mapping.h"

namespace larder::cli {
namespace {

using testing::HasSubstr;

// The test runs in its own folder.
constexpr char kReference[] = "../../docs/configuration.md";

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file in which `key` of `table` has `value`, and every other key its default.
std::string FileWith(const Setting& setting, const std::string& value) {
  const std::string line = fmt::format("{} = {}\n", setting.key, value);
  if (setting.table == "required_keys" || setting.table == "canaries") {
    const bool canary = setting.table == "canaries";
    const std::string others = setting.key == "key" ? canary ? "value = 'v'" : "type = 'hash'"
                               : setting.key == "value" || !canary ? "key = 'k'"
                                                                   : "key = 'k', value = 'v'";
    return fmt::format("[[store]]\nname = 'a'\n[store.gate]\n{} = [{{ {}, {} = {} }}]\n",
                       setting.table, others, setting.key, value);
  }
  if (setting.table == "listener") {
    const std::string address = setting.key == "address" ? "" : "address = '127.0.0.1:1'\n";
    return "[[listener]]\n" + address + line;
  }
  if (setting.table == "user") {
    const std::string name = setting.key == "name" ? "" : "name = 'a'\n";
    const bool of_passwords = setting.key == "any_password" || setting.key == "password_sha256";
    // Somebody whom nobody can be needs no password.
    const std::string others = of_passwords ? "enabled = false\n" : "any_password = true\n";
    return "[[user]]\n" + name + others + line;
  }
  if (setting.table == "store")
    return (setting.key == "name" ? "[[store]]\n" : "[[store]]\nname = 'a'\n") + line;
  if (setting.table.starts_with("store."))
    return fmt::format("[[store]]\nname = 'a'\n[{}]\n{}", setting.table, line);
  return setting.table.empty() ? line : fmt::format("[{}]\n{}", setting.table, line);
}

std::string Refused(const std::string& text) {
  const auto config = ParseConfig(text, "larder.toml");
  EXPECT_FALSE(config) << text;
  return config ? "" : config.error().message();
}

TEST(Settings, DocumentationIsWhatTheTableSays) {
  // Nothing else runs yet. NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (std::getenv("LARDER_REWRITE_DOCS") != nullptr) {
    std::ofstream(kReference, std::ios::binary) << ConfigurationReference();
  }
  EXPECT_EQ(Contents(kReference), ConfigurationReference())
      << "docs/configuration.md is stale; its head says how to make it anew";
}

TEST(Settings, EveryKeyIsExplained) {
  for (const Setting& setting : Settings()) {
    EXPECT_NE(FindSettingTable(setting.table), nullptr) << setting.key;
    // What only holds another table is explained there.
    const bool holds_table = setting.type == SettingType::kTables && setting.fallback_shown.empty();
    EXPECT_NE(setting.meaning.empty(), !holds_table) << setting.key;
    if (holds_table) continue;
    const bool has_default =
        setting.required || !setting.fallback.empty() || !setting.fallback_shown.empty();
    EXPECT_TRUE(has_default) << setting.key;
  }
}

TEST(Settings, EveryKeyIsRead) {
  for (const Setting& setting : Settings()) {
    // No key is a date.
    const std::string message = Refused(FileWith(setting, "1979-05-27"));
    EXPECT_THAT(message, HasSubstr("expected")) << setting.table << " " << setting.key;
    EXPECT_THAT(message, testing::Not(HasSubstr("unknown"))) << setting.table << " " << setting.key;
  }
}

TEST(Settings, BoundsAreChecked) {
  int checked = 0;
  for (const Setting& setting : Settings()) {
    const bool number =
        setting.type == SettingType::kNumber || setting.type == SettingType::kNumberOrWord;
    if (!number) continue;
    ++checked;
    EXPECT_THAT(Refused(FileWith(setting, "-1")), HasSubstr("a whole number")) << setting.key;
    if (setting.smallest > 0) Refused(FileWith(setting, std::to_string(setting.smallest - 1)));
    if (setting.largest == kAnyNumber) continue;
    Refused(FileWith(setting, std::to_string(setting.largest + 1)));
    const std::string largest = FileWith(setting, std::to_string(setting.largest));
    EXPECT_TRUE(ParseConfig(largest, "larder.toml")) << largest;
  }
  EXPECT_GT(checked, 5);
}

TEST(Settings, DefaultsWrittenOutMeanWhatLeavingThemOutMeans) {
  for (const Setting& setting : Settings()) {
    if (setting.fallback.empty()) continue;
    const bool bare = setting.type == SettingType::kNumber || setting.type == SettingType::kBoolean;
    const std::string text = FileWith(
        setting, bare ? std::string(setting.fallback) : fmt::format("\"{}\"", setting.fallback));
    EXPECT_TRUE(ParseConfig(text, "larder.toml")) << text;
  }
}

// Whoever embeds the parts without a file gets the same defaults.
TEST(Settings, DefaultsAreThoseOfTheProgram) {
  const auto config = ParseConfig(
      "[server]\n[limits]\n[log]\n[[store]]\nname = 'a'\n[store.gate]\n"
      "[store.probation]\n",
      "larder.toml");
  ASSERT_TRUE(config) << config.error().message();
  const server::ServerOptions server;
  EXPECT_EQ(config->server.threads, server.threads);
  EXPECT_EQ(config->server.protected_mode, server.protected_mode);
  EXPECT_EQ(config->server.max_clients, server.max_clients);
  EXPECT_EQ(config->server.max_output_bytes, server.max_output_bytes);
  EXPECT_EQ(config->server.idle_timeout, server.idle_timeout);
  EXPECT_EQ(config->server.request.query_bytes, server.request.query_bytes);
  EXPECT_TRUE(config->reload);
  EXPECT_EQ(config->log_format, LogFormat::kText);
  EXPECT_EQ(config->log_level, LogLevel::kInfo);
  const dataset::Options store;
  const dataset::Options& read = config->stores.at(0).options;
  EXPECT_EQ(read.keep, store.keep);
  EXPECT_EQ(read.watch, store.watch);
  EXPECT_EQ(read.residency, store.residency);
  EXPECT_EQ(read.duplicates, store.duplicates);
  EXPECT_EQ(read.separator, store.separator);
  EXPECT_EQ(read.build_memory_bytes, store.build_memory_bytes);
  EXPECT_EQ(read.import, store.import);
  EXPECT_EQ(read.gate, store.gate);
  EXPECT_EQ(read.probation, store.probation);
}

TEST(Settings, WordsStandInTheOrderOfTheirEnumerators) {
  for (size_t i = 0; i < kFormatNames.size(); ++i)
    EXPECT_EQ(importer::FormatName(static_cast<importer::Format>(i)), kFormatNames[i]);
  for (size_t i = 0; i < kShapeNames.size(); ++i)
    EXPECT_EQ(importer::ShapeName(static_cast<importer::Shape>(i)), kShapeNames[i]);
  for (size_t i = 0; i < kResidencyNames.size(); ++i)
    EXPECT_EQ(io::ResidencyName(static_cast<Residency>(i)), kResidencyNames[i]);
  for (size_t i = 0; i + 1 < kTypeNames.size(); ++i)
    EXPECT_EQ(ValueTypeName(static_cast<ValueType>(i)), kTypeNames[i]);
  EXPECT_EQ(static_cast<size_t>(ValueType::kJson), kTypeNames.size() - 1);
  EXPECT_EQ(kDuplicatesNames[static_cast<size_t>(snapshot::Duplicates::kFirst)], "first");
  EXPECT_EQ(kDuplicatesNames[static_cast<size_t>(snapshot::Duplicates::kError)], "error");
}

TEST(Settings, TheNearestWordIsFound) {
  constexpr std::string_view kWords[] = {"threads", "keep", "watch", "max_clients"};
  EXPECT_EQ(NearestWord("thread", kWords), "threads");
  EXPECT_EQ(NearestWord("max_cleints", kWords), "max_clients");
  EXPECT_EQ(NearestWord("wacth", kWords), "watch");
  EXPECT_EQ(NearestWord("port", kWords), "");
  EXPECT_EQ(NearestWord("", kWords), "");
}

}  // namespace
}  // namespace larder::cli
