#include "io/mapping.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/file_system.h"
#include "io/mapped_regions.h"
#include "io/test_directory.h"

namespace larder::io {
namespace {

FileSystem& files = RealFileSystem();
const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));

std::unique_ptr<Mapping> MapPages(const std::string& path, size_t pages) {
  EXPECT_TRUE(PublishFile(files, std::string(pages * page, 'x'), path));
  auto mapping = files.Map(path);
  EXPECT_TRUE(mapping) << mapping.error().message();
  return *std::move(mapping);
}

bool AllAre(std::string_view bytes, char byte) {
  return std::ranges::all_of(bytes, [byte](char each) { return each == byte; });
}

TEST(Mapping, ShowsTheWholeFile) {
  const TestDirectory directory;
  ASSERT_TRUE(PublishFile(files, "some bytes", directory / "a"));
  const auto mapping = files.Map(directory / "a");
  ASSERT_TRUE(mapping);
  EXPECT_EQ((*mapping)->bytes(), "some bytes");
  EXPECT_FALSE((*mapping)->damaged());
}

TEST(Mapping, OfAnEmptyFileIsEmpty) {
  const TestDirectory directory;
  ASSERT_TRUE(PublishFile(files, "", directory / "a"));
  const auto mapping = files.Map(directory / "a");
  ASSERT_TRUE(mapping);
  EXPECT_TRUE((*mapping)->bytes().empty());
  EXPECT_FALSE((*mapping)->damaged());
  EXPECT_EQ((*mapping)->ResidentBytes(), 0U);
  (*mapping)->Advise(AccessPattern::kRandom);
}

TEST(Mapping, SurvivesTheRemovalOfItsName) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 4);
  ASSERT_TRUE(files.Remove(directory / "a"));
  EXPECT_TRUE(AllAre(mapping->bytes(), 'x'));
  EXPECT_FALSE(mapping->damaged());
}

TEST(Mapping, KeepsItsBytesWhenAnotherFileTakesTheName) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 2);
  ASSERT_TRUE(PublishFile(files, std::string(page, 'y'), directory / "a"));
  EXPECT_TRUE(AllAre(mapping->bytes(), 'x'));
}

TEST(Mapping, TruncatedFileReadsAsZerosAndIsDamaged) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 5);
  std::filesystem::resize_file(directory / "a", 2 * page);
  EXPECT_TRUE(AllAre(mapping->bytes().substr(0, 2 * page), 'x'));
  EXPECT_FALSE(mapping->damaged()) << "the pages that are left are good";
  EXPECT_TRUE(AllAre(mapping->bytes().substr(2 * page), '\0'));
  EXPECT_TRUE(mapping->damaged());
  EXPECT_TRUE(AllAre(mapping->bytes().substr(0, 2 * page), 'x'));
}

TEST(Mapping, DamageOfOneLeavesItsNeighboursGood) {
  const TestDirectory directory;
  const auto left = MapPages(directory / "left", 3);
  const auto damaged = MapPages(directory / "damaged", 3);
  const auto right = MapPages(directory / "right", 3);
  std::filesystem::resize_file(directory / "damaged", 0);
  EXPECT_TRUE(AllAre(damaged->bytes(), '\0'));
  EXPECT_TRUE(damaged->damaged());
  EXPECT_FALSE(left->damaged());
  EXPECT_FALSE(right->damaged());
}

TEST(Mapping, PlaceOfADamagedOneStartsCleanForTheNext) {
  const TestDirectory directory;
  auto first = MapPages(directory / "a", 2);
  std::filesystem::resize_file(directory / "a", 0);
  EXPECT_TRUE(AllAre(first->bytes(), '\0'));
  first.reset();
  const auto second = MapPages(directory / "b", 2);
  EXPECT_FALSE(second->damaged());
  EXPECT_TRUE(AllAre(second->bytes(), 'x'));
}

TEST(Mapping, SurvivesTheLossOfMorePagesThanAProcessMayMap) {
  uint64_t most = 0;
  std::ifstream("/proc/sys/vm/max_map_count") >> most;
  if (most == 0 || most > 200'000) GTEST_SKIP() << "this system allows " << most << " mappings";
  const TestDirectory directory;
  const std::string path = directory / "a";
  ASSERT_TRUE(PublishFile(files, "", path));
  std::filesystem::resize_file(path, 2 * (most + 1000) * page);  // takes no space
  const auto mapping = files.Map(path);
  ASSERT_TRUE(mapping) << mapping.error().message();
  std::filesystem::resize_file(path, 0);
  // Every other page, so that no two can be one mapping.
  const std::string_view bytes = (*mapping)->bytes();
  for (size_t at = 0; at < bytes.size(); at += 2 * page) ASSERT_EQ(bytes[at], '\0');
  EXPECT_TRUE((*mapping)->damaged());
}

TEST(Mapping, ManyThreadsMayMeetTheSameUnreadablePages) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 64);
  std::filesystem::resize_file(directory / "a", 0);
  std::vector<std::thread> readers;
  readers.reserve(4);
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] { EXPECT_TRUE(AllAre(mapping->bytes(), '\0')); });
  }
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(mapping->damaged());
}

