// What the faulty twin leaves of an AllocatedFile after crashes, power cuts and failures.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"

namespace larder::io {
namespace {

using ::testing::ElementsAre;
using ::testing::Optional;
using ::testing::UnorderedElementsAre;

constexpr size_t kBlock = 4096;

std::string Block(char byte) { return std::string(kBlock, byte); }

// "xxxxyyyy" as "xy": a letter for every whole block, its bytes where they differ; zeros are '.'.
std::string Told(const std::string& bytes) {
  std::string told;
  for (size_t at = 0; at < bytes.size(); at += kBlock) {
    const std::string block = bytes.substr(at, kBlock);
    const bool same = block.find_first_not_of(block[0]) == std::string::npos;
    if (!same || block.size() < kBlock) told += '(' + std::to_string(block.size()) + ')';
    told += block[0] == '\0' ? '.' : block[0];
    if (!same) told += '~';
  }
  return told;
}

std::unique_ptr<AllocatedFile> MustOpen(FaultyFileSystem& files, const std::string& path) {
  auto file = files.OpenAllocated(path);
  EXPECT_TRUE(file) << file.error().message();
  return *std::move(file);
}

std::string ToldOf(const FaultyFileSystem& files, const std::string& path) {
  const auto bytes = files.Contents(path);
  return bytes ? Told(*bytes) : "(gone)";
}

// What a torn power cut leaves of /a, which begins as `before`, synced, after `change`, by any
// seed.
template <typename Change>
std::set<std::string> AllThatIsLeft(const std::string& before, const Change& change) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", before);
    change(*MustOpen(files, "/a"));
    files.Reboot(Survival::kTorn);
    seen.insert(ToldOf(files, "/a"));
  }
  return seen;
}

// ---- Power cuts.

TEST(PowerCut, LeavesWhatWasSyncedAndNothingElse) {
  FaultyFileSystem files;
  files.PutFile("/a", Block('a') + Block('b'));
  const auto file = MustOpen(files, "/a");
  ASSERT_TRUE(file->Allocate(3 * kBlock));
  ASSERT_TRUE(file->WriteAt(kBlock, Block('B')));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(file->WriteAt(0, Block('A')));
  ASSERT_TRUE(file->Allocate(4 * kBlock));
  EXPECT_EQ(ToldOf(files, "/a"), "AB..");
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_EQ(ToldOf(files, "/a"), "aB.");
}

TEST(PowerCut, ANewFileIsThereOnlyWhenItsDirectoryWasSynced) {
  FaultyFileSystem files;
  for (const std::string name : {"/a", "/b"}) {
    auto file = files.CreateAllocated(name);
    ASSERT_TRUE((*file)->Allocate(1));
    ASSERT_TRUE((*file)->Sync());
    if (name == "/a") {
      ASSERT_TRUE(files.SyncDirectory("/"));
    }
  }
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_THAT(*files.List("/"), ElementsAre("a"));
}

TEST(PowerCut, LeavesEachWrittenBlockOldOrNew) {
  const auto seen = AllThatIsLeft(Block('a') + Block('b') + Block('c'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.WriteAt(0, Block('A') + Block('B') + Block('C')));
  });
  EXPECT_THAT(seen, UnorderedElementsAre("abc", "abC", "aBc", "aBC", "Abc", "AbC", "ABc", "ABC"));
}

TEST(PowerCut, SparesBlocksThatWereNotWritten) {
  const auto seen = AllThatIsLeft(Block('a') + Block('b') + Block('c'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.WriteAt(kBlock, Block('B')));
  });
  EXPECT_THAT(seen, UnorderedElementsAre("abc", "aBc"));
}

TEST(PowerCut, MayLeaveABlockAsItWasBetweenTwoWrites) {
  const auto seen = AllThatIsLeft(Block('a'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.WriteAt(0, Block('b')));
    ASSERT_TRUE(file.WriteAt(0, Block('c')));
  });
  EXPECT_THAT(seen, UnorderedElementsAre("a", "b", "c"));
}

TEST(PowerCut, LeavesAnySizeBetweenTheOldAndTheNewInWholeBlocks) {
  const auto seen = AllThatIsLeft(Block('a'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.Allocate(3 * kBlock + 10));
    ASSERT_TRUE(file.WriteAt(2 * kBlock, "x"));
  });
  EXPECT_THAT(seen,
              UnorderedElementsAre("a", "a.", "a..", "a.(4096)x~", "a..(10).", "a.(4096)x~(10)."));
}

TEST(PowerCut, LeavesTheWholeFileOrTheTruncatedOne) {
  const auto seen = AllThatIsLeft(Block('a') + Block('b') + Block('c'),
                                  [](AllocatedFile& file) { ASSERT_TRUE(file.Truncate(kBlock)); });
  EXPECT_THAT(seen, UnorderedElementsAre("abc", "a"));
}

