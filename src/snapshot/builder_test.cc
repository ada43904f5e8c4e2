#include "snapshot/builder.h"

#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"
#include "snapshot/bucket_table.h"
#include "snapshot/snapshot.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPath[] = "/d/a.snap";

struct Disk {
  io::FaultyFileSystem files;
  Disk() { EXPECT_TRUE(files.MakeDirectories("/d")); }

  std::vector<std::string> Names() { return files.List("/d").value_or(std::vector<std::string>()); }
  std::shared_ptr<const Snapshot> Open() {
    auto snapshot = Snapshot::Open(files, kPath);
    EXPECT_TRUE(snapshot) << snapshot.error().message();
    return snapshot ? *snapshot : nullptr;
  }
};

std::vector<TestRecord> Strings(int count, std::string_view value = "v") {
  std::vector<TestRecord> records;
  for (int i = 0; i < count; ++i) {
    records.push_back(
        StringRecord("k" + std::to_string(i % 10) + "/" + std::to_string(i), std::string(value)));
  }
  return records;
}

TEST(Builder, TheLastDuplicateWins) {
  Disk disk;
  const auto report = Build(disk.files, kPath,
                            {StringRecord("a/k", "1"), StringRecord("b", "2"),
                             ItemsRecord("a/k", ValueType::kSet, {"x"}), StringRecord("a/k", "3")});
  ASSERT_TRUE(report);
  EXPECT_EQ(report->records, 2U);
  EXPECT_EQ(report->duplicates, 2U);
  const auto snapshot = disk.Open();
  EXPECT_EQ(TextView(*snapshot->Find("a/k")).text(), "3");
  EXPECT_EQ(snapshot->CollectionSize("a"), 1U);
  EXPECT_TRUE(Verify(*snapshot));
}

TEST(Builder, TheFirstDuplicateWinsWhenToldSo) {
  Disk disk;
  BuildOptions options;
  options.duplicates = Duplicates::kFirst;
  ASSERT_TRUE(
      Build(disk.files, kPath, {StringRecord("a/k", "1"), StringRecord("a/k", "2")}, options));
  const auto snapshot = disk.Open();
  EXPECT_EQ(TextView(*snapshot->Find("a/k")).text(), "1");
  EXPECT_TRUE(Verify(*snapshot));
}

TEST(Builder, ADuplicateIsAnErrorWhenToldSo) {
  Disk disk;
  BuildOptions options;
  options.duplicates = Duplicates::kError;
  const auto report = Build(
      disk.files, kPath, {StringRecord("the\nkey", "1"), StringRecord("the\nkey", "2")}, options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kRefused);
  EXPECT_THAT(report.error().message(), HasSubstr("\"the\\x0akey\""));
  EXPECT_THAT(disk.Names(), ElementsAre());
}

TEST(Builder, ManyCopiesOfOneKeyAreOneRecord) {
  Disk disk;
  std::vector<TestRecord> records(5000, StringRecord("a/k", "old"));
  records.push_back(StringRecord("a/k", "new"));
  BuildOptions options;
  options.memory_bytes = 1;
  const auto report = Build(disk.files, kPath, records, options);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->duplicates, 5000U);
  EXPECT_EQ(TextView(*disk.Open()->Find("a/k")).text(), "new");
}

// ---- The same input gives the same file, whatever the memory, the threads and the batches.

