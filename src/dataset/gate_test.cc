#include "dataset/gate.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataset/dataset.h"
#include "io/faulty_file_system.h"
#include "snapshot/builder.h"

namespace larder::dataset {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kNowMs = 1'700'000'000'000;

// What a Snapshot is to hold.
struct Content {
  uint64_t keys = 0;
  uint64_t repeated = 0;  // of them, written twice
  size_t value_bytes = 20;
  std::string skipped_lines = {};  // metadata; empty: none
};

class GateTest : public ::testing::Test {
 protected:
  Version Build(uint64_t number, const Content& content) {
    const std::string path = fmt::format("/{}.snap", number);
    snapshot::BuildOptions options;
    options.threads = 1;
    if (!content.skipped_lines.empty()) {
      options.metadata.emplace_back(kSkippedLinesMetadata, content.skipped_lines);
    }
    auto builder = snapshot::Builder::Create(files_, path, options);
    EXPECT_TRUE(builder);
    auto batch = (*builder)->NewBatch();
    const std::string value(content.value_bytes, 'v');
    for (uint64_t i = 0; i < content.keys + content.repeated; ++i) {
      const std::string key = fmt::format("key/{}", i < content.keys ? i : i - content.keys);
      AddText(*batch, key, value);
    }
    AddTyped(*batch);
    EXPECT_TRUE((*builder)->Append(std::move(batch)));
    EXPECT_TRUE((*builder)->Finish());
    auto opened = snapshot::Snapshot::Open(files_, path);
    EXPECT_TRUE(opened);
    return Version{.number = number, .snapshot = *std::move(opened), .probation = nullptr};
  }

  // Keys beside those that are counted, for what is asked of single keys.
  static void AddTyped(RecordBatch& batch) {
    if (!typed_) return;
    AddText(batch, "text", "yes");
    AddText(batch, "gone", "x", kNowMs);
    const std::vector<std::string_view> fields = {"name", "larder"};
    RecordView hash;
    hash.key = "hash";
    hash.type = ValueType::kHash;
    hash.items = fields;
    EXPECT_TRUE(batch.Add(hash));
  }

  static void AddText(RecordBatch& batch, std::string_view key, std::string_view text,
                      std::optional<int64_t> expires_at_ms = {}) {
    RecordView record;
    record.key = key;
    record.text = text;
    record.expires_at_ms = expires_at_ms;
    EXPECT_TRUE(batch.Add(record));
  }

  // The names of the gates that the second does not pass after the first.
  std::vector<std::string> Gates(const Content& before, const Content& after) {
    const Version served = Build(7, before);
    const Version candidate = Build(8, after);
    verdict_ = CheckGates(options_, *candidate.snapshot, &served, kNowMs);
    std::vector<std::string> gates;
    for (const Finding& finding : verdict_) gates.push_back(finding.gate);
    return gates;
  }

  static inline bool typed_ = false;
  io::FaultyFileSystem files_;
  GateOptions options_;
  Verdict verdict_;
};

TEST_F(GateTest, DailyLifePasses) {
  for (const uint64_t keys : {700U, 800U, 999U, 1000U, 1001U, 1200U, 1750U}) {
    EXPECT_THAT(Gates({.keys = 1000}, {.keys = keys}), IsEmpty()) << keys;
  }
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 1000, .repeated = 100}), IsEmpty());
}

TEST_F(GateTest, WhatPublishersDoWrongIsRefusedWithoutAnySetting) {
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 0}), ElementsAre("min_records", "max_record_shrink"));
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 500}), ElementsAre("max_record_shrink"));
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 2000}), ElementsAre("max_record_growth"));
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 1000, .repeated = 1000}),
              ElementsAre("max_duplicates"));
  EXPECT_THAT(Gates({.keys = 1000, .value_bytes = 500}, {.keys = 1000, .value_bytes = 100}),
              ElementsAre("max_byte_shrink"));
  EXPECT_THAT(Gates({.keys = 1000, .value_bytes = 100}, {.keys = 1000, .value_bytes = 500}),
              ElementsAre("max_byte_growth"));
}

TEST_F(GateTest, ALimitIsAllowedAndOneMoreIsNot) {
  options_.free_records = 0;
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 700}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 699}), ElementsAre("max_record_shrink"));
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 1750}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 1000}, {.keys = 1751}), ElementsAre("max_record_growth"));
}

TEST_F(GateTest, SmallFilesChangeAsTheyLike) {
  EXPECT_THAT(Gates({.keys = 1}, {.keys = 11}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 11}, {.keys = 1}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 12}, {.keys = 1}), ElementsAre("max_record_shrink"));
  EXPECT_THAT(Gates({.keys = 10}, {.keys = 10, .repeated = 10}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 11}, {.keys = 11, .repeated = 11}), ElementsAre("max_duplicates"));
}

TEST_F(GateTest, TheFirstVersionIsComparedWithNothing) {
  const Version empty = Build(1, {.keys = 0});
  EXPECT_EQ(VerdictText(CheckGates(options_, *empty.snapshot, nullptr, kNowMs)),
            "0 records, and at least 1 must be there (min_records)");
  const Version some = Build(1, {.keys = 1});
  EXPECT_THAT(CheckGates(options_, *some.snapshot, nullptr, kNowMs), IsEmpty());
}

TEST_F(GateTest, GrowthFromNothingHasNoShare) {
  options_.min_records = 0;
  EXPECT_THAT(Gates({.keys = 0}, {.keys = 5000}), IsEmpty());
}

