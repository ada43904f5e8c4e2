// What is counted of a version that is on probation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/test_stores.h"

namespace larder::command {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSource[] = "/in/judged.jsonl";

// Database 2 follows a source; its second version is on probation.
class ProbationTest : public ::testing::Test {
 protected:
  ProbationTest() {
    dataset::Options options;
    options.name = "judged";
    options.directory = "/var/judged";
    options.source = kSource;
    options.threads = 1;
    options.probation.window = std::chrono::minutes(1);
    dataset_ = stores_.catalogue().AddDataset(2, options).value();
    Publish("one");
    Publish("two");
    Ask("SELECT 2");
  }

  void Publish(std::string_view word) {
    files().PutFile(kSource,
                    fmt::format(R"({{"key":"a","type":"string","string_record":{{"value":"{}"}}}})"
                                "\n",
                                word));
    ASSERT_TRUE(dataset_->Refresh(true));
  }

  io::FaultyFileSystem& files() { return stores_.files(); }
  std::string Ask(std::string_view line) { return connection_.Ask(line); }
  const dataset::ReadCounts& counts() { return *dataset_->Current()->probation; }

  TestStores stores_;
  TestConnection connection_{stores_};
  std::shared_ptr<dataset::Dataset> dataset_;
};

TEST_F(ProbationTest, EveryReadIsCountedOnce) {
  Ask("GET a");
  Ask("GET b");
  Ask("MGET a b c");
  Ask("HGET a f");
  EXPECT_EQ(counts().commands, 4U);
  EXPECT_EQ(counts().hits, 3U);
  EXPECT_EQ(counts().misses, 3U);
  EXPECT_EQ(counts().errors, 1U) << "HGET of a string";
}

TEST_F(ProbationTest, WhatDoesNotReadIsNotCounted) {
  for (const auto* line : {"PING", "INFO", "SET a b", "NONSENSE", "GET", "LARDER DATASETS"}) {
    Ask(line);
  }
  EXPECT_EQ(counts().commands, 0U);
  EXPECT_EQ(counts().errors, 0U);
}

TEST_F(ProbationTest, OnceItIsOverNothingIsCounted) {
  dataset_->CheckProbation(std::chrono::steady_clock::now() + std::chrono::minutes(2));
  Ask("GET a");
  EXPECT_EQ(counts().commands, 0U);
}

TEST_F(ProbationTest, ReadersWhoMissAreServedTheVersionBefore) {
  for (int i = 0; i < 100; ++i) Ask("GET nothing");
  EXPECT_EQ(Ask("GET a"), "$3\r\ntwo\r\n");
  dataset_->CheckProbation(std::chrono::steady_clock::now());
  EXPECT_EQ(Ask("GET a"), "$3\r\none\r\n");
  EXPECT_THAT(Ask("LARDER DATASETS"), HasSubstr("$15\r\nrefused_version\r\n:2\r\n"));
  EXPECT_THAT(Ask("LARDER VERSIONS judged"), HasSubstr("$7\r\nrefused\r\n:1\r\n$7\r\nverdict\r\n"));
  EXPECT_THAT(Ask("INFO datasets"), HasSubstr(",refused_version=2,skipped_lines=0,"));
  EXPECT_THAT(Ask("LARDER PIN judged 2"), StartsWith("-ERR version 2 of judged is refused: "));
  EXPECT_THAT(Ask("LARDER ACCEPT judged"), HasSubstr("$7\r\ncurrent\r\n:2\r\n"));
  EXPECT_EQ(Ask("GET a"), "$3\r\ntwo\r\n");
  EXPECT_EQ(Ask("LARDER ACCEPT judged"),
            "-ERR no version of judged is refused: there is nothing to accept\r\n");
}

}  // namespace
}  // namespace larder::command
