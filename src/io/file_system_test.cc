#include "io/file_system.h"

#include <cerrno>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/test_directory.h"

namespace larder::io {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

FileSystem& files = RealFileSystem();

void MakeFile(const std::string& path, std::string_view bytes) {
  auto file = files.Create(path);
  ASSERT_TRUE(file) << file.error().message();
  ASSERT_TRUE((*file)->Write(bytes));
  ASSERT_TRUE((*file)->Close());
}

std::string Contents(const std::string& path) {
  return ReadWholeFile(files, path, 1 << 20).value_or("(unreadable)");
}

// Operation, path and reason in one sentence.
void ExpectTells(const Error& error, const std::string& operation, const std::string& path,
                 const std::string& reason) {
  EXPECT_THAT(error.message(), AllOf(HasSubstr(operation), HasSubstr(path), HasSubstr(reason)));
}

TEST(RealFileSystem, WrittenBytesAreReadBack) {
  const TestDirectory directory;
  auto file = files.Create(directory / "a");
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->Write("hello "));
  EXPECT_TRUE((*file)->Write("world"));
  EXPECT_EQ((*file)->size(), 11U);
  EXPECT_EQ((*file)->path(), directory / "a");
  EXPECT_TRUE((*file)->Sync());
  EXPECT_TRUE((*file)->Close());
  EXPECT_EQ(Contents(directory / "a"), "hello world");
}

TEST(RealFileSystem, CreateEmptiesAnExistingFile) {
  const TestDirectory directory;
  MakeFile(directory / "a", "old bytes");
  MakeFile(directory / "a", "new");
  EXPECT_EQ(Contents(directory / "a"), "new");
}