TEST(Builder, SpilledAndUnspilledGiveTheSameFile) {
  std::vector<TestRecord> records = Strings(30000);
  const std::vector<TestRecord> again = Strings(2000, "replaced");
  records.insert(records.end(), again.begin(), again.end());
  std::set<std::string> results;
  for (const uint64_t memory_bytes : {uint64_t{1} << 30, uint64_t{1} << 20, uint64_t{1}}) {
    for (const unsigned threads : {1U, 3U}) {
      Disk disk;
      BuildOptions options;
      options.memory_bytes = memory_bytes;
      options.threads = threads;
      const auto report = Build(disk.files, kPath, records, options, threads * 500);
      ASSERT_TRUE(report) << report.error().message();
      EXPECT_EQ(report->spilled_runs > 0, memory_bytes < 1 << 30);
      EXPECT_EQ(report->duplicates, 2000U);
      EXPECT_THAT(disk.Names(), ElementsAre("a.snap"));
      results.insert(*disk.files.Contents(kPath));
      const auto verified = Verify(*disk.Open());
      ASSERT_TRUE(verified) << verified.error().message();
      EXPECT_EQ(verified->collections, 10U);
    }
  }
  EXPECT_EQ(results.size(), 1U);
}

TEST(Builder, ManyRunsAreMergedOnTheWay) {
  Disk disk;
  BuildOptions options;
  options.memory_bytes = 1;
  const auto report = Build(disk.files, kPath, Strings(150000), options);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_GT(report->spilled_runs, 64U);
  EXPECT_TRUE(Verify(*disk.Open()));
}

TEST(Builder, AsManyCollectionsAsKeys) {
  std::vector<TestRecord> records;
  for (int i = 0; i < 20000; ++i) records.push_back(StringRecord(std::to_string(i) + "/x", "v"));
  std::set<std::string> results;
  for (const uint64_t memory_bytes : {uint64_t{1} << 30, uint64_t{1}}) {
    Disk disk;
    BuildOptions options;
    options.memory_bytes = memory_bytes;
    ASSERT_TRUE(Build(disk.files, kPath, records, options));
    EXPECT_EQ(disk.Open()->header().collection_count, 20000U);
    EXPECT_TRUE(Verify(*disk.Open()));
    results.insert(*disk.files.Contents(kPath));
  }
  EXPECT_EQ(results.size(), 1U);
}

// ---- Seeds.

TEST(Builder, KeepsTheSeedsItIsGiven) {
  Disk disk;
  BuildOptions options;
  options.key_seed = 123;
  options.member_seed = 456;
  ASSERT_TRUE(Build(disk.files, kPath, Strings(10), options));
  EXPECT_EQ(disk.Open()->header().key_seed, 123U);
  EXPECT_EQ(disk.Open()->header().member_seed, 456U);
}

// Keys that all hash to one home bucket make a chain that only another seed can shorten.
TEST(Builder, TakesAnotherSeedWhenAChainIsTooLong) {
  constexpr uint64_t kSeed = 9;
  std::vector<TestRecord> records;
  for (int i = 0; records.size() < 300; ++i) {
    const std::string key = "c/" + std::to_string(i);
    if (HashBytes(key, kSeed) >> 56 == 0) records.push_back(StringRecord(key, "v"));
  }
  records.push_back(records.front());
  std::set<std::string> results;
  for (const uint64_t memory_bytes : {uint64_t{1} << 30, uint64_t{1}}) {
    Disk disk;
    BuildOptions options;
    options.key_seed = kSeed;
    options.memory_bytes = memory_bytes;
    const auto report = Build(disk.files, kPath, records, options);
    ASSERT_TRUE(report) << report.error().message();
    const auto snapshot = disk.Open();
    EXPECT_NE(snapshot->header().key_seed, kSeed);
    EXPECT_LE(snapshot->header().longest_chain, 16U);
    EXPECT_EQ(snapshot->record_count(), 300U);
    EXPECT_EQ(snapshot->header().dead_records, 1U);
    EXPECT_TRUE(Verify(*snapshot));
    results.insert(*disk.files.Contents(kPath));
  }
  EXPECT_EQ(results.size(), 1U);
}

// ---- Limits, metadata, progress.

TEST(Builder, KeysOfAllLengthsUpToTheLimitAreTaken) {
  Disk disk;
  ASSERT_TRUE(
      Build(disk.files, kPath,
            {StringRecord(std::string(kMaxKeyBytes, 'k'), "long"), StringRecord("", "short")}));
  EXPECT_EQ(TextView(*disk.Open()->Find(std::string(kMaxKeyBytes, 'k'))).text(), "long");
  const auto report =
      Build(disk.files, kPath, {StringRecord(std::string(kMaxKeyBytes + 1, 'k'), "")});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code(), ErrorCode::kLimit);
  EXPECT_EQ(TextView(*disk.Open()->Find("")).text(), "short");
}

