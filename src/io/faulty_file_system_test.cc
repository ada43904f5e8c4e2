#include "io/faulty_file_system.h"

#include <functional>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::io {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Optional;
using ::testing::StartsWith;

std::unique_ptr<WritableFile> MustCreate(FaultyFileSystem& files, const std::string& path) {
  auto file = files.Create(path);
  EXPECT_TRUE(file) << file.error().message();
  return *std::move(file);
}

// ---- It behaves as a file system while nothing fails.

TEST(FaultyFileSystem, WrittenBytesAreReadBack) {
  FaultyFileSystem files;
  ASSERT_TRUE(files.MakeDirectories("/d/e"));
  const auto file = MustCreate(files, "/d/e/a");
  EXPECT_TRUE(file->Write("hello "));
  EXPECT_TRUE(file->Write("world"));
  EXPECT_EQ(file->size(), 11U);
  EXPECT_EQ(*ReadWholeFile(files, "/d/e/a", 100), "hello world");
  EXPECT_EQ((*files.Map("/d/e/a"))->bytes(), "hello world");
  EXPECT_EQ(files.Stat("/d/e/a")->bytes, 11U);
  EXPECT_EQ(files.Stat("/d/e")->kind, FileKind::kDirectory);
}

TEST(FaultyFileSystem, ListShowsFilesAndDirectories) {
  FaultyFileSystem files;
  files.PutFile("d/b", "");
  files.PutFile("d/a", "");
  ASSERT_TRUE(files.MakeDirectories("d/c/deep"));
  EXPECT_THAT(*files.List("d"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(*files.List("./d/"), ElementsAre("a", "b", "c"));
}

TEST(FaultyFileSystem, ErrorsAreTheKernels) {
  FaultyFileSystem files;
  EXPECT_EQ(files.OpenForRead("/a").error().message(), "open /a: No such file or directory");
  EXPECT_EQ(files.Create("/d/a").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files.Remove("/a").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files.List("/d").error().code(), ErrorCode::kNotFound);
  files.PutFile("/a", "");
  EXPECT_FALSE(files.MakeDirectories("/a/b"));
  EXPECT_FALSE(PublishFile(files, "x", "/"));
}

TEST(FaultyFileSystem, OpenAndMappedFilesSurviveTheirName) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  const auto mapping = files.Map("/a");
  const auto file = files.OpenForRead("/a");
  ASSERT_TRUE(files.Remove("/a"));
  EXPECT_EQ((*mapping)->bytes(), "bytes");
  EXPECT_EQ((*file)->Info()->bytes, 5U);
}

TEST(FaultyFileSystem, LockIsHeldUntilDestroyed) {
  FaultyFileSystem files;
  {
    const auto held = files.Lock("/lock");
    ASSERT_TRUE(held);
    EXPECT_EQ(files.Lock("/lock").error().code(), ErrorCode::kBusy);
  }
  EXPECT_TRUE(files.Lock("/lock"));
}

TEST(FaultyFileSystem, DamagedMappingSaysSo) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  files.PutFile("/b", "bytes");
  const auto damaged = files.Map("/a");
  const auto good = files.Map("/b");
  files.DamageMappings("/a");
  EXPECT_TRUE((*damaged)->damaged());
  EXPECT_FALSE((*good)->damaged());
}

// ---- What survives a power cut.

TEST(FaultyFileSystem, UnsyncedBytesAreGoneAndSyncedOnesStay) {
  FaultyFileSystem files;
  files.PutFile("/a", "");
  const auto file = MustCreate(files, "/a");
  ASSERT_TRUE(file->Write("synced"));
  ASSERT_TRUE(file->Sync());
  ASSERT_TRUE(file->Write(" and not"));
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("synced")));
}

TEST(FaultyFileSystem, UnsyncedNameIsGoneThoughItsBytesWereSynced) {
  FaultyFileSystem files;
  const auto file = MustCreate(files, "/a");
  ASSERT_TRUE(file->Write("synced"));
  ASSERT_TRUE(file->Sync());
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_EQ(files.Contents("/a"), std::nullopt);
}

TEST(FaultyFileSystem, UnsyncedRemovalComesBack) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  ASSERT_TRUE(files.Remove("/a"));
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("bytes")));
}

TEST(FaultyFileSystem, UnsyncedTruncationComesBack) {
  FaultyFileSystem files;
  files.PutFile("/a", "old");
  const auto file = MustCreate(files, "/a");
  ASSERT_TRUE(file->Write("new bytes"));
  files.Reboot(Survival::kSyncedOnly);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("old")));
}

TEST(FaultyFileSystem, EverythingSurvivesAKill) {
  FaultyFileSystem files;
  const auto file = MustCreate(files, "/a");
  ASSERT_TRUE(file->Write("not synced"));
  files.Reboot(Survival::kEverything);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("not synced")));
}

