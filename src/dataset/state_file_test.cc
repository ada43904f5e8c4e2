#include "dataset/state_file.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"

namespace larder::dataset {
namespace {

std::string WithChecksum(const std::string& body) {
  std::string hex(16, '0');
  uint64_t checksum = Checksum64(body);
  for (size_t i = 16; i-- > 0; checksum >>= 4) hex[i] = "0123456789abcdef"[checksum & 15];
  return body + "checksum " + hex + "\n";
}

ErrorCode CodeOf(const std::string& bytes) {
  const auto state = ParseState(bytes);
  return state ? ErrorCode::kInternal : state.error().code();
}

TEST(StateFile, IsTheTextOfTheFormatDocument) {
  DirectoryState state;
  state.current = 7;
  state.next = 9;
  state.damaged = {5, 6};
  EXPECT_EQ(EncodeState(state),
            WithChecksum("larder dataset 1\ncurrent 7\npinned no\nnext 9\ndamaged 5 6\n"));
}

TEST(StateFile, WhatIsWrittenIsReadAgain) {
  for (const bool pinned : {false, true}) {
    DirectoryState state;
    state.current = 123'456'789'012;
    state.pinned = pinned;
    state.next = 123'456'789'013;
    state.damaged = {1, 999'999, 100'000'000};
    const auto read = ParseState(EncodeState(state));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, state);
  }
}

TEST(StateFile, EveryFlippedBitIsDamage) {
  DirectoryState state;
  state.current = 7;
  state.next = 8;
  const std::string whole = EncodeState(state);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      EXPECT_EQ(CodeOf(flipped), ErrorCode::kCorrupt) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(StateFile, EveryCutIsDamage) {
  const std::string whole = EncodeState(DirectoryState{});
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_EQ(CodeOf(whole.substr(0, bytes)), ErrorCode::kCorrupt) << bytes;
  }
  EXPECT_EQ(CodeOf(whole + "\n"), ErrorCode::kCorrupt);
}

TEST(StateFile, ANewerFormatIsUnsupportedNotDamaged) {
  EXPECT_EQ(CodeOf(WithChecksum("larder dataset 2\nanything\n")), ErrorCode::kUnsupported);
}

TEST(StateFile, LinesThatContradictEachOtherAreDamage) {
  const std::string title = "larder dataset 1\n";
  for (const char* body : {
           "current 7\npinned no\nnext 7\ndamaged\n",         // next is not above current
           "current 0\npinned yes\nnext 1\ndamaged\n",        // nothing is pinned
           "current 7\npinned maybe\nnext 8\ndamaged\n",      // neither yes nor no
           "current 07\npinned no\nnext 8\ndamaged\n",        // a leading zero
           "current 7\npinned no\nnext 8\ndamaged 6 5\n",     // not ascending
           "current 7\npinned no\nnext 8\ndamaged 0\n",       // no such number
           "current 7\npinned no\nnext 8\ndamaged  5\n",      // two spaces
           "current 7\npinned no\nnext 8\ndamaged\nmore\n",   // a line too many
           "current 7\nnext 8\npinned no\ndamaged\n",         // another order
           "current 1000000000000\npinned no\nnext 8\ndam\n"  // a number too large
       }) {
    EXPECT_EQ(CodeOf(WithChecksum(title + body)), ErrorCode::kCorrupt) << body;
  }
}

TEST(VersionFileName, IsPaddedToSixDigits) {
  EXPECT_EQ(VersionFileName(7), "000007.snap");
  EXPECT_EQ(VersionFileName(1'234'567), "1234567.snap");
  EXPECT_EQ(ParseVersionFileName("000007.snap"), 7U);
  EXPECT_EQ(ParseVersionFileName("1234567.snap"), 1'234'567U);
}

TEST(VersionFileName, OtherNamesAreForeign) {
  for (const char* name :
       {"7.snap", "0000007.snap", "000000.snap", "000007.snap.tmp", "00000a.snap", "-00007.snap",
        ".snap", "", "LOCK", "1234567890123.snap"}) {
    EXPECT_EQ(ParseVersionFileName(name), std::nullopt) << name;
  }
}

TEST(VersionFileName, OnlyOurOwnTemporariesAreUnfinished) {
  for (const char* name : {"STATE.tmp", "000007.snap.tmp", "000007.snap.run3.tmp"}) {
    EXPECT_TRUE(IsUnfinishedFileName(name)) << name;
  }
  for (const char* name : {"STATE", "000007.snap", "notes.tmp", "7.snap.tmp", ".tmp", "LOCK.tmp"}) {
    EXPECT_FALSE(IsUnfinishedFileName(name)) << name;
  }
}

}  // namespace
}  // namespace larder::dataset