TEST(Builder, MetadataMayComeLateAndReplacesWhatWasThere) {
  Disk disk;
  BuildOptions options;
  options.metadata = {{"source", "old"}, {"a", "1"}};
  auto builder = Builder::Create(disk.files, kPath, options);
  ASSERT_TRUE(builder);
  (*builder)->AddMetadata("source", "new");
  (*builder)->AddMetadata("z", "2");
  ASSERT_TRUE((*builder)->Finish());
  EXPECT_THAT(disk.Open()->Metadata(),
              ElementsAre(std::pair("a", "1"), std::pair("source", "new"), std::pair("z", "2")));
}

TEST(Builder, TakesNothingOnceItIsOver) {
  Disk disk;
  auto builder = Builder::Create(disk.files, kPath, {});
  ASSERT_TRUE(builder);
  ASSERT_TRUE((*builder)->Finish());
  EXPECT_FALSE((*builder)->Append((*builder)->NewBatch()));
  EXPECT_FALSE((*builder)->Finish());
  EXPECT_THAT(disk.Names(), ElementsAre("a.snap"));
}

TEST(Builder, AnUnfinishedBuildLeavesNothing) {
  Disk disk;
  {
    auto builder = Builder::Create(disk.files, kPath, {});
    ASSERT_TRUE(builder);
    EXPECT_EQ(disk.Names().size(), 1U);
    EXPECT_THAT(disk.Names().front(), ::testing::EndsWith(".tmp"));
  }
  EXPECT_THAT(disk.Names(), ElementsAre());
}

TEST(Builder, CanBeCancelledAtEveryStep) {
  for (int allowed = 0;; ++allowed) {
    Disk disk;
    disk.files.PutFile(kPath, "old");
    BuildOptions options;
    options.threads = 1;  // of several, another may do all the look-ups and leave none to tell of
    int calls = 0;
    options.progress = [&](std::string_view, double share) {
      EXPECT_GE(share, 0);
      EXPECT_LE(share, 1);
      return calls++ < allowed;
    };
    const auto report = Build(disk.files, kPath, Strings(100), options);
    if (report) {
      EXPECT_GT(allowed, 3);
      break;
    }
    EXPECT_EQ(report.error().code(), ErrorCode::kCancelled);
    EXPECT_EQ(disk.files.Contents(kPath), "old");
    EXPECT_THAT(disk.Names(), ElementsAre("a.snap"));
  }
}

// ---- Faults of the disk.

// A build that spills, with duplicates and collections.
Result<BuildReport> SpillingBuild(io::FileSystem& files) {
  static const std::vector<TestRecord> records = Strings(3000);
  BuildOptions options;
  options.memory_bytes = 1;
  options.threads = 1;
  return Build(files, kPath, records, options, 300);
}

TEST(BuilderFaults, ACrashAtAnyOperationLeavesTheOldFileOrTheWholeNewOne) {
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      Disk disk;
      disk.files.PutFile(kPath, "old");
      disk.files.CrashAtOperation(n);
      const auto report = SpillingBuild(disk.files);
      if (!disk.files.crashed()) break;
      EXPECT_FALSE(report);
      disk.files.Reboot(survival);
      if (disk.files.Contents(kPath) == "old") continue;
      const auto snapshot = disk.Open();
      ASSERT_TRUE(snapshot);
      EXPECT_TRUE(Verify(*snapshot));
    }
  }
}