TEST(PowerCut, NeverShowsWhatWasWrittenBehindACutWithoutTheCut) {
  const auto seen = AllThatIsLeft(Block('a') + Block('b') + Block('c'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.Truncate(kBlock));
    ASSERT_TRUE(file.Allocate(2 * kBlock));
    ASSERT_TRUE(file.WriteAt(kBlock, Block('N')));
  });
  EXPECT_THAT(seen, UnorderedElementsAre("abc", "a", "a.", "aN"));
}

TEST(PowerCut, NeverShowsWhatACutMadeZerosInTheBlockItCut) {
  const auto seen = AllThatIsLeft(Block('a'), [](AllocatedFile& file) {
    ASSERT_TRUE(file.Truncate(10));
    ASSERT_TRUE(file.Allocate(kBlock));
    ASSERT_TRUE(file.Sync());
  });
  EXPECT_THAT(seen, ElementsAre("(4096)a~"));
}

TEST(PowerCut, WhatASecondOneFindsIsSynced) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", Block('a') + Block('b'));
    const auto file = MustOpen(files, "/a");
    ASSERT_TRUE(file->Allocate(4 * kBlock));
    ASSERT_TRUE(file->WriteAt(0, Block('A') + Block('B') + Block('C')));
    files.Reboot(Survival::kTorn);
    const std::string left = ToldOf(files, "/a");
    files.Reboot(Survival::kTorn);
    EXPECT_EQ(ToldOf(files, "/a"), left);
  }
}

// ---- Kills.

TEST(Kill, LosesNothingAndSyncsNothing) {
  FaultyFileSystem files;
  files.PutFile("/a", Block('a'));
  ASSERT_TRUE(MustOpen(files, "/a")->WriteAt(0, Block('A')));
  ASSERT_TRUE(files.CreateAllocated("/b"));
  files.Crash();
  files.Reboot(Survival::kEverything);
  EXPECT_EQ(ToldOf(files, "/a"), "A");
  EXPECT_TRUE(files.Stat("/b"));
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_EQ(ToldOf(files, "/a"), "a");
  EXPECT_FALSE(files.Stat("/b"));
}

TEST(Kill, TheNextProcessCanSyncWhatItFinds) {
  FaultyFileSystem files;
  files.PutFile("/a", Block('a'));
  ASSERT_TRUE(MustOpen(files, "/a")->WriteAt(0, Block('A')));
  files.Reboot(Survival::kEverything);
  ASSERT_TRUE(MustOpen(files, "/a")->Sync());
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_EQ(ToldOf(files, "/a"), "A");
}

// ---- Failures.

TEST(FailedSync, LeavesTheBlocksReadableUntilThePowerCutAndNoLaterSyncSavesThem) {
  for (const Survival survival : {Survival::kSyncedOnly, Survival::kTorn}) {
    FaultyFileSystem files;
    files.PutFile("/a", Block('a') + Block('b'));
    const auto file = MustOpen(files, "/a");
    ASSERT_TRUE(file->WriteAt(0, Block('A') + Block('B')));
    files.FailSync(1);
    const auto failed = file->Sync();
    ASSERT_FALSE(failed);
    EXPECT_EQ(file->Sync().error().message(), failed.error().message());
    EXPECT_EQ(file->WriteAt(0, "x").error().message(), failed.error().message());
    EXPECT_EQ(file->Allocate(9000).error().message(), failed.error().message());
    EXPECT_EQ(file->Truncate(1).error().message(), failed.error().message());
    files.Reboot(Survival::kEverything);
    EXPECT_EQ(ToldOf(files, "/a"), "AB");
    const auto again = MustOpen(files, "/a");
    ASSERT_TRUE(again->WriteAt(kBlock, "B"));
    ASSERT_TRUE(again->Sync()) << "it claims a success that is none";
    EXPECT_EQ(ToldOf(files, "/a"), "AB");
    files.Reboot(survival);
    EXPECT_EQ(ToldOf(files, "/a"), "aB") << "only what was written again is there";
  }
}

TEST(FailedSync, LosesWhatWasAppendedToo) {
  FaultyFileSystem files;
  files.PutFile("/a", "");
  auto file = files.Create("/a");
  ASSERT_TRUE((*file)->Write("lost"));
  files.FailSync(1);
  EXPECT_FALSE((*file)->Sync());
  files.Reboot(Survival::kEverything);
  ASSERT_TRUE(MustOpen(files, "/a")->Sync());
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("lost")));
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string(4, '\0')));
}

TEST(FaultyAllocatedFile, OperationsAreCounted) {
  FaultyFileSystem files;
  auto file = files.CreateAllocated("/a");
  ASSERT_TRUE((*file)->Allocate(10));
  ASSERT_TRUE((*file)->WriteAt(0, "x"));
  ASSERT_TRUE((*file)->Truncate(5));
  ASSERT_TRUE((*file)->Sync());
  ASSERT_TRUE(files.OpenAllocated("/a"));
  EXPECT_EQ(files.operations(), 6U);
}

