#include "cli/config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::cli {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Config Accepted(std::string_view text, const std::string& path = "larder.toml") {
  auto config = ParseConfig(text, path);
  EXPECT_TRUE(config) << config.error().message();
  return config ? *std::move(config) : Config();
}

std::string Refused(std::string_view text) {
  const auto config = ParseConfig(text, "larder.toml");
  EXPECT_FALSE(config) << text;
  if (config) return "accepted";
  EXPECT_EQ(config.error().code(), ErrorCode::kInvalidArgument);
  return config.error().message();
}

TEST(ConfigTest, EmptyMeansDefaults) {
  const Config config = Accepted("");
  ASSERT_EQ(config.server.listeners.size(), 1U);
  EXPECT_EQ(config.server.listeners[0].address, "127.0.0.1:6380");
  EXPECT_EQ(config.server.threads, 0U);
  EXPECT_TRUE(config.server.protected_mode);
  EXPECT_EQ(config.server.max_clients, 10000U);
  EXPECT_TRUE(config.stores.empty());
  EXPECT_EQ(config.log_level, LogLevel::kInfo);
}

TEST(ConfigTest, ReadsEveryKeyOfTheServer) {
  const Config config = Accepted(R"(
[server]
threads = 2
protected_mode = false
reload = false
[limits]
max_clients = 7
max_output = "64MiB"
max_query = 4194304
idle_timeout = "5m"
[log]
format = "json"
level = "warning"
[[listener]]
address = "0.0.0.0:6380"
protocol = "resp"
[[listener]]
address = "unix:/run/larder.sock"
)");
  EXPECT_EQ(config.server.threads, 2U);
  EXPECT_FALSE(config.server.protected_mode);
  EXPECT_EQ(config.server.max_clients, 7U);
  EXPECT_EQ(config.server.max_output_bytes, uint64_t{64} << 20);
  EXPECT_EQ(config.server.request.query_bytes, uint64_t{4} << 20);
  EXPECT_EQ(config.server.idle_timeout, std::chrono::minutes(5));
  EXPECT_EQ(config.log_level, LogLevel::kWarning);
  EXPECT_EQ(config.log_format, LogFormat::kJson);
  EXPECT_FALSE(config.reload);
  ASSERT_EQ(config.server.listeners.size(), 2U);
  EXPECT_EQ(config.server.listeners[0].address, "0.0.0.0:6380");
  EXPECT_EQ(config.server.listeners[1].address, "unix:/run/larder.sock");
}

TEST(ConfigTest, ReadsWhatAListenerAsksAndHowItRefuses) {
  const Config config = Accepted(R"(
[[listener]]
address = "127.0.0.1:6380"
tls_certificate = "tls/server.pem"
tls_key = "/etc/keys/server.key"
tls_client_ca = "tls/ca.pem"
[[listener]]
address = "unix:larder.sock"
read_only_error = "NOPERM"
)",
                                 "/etc/larder/larder.toml");
  ASSERT_EQ(config.server.listeners.size(), 2U);
  const server::ListenerOptions& encrypted = config.server.listeners[0];
  EXPECT_EQ(encrypted.tls.certificate, "/etc/larder/tls/server.pem");
  EXPECT_EQ(encrypted.tls.key, "/etc/keys/server.key");
  EXPECT_EQ(encrypted.tls.client_ca, "/etc/larder/tls/ca.pem");
  EXPECT_FALSE(encrypted.read_only_is_noperm);
  EXPECT_FALSE(config.server.listeners[1].tls.enabled());
  EXPECT_TRUE(config.server.listeners[1].read_only_is_noperm);
}

TEST(ConfigTest, RefusesHalfOfTls) {
  const std::string listener = "[[listener]]\naddress = '127.0.0.1:1'\n";
  EXPECT_THAT(Refused(listener + "tls_certificate = 'a'\n"),
              AllOf(StartsWith("larder.toml:3:"), HasSubstr("no tls_key")));
  EXPECT_THAT(Refused(listener + "tls_key = 'a'\n"), HasSubstr("no tls_certificate"));
  EXPECT_THAT(Refused(listener + "tls_client_ca = 'a'\n"), HasSubstr("no tls_certificate"));
  EXPECT_THAT(Refused(listener + "tls_certificate = ''\ntls_key = 'a'\n"),
              HasSubstr("tls_certificate in [[listener]]: is empty"));
  EXPECT_THAT(Refused(listener + "read_only_error = 'noperm'\n"), HasSubstr("\"NOPERM\""));
}