TEST(BuilderFaults, AFailingOperationIsReportedAndNothingIsLeftBehind) {
  for (uint64_t n = 1;; ++n) {
    Disk disk;
    disk.files.PutFile(kPath, "old");
    const uint64_t before = disk.files.operations();
    disk.files.FailOperation(n, ErrorCode::kIoError);
    const auto report = SpillingBuild(disk.files);
    if (disk.files.operations() - before < n) break;
    disk.files.ClearFaults();
    if (report) continue;  // a temporary could not be removed, or the like; the file is whole
    EXPECT_EQ(report.error().code(), ErrorCode::kIoError);
    // Only what could not be removed may be left, and a rename that was done before a sync failed.
    if (disk.files.Contents(kPath) != "old") {
      EXPECT_TRUE(Verify(*disk.Open()));
    }
    EXPECT_LE(disk.Names().size(), 2U);
  }
}

TEST(BuilderFaults, AFullDiskIsReportedAndTheTargetIsUntouched) {
  Disk whole;
  ASSERT_TRUE(SpillingBuild(whole.files));
  const size_t bytes = whole.files.Contents(kPath)->size();
  for (size_t space = 0; space < bytes; space += bytes / ScaledCount(40, 5)) {
    Disk disk;
    disk.files.PutFile(kPath, "old");
    disk.files.LimitSpace(space);
    const auto report = SpillingBuild(disk.files);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code(), ErrorCode::kNoSpace);
    EXPECT_EQ(disk.files.Contents(kPath), "old");
    EXPECT_THAT(disk.Names(), ElementsAre("a.snap"));
  }
}

TEST(BuilderFaults, AFailingReadIsReported) {
  for (uint64_t n = 1;; ++n) {
    Disk disk;
    disk.files.PutFile(kPath, "old");
    disk.files.FailRead(n);
    const auto report = SpillingBuild(disk.files);
    if (report) {
      EXPECT_GT(n, 3U);
      break;
    }
    EXPECT_EQ(report.error().code(), ErrorCode::kIoError);
    disk.files.ClearFaults();
    EXPECT_EQ(disk.files.Contents(kPath), "old");
    EXPECT_THAT(disk.Names(), ElementsAre("a.snap"));
  }
}

// ---- Against a model.