TEST(FaultyFileSystem, WhatSurvivedOneCutSurvivesTheNext) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    FaultyFileSystem files(seed);
    ASSERT_TRUE(MustCreate(files, "/a")->Write("bytes"));
    files.Reboot(Survival::kTorn);
    const auto left = files.Contents("/a");
    files.Reboot(Survival::kSyncedOnly);
    EXPECT_EQ(files.Contents("/a"), left);
    seen.insert(left.value_or("(gone)"));
  }
  EXPECT_THAT(seen, IsSupersetOf({"(gone)", "bytes"}));
}

TEST(FaultyFileSystem, TornFilesEndAnywhereButKeepWhatWasSynced) {
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", "");
    const auto file = MustCreate(files, "/a");
    ASSERT_TRUE(file->Write("AB"));
    ASSERT_TRUE(file->Sync());
    ASSERT_TRUE(file->Write("cd"));
    files.Reboot(Survival::kTorn);
    seen.insert(files.Contents("/a").value_or("(gone)"));
  }
  const std::string zero(1, '\0');
  EXPECT_THAT(seen,
              ElementsAre("AB", "AB" + zero, "AB" + zero + zero, "ABc", "ABc" + zero, "ABcd"));
}

TEST(FaultyFileSystem, TornDirectoriesKeepAnyOfTheUnsyncedNames) {
  std::set<std::vector<std::string>> seen;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/d/old", "");
    MustCreate(files, "/d/a");
    MustCreate(files, "/d/b");
    ASSERT_TRUE(files.Remove("/d/old"));
    files.Reboot(Survival::kTorn);
    seen.insert(*files.List("/d"));
  }
  EXPECT_EQ(seen.size(), 8U) << "every subset of three changes";
}

TEST(FaultyFileSystem, SameSeedTearsTheSameWay) {
  const auto torn = [](uint64_t seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/a", "");
    std::ignore = MustCreate(files, "/a")->Write(std::string(1000, 'x'));
    files.Reboot(Survival::kTorn);
    return files.Contents("/a").value_or("(gone)");
  };
  EXPECT_EQ(torn(5), torn(5));
}

// ---- Faults.