constexpr std::string_view kHash =
    "b5d54c39e66671c9731b9f471e585d8262cd4f54963f0c93082d8dcf334d4c78";

TEST(ConfigTest, ReadsEveryKeyOfAUser) {
  const Config config = Accepted(fmt::format(R"(
[[user]]
name = "default"
enabled = false
[[user]]
name = "shop"
password_sha256 = "{0}"
[[user]]
name = "operator"
password_sha256 = ["{0}", "{1}"]
commands = ["read", "admin"]
[[user]]
name = "probe"
any_password = true
commands = "admin"
)",
                                             kHash, std::string(64, 'A')));
  const command::Users& users = config.server.users;
  ASSERT_EQ(users.all().size(), 4U);
  EXPECT_FALSE(users.default_user().options().enabled);
  EXPECT_TRUE(users.needs_authentication());
  const command::UserOptions& shop = users.Find("shop")->options();
  EXPECT_EQ(shop.password_hashes, std::vector<std::string>{std::string(kHash)});
  EXPECT_TRUE(shop.may_read);
  EXPECT_FALSE(shop.may_admin);
  EXPECT_FALSE(shop.any_password);
  EXPECT_TRUE(shop.enabled);
  const command::UserOptions& admin = users.Find("operator")->options();
  EXPECT_EQ(admin.password_hashes.size(), 2U);
  EXPECT_TRUE(admin.may_read && admin.may_admin);
  const command::UserOptions& probe = users.Find("probe")->options();
  EXPECT_TRUE(probe.any_password && probe.may_admin && !probe.may_read);
}

TEST(ConfigTest, RequirepassIsThePasswordOfTheDefaultUser) {
  const Config config = Accepted("[server]\nrequirepass = 'correct horse'\n");
  const command::Users& users = config.server.users;
  EXPECT_TRUE(users.needs_authentication());
  EXPECT_EQ(users.Authenticate("default", "correct horse"), &users.default_user());
  EXPECT_EQ(users.Authenticate("default", "correct horse "), nullptr);
  EXPECT_TRUE(users.default_user().MayAll());
  EXPECT_FALSE(Accepted("").server.users.needs_authentication());
}

TEST(ConfigTest, RefusesUsersThatContradictThemselves) {
  const std::string user = "[[user]]\nname = 'a'\n";
  EXPECT_THAT(Refused(user), AllOf(StartsWith("larder.toml:2:"), HasSubstr("has no password")));
  EXPECT_THAT(Refused(user + "any_password = true\n" + user + "any_password = true\n"),
              AllOf(StartsWith("larder.toml:5:"), HasSubstr("taken by the user of line 2")));
  EXPECT_THAT(Refused(user + fmt::format("any_password = true\npassword_sha256 = '{}'\n", kHash)),
              HasSubstr("one of the two"));
  EXPECT_THAT(Refused(user + "any_password = true\ncommands = []\n"), HasSubstr("is empty"));
  EXPECT_THAT(Refused(user + "any_password = true\ncommands = ['reed']\n"),
              HasSubstr("did you mean \"read\"?"));
  EXPECT_THAT(Refused("[server]\nrequirepass = 'x'\n[[user]]\nname = 'default'\nenabled = false\n"),
              AllOf(StartsWith("larder.toml:4:"), HasSubstr("requirepass")));
  EXPECT_THAT(Refused("[server]\nrequirepass = ''\n"), HasSubstr("is empty"));
  EXPECT_THAT(Refused("[[user]]\nname = 'a b'\nany_password = true\n"), HasSubstr("blanks"));
}