TestRecord RandomRecord(std::mt19937_64& random, uint64_t keys) {
  const auto text = [&](uint64_t most) {
    std::string bytes(random() % (most + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  };
  TestRecord record;
  record.key = "c" + std::to_string(random() % 7) + (random() % 3 == 0 ? "" : "/") +
               std::to_string(random() % keys);
  record.type = static_cast<ValueType>(random() % kValueTypeCount);
  if (random() % 4 == 0) record.expires_at_ms = static_cast<int64_t>(random());
  if (random() % 4 == 0) record.version = random();
  if (random() % 4 == 0) record.flags = static_cast<uint32_t>(random());
  if (record.type == ValueType::kString || record.type == ValueType::kJson) {
    record.text = text(random() % 50 == 0 ? 100000 : 50);
    return record;
  }
  const uint64_t size = random() % 20 == 0 ? 1 + random() % 1000 : 1 + random() % 12;
  for (uint64_t i = 0; i < size; ++i) {
    record.items.push_back(random() % 2 == 0 ? std::to_string(random() % size) : text(20));
    if (record.type == ValueType::kHash) record.items.push_back(text(20));
    if (record.type == ValueType::kZset)
      record.scores.push_back(static_cast<int>(random() % 9) / 4.);
  }
  return record;
}

void ExpectHash(const TestRecord& record, const CollectionView& view) {
  std::map<std::string, std::string> model;
  for (size_t i = 0; i < record.items.size(); i += 2) model[record.items[i]] = record.items[i + 1];
  ASSERT_EQ(view.count(), model.size());
  for (const auto& [field, value] : model) {
    const auto element = view.FindMember(field);
    ASSERT_TRUE(element);
    ASSERT_EQ(view.Text(*element * 2 + 1), value);
  }
}

void ExpectZset(const TestRecord& record, const CollectionView& view) {
  std::map<std::string, double> model;
  for (size_t i = 0; i < record.items.size(); ++i) model[record.items[i]] = record.scores[i];
  std::set<std::pair<double, std::string>> sorted;
  for (const auto& [member, score] : model) sorted.emplace(score, member);
  ASSERT_EQ(view.count(), sorted.size());
  uint64_t element = 0;
  for (const auto& [score, member] : sorted) {
    ASSERT_EQ(view.Score(element), score);
    ASSERT_EQ(view.Text(element), member);
    ASSERT_EQ(view.FindMember(member), element);
    ++element;
  }
}

void ExpectRecord(const TestRecord& record, const Value& value) {
  ASSERT_EQ(value.type, record.type);
  ASSERT_EQ(value.expires_at_ms, record.expires_at_ms);
  ASSERT_EQ(value.version, record.version);
  ASSERT_EQ(value.flags, record.flags.value_or(0));
  const CollectionView view(value);
  switch (record.type) {
    case ValueType::kString:
    case ValueType::kJson:
      ASSERT_EQ(TextView(value).text(), record.text);
      break;
    case ValueType::kHash:
      ExpectHash(record, view);
      break;
    case ValueType::kZset:
      ExpectZset(record, view);
      break;
    case ValueType::kList:
      ASSERT_EQ(view.count(), record.items.size());
      for (size_t i = 0; i < record.items.size(); ++i) ASSERT_EQ(view.Text(i), record.items[i]);
      break;
    case ValueType::kSet: {
      const std::set<std::string> model(record.items.begin(), record.items.end());
      ASSERT_EQ(view.count(), model.size());
      for (const std::string& member : model) ASSERT_TRUE(view.FindMember(member));
      break;
    }
  }
}

TEST(BuilderModel, ASnapshotHoldsWhatAMapWouldHold) {
  const uint64_t rounds = ScaledCount(20, 3);
  for (uint64_t round = 0; round < rounds; ++round) {
    std::mt19937_64 random(round);
    std::vector<TestRecord> records;
    const uint64_t count = random() % (round % 4 == 0 ? 10 : 3000);
    std::map<std::string, TestRecord> model;
    std::map<std::string, uint64_t> collections;
    for (uint64_t i = 0; i < count; ++i) {
      records.push_back(RandomRecord(random, 1 + count));
      model[records.back().key] = records.back();
    }
    BuildOptions options;
    options.key_seed = random();
    options.member_seed = random();
    options.memory_bytes = random() % 2 == 0 ? 1 : uint64_t{1} << 30;
    Disk disk;
    const auto report = Build(disk.files, kPath, records, options, 1 + random() % 500);
    ASSERT_TRUE(report) << report.error().message();
    const auto snapshot = disk.Open();
    ASSERT_EQ(snapshot->record_count(), model.size());
    for (const auto& [key, record] : model) {
      const auto value = snapshot->Find(key);
      ASSERT_TRUE(value) << key;
      ExpectRecord(record, *value);
      const size_t at = key.find('/');
      if (at != std::string::npos) ++collections[key.substr(0, at)];
    }
    for (const auto& [name, size] : collections) ASSERT_EQ(snapshot->CollectionSize(name), size);
    const auto verified = Verify(*snapshot);
    ASSERT_TRUE(verified) << verified.error().message();
  }
}

TEST(BuilderModel, ACollectionOfAHundredThousandMembers) {
  std::vector<std::string> members;
  std::vector<double> scores;
  for (int i = 0; i < 100000; ++i) {
    members.push_back("member:" + std::to_string(i));
    scores.push_back(i % 1000);
  }
  Disk disk;
  const TestRecord record = ItemsRecord("z", ValueType::kZset, members, scores);
  ASSERT_TRUE(Build(disk.files, kPath, {record, ItemsRecord("s", ValueType::kSet, members)}));
  const auto snapshot = disk.Open();
  ExpectRecord(record, *snapshot->Find("z"));
  EXPECT_TRUE(Verify(*snapshot));
}

}  // namespace
}  // namespace larder::snapshot
