// SharedMemory and BootId, the kernel's and their twins.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/test_both_file_systems.h"

namespace larder::io {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::unique_ptr<SharedMemory> MustShare(FileSystem& files, const std::string& path,
                                        uint64_t bytes = 4096) {
  auto memory = files.OpenShared(path, bytes);
  EXPECT_TRUE(memory) << memory.error().message();
  return *std::move(memory);
}

std::string_view BytesOf(SharedMemory& memory) { return {memory.data(), memory.size()}; }

class SharedMemoryTest : public BothFileSystems {};
LARDER_TEST_BOTH(SharedMemoryTest);

TEST_P(SharedMemoryTest, IsCreatedAsZeros) {
  const auto memory = MustShare(files(), In("a"), 5000);
  EXPECT_EQ(memory->size(), 5000U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data()) % 4096, 0U);
  EXPECT_EQ(BytesOf(*memory), std::string(5000, '\0'));
  EXPECT_EQ(files().Stat(In("a"))->bytes, 5000U);
  EXPECT_FALSE(memory->damaged());
}

TEST_P(SharedMemoryTest, WhoeverOpensTheFileSeesTheSameBytes) {
  const auto one = MustShare(files(), In("a"));
  const auto other = MustShare(files(), In("a"));
  std::memcpy(one->data() + 10, "hello", 5);
  EXPECT_EQ(BytesOf(*other).substr(10, 5), "hello");
  std::memcpy(other->data() + 10, "H", 1);
  EXPECT_EQ(BytesOf(*one).substr(10, 5), "Hello");
}

TEST_P(SharedMemoryTest, StaysWhenNobodyHasItOpen) {
  std::memcpy(MustShare(files(), In("a"))->data(), "hello", 5);
  EXPECT_EQ(BytesOf(*MustShare(files(), In("a"))).substr(0, 6), std::string("hello\0", 6));
}

TEST_P(SharedMemoryTest, IsAnotherOneWhenTheFileWasMadeAnew) {
  const auto before = MustShare(files(), In("a"));
  ASSERT_TRUE(files().Remove(In("a")));
  const auto after = MustShare(files(), In("a"));
  before->data()[0] = 'x';
  EXPECT_EQ(after->data()[0], '\0');
}

TEST_P(SharedMemoryTest, BeginsWithWhatIsInTheFileAndMakesItsSizeRight) {
  ASSERT_TRUE(PublishFile(files(), "0123456789", In("a")));
  EXPECT_EQ(BytesOf(*MustShare(files(), In("a"), 12)), std::string("0123456789\0\0", 12));
  EXPECT_EQ(BytesOf(*MustShare(files(), In("a"), 4)), "0123");
  EXPECT_EQ(files().Stat(In("a"))->bytes, 4U);
}

TEST_P(SharedMemoryTest, IsNotMadeOfNothingOrOfADirectory) {
  EXPECT_EQ(files().OpenShared(In("a"), 0).error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(files().OpenShared(In("missing/a"), 8).error().code(), ErrorCode::kNotFound);
  ASSERT_TRUE(files().MakeDirectories(In("d")));
  EXPECT_EQ(files().OpenShared(In("d"), 8).error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(SharedMemoryTest, BootIdStaysTheSameWhileTheMachineIsOn) {
  EXPECT_EQ(files().BootId(), files().BootId());
  EXPECT_THAT(files().BootId(), Not(HasSubstr("\n")));
}

// ---- The kernel's alone.

TEST(KernelsSharedMemory, IsSharedWithOtherProcesses) {
  const TestDirectory directory;
  const auto memory = MustShare(RealFileSystem(), directory / "a");
  const pid_t child = fork();
  if (child == 0) {
    const auto same = RealFileSystem().OpenShared(directory / "a", 4096);
    if (same) std::memcpy((*same)->data(), "child", 5);
    _exit(same ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(BytesOf(*memory).substr(0, 5), "child");
}

TEST(KernelsSharedMemory, TruncatedByAnotherIsDamagedAndEndsNothing) {
  const TestDirectory directory;
  const auto memory = MustShare(RealFileSystem(), directory / "a", 8192);
  std::filesystem::resize_file(directory / "a", 4096);
  memory->data()[0] = 'x';
  EXPECT_FALSE(memory->damaged());
  memory->data()[5000] = 'x';
  EXPECT_TRUE(memory->damaged());
}

TEST(KernelsBootId, IsKnownWhereTheKernelTells) {
  const bool told = std::filesystem::exists("/proc/sys/kernel/random/boot_id");
  EXPECT_EQ(RealFileSystem().BootId().size(), told ? 36U : 0U);
}

// ---- The twin's alone.

TEST(TwinsSharedMemory, OutlivesAProcessAndTheBootIdToo) {
  FaultyFileSystem files;
  const auto memory = MustShare(files, "/a");
  std::memcpy(memory->data(), "hello", 5);
  const std::string boot = files.BootId();
  files.Crash();
  EXPECT_TRUE(FaultyFileSystem::IsCrash(files.OpenShared("/a", 4096).error()));
  files.Reboot(Survival::kEverything);
  EXPECT_EQ(BytesOf(*MustShare(files, "/a")).substr(0, 5), "hello");
  EXPECT_EQ(files.BootId(), boot);
}

TEST(TwinsSharedMemory, NobodySeesWhatIsWrittenToItAfterTheCrash) {
  FaultyFileSystem files;
  const auto memory = MustShare(files, "/a");
  memory->data()[0] = 'x';
  files.Crash();
  memory->data()[0] = 'y';
  files.Reboot(Survival::kEverything);
  EXPECT_EQ(BytesOf(*MustShare(files, "/a"))[0], 'x');
}

TEST(TwinsSharedMemory, PowerCutChangesTheBootId) {
  FaultyFileSystem files;
  std::set<std::string> seen = {files.BootId()};
  files.Reboot(Survival::kTorn);
  seen.insert(files.BootId());
  files.Reboot(Survival::kSyncedOnly);
  seen.insert(files.BootId());
  EXPECT_EQ(seen.size(), 3U);
}

TEST(TwinsSharedMemory, PowerCutLeavesTheOldBytesOrZerosOrAnyMixture) {
  const std::string zeros(8, '\0');
  for (const Survival survival : {Survival::kSyncedOnly, Survival::kTorn}) {
    std::set<std::string> seen;
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      FaultyFileSystem files(seed);
      files.PutFile("/a", std::string(16, '\0'));
      const auto before = MustShare(files, "/a", 16);
      std::memcpy(before->data(), "first...second..", 16);
      files.Reboot(survival);
      const auto after = MustShare(files, "/a", 16);
      seen.insert(std::string(BytesOf(*after)));
      before->data()[0] = '!';
      EXPECT_NE(after->data()[0], '!') << "the old process is no more";
    }
    EXPECT_THAT(seen, ::testing::UnorderedElementsAre("first...second..", zeros + zeros,
                                                      "first..." + zeros, zeros + "second.."));
  }
}

TEST(TwinsSharedMemory, OpeningIsAnOperationThatCanFail) {
  FaultyFileSystem files;
  files.FailOperation(1);
  EXPECT_EQ(files.OpenShared("/a", 16).error().code(), ErrorCode::kIoError);
  EXPECT_FALSE(files.Stat("/a"));
  files.LimitSpace(15);
  EXPECT_EQ(files.OpenShared("/a", 16).error().code(), ErrorCode::kNoSpace);
  files.ClearFaults();
  files.DenyReading("/a");
  EXPECT_EQ(files.OpenShared("/a", 16).error().code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(files.operations(), 3U);
}

}  // namespace
}  // namespace larder::io
