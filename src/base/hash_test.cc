#include "base/hash.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace larder {
namespace {

std::string Digest(DigestKind kind, std::string_view bytes) {
  DigestHasher hasher(kind);
  hasher.Update(bytes);
  return hasher.HexDigest();
}

std::string ContentDigest(std::string_view bytes, size_t piece) {
  ContentHasher hasher;
  for (size_t at = 0; at < bytes.size(); at += piece) hasher.Update(bytes.substr(at, piece));
  return hasher.HexDigest();
}

std::string ManyBytes() {
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes.push_back(static_cast<char>(i * 31 + (i >> 8)));
  return bytes;
}

// RFC 1321, appendix A.5.
TEST(DigestHasher, Md5GivesTheKnownAnswers) {
  EXPECT_EQ(Digest(DigestKind::kMd5, ""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(Digest(DigestKind::kMd5, "abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(Digest(DigestKind::kMd5, "message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

// FIPS 180-4 examples.
TEST(DigestHasher, Sha256GivesTheKnownAnswers) {
  EXPECT_EQ(Digest(DigestKind::kSha256, ""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Digest(DigestKind::kSha256, "abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestHasher, PiecesMakeTheSameDigestAsTheWhole) {
  const std::string bytes = ManyBytes();
  DigestHasher pieces(DigestKind::kSha256);
  for (size_t at = 0; at < bytes.size(); at += 777) {
    pieces.Update(std::string_view(bytes).substr(at, 777));
  }
  EXPECT_EQ(pieces.HexDigest(), Digest(DigestKind::kSha256, bytes));
}

// Files written by one machine are checked by another, and by code inlined elsewhere.
TEST(Checksum64, IsTheSameByAllInstructionsAtEveryLength) {
  const std::string bytes = ManyBytes();
  for (size_t length = 0; length < 3000; ++length) {
    const std::string_view text = std::string_view(bytes).substr(length, length);
    ASSERT_EQ(Checksum64(text), XXH3_64bits(text.data(), text.size())) << length;
  }
  EXPECT_EQ(Checksum64(bytes), XXH3_64bits(bytes.data(), bytes.size()));
}

// The canonical XXH3-128 of nothing, from the library's own test vectors.
TEST(ContentHasher, GivesTheKnownAnswerForNothing) {
  EXPECT_EQ(ContentHasher().HexDigest(), "99aa06d3014798d86001c324468d497f");
}

TEST(ContentHasher, PiecesMakeTheSameDigestAsTheWhole) {
  const std::string bytes = ManyBytes();
  const std::string whole = ContentDigest(bytes, bytes.size());
  EXPECT_EQ(whole.size(), 32U);
  for (const size_t piece : {size_t{1}, size_t{63}, size_t{256}, size_t{65'536}}) {
    EXPECT_EQ(ContentDigest(bytes, piece), whole) << "pieces of " << piece;
  }
  EXPECT_NE(ContentDigest(bytes + "x", bytes.size() + 1), whole);
}

// Files hold these numbers: another answer of the library would make them unreadable.
TEST(HashBytes, NeverChanges) {
  EXPECT_EQ(HashBytes("", 0), 0x2d06800538d394c2U);
  EXPECT_EQ(Checksum64(""), 0x2d06800538d394c2U);
  EXPECT_EQ(Checksum64("larder"), HashBytes("larder", 0));
}

TEST(HashBytes, SeedChangesTheHashAtEveryLength) {
  const std::string bytes = ManyBytes();
  std::set<uint64_t> seen;
  for (const size_t length : {1U, 3U, 8U, 16U, 17U, 128U, 129U, 240U, 241U, 5000U}) {
    seen.insert(HashBytes(std::string_view(bytes).substr(0, length), 1));
    seen.insert(HashBytes(std::string_view(bytes).substr(0, length), 2));
  }
  EXPECT_EQ(seen.size(), 20U);
}

TEST(ToHex, IsLowerCaseAndTwoDigitsAByte) {
  EXPECT_EQ(ToHex(std::string("\x00\x0f\xa5\xff", 4)), "000fa5ff");
  EXPECT_EQ(ToHex(""), "");
}

}  // namespace
}  // namespace larder