TEST(Mapping, ComeAndGoWhileAnotherIsRepaired) {
  const TestDirectory directory;
  ASSERT_TRUE(PublishFile(files, std::string(page, 'x'), directory / "busy"));
  const auto mapping = MapPages(directory / "a", 256);
  std::filesystem::resize_file(directory / "a", 0);
  std::thread other([&] {
    for (int i = 0; i < 500; ++i) {
      const auto passing = files.Map(directory / "busy");
      ASSERT_TRUE(passing);
      EXPECT_TRUE(AllAre((*passing)->bytes(), 'x'));
      EXPECT_FALSE((*passing)->damaged());
    }
  });
  EXPECT_TRUE(AllAre(mapping->bytes(), '\0'));
  other.join();
  EXPECT_TRUE(mapping->damaged());
}

TEST(Mapping, ResidentBytesGrowWithWhatIsTouched) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 3);
  EXPECT_TRUE(AllAre(mapping->bytes(), 'x'));
  EXPECT_EQ(mapping->ResidentBytes(), 3 * page);
}

TEST(Mapping, ResidentBytesCountNoMoreThanTheFileHas) {
  const TestDirectory directory;
  ASSERT_TRUE(PublishFile(files, std::string(page + 10, 'x'), directory / "a"));
  const auto mapping = files.Map(directory / "a");
  EXPECT_TRUE(AllAre((*mapping)->bytes(), 'x'));
  EXPECT_EQ((*mapping)->ResidentBytes(), page + 10);
}

TEST(Mapping, TakesEveryAdvice) {
  const TestDirectory directory;
  const auto mapping = MapPages(directory / "a", 3);
  for (const auto pattern : {AccessPattern::kNormal, AccessPattern::kRandom,
                             AccessPattern::kSequential, AccessPattern::kWillNeed}) {
    mapping->Advise(pattern);
  }
  EXPECT_TRUE(AllAre(mapping->bytes(), 'x'));
}

TEST(MappedRegion, TableRefusesOneMoreThanItHolds) {
  const TestDirectory directory;
  ASSERT_TRUE(PublishFile(files, "x", directory / "a"));
  std::vector<std::unique_ptr<Mapping>> mappings;
  Result<std::unique_ptr<Mapping>> last = files.Map(directory / "a");
  while (last && mappings.size() <= kMaxMappedRegions) {
    mappings.push_back(*std::move(last));
    last = files.Map(directory / "a");
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(mappings.size(), kMaxMappedRegions);
  EXPECT_EQ(last.error().code(), ErrorCode::kLimit);
  mappings.pop_back();
  EXPECT_TRUE(files.Map(directory / "a"));
}

// Reads behind the end of a file that was mapped without Larder.
void RaiseForeignBusError() {
  const int descriptor = memfd_create("foreign", MFD_CLOEXEC);
  void* const mapped = mmap(nullptr, page, PROT_READ, MAP_SHARED, descriptor, 0);
  const volatile char byte = *static_cast<const volatile char*>(mapped);
  _exit(byte);
}

// Each statement runs in a new process, in which no handler is installed yet.
class MappedRegionDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  static void HandleBusErrorsBy(void (*handler)(int)) {
    struct sigaction before = {};
    before.sa_handler = handler;
    sigaction(SIGBUS, &before, nullptr);
    if (!files.Map("/proc/self/exe")) _exit(1);
  }
};

TEST_F(MappedRegionDeathTest, ForeignBusErrorEndsTheProcessAsBefore) {
  EXPECT_EXIT(
      {
        HandleBusErrorsBy(SIG_DFL);
        RaiseForeignBusError();
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedRegionDeathTest, SentBusErrorEndsTheProcessAsBefore) {
  EXPECT_EXIT(
      {
        HandleBusErrorsBy(SIG_DFL);
        kill(getpid(), SIGBUS);
        _exit(2);
      },
      ::testing::KilledBySignal(SIGBUS), "");
}

TEST_F(MappedRegionDeathTest, ForeignBusErrorGoesToTheHandlerThatWasThereBefore) {
  EXPECT_EXIT(
      {
        HandleBusErrorsBy([](int) { _exit(7); });
        RaiseForeignBusError();
      },
      ::testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace larder::io