TEST(FaultyFileSystem, EverythingFailsAfterACrashUntilReboot) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  const auto reader = files.OpenForRead("/a");
  const auto writer = MustCreate(files, "/b");
  files.CrashAtOperation(1);
  EXPECT_FALSE(writer->Write("x"));
  EXPECT_TRUE(files.crashed());
  EXPECT_TRUE(FaultyFileSystem::IsCrash(files.Stat("/a").error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(files.List("/").error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(files.Map("/a").error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(files.OpenForRead("/a").error()));
  char byte = 0;
  EXPECT_TRUE(FaultyFileSystem::IsCrash((*reader)->ReadAt(0, &byte, 1).error()));
  files.Reboot(Survival::kEverything);
  EXPECT_FALSE(files.crashed());
  EXPECT_TRUE(files.Stat("/a"));
}

TEST(FaultyFileSystem, HandlesOfBeforeTheCrashStayDead) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  const auto reader = files.OpenForRead("/a");
  const auto writer = MustCreate(files, "/b");
  files.Crash();
  files.Reboot(Survival::kEverything);
  char byte = 0;
  EXPECT_TRUE(FaultyFileSystem::IsCrash((*reader)->ReadAt(0, &byte, 1).error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(writer->Write("x").error()));
  EXPECT_TRUE(FaultyFileSystem::IsCrash(writer->Sync().error()));
}

TEST(FaultyFileSystem, LockOfBeforeTheCrashReleasesNoLockOfAfter) {
  FaultyFileSystem files;
  auto before = files.Lock("/lock");
  files.Reboot(Survival::kEverything);
  const auto after = files.Lock("/lock");
  ASSERT_TRUE(after);
  before->reset();
  EXPECT_FALSE(files.Lock("/lock"));
}

TEST(FaultyFileSystem, OperationsAreCounted) {
  FaultyFileSystem files;
  files.PutFile("/a", "not counted");
  ASSERT_TRUE(PublishFile(files, "bytes", "/a"));
  EXPECT_EQ(files.operations(), 6U) << "create, write, sync, close, rename, sync directory";
}

TEST(FaultyFileSystem, ChosenReadWriteAndSyncFailOnce) {
  FaultyFileSystem files;
  files.PutFile("/a", "bytes");
  files.FailRead(2);
  EXPECT_TRUE(ReadWholeFile(files, "/a", 100));
  EXPECT_EQ(ReadWholeFile(files, "/a", 100).error().message(),
            "read /a: simulated io_error failure");
  EXPECT_TRUE(ReadWholeFile(files, "/a", 100));

  const auto file = MustCreate(files, "/b");
  files.FailWrite(2);
  EXPECT_TRUE(file->Write("x"));
  EXPECT_EQ(file->Write("x").error().code(), ErrorCode::kIoError);
  EXPECT_FALSE(file->Write("x")) << "as in the real file system";

  files.FailSync(1);
  EXPECT_FALSE(files.SyncDirectory("/"));
  EXPECT_TRUE(files.SyncDirectory("/"));
}

TEST(FaultyFileSystem, FullDiskKeepsTheBytesThatFit) {
  FaultyFileSystem files;
  files.LimitSpace(5);
  const auto file = MustCreate(files, "/a");
  ASSERT_TRUE(file->Write("123"));
  const auto refused = file->Write("456");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_THAT(files.Contents("/a"), Optional(std::string("12345")));
}

// ---- PublishFile keeps its promise.

void ExpectOldOrNew(const FaultyFileSystem& files, const std::string& told) {
  EXPECT_THAT(files.Contents("/d/a"),
              Optional(AnyOf(std::string("old content"), std::string("new content"))))
      << told;
}

TEST(PublishFile, CrashAtEveryOperationLeavesTheOldFileOrTheNew) {
  int crashes = 0;
  for (const Survival survival : kAllSurvivals) {
    for (uint64_t n = 1; n <= 6; ++n) {
      for (uint64_t seed = 1; seed <= 20; ++seed) {
        FaultyFileSystem files(seed);
        files.PutFile("/d/a", "old content");
        files.CrashAtOperation(n);
        const auto published = PublishFile(files, "new content", "/d/a");
        ASSERT_TRUE(files.crashed());
        EXPECT_FALSE(published);
        files.Reboot(survival);
        ExpectOldOrNew(files, "crash at operation " + std::to_string(n));
        ++crashes;
      }
    }
  }
  EXPECT_EQ(crashes, 3 * 6 * 20);
}

TEST(PublishFile, IsDurableWhenItReturns) {
  for (const Survival survival : kAllSurvivals) {
    FaultyFileSystem files;
    files.PutFile("/d/a", "old content");
    ASSERT_TRUE(PublishFile(files, "new content", "/d/a"));
    files.Crash();
    files.Reboot(survival);
    EXPECT_THAT(files.Contents("/d/a"), Optional(std::string("new content")));
    EXPECT_THAT(*files.List("/d"), ElementsAre("a"));
  }
}

TEST(PublishFile, FailureOfAnyOperationLeavesAWholeFileAndNoTemporary) {
  for (uint64_t n = 1; n <= 6; ++n) {
    FaultyFileSystem files;
    files.PutFile("/d/a", "old content");
    files.FailOperation(n, ErrorCode::kIoError);
    EXPECT_FALSE(PublishFile(files, "new content", "/d/a"));
    EXPECT_THAT(*files.List("/d"), ElementsAre("a")) << "operation " << n;
    const bool renamed = n == 6;  // only the directory could not be synced
    EXPECT_THAT(files.Contents("/d/a"),
                Optional(std::string(renamed ? "new content" : "old content")));
  }
}

TEST(PublishFile, FullDiskLeavesTheOldFile) {
  for (uint64_t space = 0; space < std::string("new content").size(); ++space) {
    FaultyFileSystem files;
    files.PutFile("/d/a", "old content");
    files.LimitSpace(space);
    const auto published = PublishFile(files, "new content", "/d/a");
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().code(), ErrorCode::kNoSpace);
    EXPECT_THAT(published.error().message(), StartsWith("write /d/a.tmp"));
    EXPECT_THAT(files.Contents("/d/a"), Optional(std::string("old content")));
    EXPECT_THAT(*files.List("/d"), ElementsAre("a"));
  }
}

TEST(PublishFile, FailedSyncLeavesTheOldFile) {
  FaultyFileSystem files;
  files.PutFile("/d/a", "old content");
  files.FailSync(1);
  EXPECT_THAT(PublishFile(files, "new content", "/d/a").error().message(), HasSubstr("sync"));
  EXPECT_THAT(files.Contents("/d/a"), Optional(std::string("old content")));
}

// The harness itself: a publish without the syncs must be caught by the same loop.
TEST(PublishFile, WithoutItsSyncWouldBeCaught) {
  bool caught = false;
  for (uint64_t seed = 1; seed <= 50 && !caught; ++seed) {
    FaultyFileSystem files(seed);
    files.PutFile("/d/a", "old content");
    const auto file = MustCreate(files, "/d/a");  // overwrites in place
    ASSERT_TRUE(file->Write("new content"));
    files.Reboot(Survival::kTorn);
    const auto left = files.Contents("/d/a");
    caught = left != "old content" && left != "new content";
  }
  EXPECT_TRUE(caught);
}

}  // namespace
}  // namespace larder::io