TEST(ConfigTest, NoErrorShowsAPasswordOrAHash) {
  const std::string user = "[[user]]\nname = 'a'\n";
  const std::vector<std::string> wrong = {
      "[server]\nrequirepass = 31337\n",
      "[server]\nrequirepass = ['31337']\n",
      "[server]\nrequirepass = \"31337\n",
      "[server]\nrequirepass = x31337\n",
      "[server]\nrequirepass = 31337x\n",
      "[server]\nrequirepass = '31337'\nrequirepass = '31337'\n",
      "[server]\nrequirepas = '31337'\n",
      user + "password_sha256 = '31337'\n",
      user + "password_sha256 = 31337\n",
      user + "password_sha256 = [31337]\n",
      user + "password_sha256 = ['" + std::string(kHash) + "', '31337']\n",
      user + "password_sha256 = { x = '31337' }\n",
      user + "password = '31337'\n",
  };
  for (const std::string& text : wrong) {
    const std::string message = Refused(text);
    EXPECT_THAT(message, StartsWith("larder.toml:"));
    EXPECT_THAT(message, Not(HasSubstr("31337"))) << text;
    EXPECT_THAT(message, Not(HasSubstr(kHash.substr(0, 8)))) << text;
  }
}

TEST(ConfigTest, ProtectedModeIsContentWithAPasswordOrAClientsCertificate) {
  const std::string open = "[[listener]]\naddress = '0.0.0.0:6380'\n";
  EXPECT_THAT(Refused(open), HasSubstr("requirepass"));
  Accepted("[server]\nrequirepass = 'x'\n" + open);
  Accepted(open + "[[user]]\nname = 'default'\nenabled = false\n");
  const std::string tls = "tls_certificate = 'a'\ntls_key = 'b'\n";
  EXPECT_THAT(Refused(open + tls), HasSubstr("requirepass"));
  Accepted(open + tls + "tls_client_ca = 'c'\n");
}

TEST(ConfigTest, ReadsEveryKeyOfAStore) {
  const Config config = Accepted(R"(
[[store]]
name = "features"
kind = "dataset"
database = 3
source = "features.jsonl.gz"
directory = "var/features"
keep = 4
watch = "500ms"
residency = "huge"
duplicates = "error"
build_memory = "256MiB"
separator = ":"
format = "json"
shape = "rows"
key_field = "id"
key_prefix = "user:"
levels = 2
bad_lines = 7
)",
                                 "/etc/larder/larder.toml");
  ASSERT_EQ(config.stores.size(), 1U);
  const dataset::Options& store = config.stores[0].options;
  EXPECT_EQ(config.stores[0].database, 3U);
  EXPECT_EQ(store.name, "features");
  EXPECT_EQ(store.source, "/etc/larder/features.jsonl.gz");
  EXPECT_EQ(store.directory, "/etc/larder/var/features");
  EXPECT_EQ(store.keep, 4U);
  EXPECT_EQ(store.watch, milliseconds(500));
  EXPECT_EQ(store.residency, Residency::kHuge);
  EXPECT_EQ(store.duplicates, snapshot::Duplicates::kError);
  EXPECT_EQ(store.build_memory_bytes, uint64_t{256} << 20);
  EXPECT_EQ(store.separator, ':');
  EXPECT_EQ(store.import.format, importer::Format::kJson);
  EXPECT_EQ(store.import.shape, importer::Shape::kRows);
  EXPECT_EQ(store.import.key_field, "id");
  EXPECT_EQ(store.import.key_prefix, "user:");
  EXPECT_EQ(store.import.levels, 2U);
  EXPECT_EQ(store.import.bad_lines, 7U);
}