// The steps of a workload that stops at its first error, as the log would.
Result<void> CreateAndFill(FaultyFileSystem& files) {
  LARDER_ASSIGN(const auto file, files.CreateAllocated("/a"));
  LARDER_TRY(file->Allocate(kBlock));
  LARDER_TRY(file->WriteAt(0, Block('x')));
  LARDER_TRY(file->Truncate(kBlock / 2));
  LARDER_TRY(file->Sync());
  LARDER_TRY(files.OpenAllocated("/a"));
  return {};
}

TEST(FaultyAllocatedFile, CrashesAtEveryOperationAndShowsWhatWasDoneBefore) {
  std::vector<std::string> left;
  for (uint64_t n = 1; n <= 6; ++n) {
    FaultyFileSystem files;
    files.CrashAtOperation(n);
    const auto done = CreateAndFill(files);
    ASSERT_FALSE(done);
    EXPECT_TRUE(FaultyFileSystem::IsCrash(done.error()));
    files.Reboot(Survival::kEverything);
    left.push_back(ToldOf(files, "/a"));
  }
  EXPECT_THAT(left, ElementsAre("(gone)", "", "(4096)x~", "x", "(2048)x", "(2048)x"));
}

TEST(FaultyAllocatedFile, FailsAtEveryOperationAndSaysSo) {
  for (uint64_t n = 1; n <= 6; ++n) {
    FaultyFileSystem files;
    files.FailOperation(n);
    EXPECT_EQ(CreateAndFill(files).error().code(), ErrorCode::kIoError);
    EXPECT_EQ(files.operations(), n);
  }
}

TEST(FaultyAllocatedFile, FailedWriteLeavesABeginningAndNothingCanBeWrittenAfter) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", "....");
    const auto file = MustOpen(files, "/a");
    const auto mapping = files.Map("/a");
    files.FailWrite(2);
    ASSERT_TRUE(file->WriteAt(0, "A"));
    const auto failed = file->WriteAt(1, "bc");
    ASSERT_FALSE(failed);
    EXPECT_EQ(file->WriteAt(3, "d").error().message(), failed.error().message());
    EXPECT_EQ(file->Sync().error().message(), failed.error().message());
    EXPECT_EQ((*mapping)->bytes(), files.Contents("/a"));
    seen.insert(files.Contents("/a").value_or("(gone)"));
  }
  EXPECT_THAT(seen, UnorderedElementsAre("A...", "Ab..", "Abc."));
}

TEST(FaultyAllocatedFile, CrashInAWriteLeavesABeginning) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", "...");
    const auto file = MustOpen(files, "/a");
    files.CrashAtOperation(1);
    EXPECT_FALSE(file->WriteAt(0, "abc"));
    files.Reboot(Survival::kEverything);
    seen.insert(files.Contents("/a").value_or("(gone)"));
  }
  EXPECT_THAT(seen, UnorderedElementsAre("...", "a..", "ab.", "abc"));
}

TEST(FaultyAllocatedFile, FullDiskRefusesToAllocateAndNothingElse) {
  FaultyFileSystem files;
  auto file = files.CreateAllocated("/a");
  files.LimitSpace(10);
  ASSERT_TRUE((*file)->Allocate(8));
  EXPECT_EQ((*file)->Allocate(11).error().message(), "allocate /a: No space left on device");
  EXPECT_EQ((*file)->allocated(), 8U);
  EXPECT_EQ(files.Stat("/a")->bytes, 8U);
  EXPECT_TRUE((*file)->WriteAt(0, "12345678"));
  EXPECT_TRUE((*file)->Allocate(10));
  EXPECT_FALSE((*file)->Allocate(11));
  files.ClearFaults();
  EXPECT_TRUE((*file)->Allocate(11));
}

TEST(FaultyAllocatedFile, FailedAllocateOrTruncateCanBeTriedAgain) {
  FaultyFileSystem files;
  auto file = files.CreateAllocated("/a");
  files.FailOperation(1, ErrorCode::kNoSpace);
  EXPECT_EQ((*file)->Allocate(8).error().code(), ErrorCode::kNoSpace);
  EXPECT_TRUE((*file)->Allocate(8));
  files.FailOperation(1);
  EXPECT_FALSE((*file)->Truncate(4));
  EXPECT_EQ((*file)->allocated(), 8U);
  EXPECT_TRUE((*file)->Truncate(4));
}

TEST(FaultyAllocatedFile, HandlesOfBeforeTheCrashStayDead) {
  FaultyFileSystem files;
  files.PutFile("/a", "....");
  const auto file = MustOpen(files, "/a");
  files.Reboot(Survival::kEverything);
  EXPECT_TRUE(FaultyFileSystem::IsCrash(file->Allocate(8).error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(file->Truncate(1).error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(file->WriteAt(0, "x").error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(file->Sync().error()));
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("....")));
}

TEST(FaultyAllocatedFile, DeniedFileIsNotOpened) {
  FaultyFileSystem files;
  files.PutFile("/a", "");
  files.DenyReading("/a");
  EXPECT_EQ(files.OpenAllocated("/a").error().code(), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace larder::io
