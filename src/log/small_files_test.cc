#include "log/small_files.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"

namespace larder::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr LogId kId = {'i', 'd', 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

ErrorCode IndexError(std::string_view bytes) {
  const auto head = ReadIndexHead(bytes, "the.idx");
  EXPECT_FALSE(head);
  if (head) return ErrorCode::kInternal;
  EXPECT_THAT(head.error().message(), StartsWith("the.idx: "));
  return head.error().code();
}

ErrorCode NumbersError(std::string_view bytes) {
  const auto numbers = ReadNumbersFile(bytes, "the.numbers");
  EXPECT_FALSE(numbers);
  if (numbers) return ErrorCode::kInternal;
  EXPECT_THAT(numbers.error().message(), StartsWith("the.numbers: "));
  return numbers.error().code();
}

template <typename T>
std::string Changed(std::string bytes, uint64_t at, T value) {
  StoreLe(bytes.data() + at, value);
  StoreLe(bytes.data() + bytes.size() - 8,
          Checksum64(std::string_view(bytes).substr(0, bytes.size() - 8)));
  return bytes;
}

TEST(FileNames, AreMadeOfPrefixAndNumber) {
  EXPECT_EQ(SegmentName("log", 42), "log-00000000000000000042.seg");
  EXPECT_EQ(IndexName("log", kMaxNumber), "log-18446744073709551614.idx");
  EXPECT_EQ(NumbersName("log"), "log.numbers");
  EXPECT_EQ(ControlName("log"), "log.control");
  EXPECT_EQ(LockName("log"), "log.lock");
}

TEST(FileNames, AreReadBackWithAnyPrefix) {
  for (const std::string prefix :
       {"log", "a-00000000000000000001", "x.seg", ".", "..", "-", " \n\"*{}%s", "\xFF\x80", "a.tmp",
        "log-00000000000000000001.seg"}) {
    for (const uint64_t number : {uint64_t{1}, uint64_t{1} << 63, kMaxNumber}) {
      EXPECT_EQ(ParseFileName(prefix, SegmentName(prefix, number)),
                (FileName{.role = FileRole::kSegment, .number = number}));
      EXPECT_EQ(ParseFileName(prefix, IndexName(prefix, number) + ".tmp"),
                (FileName{.role = FileRole::kIndex, .number = number, .temporary = true}));
    }
    EXPECT_EQ(ParseFileName(prefix, NumbersName(prefix)), FileName{.role = FileRole::kNumbers});
    EXPECT_EQ(ParseFileName(prefix, ControlName(prefix)), FileName{.role = FileRole::kControl});
    EXPECT_EQ(ParseFileName(prefix, LockName(prefix)), FileName{.role = FileRole::kLock});
  }
}

TEST(FileNames, OfOthersAreForeign) {
  for (const std::string_view name : {"",
                                      "log",
                                      "log-",
                                      "log.",
                                      "log.seg",
                                      "log.tmp",
                                      "log.numbers.tmp.tmp",
                                      "log.numbers2",
                                      "log-0000000000000000042.seg",    // 19 digits
                                      "log-000000000000000000042.seg",  // 21
                                      "log-00000000000000000042seg",    //
                                      "log-00000000000000000042.se",    //
                                      "log-00000000000000000042.segm",  //
                                      "log-00000000000000000042.SEG",   //
                                      "log-+0000000000000000042.seg",   //
                                      "log--0000000000000000042.seg",   //
                                      "log- 0000000000000000042.seg",   //
                                      "log-0x000000000000000042.seg",   //
                                      "log-0000000000000000004a.seg",   //
                                      "log-00000000000000000000.seg",   // no record has number 0
                                      "log-18446744073709551615.seg",   // above the greatest
                                      "log-18446744073709551616.seg",   // above what fits
                                      "log-99999999999999999999.idx",   //
                                      "log_00000000000000000042.seg",   //
                                      "lo-00000000000000000042.seg",    //
                                      "xlog-00000000000000000042.seg",  //
                                      "log2-00000000000000000042.seg",  // a log beside it
                                      "log-00000000000000000042-00000000000000000042.seg"}) {
    EXPECT_EQ(ParseFileName("log", name), std::nullopt) << name;
  }
  EXPECT_EQ(ParseFileName("log", std::string_view("log-0000000000000000004\0.seg", 28)),
            std::nullopt);
}

TEST(FileNames, OfADirectoryAreSortedByNumber) {
  const LogFiles files =
      FindLogFiles("q", {"q-00000000000000000300.seg", "q-00000000000000000020.seg",
                         "q-00000000000000000020.idx", "q-00000000000000000001.idx", "q.numbers",
                         "q.control", "q.lock", "q2.numbers", "q-00000000000000000301.seg.tmp",
                         "q.numbers.tmp", "q2.numbers.tmp", "notes.tmp", "readme"});
  EXPECT_THAT(files.segments, ElementsAre(20, 300));
  EXPECT_THAT(files.indexes, ElementsAre(1, 20));
  EXPECT_THAT(files.temporaries, ElementsAre("q-00000000000000000301.seg.tmp", "q.numbers.tmp"));
  EXPECT_TRUE(files.has_numbers);
  EXPECT_FALSE(FindLogFiles("q2", {"q.numbers", "q2.numbers.tmp"}).has_numbers);
}

TEST(Prefix, IsWhatAFileNameCanBeginWith) {
  EXPECT_TRUE(CheckPrefix("log"));
  EXPECT_TRUE(CheckPrefix("."));
  EXPECT_TRUE(CheckPrefix(std::string(226, 'p')));
  EXPECT_EQ((SegmentName(std::string(226, 'p'), 1) + ".tmp").size(), kMaxNameBytes);
  for (const std::string& prefix : {std::string(), std::string("a/b"), std::string("/"),
                                    std::string("a\0b", 3), std::string(227, 'p')}) {
    const auto checked = CheckPrefix(prefix);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(checked.error().message(), HasSubstr("226"));
  }
}

TEST(IndexHead, IsReadBack) {
  for (const uint64_t number : {uint64_t{1}, uint64_t{77}, kMaxNumber}) {
    const IndexHead head{.id = kId, .first_number = number};
    const std::string bytes = MakeIndexHead(head);
    EXPECT_EQ(bytes.size(), kIndexHeadBytes);
    EXPECT_EQ(ReadIndexHead(bytes, "i").value(), head);
    EXPECT_EQ(ReadIndexHead(bytes + "entries", "i").value(), head);
  }
}

TEST(IndexHead, WithAnyOneByteChangedOrMissingIsCorrupt) {
  const std::string bytes = MakeIndexHead({.id = kId, .first_number = 77});
  for (uint64_t at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(IndexError(std::string_view(bytes).substr(0, at)), ErrorCode::kCorrupt) << at;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      EXPECT_EQ(IndexError(changed), ErrorCode::kCorrupt) << at;
    }
  }
  EXPECT_EQ(IndexError(std::string(64, '\0')), ErrorCode::kCorrupt);
}

