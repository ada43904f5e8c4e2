// AllocatedFile, the kernel's and its twin's; what a power cut leaves is in power_cut_test.cc.

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "io/test_both_file_systems.h"

namespace larder::io {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Zeros(size_t bytes) { return std::string(bytes, '\0'); }

class AllocatedFileTest : public BothFileSystems {
 protected:
  std::unique_ptr<AllocatedFile> MustCreate(const std::string& name) {
    auto file = files().CreateAllocated(In(name));
    EXPECT_TRUE(file) << file.error().message();
    return *std::move(file);
  }
  std::unique_ptr<AllocatedFile> MustOpen(const std::string& name) {
    auto file = files().OpenAllocated(In(name));
    EXPECT_TRUE(file) << file.error().message();
    return *std::move(file);
  }
};
LARDER_TEST_BOTH(AllocatedFileTest);

TEST_P(AllocatedFileTest, WrittenBytesAreReadBackAndTheRestIsZeros) {
  const auto file = MustCreate("a");
  EXPECT_EQ(file->allocated(), 0U);
  EXPECT_EQ(file->path(), In("a"));
  ASSERT_TRUE(file->Allocate(16));
  EXPECT_EQ(file->allocated(), 16U);
  EXPECT_TRUE(file->WriteAt(4, "hello"));
  EXPECT_TRUE(file->WriteAt(14, "xy"));
  EXPECT_TRUE(file->WriteAt(5, "E"));
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(Contents("a"), Zeros(4) + "hEllo" + Zeros(5) + "xy");
  EXPECT_EQ(files().Stat(In("a"))->bytes, 16U);
}

TEST_P(AllocatedFileTest, GrowsAndKeepsWhatItHas) {
  const auto file = MustCreate("a");
  std::string expected;
  for (uint64_t bytes = 1000; bytes < 4'000'000; bytes *= 2) {
    ASSERT_TRUE(file->Allocate(bytes));
    ASSERT_TRUE(file->WriteAt(bytes - 3, "end"));
    expected.resize(bytes - 3);
    expected += "end";
  }
  EXPECT_TRUE(Contents("a") == expected);
}

TEST_P(AllocatedFileTest, AllocatingLessChangesNothing) {
  const auto file = MustCreate("a");
  ASSERT_TRUE(file->Allocate(100));
  EXPECT_TRUE(file->Allocate(100));
  EXPECT_TRUE(file->Allocate(10));
  EXPECT_TRUE(file->Allocate(0));
  EXPECT_EQ(file->allocated(), 100U);
  EXPECT_EQ(Contents("a"), Zeros(100));
}

TEST_P(AllocatedFileTest, WriteOutsideOfWhatIsAllocatedIsRefusedAndHarmless) {
  const auto file = MustCreate("a");
  EXPECT_EQ(file->WriteAt(0, "x").error().code(), ErrorCode::kInvalidArgument);
  ASSERT_TRUE(file->Allocate(8));
  EXPECT_EQ(file->WriteAt(6, "abc").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(file->WriteAt(UINT64_MAX, "a").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(file->WriteAt(UINT64_MAX - 1, "abcd").error().message(),
            "write " + In("a") + ": 4 bytes at 18446744073709551614, where 8 are allocated");
  EXPECT_TRUE(file->WriteAt(8, ""));
  EXPECT_TRUE(file->WriteAt(6, "ab"));
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(Contents("a"), Zeros(6) + "ab");
}

TEST_P(AllocatedFileTest, CreatingReplacesNothing) {
  ASSERT_TRUE(PublishFile(files(), "bytes", In("a")));
  EXPECT_EQ(files().CreateAllocated(In("a")).error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(Contents("a"), "bytes");
  ASSERT_TRUE(files().MakeDirectories(In("d")));
  EXPECT_EQ(files().CreateAllocated(In("d")).error().code(), ErrorCode::kAlreadyExists);
}

TEST_P(AllocatedFileTest, CreatingFailsAsThatOfAnyFile) {
  EXPECT_EQ(files().CreateAllocated(In("missing/a")).error().message(),
            files().Create(In("missing/a")).error().message());
}

TEST_P(AllocatedFileTest, OnlyRegularFilesThatExistAreOpened) {
  EXPECT_EQ(files().OpenAllocated(In("missing")).error().message(),
            "open " + In("missing") + ": No such file or directory");
  ASSERT_TRUE(files().MakeDirectories(In("d")));
  EXPECT_EQ(files().OpenAllocated(In("d")).error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(AllocatedFileTest, OpenedFileIsWrittenInPlaceAndGrows) {
  ASSERT_TRUE(PublishFile(files(), "0123456789", In("a")));
  const auto file = MustOpen("a");
  EXPECT_EQ(file->allocated(), 10U);
  EXPECT_TRUE(file->WriteAt(2, "ab"));
  EXPECT_TRUE(file->Allocate(12));
  EXPECT_TRUE(file->WriteAt(11, "z"));
  EXPECT_EQ(Contents("a"), "01ab456789" + Zeros(1) + "z");
}

TEST_P(AllocatedFileTest, AnEmptyFileCanBeOpened) {
  ASSERT_TRUE(PublishFile(files(), "", In("a")));
  const auto file = MustOpen("a");
  EXPECT_EQ(file->allocated(), 0U);
  EXPECT_TRUE(file->Allocate(1));
  EXPECT_TRUE(file->WriteAt(0, "x"));
  EXPECT_EQ(Contents("a"), "x");
}

TEST_P(AllocatedFileTest, TruncateGivesBackAndWhatIsAllocatedAgainIsZeros) {
  const auto file = MustCreate("a");
  ASSERT_TRUE(file->Allocate(10'000));
  ASSERT_TRUE(file->WriteAt(0, std::string(10'000, 'x')));
  EXPECT_TRUE(file->Truncate(20'000)) << "nothing lies behind";
  EXPECT_TRUE(file->Truncate(5'000));
  EXPECT_EQ(file->allocated(), 5'000U);
  EXPECT_EQ(Contents("a"), std::string(5'000, 'x'));
  EXPECT_EQ(file->WriteAt(5'000, "y").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_TRUE(file->Allocate(9'000));
  EXPECT_EQ(Contents("a"), std::string(5'000, 'x') + Zeros(4'000));
  EXPECT_TRUE(file->Truncate(0));
  EXPECT_EQ(Contents("a"), "");
  EXPECT_TRUE(file->Allocate(3));
  EXPECT_TRUE(file->WriteAt(0, "abc"));
  EXPECT_TRUE(file->Sync());
  EXPECT_EQ(Contents("a"), "abc");
}

TEST_P(AllocatedFileTest, MappingShowsWhatIsWrittenLater) {
  const auto file = MustCreate("a");
  ASSERT_TRUE(file->Allocate(8));
  const auto mapping = files().Map(In("a"));
  ASSERT_TRUE(mapping);
  EXPECT_EQ((*mapping)->bytes(), Zeros(8));
  ASSERT_TRUE(file->WriteAt(2, "abc"));
  EXPECT_EQ((*mapping)->bytes(), Zeros(2) + "abc" + Zeros(3));
  ASSERT_TRUE(file->Allocate(100'000));
  ASSERT_TRUE(file->WriteAt(4, std::string(1'000, 'z')));
  EXPECT_EQ((*mapping)->bytes(), Zeros(2) + "abzzzz");
  ASSERT_TRUE(file->Truncate(3));
  EXPECT_EQ((*mapping)->bytes(), Zeros(2) + "a" + Zeros(5));
  EXPECT_FALSE((*mapping)->damaged());
}

TEST_P(AllocatedFileTest, WritesGoOnWhenTheNameIsRemoved) {
  const auto file = MustCreate("a");
  ASSERT_TRUE(file->Allocate(8));
  const auto reader = files().OpenForRead(In("a"));
  ASSERT_TRUE(files().Remove(In("a")));
  EXPECT_TRUE(file->WriteAt(0, "x"));
  EXPECT_TRUE(file->Sync());
  char byte = 0;
  EXPECT_EQ((*reader)->ReadAt(0, &byte, 1), 1U);
  EXPECT_EQ(byte, 'x');
}

TEST_P(AllocatedFileTest, SyncsBesideAWritingThread) {
  const auto file = MustCreate("a");
  std::thread syncing([&] {
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(file->Sync());
  });
  const std::string record(100, 'r');
  for (uint64_t i = 0; i < 1'000; ++i) {
    const uint64_t needed = (i / 100 + 1) * 100 * record.size();
    ASSERT_TRUE(file->Allocate(needed));
    ASSERT_TRUE(file->WriteAt(i * record.size(), record));
  }
  EXPECT_TRUE(file->Truncate(500 * record.size()));
  syncing.join();
  EXPECT_TRUE(Contents("a") == std::string(500 * record.size(), 'r'));
}

TEST_P(AllocatedFileTest, WriteWhereAnotherHasTruncatedFailsForGood) {
  const auto file = MustCreate("a");
  // So large that it was moved in memory while it grew.
  for (uint64_t bytes = 4096; bytes <= uint64_t{16} << 20; bytes *= 2) {
    ASSERT_TRUE(file->Allocate(bytes));
  }
  ASSERT_TRUE(MustOpen("a")->Truncate(uint64_t{1} << 20));
  EXPECT_TRUE(file->WriteAt(1000, "inside of what is left"));
  EXPECT_TRUE(file->Sync());
  const auto lost = file->WriteAt(uint64_t{15} << 20, std::string(100'000, 'x'));
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code(), ErrorCode::kIoError);
  EXPECT_THAT(lost.error().message(), StartsWith("write " + In("a")));
  EXPECT_THAT(lost.error().message(), HasSubstr("truncated"));
  EXPECT_EQ(file->WriteAt(1000, "y").error().message(), lost.error().message());
  EXPECT_EQ(file->Sync().error().message(), lost.error().message());
  EXPECT_EQ(file->Allocate(uint64_t{64} << 20).error().message(), lost.error().message());
  EXPECT_EQ(file->Truncate(0).error().message(), lost.error().message());
  EXPECT_TRUE(MustOpen("a")->WriteAt(1000, "another handle is sound"));
}

// ---- The kernel's alone.

TEST(KernelsAllocatedFile, DamageEndsWithTheFile) {
  const TestDirectory directory;
  for (int i = 0; i < 3; ++i) {
    auto file = RealFileSystem().CreateAllocated(directory / std::to_string(i));
    ASSERT_TRUE((*file)->Allocate(8192));
    EXPECT_TRUE((*file)->WriteAt(5000, "the place in the table is clean"));
    std::filesystem::resize_file(directory / std::to_string(i), 0);
    EXPECT_FALSE((*file)->WriteAt(5000, "x"));
  }
}

TEST(KernelsAllocatedFile, APipeIsRefusedWithoutWaitingForItsOtherEnd) {
  const TestDirectory directory;
  ASSERT_EQ(mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(RealFileSystem().OpenAllocated(directory / "pipe").error().message(),
              HasSubstr("a pipe or device"));
  EXPECT_THAT(RealFileSystem().OpenShared(directory / "pipe", 4096).error().message(),
              HasSubstr("a pipe or device"));
}

uint64_t BytesOnDisk(const std::string& path) {
  struct stat status = {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return static_cast<uint64_t>(status.st_blocks) * 512;
}

TEST(KernelsAllocatedFile, SpaceIsTakenWhenItIsAllocated) {
  const TestDirectory directory;
  auto file = RealFileSystem().CreateAllocated(directory / "a");
  ASSERT_TRUE((*file)->Allocate(1 << 20));
  EXPECT_GE(BytesOnDisk(directory / "a"), uint64_t{1} << 20);
  ASSERT_TRUE((*file)->Truncate(4096));
  EXPECT_LT(BytesOnDisk(directory / "a"), uint64_t{1} << 20);
}

TEST(KernelsAllocatedFile, HolesOfAnOpenedFileAreFilledByTheFirstAllocate) {
  const TestDirectory directory;
  {
    const std::ofstream made(directory / "a");
  }
  std::filesystem::resize_file(directory / "a", 1 << 20);
  auto file = RealFileSystem().OpenAllocated(directory / "a");
  ASSERT_TRUE((*file)->Allocate(1 << 20));
  EXPECT_GE(BytesOnDisk(directory / "a"), uint64_t{1} << 20);
  EXPECT_EQ((*file)->allocated(), uint64_t{1} << 20);
}

// A file system of memory says at once that it is too small.
TEST(KernelsAllocatedFile, FullDiskIsAnErrorThatChangesNothing) {
  struct statvfs space = {};
  if (statvfs("/dev/shm", &space) != 0 || space.f_blocks == 0) {
    GTEST_SKIP() << "no file system of limited size at /dev/shm";
  }
  const TestDirectory directory("/dev/shm/");
  auto file = RealFileSystem().CreateAllocated(directory / "a");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Allocate(4096));
  ASSERT_TRUE((*file)->WriteAt(0, "before"));
  const auto refused = (*file)->Allocate(2 * space.f_blocks * space.f_frsize);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(refused.error().message(), "allocate " + directory / "a" + ": No space left on device");
  EXPECT_EQ((*file)->allocated(), 4096U);
  EXPECT_EQ(RealFileSystem().Stat(directory / "a")->bytes, 4096U);
  EXPECT_TRUE((*file)->WriteAt(6, " and after"));
  EXPECT_TRUE((*file)->Allocate(8192));
  EXPECT_TRUE((*file)->Sync());
}

TEST(KernelsAllocatedFile, MoreThanAFileCanHaveIsAnError) {
  const TestDirectory directory;
  auto file = RealFileSystem().CreateAllocated(directory / "a");
  EXPECT_EQ((*file)->Allocate(UINT64_MAX).error().message(),
            "allocate " + directory / "a" + ": File too large");
  EXPECT_EQ((*file)->allocated(), 0U);
}

}  // namespace
}  // namespace larder::io