TEST(ConfigTest, ReadsEveryKeyOfGateAndProbation) {
  const Config config = Accepted(R"(
[[store]]
name = "a"
[store.gate]
min_records = 5
max_record_shrink = "10%"
max_record_growth = "off"
max_byte_shrink = "0.5%"
max_byte_growth = "1000%"
free_records = 0
free_bytes = "1KiB"
max_duplicates = "0%"
max_skipped = 3
required_keys = ["k", { key = "h", type = "hash" }, { key = "j", type = "json" }]
canaries = [{ key = "k", value = "v" }, { key = "h", field = "f", value = "" }]
[store.probation]
window = "2m"
max_misses = "off"
max_errors = "1%"
min_commands = 10
)");
  ASSERT_EQ(config.stores.size(), 1U);
  const dataset::Options& store = config.stores[0].options;
  GateOptions gate;
  gate.min_records = 5;
  gate.max_record_shrink = 0.1;
  gate.max_record_growth = std::nullopt;
  gate.max_byte_shrink = 0.005;
  gate.max_byte_growth = 10;
  gate.free_records = 0;
  gate.free_bytes = 1024;
  gate.max_duplicates = 0;
  gate.max_skipped = 3;
  gate.required_keys = {{"k", {}}, {"h", ValueType::kHash}, {"j", ValueType::kJson}};
  gate.canaries = {{"k", {}, "v"}, {"h", "f", ""}};
  EXPECT_EQ(store.gate, gate);
  EXPECT_EQ(store.probation, (ProbationOptions{milliseconds(120'000), {}, 0.01, 10}));
}

TEST(ConfigTest, AGateBelongsToTheStoreAboveIt) {
  const Config config =
      Accepted("[[store]]\nname = 'a'\n[store.gate]\nmin_records = 7\n[[store]]\nname = 'b'\n");
  ASSERT_EQ(config.stores.size(), 2U);
  EXPECT_EQ(config.stores[0].options.gate.min_records, 7U);
  EXPECT_EQ(config.stores[1].options.gate.min_records, 1U);
}

TEST(ConfigTest, BadLinesAreAWordOrANumber) {
  const auto bad_lines = [](const std::string& value) {
    return Accepted("[[store]]\nname = 'a'\nbad_lines = " + value)
        .stores[0]
        .options.import.bad_lines;
  };
  EXPECT_EQ(bad_lines("'fail'"), 0U);
  EXPECT_EQ(bad_lines("'skip'"), importer::kSkipAllBadLines);
  EXPECT_EQ(bad_lines("12"), 12U);
}

TEST(ConfigTest, AStoreHasDefaults) {
  const Config config = Accepted("[[store]]\nname = 'a'\n[[store]]\nname = 'b'\nseparator = ''\n");
  ASSERT_EQ(config.stores.size(), 2U);
  EXPECT_EQ(config.stores[0].options.directory, "larder-data/a");
  EXPECT_EQ(config.stores[0].options.watch, milliseconds(5000));
  EXPECT_EQ(config.stores[0].options.keep, 3U);
  EXPECT_EQ(config.stores[0].options.separator, '/');
  EXPECT_EQ(config.stores[1].database, 1U);
  EXPECT_EQ(config.stores[1].options.separator, std::nullopt);
}

// What is wrong with a file, where it must be said to be, and in which words.
struct WrongFile {
  const char* text;
  const char* at;
  const char* reason;
};

void ExpectRefused(std::initializer_list<WrongFile> files) {
  for (const WrongFile& file : files) {
    const std::string message = Refused(file.text);
    EXPECT_THAT(message, StartsWith(file.at)) << file.text;
    EXPECT_THAT(message, HasSubstr(file.reason)) << file.text;
  }
}

TEST(ConfigTest, ErrorsNameTheirLineAndColumn) {
  ExpectRefused({
      {"[server]\nthread = 2\n", "larder.toml:2:1: ", "unknown key \"thread\" in [server]"},
      {"[[listener]]\naddress = '127.0.0.1:1'\nport = 5\n", "larder.toml:3:1: ", "unknown"},
      {"[stores]\n", "larder.toml:1:", "unknown key \"stores\""},
      {"[server\n", "larder.toml:1:", ""},
      {"[server]\nthreads = '2'\n",
       "larder.toml:2:11: ", "expected a whole number from 0 to 256, found \"2\""},
      {"[server]\nthreads = 257\n", "larder.toml:2:", "from 0 to 256"},
      {"[limits]\nmax_clients = 0\n", "larder.toml:2:", "from 1 to"},
      {"[server]\nprotected_mode = 1\n", "larder.toml:2:", "true or false"},
      {"[limits]\nmax_output = '1GB'\n", "larder.toml:2:", "\"1GiB\", found \"1GB\""},
      {"[limits]\nmax_query = -1\n", "larder.toml:2:", "expected a size"},
      {"[limits]\nmax_query = '1023KiB'\n", "larder.toml:2:", "at least 1048576"},
      {"[limits]\nidle_timeout = '5 s'\n", "larder.toml:2:", "expected a duration"},
      {"[limits]\nidle_timeout = '1500ms'\n", "larder.toml:2:", "whole seconds"},
      {"[log]\nlevel = 'loud'\n", "larder.toml:2:", "\"loud\" is none of"},
      {"server = 1\n", "larder.toml:1:10: ", "expected [server]"},
      {"[listener]\naddress = 'x'\n", "larder.toml:1:", "expected [[listener]]"},
      {"[[listener]]\n", "larder.toml:1:", "address in [[listener]]: is missing"},
      {"[[listener]]\naddress = 'nowhere'\n", "larder.toml:2:11: ", "no port"},
      {"[[listener]]\naddress = '0.0.0.0:1'\n", "larder.toml:2:", "protected_mode = false"},
      {"[[listener]]\naddress = 'unix:a'\nprotocol = 'http'\n", "larder.toml:3:", "none of"},
      {"[[listener]]\naddress='localhost:1'\n[[listener]]\naddress='127.0.0.1:1'\n",
       "larder.toml:4:", "is taken by the listener of line 2"},
      {"[[listener]]\naddress='unix:a'\n[[listener]]\naddress='unix:./a'\n",
       "larder.toml:4:", "is taken by the listener of line 2"},
      {"[server]\nthreads = 1\nthreads = 2\n", "larder.toml:3:", "redefine"},
      {"[server]\n[server]\n", "larder.toml:2:", "redefine"},
      {"[server]\nmax_clients = 1\n", "larder.toml:2:1: ", "it belongs to [limits]"},
  });
}

TEST(ConfigTest, ErrorsOfAStoreNameTheirLineAndColumn) {
  ExpectRefused({
      {"\n[[store]]\nname = 'a'\n  retain = 3\n", "larder.toml:4:3: ", "unknown key"},
      {"[[store]]\nsource = 'a'\n", "larder.toml:1:", "name in [[store]]: is missing"},
      {"[[store]]\nname = 'a b'\n", "larder.toml:2:", "expected letters"},
      {"[[store]]\nname = 'a'\nkind = 'queue'\n", "larder.toml:3:", "none of \"dataset\""},
      {"[[store]]\nname = 'a'\ndatabase = 1024\n", "larder.toml:3:", "from 0 to 1023"},
      {"[[store]]\nname = 'a'\nkeep = 0\n", "larder.toml:3:", "from 1 to"},
      {"[[store]]\nname = 'a'\nwatch = '0s'\n", "larder.toml:3:", "at least 10 ms"},
      {"[[store]]\nname = 'a'\nwatch = 5\n", "larder.toml:3:",
       "expected a duration in quotes, like \"500ms\", \"5s\" or \"2m\", found 5"},
      {"[[store]]\nname = 'a'\nbuild_memory = '1KiB'\n", "larder.toml:3:", "at least 1048576"},
      {"[[store]]\nname = 'a'\nduplicates = 'any'\n", "larder.toml:3:", "none of"},
      {"[[store]]\nname = 'a'\nseparator = '::'\n", "larder.toml:3:", "one byte"},
      {"[[store]]\nname = 'a'\n[[store]]\nname = 'a'\ndirectory = 'x'\n",
       "larder.toml:4:", "is taken by the store of line 2"},
      {"[[store]]\nname = 'a'\n[[store]]\nname = 'b'\ndatabase = 0\n",
       "larder.toml:5:", "is taken by the store of line 1"},
      {"[[store]]\nname='a'\ndirectory='x'\n[[store]]\nname='b'\ndirectory='./x/'\n",
       "larder.toml:6:", "is taken by the store of line 3"},
      {"[[store]]\nname = 'a'\nwacth = '1s'\n", "larder.toml:3:1: ", "did you mean \"watch\"?"},
      {"[[store]]\nname = 'a'\nbad_lines = 'some'\n", "larder.toml:3:13: ", "\"skip\", or a"},
      {"[[store]]\nname = 'a'\nshape = 'row'\n", "larder.toml:3:9: ", "did you mean \"rows\"?"},
  });
}

TEST(ConfigTest, ErrorsOfAGateNameTheirLineAndColumn) {
  ExpectRefused({
      {"[gate]\n", "larder.toml:1:", "it belongs to [[store]]"},
      {"[[store]]\nname = 'a'\n[store.gate]\nmax_record_shrink = 0.3\n",
       "larder.toml:4:21: ", "expected a share in quotes, like \"30%\", or \"off\", found 0.3"},
      {"[[store]]\nname = 'a'\n[store.gate]\nmax_record_shrink = '101%'\n",
       "larder.toml:4:21: ", "to \"100%\", or \"off\""},
      {"[[store]]\nname = 'a'\n[store.gate]\nmax_byte_growth = '-1%'\n",
       "larder.toml:4:", "expected a share"},
      {"[[store]]\nname = 'a'\n[store.gate]\nrequired_keys = 'k'\n",
       "larder.toml:4:", "expected an array"},
      {"[[store]]\nname = 'a'\n[store.gate]\nrequired_keys = [1]\n",
       "larder.toml:4:18: ", "expected a string or {"},
      {"[[store]]\nname = 'a'\n[store.gate]\nrequired_keys = [{ key = 'k', typ = 'x' }]\n",
       "larder.toml:4:31: ", "did you mean \"type\"?"},
      {"[[store]]\nname = 'a'\n[store.gate]\ncanaries = [{ key = 'k' }]\n",
       "larder.toml:4:", "value in an element of `canaries`: is missing"},
      {"[[store]]\nname = 'a'\n[store.gate]\ncanaries = ['k']\n",
       "larder.toml:4:", "expected { ... }"},
      {"[[store]]\nname = 'a'\ngate = 1\n", "larder.toml:3:8: ", "expected [store.gate]"},
  });
}

TEST(ConfigTest, AStoreTooManyIsRefused) {
  std::string text;
  for (uint32_t i = 0; i < store::kMaxDatabases; ++i)
    text += "[[store]]\nname = 's" + std::to_string(i) + "'\n";
  EXPECT_EQ(Accepted(text).stores.size(), store::kMaxDatabases);
  EXPECT_THAT(Refused(text + "[[store]]\nname = 'more'\n"), HasSubstr("database"));
}

TEST(ConfigTest, AMissingFileIsNotFound) {
  const auto config = LoadConfig("no-such-folder/larder.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code(), ErrorCode::kNotFound);
}

TEST(ConfigTest, ReadsDurations) {
  EXPECT_EQ(ParseDuration("500ms"), milliseconds(500));
  EXPECT_EQ(ParseDuration("5s"), milliseconds(5000));
  EXPECT_EQ(ParseDuration("2m"), milliseconds(120'000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3'600'000));
  for (const char* const wrong : {"", "5", "s", "-5s", "5 s", "5S", "1.5s", "99999999999999999999s",
                                  "9223372036854775807h"}) {
    EXPECT_EQ(ParseDuration(wrong), std::nullopt) << wrong;
  }
}

TEST(ConfigTest, ReadsSizes) {
  EXPECT_EQ(ParseBytes("0"), 0U);
  EXPECT_EQ(ParseBytes("64KiB"), 65536U);
  EXPECT_EQ(ParseBytes("3GiB"), uint64_t{3} << 30);
  for (const char* const wrong : {"", "KiB", "1kb", "1 KiB", "-1", "18446744073709551615KiB"})
    EXPECT_EQ(ParseBytes(wrong), std::nullopt) << wrong;
}

TEST(ConfigTest, NamesAStoreAfterItsFile) {
  EXPECT_EQ(StoreNameOf("features.jsonl"), "features");
  EXPECT_EQ(StoreNameOf("/data/features.v2.jsonl.gz"), "features.v2");
  EXPECT_EQ(StoreNameOf("a/b/c.ndjson.zst"), "c");
  EXPECT_EQ(StoreNameOf("x.snap"), "x");
  EXPECT_EQ(StoreNameOf("my file.jsonl"), "my_file");
  EXPECT_EQ(StoreNameOf(".gz"), ".gz");
  EXPECT_EQ(StoreNameOf(".."), "store");
}

}  // namespace
}  // namespace larder::cli
