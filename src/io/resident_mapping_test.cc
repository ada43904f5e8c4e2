#include "io/resident_mapping.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/file_system.h"
#include "io/test_directory.h"

namespace larder::io {
namespace {

using ::testing::HasSubstr;

FileSystem& files = RealFileSystem();
constexpr MemorySupply kPlenty{.free_bytes = uint64_t{1} << 40, .huge_pages = true};
constexpr size_t kBytes = (size_t{5} << 20) + 123;

// Bytes that differ from page to page.
std::string Content(size_t bytes) {
  std::string content(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) content[i] = static_cast<char>(i * 31 + i / 4096);
  return content;
}

class ResidentMapping : public ::testing::TestWithParam<Residency> {
 protected:
  std::unique_ptr<Mapping> Map(const std::string& content) {
    EXPECT_TRUE(PublishFile(files, content, path()));
    auto mapping = files.Map(path());
    EXPECT_TRUE(mapping) << mapping.error().message();
    return *std::move(mapping);
  }
  std::string path() const { return directory_ / "a"; }

 private:
  TestDirectory directory_;
};

std::string NameOf(const ::testing::TestParamInfo<Residency>& tested) {
  return std::string(ResidencyName(tested.param));
}

INSTANTIATE_TEST_SUITE_P(Modes, ResidentMapping,
                         ::testing::Values(Residency::kMapped, Residency::kPopulated,
                                           Residency::kHuge, Residency::kLocked),
                         NameOf);

// The modes that read everything.
class ReadInMapping : public ResidentMapping {};

INSTANTIATE_TEST_SUITE_P(Modes, ReadInMapping,
                         ::testing::Values(Residency::kPopulated, Residency::kHuge,
                                           Residency::kLocked),
                         NameOf);

TEST_P(ResidentMapping, HoldsTheBytesOfTheFile) {
  const std::string content = Content(kBytes);
  const auto made = MakeResident(Map(content), GetParam(), {}, kPlenty);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(made->mapping->bytes(), content);
  EXPECT_FALSE(made->mapping->damaged());
}

TEST_P(ResidentMapping, OfAnEmptyFileIsEmpty) {
  const auto made = MakeResident(Map(""), GetParam(), {}, kPlenty);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(made->mapping->bytes().empty());
}

TEST_P(ReadInMapping, IsResidentToTheLastByte) {
  const auto made = MakeResident(Map(Content(kBytes)), GetParam(), {}, kPlenty);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->mapping->ResidentBytes(), kBytes);
}

TEST_P(ReadInMapping, IsRefusedWhenAPageCannotBeReadMeanwhile) {
  auto mapping = Map(Content(kBytes));
  std::filesystem::resize_file(path(), 8192);
  const auto made = MakeResident(std::move(mapping), GetParam(), {}, kPlenty);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(made.error().message(), HasSubstr("could not be read"));
}

TEST_P(ReadInMapping, EndsWhenItIsToldTo) {
  const auto made = MakeResident(Map(Content(kBytes)), GetParam(), [] { return false; }, kPlenty);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kCancelled);
}

TEST_F(ResidentMapping, InHugePagesDoesNotMindWhatHappensToItsFile) {
  const std::string content = Content(kBytes);
  const auto made = MakeResident(Map(content), Residency::kHuge, {}, kPlenty);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reached, Residency::kHuge);
  EXPECT_EQ(made->shortfall, "");
  std::filesystem::resize_file(path(), 0);
  EXPECT_EQ(made->mapping->bytes(), content);
  EXPECT_FALSE(made->mapping->damaged());
}

TEST_F(ResidentMapping, InHugePagesBeginsWhereAHugePageDoes) {
  const auto made = MakeResident(Map(Content(kBytes)), Residency::kHuge, {}, kPlenty);
  ASSERT_TRUE(made);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(made->mapping->bytes().data()) % (2 << 20), 0U);
}

TEST_F(ResidentMapping, IsPopulatedAndSaysWhyWhenMemoryIsShort) {
  const std::string content = Content(kBytes);
  const auto made =
      MakeResident(Map(content), Residency::kHuge, {}, {.free_bytes = kBytes, .huge_pages = true});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reached, Residency::kPopulated);
  EXPECT_THAT(made->shortfall, HasSubstr("MiB are free"));
  EXPECT_EQ(made->mapping->bytes(), content);
  EXPECT_EQ(made->mapping->ResidentBytes(), kBytes);
}

TEST_F(ResidentMapping, IsPopulatedAndSaysWhyWhenHugePagesAreOff) {
  const auto made = MakeResident(Map(Content(kBytes)), Residency::kHuge, {},
                                 {.free_bytes = kPlenty.free_bytes, .huge_pages = false});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reached, Residency::kPopulated);
  EXPECT_THAT(made->shortfall, HasSubstr("transparent huge pages are off"));
}

// The sanitizers put an mlock that does nothing, and says that it did, in the place of the
// system's.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif

TEST_F(ResidentMapping, LockedStaysInMemory) {
  if (!kLocks) GTEST_SKIP() << "a sanitizer locks nothing";
  const auto made = MakeResident(Map(Content(kBytes)), Residency::kLocked);
  ASSERT_TRUE(made);
  if (made->reached != Residency::kLocked) GTEST_SKIP() << made->shortfall;
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t locked = 0;
  while (status >> word && word != "VmLck:") {
  }
  status >> locked;
  EXPECT_GE(locked * 1024, kBytes);
}

TEST_F(ResidentMapping, NoMoreIsLockedThanThereIsRoomFor) {
  const auto made = MakeResident(Map(Content(kBytes)), Residency::kLocked, {},
                                 {.free_bytes = kBytes / 2, .huge_pages = true});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->reached, Residency::kPopulated);
  EXPECT_THAT(made->shortfall, HasSubstr("are to be locked"));
}

// The right to lock beyond the limit belongs to threads: a thread gives up its own.
TEST_F(ResidentMapping, IsPopulatedAndNamesTheLimitWhenLockingIsRefused) {
  if (!kLocks) GTEST_SKIP() << "a sanitizer refuses no lock";
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_MEMLOCK, &before), 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &none), 0);
  std::jthread([this] {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    __user_cap_data_struct capabilities[2] = {};
    ASSERT_EQ(syscall(SYS_capget, &header, capabilities), 0);
    capabilities[0].effective &= ~(1U << CAP_IPC_LOCK);
    ASSERT_EQ(syscall(SYS_capset, &header, capabilities), 0);
    const auto made = MakeResident(Map(Content(kBytes)), Residency::kLocked);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->reached, Residency::kPopulated);
    EXPECT_THAT(made->shortfall, HasSubstr("RLIMIT_MEMLOCK allows this process 0"));
  }).join();
  ASSERT_EQ(setrlimit(RLIMIT_MEMLOCK, &before), 0);
}

TEST_F(ResidentMapping, AsksTheMachineForWhatItHas) {
  const MemorySupply supply = AskForMemory();
  EXPECT_GT(supply.free_bytes, uint64_t{1} << 20);
  EXPECT_LT(supply.free_bytes, uint64_t{1} << 50);
}

}  // namespace
}  // namespace larder::io