TEST(RealFileSystem, CreatedFileIsReadableByOthersAndWritableByItsOwner) {
  const TestDirectory directory;
  const mode_t mask = umask(0022);
  MakeFile(directory / "a", "x");
  umask(mask);
  struct stat status = {};
  ASSERT_EQ(stat((directory / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0644U);
}

TEST(RealFileSystem, ReadAtReturnsFewerBytesOnlyAtTheEnd) {
  const TestDirectory directory;
  MakeFile(directory / "a", "0123456789");
  const auto file = files.OpenForRead(directory / "a");
  ASSERT_TRUE(file);
  std::string buffer(4, ' ');
  EXPECT_EQ((*file)->ReadAt(2, buffer.data(), 4), 4U);
  EXPECT_EQ(buffer, "2345");
  EXPECT_EQ((*file)->ReadAt(8, buffer.data(), 4), 2U);
  EXPECT_EQ(buffer.substr(0, 2), "89");
  EXPECT_EQ((*file)->ReadAt(50, buffer.data(), 4), 0U);
  (*file)->AdviseSequential();
}

TEST(RealFileSystem, OpenFileKeepsItsInodeWhenItsNameIsReplaced) {
  const TestDirectory directory;
  MakeFile(directory / "a", "first");
  const auto file = files.OpenForRead(directory / "a");
  ASSERT_TRUE(PublishFile(files, "second", directory / "a"));
  std::string buffer(5, ' ');
  EXPECT_EQ((*file)->ReadAt(0, buffer.data(), 5), 5U);
  EXPECT_EQ(buffer, "first");
  EXPECT_NE((*file)->Info()->inode, files.Stat(directory / "a")->inode);
}

TEST(RealFileSystem, StatTellsKindSizeAndInode) {
  const TestDirectory directory;
  MakeFile(directory / "a", "12345");
  const auto info = files.Stat(directory / "a");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->kind, FileKind::kRegular);
  EXPECT_EQ(info->bytes, 5U);
  EXPECT_NE(info->inode, 0U);
  EXPECT_GT(info->mtime_ns, int64_t{1'600'000'000} * 1'000'000'000);
  EXPECT_EQ(files.Stat(directory.path())->kind, FileKind::kDirectory);
  EXPECT_EQ(files.Stat("/dev/null")->kind, FileKind::kOther);
  EXPECT_EQ(*info, *(*files.OpenForRead(directory / "a"))->Info());
}

TEST(RealFileSystem, StatFollowsSymbolicLinks) {
  const TestDirectory directory;
  MakeFile(directory / "a", "12345");
  ASSERT_EQ(symlink("a", (directory / "link").c_str()), 0);
  EXPECT_EQ(*files.Stat(directory / "link"), *files.Stat(directory / "a"));
}

TEST(RealFileSystem, ListIsSortedAndWithoutDots) {
  const TestDirectory directory;
  MakeFile(directory / "b", "");
  MakeFile(directory / "a", "");
  MakeFile(directory / ".hidden", "");
  ASSERT_TRUE(files.MakeDirectories(directory / "c"));
  EXPECT_THAT(*files.List(directory.path()), ElementsAre(".hidden", "a", "b", "c"));
}

TEST(RealFileSystem, MakeDirectoriesMakesAllThatIsMissing) {
  const TestDirectory directory;
  EXPECT_TRUE(files.MakeDirectories(directory / "x/y/z"));
  EXPECT_EQ(files.Stat(directory / "x/y/z")->kind, FileKind::kDirectory);
  EXPECT_TRUE(files.MakeDirectories(directory / "x/y/z"));
  EXPECT_TRUE(files.MakeDirectories(directory / "x/y/z/"));
}

TEST(RealFileSystem, MakeDirectoriesRefusesAFileOnTheWay) {
  const TestDirectory directory;
  MakeFile(directory / "x", "");
  const auto made = files.MakeDirectories(directory / "x/y");
  ASSERT_FALSE(made);
  ExpectTells(made.error(), "make directory", directory / "x", "File exists");
}

TEST(RealFileSystem, RemoveTakesTheName) {
  const TestDirectory directory;
  MakeFile(directory / "a", "x");
  EXPECT_TRUE(files.Remove(directory / "a"));
  EXPECT_EQ(files.Stat(directory / "a").error().code(), ErrorCode::kNotFound);
}

TEST(RealFileSystem, ErrorsNameOperationPathAndReason) {
  const TestDirectory directory;
  const std::string missing = directory / "missing";
  const std::string reason = "No such file or directory";
  ExpectTells(files.OpenForRead(missing).error(), "open", missing, reason);
  ExpectTells(files.Create(missing + "/a").error(), "create", missing, reason);
  ExpectTells(files.Map(missing).error(), "open", missing, reason);
  ExpectTells(files.Stat(missing).error(), "stat", missing, reason);
  ExpectTells(files.List(missing).error(), "list", missing, reason);
  ExpectTells(files.Remove(missing).error(), "remove", missing, reason);
  ExpectTells(files.SyncDirectory(missing).error(), "open directory", missing, reason);
  ExpectTells(files.Lock(missing + "/a").error(), "lock", missing, reason);
  EXPECT_EQ(files.OpenForRead(missing).error().code(), ErrorCode::kNotFound);
}

TEST(RealFileSystem, OnlyRegularFilesAreRead) {
  const TestDirectory directory;
  const std::string path = directory.path();
  ExpectTells(files.OpenForRead(path).error(), "open", path, "a directory");
  ExpectTells(files.Map(path).error(), "open", path, "a directory");
  ExpectTells(files.OpenForRead("/dev/null").error(), "open", "/dev/null", "a pipe or device");
}

TEST(RealFileSystem, APipeIsRefusedWithoutWaitingForItsOtherEnd) {
  const TestDirectory directory;
  const std::string path = directory / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  ExpectTells(files.OpenForRead(path).error(), "open", path, "a pipe or device");
  ExpectTells(files.Map(path).error(), "open", path, "a pipe or device");
  EXPECT_FALSE(files.Create(path));
}

TEST(RealFileSystem, FullDeviceIsNoSpaceAndStaysAnError) {
  auto file = files.Create("/dev/full");
  ASSERT_TRUE(file);
  const auto written = (*file)->Write("x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code(), ErrorCode::kNoSpace);
  ExpectTells(written.error(), "write", "/dev/full", "No space left on device");
  EXPECT_EQ((*file)->Sync().error().message(), written.error().message());
  EXPECT_EQ((*file)->Close().error().message(), written.error().message());
}

TEST(RealFileSystem, ClosingTwiceIsHarmless) {
  const TestDirectory directory;
  auto file = files.Create(directory / "a");
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->Close());
  EXPECT_TRUE((*file)->Close());
}

TEST(ReadWholeFile, RefusesMoreThanTheLimit) {
  const TestDirectory directory;
  MakeFile(directory / "a", "12345");
  EXPECT_EQ(*ReadWholeFile(files, directory / "a", 5), "12345");
  EXPECT_EQ(ReadWholeFile(files, directory / "a", 4).error().code(), ErrorCode::kLimit);
  MakeFile(directory / "empty", "");
  EXPECT_EQ(*ReadWholeFile(files, directory / "empty", 0), "");
  // It says that it has no bytes.
  EXPECT_EQ(ReadWholeFile(files, "/proc/self/limits", 100).error().code(), ErrorCode::kLimit);
}

TEST(ReadWholeFile, ReadsFilesThatReportNoSize) {
  const auto limits = ReadWholeFile(files, "/proc/self/limits", 1 << 20);
  ASSERT_TRUE(limits);
  EXPECT_THAT(*limits, AllOf(HasSubstr("Max cpu time"), HasSubstr("Max realtime timeout")));
}

TEST(PublishFile, ReplacesTheFileAndLeavesNoTemporary) {
  const TestDirectory directory;
  EXPECT_TRUE(PublishFile(files, "one", directory / "a"));
  EXPECT_TRUE(PublishFile(files, "two", directory / "a"));
  EXPECT_EQ(Contents(directory / "a"), "two");
  EXPECT_THAT(*files.List(directory.path()), ElementsAre("a"));
}

TEST(PublishFile, RefusesATemporaryOfAnotherDirectory) {
  const TestDirectory directory;
  ASSERT_TRUE(files.MakeDirectories(directory / "other"));
  auto file = files.Create(directory / "other/a.tmp");
  const auto published = PublishFile(files, *std::move(file), directory / "a");
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code(), ErrorCode::kInvalidArgument);
}

TEST(PublishFile, FailureRemovesTheTemporaryAndNamesTheRename) {
  const TestDirectory directory;
  ASSERT_TRUE(files.MakeDirectories(directory / "taken/inside"));
  const auto published = PublishFile(files, "x", directory / "taken");
  ASSERT_FALSE(published);
  ExpectTells(published.error(), "rename", directory / "taken", "directory");
  EXPECT_THAT(*files.List(directory.path()), ElementsAre("taken"));
}

TEST(Lock, SecondLockInThisProcessIsRefused) {
  const TestDirectory directory;
  const auto held = files.Lock(directory / "lock");
  ASSERT_TRUE(held);
  const auto again = files.Lock(directory / "lock");
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::kBusy);
  ExpectTells(again.error(), "lock", directory / "lock",
              "this process (" + std::to_string(getpid()) + ")");
}