TEST(IndexHead, WithValuesThatCannotBeIsNotTaken) {
  const std::string bytes = MakeIndexHead({.id = kId, .first_number = 77});
  EXPECT_EQ(IndexError(Changed(bytes, 8, uint32_t{2})), ErrorCode::kUnsupported);
  EXPECT_EQ(IndexError(Changed(bytes, 12, uint32_t{1})), ErrorCode::kCorrupt);
  EXPECT_EQ(IndexError(Changed(bytes, kIndexNumberAt, uint64_t{0})), ErrorCode::kCorrupt);
  EXPECT_EQ(IndexError(Changed(bytes, kIndexNumberAt, UINT64_MAX)), ErrorCode::kCorrupt);
  EXPECT_EQ(IndexError(Changed(bytes, 55, char{1})), ErrorCode::kCorrupt);
}

TEST(Index, LeadsToOffsets) {
  std::string index = MakeIndexHead({.id = kId, .first_number = 77});
  AppendLe(index, IndexEntry(4144));
  AppendLe(index, IndexEntry(kMaxSegmentBytes - 8));
  EXPECT_EQ(IndexedOffset(index, 0), 4144u);
  EXPECT_EQ(IndexedOffset(index, 1), kMaxSegmentBytes - 8);
  EXPECT_EQ(IndexedOffset(index, 2), std::nullopt);
}

TEST(Index, HasNoEntriesBehindItsEnd) {
  std::string index = MakeIndexHead({.id = kId, .first_number = 77}) + std::string(7, '\1');
  EXPECT_TRUE(IndexedOffset(index, 0));
  for (const uint64_t position : {uint64_t{1}, uint64_t{1} << 62, (uint64_t{1} << 62) - 16,
                                  (uint64_t{1} << 63), UINT64_MAX, UINT64_MAX - 15}) {
    EXPECT_FALSE(IndexedOffset(index, position)) << position;
  }
  for (uint64_t bytes = 0; bytes < kIndexHeadBytes + kIndexEntryBytes; ++bytes) {
    const std::vector<char> cut(index.begin(), index.begin() + static_cast<int64_t>(bytes));
    EXPECT_FALSE(IndexedOffset({cut.data(), cut.size()}, 0)) << bytes;
  }
}

TEST(NumbersFile, IsReadBack) {
  for (const Numbers& numbers :
       {Numbers{.id = kId}, Numbers{.id = kId, .reserved = 5, .synced = 5, .boot = UINT64_MAX},
        Numbers{.id = kId, .reserved = kMaxNumber, .synced = 0}}) {
    const std::string bytes = MakeNumbersFile(numbers);
    EXPECT_EQ(bytes.size(), kSmallFileBytes);
    EXPECT_EQ(ReadNumbersFile(bytes, "n").value(), numbers);
  }
}

TEST(NumbersFile, WithAnyOneByteChangedMissingOrMoreIsCorrupt) {
  const std::string bytes = MakeNumbersFile({.id = kId, .reserved = 99, .synced = 98, .boot = 97});
  EXPECT_EQ(NumbersError(bytes + '\0'), ErrorCode::kCorrupt);
  for (uint64_t at = 0; at < bytes.size(); ++at) {
    EXPECT_EQ(NumbersError(std::string_view(bytes).substr(0, at)), ErrorCode::kCorrupt) << at;
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      EXPECT_EQ(NumbersError(changed), ErrorCode::kCorrupt) << at;
    }
  }
}

TEST(NumbersFile, WithValuesThatCannotBeIsNotTaken) {
  const std::string bytes = MakeNumbersFile({.id = kId, .reserved = 99, .synced = 98});
  EXPECT_EQ(NumbersError(Changed(bytes, 8, uint32_t{2})), ErrorCode::kUnsupported);
  EXPECT_EQ(NumbersError(Changed(bytes, 12, uint32_t{1})), ErrorCode::kCorrupt);
  EXPECT_EQ(NumbersError(Changed(bytes, kReservedAt, UINT64_MAX)), ErrorCode::kCorrupt);
  EXPECT_EQ(NumbersError(Changed(bytes, kNumbersSyncedAt, uint64_t{100})), ErrorCode::kCorrupt);
}

TEST(NumbersFile, IsNotAnIndex) {
  EXPECT_EQ(IndexError(MakeNumbersFile({.id = kId, .reserved = 99})), ErrorCode::kCorrupt);
  EXPECT_EQ(NumbersError(MakeIndexHead({.id = kId, .first_number = 99})), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace larder::log
