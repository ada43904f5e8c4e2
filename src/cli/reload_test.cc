#include "cli/reload.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Config Parsed(std::string_view text) {
  auto config = ParseConfig(text, "larder.toml");
  EXPECT_TRUE(config) << config.error().message();
  return config ? *std::move(config) : Config();
}

std::vector<std::string> Changes(std::string_view before, std::string_view after) {
  return DescribeChanges(Parsed(before), Parsed(after));
}

TEST(DescribeChanges, NothingIsOtherInTheSameWrittenOtherwise) {
  EXPECT_THAT(Changes("[[store]]\nname = 'a'\n", "# why\n[[store]]\nname = 'a'\nkeep = 3\n"),
              IsEmpty());
}

TEST(DescribeChanges, StoresAreNamed) {
  EXPECT_THAT(Changes("[[store]]\nname = 'a'\n[[store]]\nname = 'b'\n",
                      "[[store]]\nname = 'c'\n[[store]]\nname = 'b'\nkeep = 4\n"),
              ElementsAre("store c added", "store b changed", "store a removed"));
}

TEST(DescribeChanges, AnotherNumberOrGateIsAChange) {
  EXPECT_THAT(Changes("[[store]]\nname = 'a'\n", "[[store]]\nname = 'a'\ndatabase = 7\n"),
              ElementsAre("store a changed"));
  EXPECT_THAT(
      Changes("[[store]]\nname = 'a'\n", "[[store]]\nname = 'a'\n[store.gate]\nmin_records = 7\n"),
      ElementsAre("store a changed"));
}

TEST(DescribeChanges, LimitsAreToldWithBothValues) {
  EXPECT_THAT(
      Changes("", "[limits]\nmax_clients = 20\nidle_timeout = '1m'\n[log]\nlevel = 'debug'\n"),
      ElementsAre("max_clients 10000 -> 20", "idle_timeout 0s -> 60s", "log level info -> debug"));
}

TEST(DescribeChanges, UsersAreNamedAndTheirPasswordsAreNot) {
  const std::string user = "[[user]]\nname = 'a'\nany_password = true\n";
  EXPECT_THAT(Changes("", user), ElementsAre("user a added"));
  EXPECT_THAT(Changes(user, ""), ElementsAre("user a removed"));
  EXPECT_THAT(Changes(user, user + "commands = ['read', 'admin']\n"),
              ElementsAre("user a changed"));
  EXPECT_THAT(Changes("", "[server]\nrequirepass = 'secret'\n"),
              ElementsAre("user default changed"));
  EXPECT_THAT(Changes(user, user), IsEmpty());
}

TEST(DescribeChanges, AListenerThatAsksForMoreIsNamed) {
  const std::string listener = "[[listener]]\naddress = '127.0.0.1:1'\n";
  EXPECT_THAT(Changes(listener, listener + "tls_certificate = 'a'\ntls_key = 'b'\n"),
              ElementsAre("listener 127.0.0.1:1 changed"));
  EXPECT_THAT(Changes(listener, listener + "read_only_error = 'NOPERM'\n"),
              ElementsAre("listener 127.0.0.1:1 changed"));
}

TEST(MakeServeConfig, TheCommandLineWins) {
  ServeOptions options;
  options.resp = "unix:/run/larder.sock";
  options.threads = 3;
  const auto config = MakeServeConfig(
      options, "larder.toml",
      "[server]\nthreads = 1\n[[listener]]\naddress = '127.0.0.1:1'\n[[store]]\nname = 'a'\n");
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->server.listeners.size(), 1U);
  EXPECT_EQ(config->server.listeners[0].address, "unix:/run/larder.sock");
  EXPECT_EQ(config->server.threads, 3U);
}

TEST(MakeServeConfig, FilesTakeTheDatabasesThatAreFree) {
  ServeOptions options;
  options.files = {"x.jsonl", "dir/y.json"};
  options.directory = "versions";
  options.import.key_field = "id";
  const auto config =
      MakeServeConfig(options, "larder.toml", "[[store]]\nname = 'a'\ndatabase = 1\n");
  ASSERT_TRUE(config) << config.error().message();
  ASSERT_EQ(config->stores.size(), 3U);
  EXPECT_EQ(config->stores[1].options.name, "x");
  EXPECT_EQ(config->stores[1].database, 0U);
  EXPECT_EQ(config->stores[2].options.name, "y");
  EXPECT_EQ(config->stores[2].database, 2U);
  EXPECT_EQ(config->stores[2].options.directory, "versions/y");
  EXPECT_EQ(config->stores[2].options.import.key_field, "id");
  EXPECT_EQ(config->stores[0].options.import.key_field, "");
}

TEST(MakeServeConfig, AFileOfATakenNameIsRefused) {
  ServeOptions options;
  options.files = {"a.jsonl"};
  const auto config = MakeServeConfig(options, "larder.toml", "[[store]]\nname = 'a'\n");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message(), HasSubstr("a.jsonl would be store a"));
}

TEST(MakeServeConfig, NothingToServeIsRefused) {
  const auto config = MakeServeConfig({}, "larder.toml", "");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message(), HasSubstr("larder.toml: nothing to serve"));
}

}  // namespace
}  // namespace larder::cli
