// Snapshots as sources: copied, verified whole, never linked.
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/test_compression.h"
#include "dataset/origin_file.h"
#include "dataset/test_sources.h"

namespace larder::dataset {
namespace {

using ::testing::HasSubstr;

class SnapshotSource : public ::testing::Test {
 protected:
  SnapshotSource() { test_.options().source = "/in/features.snap"; }

  void Put(std::string_view bytes) { test_.files().PutFile(test_.options().source, bytes); }
  SwitchReport Load(std::string_view bytes) {
    Put(bytes);
    const auto report = test_->Refresh(true);
    EXPECT_TRUE(report) << report.error().message();
    return report.value_or(SwitchReport{});
  }
  Error Refused(std::string_view bytes) {
    Put(bytes);
    const auto report = test_->Refresh(true);
    EXPECT_FALSE(report);
    return report ? Error(ErrorCode::kInternal, "taken") : report.error();
  }
  std::string OriginPath(uint64_t number) {
    return test_.options().directory + "/" + OriginFileName(number);
  }
  bool HasOrigin(uint64_t number) { return test_.files().Contents(OriginPath(number)).has_value(); }

  TestDataset test_;
};

TEST_F(SnapshotSource, IsServedAsItIs) {
  test_.Open();
  const std::string bytes = SnapshotOf("one");
  EXPECT_TRUE(Load(bytes).compiled);
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_EQ(test_.files().Contents(test_.PathOf(1)), bytes);
}

TEST_F(SnapshotSource, IsDecompressedOnTheWay) {
  const std::string bytes = SnapshotOf("one");
  for (const auto& [name, packed] : {std::pair{"/in/features.snap.zst", ZstdForTest(bytes)},
                                     std::pair{"/in/features.snap.gz", GzipForTest(bytes)},
                                     std::pair{"/in/features", ZstdForTest(bytes)}}) {
    TestDataset test;
    test.options().source = name;
    test.files().PutFile(name, packed);
    test.Open();
    const auto report = test->Refresh(false);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(test.Word(), "one") << name;
    EXPECT_EQ(test.files().Contents(test.PathOf(1)), bytes);
  }
}

TEST_F(SnapshotSource, AVersionTellsTheFileItWasCopiedFrom) {
  test_.Open();
  const std::string bytes = SnapshotOf("one");
  Load(bytes);
  ContentHasher hasher;
  hasher.Update(bytes);
  for (const bool restart : {false, true}) {
    if (restart) test_.Open();
    const auto versions = test_->Versions();
    ASSERT_EQ(versions.size(), 1U);
    EXPECT_EQ(versions[0].source, test_.options().source);
    EXPECT_EQ(versions[0].source_checksum, hasher.HexDigest());
  }
}

TEST_F(SnapshotSource, ARestartCopiesNothing) {
  test_.Open();
  Load(SnapshotOf("one"));
  test_.Open();
  const auto report = test_->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->compiled);
  EXPECT_FALSE(test_.HasVersionFile(2));
}

TEST_F(SnapshotSource, ContentThatComesBackIsNotCopiedAgain) {
  test_.Open();
  const std::string one = SnapshotOf("one");
  Load(one);
  Load(SnapshotOf("two"));
  const SwitchReport report = Load(one);
  EXPECT_FALSE(report.compiled);
  EXPECT_EQ(report.current, 1U);
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(SnapshotSource, ImportOptionsDoNotApply) {
  test_.Open();
  Load(SnapshotOf("one"));
  test_.options().duplicates = snapshot::Duplicates::kError;
  test_.options().separator = std::nullopt;
  test_.options().import.key_field = "id";
  test_.Open();
  const auto report = test_->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->compiled);
  EXPECT_EQ(test_->Current()->snapshot->header().separator, '/') << "the file's own counts";
}

TEST_F(SnapshotSource, AnOriginGoesWithItsVersion) {
  test_.options().keep = 1;
  test_.Open();
  Load(SnapshotOf("one"));
  EXPECT_TRUE(HasOrigin(1));
  Load(SnapshotOf("two"));
  EXPECT_FALSE(HasOrigin(1));
  EXPECT_TRUE(HasOrigin(2));
}

TEST_F(SnapshotSource, AnOriginWithoutAVersionIsRemovedAtTheNextStart) {
  test_.files().PutFile(OriginPath(7), "{}");
  test_.files().PutFile(OriginPath(8) + ".tmp", "{}");
  test_.Open();
  EXPECT_FALSE(HasOrigin(7));
  EXPECT_FALSE(test_.files().Contents(OriginPath(8) + ".tmp"));
  Load(SnapshotOf("one"));
  EXPECT_EQ(test_.Number(), 8U) << "should it not have gone, it must not meet another version";
}

TEST_F(SnapshotSource, AnOriginThatCannotBeReadCostsACopy) {
  test_.Open();
  Load(SnapshotOf("one"));
  test_.Close();
  test_.files().PutFile(OriginPath(1), "{");
  test_.Open();
  EXPECT_EQ(test_.Word(), "one");
  const auto report = test_->Refresh(false);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->compiled);
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(SnapshotSource, OneThatIsNoneIsRefused) {
  test_.Open();
  Load(SnapshotOf("one"));
  const Error error = Refused(SourceOf("two"));
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_THAT(error.message(), HasSubstr(test_.options().source));
  EXPECT_THAT(error.message(), HasSubstr("not a Snapshot"));
  EXPECT_EQ(test_.Word(), "one");
  EXPECT_FALSE(test_.HasVersionFile(2));
  EXPECT_FALSE(HasOrigin(2));
}

TEST_F(SnapshotSource, ADamagedOneIsRefusedWhereverTheDamageIs) {
  test_.Open();
  Load(SnapshotOf("one"));
  const std::string good = SnapshotOf("two");
  const size_t value = good.find("two");
  ASSERT_NE(value, std::string::npos);
  for (const size_t at : {size_t{0}, value, good.size() / 2, good.size() - 1}) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    const Error error = Refused(bytes);
    EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << "byte " << at << ": " << error.message();
    EXPECT_THAT(error.message(), HasSubstr(test_.options().source));
    EXPECT_EQ(test_.Word(), "one");
  }
  EXPECT_EQ(test_->Versions().size(), 1U);
  EXPECT_TRUE(Load(good).compiled);
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(SnapshotSource, TheFirstOneIsVerifiedWholeToo) {
  test_.Open();
  std::string bytes = SnapshotOf("one");
  const size_t value = bytes.find("one");
  bytes[value] = static_cast<char>(bytes[value] ^ 1);
  EXPECT_THAT(Refused(bytes).message(), HasSubstr("byte 0: the block of"));
  EXPECT_EQ(test_->Current(), nullptr);
}

TEST_F(SnapshotSource, ATruncatedOneIsRefused) {
  test_.Open();
  const std::string good = SnapshotOf("one");
  for (const size_t bytes : {size_t{0}, size_t{1}, size_t{4096}, good.size() - 1}) {
    EXPECT_EQ(Refused(good.substr(0, bytes)).code(), ErrorCode::kCorrupt) << bytes;
  }
  const std::string packed = ZstdForTest(good);
  EXPECT_EQ(Refused(packed.substr(0, packed.size() / 2)).code(), ErrorCode::kCorrupt);
  EXPECT_EQ(test_->Current(), nullptr);
}

TEST_F(SnapshotSource, OneWithTheWrongDigestIsRefused) {
  test_.Open();
  Load(SnapshotOf("one"));
  test_.files().PutFile(test_.options().source + ".md5", "00000000000000000000000000000000\n");
  EXPECT_EQ(Refused(SnapshotOf("two")).code(), ErrorCode::kRefused);
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(SnapshotSource, AFullDiskLeavesNothing) {
  test_.Open();
  Load(SnapshotOf("one"));
  test_.files().LimitSpace(1000);
  EXPECT_EQ(Refused(SnapshotOf("two")).code(), ErrorCode::kNoSpace);
  test_.files().ClearFaults();
  EXPECT_EQ(test_.Word(), "one");
  const auto names = test_.files().List(test_.options().directory);
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, ::testing::ElementsAre("000001.origin", "000001.snap", kLockFileName,
                                             kStateFileName));
}

TEST_F(SnapshotSource, OneThatChangesWhileItIsCopiedIsThrownAway) {
  bool changed = false;
  test_.options().progress = [&](std::string_view step, double) {
    if (step == "copy" && !std::exchange(changed, true)) Put(SnapshotOf("two"));
  };
  test_.Open();
  const Error error = Refused(SnapshotOf("one"));
  EXPECT_EQ(error.code(), ErrorCode::kRefused);
  EXPECT_THAT(error.message(), HasSubstr("changed"));
  ASSERT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(SnapshotSource, ACrashAtAnyStepLeavesTheOldVersionOrTheNew) {
  const std::string one = SnapshotOf("one");
  const std::string two = SnapshotOf("two");
  for (const io::Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      TestDataset test(n);
      test.options().source = "/in/features.snap";
      test.files().PutFile(test.options().source, one);
      test.Open();
      ASSERT_TRUE(test->Refresh(true));
      test.files().PutFile(test.options().source, two);
      test.files().CrashAtOperation(n);
      const auto report = test->Refresh(true);
      if (!test.files().crashed()) break;
      test.Close();
      test.files().Reboot(survival);
      test.Open();
      EXPECT_THAT(test.Word(), ::testing::AnyOf("one", "two")) << "operation " << n;
      const auto again = test->Refresh(true);
      ASSERT_TRUE(again) << again.error().message();
      EXPECT_EQ(test.Word(), "two") << "operation " << n;
    }
  }
}

TEST(SnapshotBuild, AFileThatIsReplacedHandsItsSeedsOn) {
  io::FaultyFileSystem files;
  Options options;
  options.source = "/pub/features.jsonl";
  options.threads = 1;
  files.PutFile(options.source, SourceOf("one"));
  const std::atomic<bool> cancelled{false};
  const auto build = [&](const std::string& path) {
    CompileRequest request;
    request.path = path;
    request.cancelled = &cancelled;
    EXPECT_TRUE(CompileSource(files, options, request));
    const auto opened = snapshot::Snapshot::Open(files, path);
    EXPECT_TRUE(opened);
    return opened ? (*opened)->header() : snapshot::Header{};
  };
  const snapshot::Header first = build("/pub/features.snap");
  files.PutFile(options.source, SourceOf("two"));
  const snapshot::Header second = build("/pub/features.snap");
  EXPECT_EQ(first.key_seed, second.key_seed);
  EXPECT_EQ(first.member_seed, second.member_seed);
  EXPECT_NE(first.key_seed, build("/pub/other.snap").key_seed);
  files.PutFile("/pub/damaged.snap", "x");
  EXPECT_NE(first.key_seed, build("/pub/damaged.snap").key_seed);
}

TEST(OriginFile, SaysTheSameWhenReadAgain) {
  const Origin origin{.source = "/in/\"a\"\n.snap",
                      .bytes = 7,
                      .mtime_ns = -1,
                      .checksum = std::string(32, 'a'),
                      .taken_at_ms = 9};
  const auto parsed = ParseOrigin(EncodeOrigin(origin));
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(*parsed, origin);
}

Origin WithChecksum(std::string checksum) {
  Origin origin;
  origin.checksum = std::move(checksum);
  return origin;
}

TEST(OriginFile, ANewerOrOtherFileIsNone) {
  EXPECT_EQ(ParseOrigin(R"({"format":2})").error().code(), ErrorCode::kUnsupported);
  const std::string good = EncodeOrigin(WithChecksum(std::string(32, '0')));
  ASSERT_TRUE(ParseOrigin(good));
  for (const char* member : {"format", "source", "bytes", "mtime_ns", "checksum", "taken_at_ms"}) {
    std::string other = good;
    other.replace(other.find(member), 1, "x");
    EXPECT_FALSE(ParseOrigin(other)) << member;
  }
  EXPECT_FALSE(ParseOrigin(EncodeOrigin(WithChecksum(std::string(32, 'g')))));
  EXPECT_FALSE(ParseOrigin(EncodeOrigin(WithChecksum("0"))));
  EXPECT_FALSE(ParseOrigin(""));
  EXPECT_FALSE(ParseOrigin("[1]"));
}

}  // namespace
}  // namespace larder::dataset