TEST(Lock, IsFreeAgainWhenDestroyed) {
  const TestDirectory directory;
  {
    ASSERT_TRUE(files.Lock(directory / "lock"));
  }
  EXPECT_TRUE(files.Lock(directory / "lock"));
}

TEST(Lock, ReadingTheLockFileDoesNotReleaseIt) {
  const TestDirectory directory;
  const auto held = files.Lock(directory / "lock");
  EXPECT_THAT(Contents(directory / "lock"), HasSubstr(std::to_string(getpid())));
  EXPECT_FALSE(files.Lock(directory / "lock"));
}

// Another process that holds the lock until its pipe is closed.
class LockingProcess {
 public:
  explicit LockingProcess(const std::string& path) {
    int ready[2] = {};
    EXPECT_EQ(pipe(ready), 0);
    EXPECT_EQ(pipe(stop_), 0);
    child_ = fork();
    if (child_ == 0) {
      close(stop_[1]);
      const auto held = files.Lock(path);
      const char answer = held ? 'y' : 'n';
      ssize_t done = write(ready[1], &answer, 1);
      char byte = 0;
      done += read(stop_[0], &byte, 1);
      _exit(done > 0 ? 0 : 1);
    }
    char answer = 'n';
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    close(ready[0]);
    close(ready[1]);
    close(stop_[0]);
  }
  LockingProcess(const LockingProcess&) = delete;
  LockingProcess& operator=(const LockingProcess&) = delete;
  ~LockingProcess() { End(); }

  void End() {
    if (child_ == 0) return;
    close(stop_[1]);
    waitpid(child_, nullptr, 0);
    child_ = 0;
  }
  pid_t pid() const { return child_; }

 private:
  int stop_[2] = {};
  pid_t child_ = 0;
};

TEST(Lock, RefusalNamesTheProcessThatHoldsIt) {
  const TestDirectory directory;
  const LockingProcess other(directory / "lock");
  const auto refused = files.Lock(directory / "lock");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kBusy);
  ExpectTells(refused.error(), "lock", directory / "lock",
              "process " + std::to_string(other.pid()));
}

TEST(Lock, IsFreeAgainWhenItsProcessHasEnded) {
  const TestDirectory directory;
  LockingProcess other(directory / "lock");
  other.End();
  EXPECT_TRUE(files.Lock(directory / "lock"));
}

}  // namespace
}  // namespace larder::io
