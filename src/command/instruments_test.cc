// What is recorded of commands, and how it is told.
#include "command/instruments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/key_positions.h"
#include "command/latency_histogram.h"
#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class InstrumentsTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(InstrumentsTest, InfoDoesNotSeeItselfAndAResetIsTheFirstCallAfterIt) {
  EXPECT_THAT(Ask("INFO commandstats"), Not(HasSubstr("cmdstat_")));
  EXPECT_THAT(Ask("INFO commandstats"), HasSubstr("cmdstat_info:calls=1,"));
  Ask("CONFIG RESETSTAT");
  const std::string stats = Ask("INFO commandstats");
  EXPECT_THAT(stats, HasSubstr("cmdstat_config|resetstat:calls=1,"));
  EXPECT_THAT(stats, Not(HasSubstr("cmdstat_info")));
}

TEST(LatencyHistogram, TellsPercentilesInRedissForm) {
  LatencyBuckets buckets;
  buckets.Add(26'000);
  LatencyCounts counts(LatencyBuckets::kBuckets);
  buckets.AddTo(counts);
  // What Redis 7.0.15 prints as p50=26.111.
  EXPECT_EQ(PercentileNs(counts, 50), 26'111U);
  EXPECT_EQ(PercentileNs(counts, 100), 26'111U);
  EXPECT_EQ(PercentileNs(LatencyCounts(), 50), 0U);
}

TEST(LatencyHistogram, CountsWhatTakesLongerThanASecondAsASecond) {
  LatencyBuckets buckets;
  buckets.Add(5'000'000'000);
  buckets.Add(0);
  LatencyCounts counts(LatencyBuckets::kBuckets);
  buckets.AddTo(counts);
  EXPECT_EQ(SumOf(counts), 2U);
  EXPECT_EQ(PercentileNs(counts, 0), 0U);
  EXPECT_NEAR(static_cast<double>(PercentileNs(counts, 100)), 1e9, 1e7);
}

TEST(LatencyHistogram, AddsUpByDoublings) {
  LatencyBuckets buckets;
  for (const uint64_t nanoseconds : {500UL, 500UL, 20'000UL, 40'000UL}) buckets.Add(nanoseconds);
  LatencyCounts counts(LatencyBuckets::kBuckets);
  buckets.AddTo(counts);
  const std::vector<CumulativeStep> steps = Cumulative(counts);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].up_to_us, 1U);
  EXPECT_EQ(steps[0].calls, 2U);
  EXPECT_EQ(steps[1].up_to_us, 33U);
  EXPECT_EQ(steps[1].calls, 3U);
  EXPECT_EQ(steps[2].up_to_us, 66U);
  EXPECT_EQ(steps[2].calls, 4U);
}

TEST_F(InstrumentsTest, CommandsAreCountedBySubcommand) {
  Ask("GET string");
  Ask("GET hash");
  Ask("GET");
  Ask("CLIENT ID");
  const std::string info = Ask("INFO commandstats");
  EXPECT_THAT(info, HasSubstr("\r\ncmdstat_get:calls=2,usec="));
  EXPECT_THAT(info, HasSubstr(",rejected_calls=1,failed_calls=1\r\n"));
  EXPECT_THAT(info, HasSubstr("\r\ncmdstat_client|id:calls=1,usec="));
}

TEST_F(InstrumentsTest, ErrorsAreCountedByCode) {
  Ask("GET hash");
  Ask("GET");
  Ask("NOSUCH");
  Ask("SET a b");
  EXPECT_THAT(Ask("INFO errorstats"),
              HasSubstr("# Errorstats\r\nerrorstat_ERR:count=2\r\nerrorstat_READONLY:count=1\r\n"
                        "errorstat_WRONGTYPE:count=1\r\n"));
}

TEST_F(InstrumentsTest, AResetForgetsWhatWasCounted) {
  Ask("GET hash");
  EXPECT_EQ(Ask("CONFIG RESETSTAT"), "+OK\r\n");
  EXPECT_THAT(Ask("INFO commandstats"), Not(HasSubstr("cmdstat_get")));
  EXPECT_THAT(Ask("INFO errorstats"), Not(HasSubstr("errorstat_")));
  EXPECT_THAT(Ask("INFO latencystats"), Not(HasSubstr("usec_get:")));
  Ask("GET string");
  EXPECT_THAT(Ask("INFO commandstats"), HasSubstr("cmdstat_get:calls=1,"));
}

TEST(CommandStatistics, BoundsTheCodesOfErrors) {
  CommandStatistics statistics;
  for (int i = 0; i < 1000; ++i) statistics.OnError(fmt::format("CODE{} text", i));
  EXPECT_LE(statistics.errors().size(), kMaxErrorCodes + 1);
  uint64_t sum = 0;
  for (const auto& [code, count] : statistics.errors()) sum += count;
  EXPECT_EQ(sum, 1000U);
}

TEST_F(InstrumentsTest, LatencyStatsHaveThePercentilesAskedFor) {
  Ask("GET string");
  EXPECT_THAT(Ask("INFO latencystats"), HasSubstr("latency_percentiles_usec_get:p50="));
  EXPECT_EQ(connection_.AskWords({"CONFIG", "SET", "latency-tracking-info-percentiles", "99.99 0"}),
            "+OK\r\n");
  EXPECT_THAT(Ask("INFO latencystats"), HasSubstr("latency_percentiles_usec_get:p99.99="));
  Ask("CONFIG SET latency-tracking no");
  EXPECT_THAT(Ask("INFO latencystats"), Not(HasSubstr("latency_percentiles")));
}

TEST_F(InstrumentsTest, TheSlowLogKeepsWhatTookLong) {
  EXPECT_EQ(Ask("CONFIG SET slowlog-log-slower-than 0"), "+OK\r\n");
  Ask("SLOWLOG RESET");
  Ask("CLIENT SETNAME me");
  Ask("AUTH default secret");
  const std::string slow = Ask("SLOWLOG GET -1");
  EXPECT_THAT(slow, HasSubstr("$7\r\nSETNAME\r\n$2\r\nme\r\n"));
  EXPECT_THAT(slow, HasSubstr("(redacted)"));
  EXPECT_THAT(slow, Not(HasSubstr("secret")));
  EXPECT_THAT(Ask("SLOWLOG GET 1"), StartsWith("*1\r\n*6\r\n:"));
  Ask("CONFIG SET slowlog-max-len 2");
  EXPECT_EQ(Ask("SLOWLOG LEN"), ":2\r\n");
  Ask("CONFIG SET slowlog-log-slower-than -1");
  Ask("SLOWLOG RESET");
  EXPECT_EQ(Ask("SLOWLOG LEN"), ":0\r\n");
}

TEST(SlowLog, ShortensArguments) {
  const std::string longer(130, 'x');
  const std::vector<std::string_view> one{longer};
  EXPECT_THAT(ShortenedArguments(one), ElementsAre(std::string(128, 'x') + "... (2 more bytes)"));
  const std::vector<std::string_view> many(40, "a");
  const std::vector<std::string> shown = ShortenedArguments(many);
  EXPECT_EQ(shown.size(), 32U);
  EXPECT_EQ(shown.back(), "... (9 more arguments)");
}

TEST_F(InstrumentsTest, TheLatencyMonitorKeepsTheWorstOfASecond) {
  LatencyMonitor& monitor = stores_.instruments().latency_monitor;
  EXPECT_FALSE(monitor.Keeps(1'000'000));
  EXPECT_EQ(Ask("CONFIG SET latency-monitor-threshold 10"), "+OK\r\n");
  EXPECT_TRUE(monitor.Keeps(10));
  EXPECT_FALSE(monitor.Keeps(9));
  const int64_t now = kTestNowMs / 1000;
  monitor.Add("command", {.unix_seconds = now - 61, .milliseconds = 12});
  monitor.Add("command", {.unix_seconds = now, .milliseconds = 30});
  monitor.Add("command", {.unix_seconds = now, .milliseconds = 20});
  EXPECT_EQ(Ask("LATENCY LATEST"),
            fmt::format("*1\r\n*4\r\n$7\r\ncommand\r\n:{}\r\n:30\r\n:30\r\n", now));
  EXPECT_EQ(Ask("LATENCY HISTORY command"),
            fmt::format("*2\r\n*2\r\n:{}\r\n:12\r\n*2\r\n:{}\r\n:30\r\n", now - 61, now));
  EXPECT_THAT(Ask("LATENCY GRAPH command"),
              HasSubstr("command - high 30 ms, low 12 ms (all time high 30 ms)\n"));
  EXPECT_THAT(Ask("LATENCY DOCTOR"), HasSubstr("- command: 2 times"));
  EXPECT_EQ(Ask("LATENCY RESET other command"), ":1\r\n");
  EXPECT_EQ(Ask("LATENCY LATEST"), "*0\r\n");
}

TEST_F(InstrumentsTest, ConfigSetTakesAllOrNothing) {
  EXPECT_THAT(
      Ask("CONFIG SET slowlog-max-len 5 latency-tracking maybe"),
      StartsWith("-ERR CONFIG SET failed (possibly related to argument 'latency-tracking')"));
  EXPECT_THAT(Ask("CONFIG GET slowlog-max-len"), HasSubstr("128"));
  EXPECT_EQ(Ask("CONFIG SET nosuch 1"),
            "-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'\r\n");
  EXPECT_THAT(Ask("CONFIG SET databases 16"), HasSubstr("can't set immutable config"));
  EXPECT_EQ(Ask("CONFIG SET maxmemory 0"), "+OK\r\n");
  EXPECT_THAT(Ask("CONFIG SET maxmemory 5"), HasSubstr("can't set immutable config"));
}

TEST_F(InstrumentsTest, KeysOfACallAreFound) {
  EXPECT_EQ(Ask("COMMAND GETKEYS MSET a 1 b 2"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS XREAD COUNT 2 STREAMS a b 0 0"), "*2\r\n$1\r\na\r\n$1\r\nb\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS EVAL s 0"), "*0\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS SORT a BY x STORE b STORE c"), "*2\r\n$1\r\na\r\n$1\r\nc\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS PING x"), "-ERR The command has no key arguments\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS NOSUCH x"), "-ERR Invalid command specified\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYS GET a b"),
            "-ERR Invalid number of arguments specified for command\r\n");
  EXPECT_EQ(Ask("COMMAND GETKEYSANDFLAGS SET a b"),
            "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+OW\r\n+update\r\n");
}

TEST_F(InstrumentsTest, WaitsForReplicasThatDoNotCome) {
  EXPECT_EQ(Ask("WAIT 0 0"), ":0\r\n");
  EXPECT_EQ(Ask("WAIT 1 50"), ":0\r\n");
  EXPECT_EQ(stores_.host().blocked_for_ms, 50U);
}

TEST_F(InstrumentsTest, WhatNobodyServesIsRefusedInWords) {
  EXPECT_THAT(Ask("SAVE"), StartsWith("-ERR Larder has nothing to save"));
  EXPECT_THAT(Ask("REPLICAOF NO ONE"), StartsWith("-ERR Larder replicates from no server"));
  EXPECT_EQ(Ask("CLUSTER INFO"), "-ERR This instance has cluster support disabled\r\n");
  EXPECT_EQ(Ask("EVALSHA abc 0"), "-NOSCRIPT No matching script. Please use EVAL.\r\n");
}

TEST_F(InstrumentsTest, MemoryUsageIsThatOfTheRecord) {
  EXPECT_EQ(Ask("MEMORY USAGE nosuch"), "$-1\r\n");
  EXPECT_EQ(Ask("MEMORY USAGE expired"), "$-1\r\n");
  // Head, key, and "$11 Hello World" on the wire, to the next multiple of eight.
  EXPECT_EQ(Ask("MEMORY USAGE string SAMPLES 5"), ":32\r\n");
}

}  // namespace
}  // namespace larder::command