TEST_F(GateTest, ASentenceSaysWhatWasMeasuredWhatIsAllowedAndOfWhichVersion) {
  Gates({.keys = 2000}, {.keys = 1000});
  EXPECT_EQ(VerdictText(verdict_),
            "1,000 records are 50 % fewer than the 2,000 of version 7, and at most 30 % fewer may "
            "be (max_record_shrink)");
  Gates({.keys = 1000}, {.keys = 1000, .repeated = 1000});
  EXPECT_EQ(VerdictText(verdict_),
            "1,000 of 2,000 records (50 %) are duplicates of another's key, and at most 10 % may "
            "be (max_duplicates)");
}

TEST_F(GateTest, EveryGateCanBeTurnedOff) {
  options_ = {.min_records = 0,
              .max_record_shrink = {},
              .max_record_growth = {},
              .max_byte_shrink = {},
              .max_byte_growth = {},
              .max_duplicates = {},
              .max_skipped = UINT64_MAX,
              .required_keys = {},
              .canaries = {}};
  EXPECT_THAT(Gates({.keys = 1000, .value_bytes = 1000}, {.keys = 0}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 1}, {.keys = 5000, .repeated = 5000, .skipped_lines = "999999"}),
              IsEmpty());
}

TEST_F(GateTest, SkippedLinesComeFromTheMetadata) {
  EXPECT_THAT(Gates({.keys = 20}, {.keys = 20, .skipped_lines = "100"}), IsEmpty());
  EXPECT_THAT(Gates({.keys = 20}, {.keys = 20, .skipped_lines = "101"}),
              ElementsAre("max_skipped"));
  EXPECT_THAT(verdict_[0].sentence, HasSubstr("101 bad lines were skipped, and at most 100"));
}

class GateKeyTest : public GateTest {
 protected:
  GateKeyTest() { typed_ = true; }
  ~GateKeyTest() override { typed_ = false; }

  std::string Sentence() {
    Gates({.keys = 1}, {.keys = 1});
    return verdict_.empty() ? "" : verdict_[0].sentence;
  }
  std::string SentenceOf(const GateOptions::RequiredKey& required) {
    options_.required_keys = {required};
    return Sentence();
  }
  std::string SentenceOf(const GateOptions::Canary& canary) {
    options_.canaries = {canary};
    return Sentence();
  }
};

TEST_F(GateKeyTest, RequiredKeysMustBeThereWithTheirType) {
  EXPECT_EQ(SentenceOf({.key = "hash", .type = {}}), "");
  EXPECT_EQ(SentenceOf({.key = "hash", .type = ValueType::kHash}), "");
  EXPECT_EQ(SentenceOf({.key = "hash", .type = ValueType::kSet}),
            "the required key \"hash\" is of type hash, and must be set");
  EXPECT_EQ(SentenceOf({.key = "nothing", .type = {}}), "the required key \"nothing\" is missing");
  EXPECT_EQ(SentenceOf({.key = "gone", .type = {}}), "the required key \"gone\" is missing")
      << "it has expired";
}

TEST_F(GateKeyTest, CanariesMustHaveTheirValue) {
  EXPECT_EQ(SentenceOf({.key = "text", .field = {}, .value = "yes"}), "");
  EXPECT_EQ(SentenceOf({.key = "text", .field = {}, .value = "no"}),
            "the canary \"text\" is \"yes\", and must be \"no\"");
  EXPECT_EQ(SentenceOf({.key = "hash", .field = "name", .value = "larder"}), "");
  EXPECT_EQ(SentenceOf({.key = "hash", .field = "name", .value = "x"}),
            "field \"name\" of the canary \"hash\" is \"larder\", and must be \"x\"");
  EXPECT_EQ(SentenceOf({.key = "hash", .field = "age", .value = "x"}),
            "the canary \"hash\" has no field \"age\"");
  EXPECT_EQ(SentenceOf({.key = "hash", .field = {}, .value = "x"}),
            "the canary \"hash\" is of type hash, and must be string");
  EXPECT_EQ(SentenceOf({.key = "text", .field = "name", .value = "x"}),
            "the canary \"text\" is of type string, and must be hash");
  EXPECT_EQ(SentenceOf({.key = "nothing", .field = {}, .value = "x"}),
            "the canary \"nothing\" is missing");
}

TEST_F(GateKeyTest, OfManyMissingKeysTheFirstTenAreShown) {
  for (int i = 0; i < 25; ++i) options_.required_keys.push_back({fmt::format("k{}", i), {}});
  Gates({.keys = 1}, {.keys = 1});
  ASSERT_EQ(verdict_.size(), 11U);
  EXPECT_EQ(verdict_.back().sentence, "and 15 keys more");
}

TEST(ProbationShares, AreJudgedOnlyOnceEnoughWasSeen) {
  ReadCounts counts;
  counts.commands = 99;
  counts.errors = 99;
  counts.misses = 99;
  EXPECT_THAT(CheckProbation({}, counts), IsEmpty());
  counts.commands = 100;
  counts.misses = 100;
  EXPECT_EQ(VerdictText(CheckProbation({}, counts)),
            "99 of 100 commands (99 %) were answered with an error, and at most 5 % may be "
            "(max_errors); 100 of 100 look-ups (100 %) found nothing, and at most 50 % may "
            "(max_misses)");
  EXPECT_THAT(CheckProbation({.max_misses = {}, .max_errors = {}}, counts), IsEmpty());
}

TEST(ProbationShares, AtTheLimitPasses) {
  ReadCounts counts;
  counts.commands = 100;
  counts.errors = 5;
  counts.hits = 50;
  counts.misses = 50;
  EXPECT_THAT(CheckProbation({}, counts), IsEmpty());
  counts.misses = 51;
  EXPECT_EQ(CheckProbation({}, counts).size(), 1U);
}

}  // namespace
}  // namespace larder::dataset
