#include "import/digest_lines.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::importer {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kMd5 = "d41d8cd98f00b204e9800998ecf8427e";
constexpr std::string_view kOther = "0cc175b9c0f1b6a831c399e269772661";

std::string Digest(std::string_view text, std::string_view name = "data.jsonl") {
  const auto digest = FindDigest(text, name, kMd5Digits);
  return digest ? *digest : "refused: " + digest.error().message();
}

std::string Line(std::string_view digest, std::string_view rest) {
  return std::string(digest) + std::string(rest);
}

TEST(DigestLinesTest, TheFormsOfMd5sumAreRead) {
  EXPECT_EQ(Digest(Line(kMd5, "  data.jsonl\n")), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, " *data.jsonl\n")), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, "  data.jsonl")), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, "  data.jsonl\r\n")), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, "  some/directory/data.jsonl\n")), kMd5);
}

TEST(DigestLinesTest, ABareDigestIsRead) {
  EXPECT_EQ(Digest(kMd5), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, "\n")), kMd5);
  EXPECT_EQ(Digest(Line(kMd5, " \t\r\n\n")), kMd5);
}

TEST(DigestLinesTest, UpperCaseIsTheSameDigest) {
  EXPECT_EQ(Digest("D41D8CD98F00B204E9800998ECF8427E  data.jsonl\n"), kMd5);
}

TEST(DigestLinesTest, NamesWithEscapesAreRead) {
  EXPECT_EQ(Digest("\\" + Line(kMd5, "  a\\\\b\\nc\\rd\n"), "a\\b\nc\rd"), kMd5);
  EXPECT_THAT(Digest(Line(kMd5, "  a\\nb\n"), "a\nb"), HasSubstr("no line for"));
  EXPECT_EQ(Digest(Line(kMd5, "  a\\nb\n"), "a\\nb"), kMd5);
}

TEST(DigestLinesTest, NamesMayHoldSpaces) {
  EXPECT_EQ(Digest(Line(kMd5, "  my data \n"), "my data "), kMd5);
}

TEST(DigestLinesTest, OfSeveralLinesTheOneOfThisFileCounts) {
  const std::string text = Line(kOther, "  other.jsonl\n") + Line(kMd5, "  data.jsonl\n\n") +
                           Line(kOther, "  x.data.jsonl\n");
  EXPECT_EQ(Digest(text), kMd5);
  EXPECT_THAT(Digest(text, "third.jsonl"), HasSubstr("no line for third.jsonl"));
}

TEST(DigestLinesTest, TwoLinesOfThisFileMustAgree) {
  const std::string line = Line(kMd5, "  data.jsonl\n");
  EXPECT_EQ(Digest(line + line), kMd5);
  EXPECT_THAT(Digest(line + Line(kOther, "  data.jsonl\n")), HasSubstr("disagree"));
}

TEST(DigestLinesTest, Sha256HasItsOwnLength) {
  const std::string sha256 = std::string(kMd5) + std::string(kOther);
  const auto digest = FindDigest(sha256 + "  data.jsonl\n", "data.jsonl", kSha256Digits);
  ASSERT_TRUE(digest) << digest.error().message();
  EXPECT_EQ(*digest, sha256);
  EXPECT_THAT(Digest(sha256 + "  data.jsonl\n"), HasSubstr("line 1"));
  EXPECT_FALSE(FindDigest(kMd5, "data.jsonl", kSha256Digits));
}

TEST(DigestLinesTest, AnEmptyFileIsStillBeingWritten) {
  for (const std::string_view text : {"", "\n", " \r\n\n"}) {
    EXPECT_THAT(Digest(text), HasSubstr("still being written")) << text;
  }
}

TEST(DigestLinesTest, EveryPartOfALineIsRefused) {
  const std::string whole = Line(kMd5, "  data.jsonl");
  for (size_t size = 0; size < whole.size(); ++size) {
    if (size >= kMd5Digits && size <= kMd5Digits + 2)
      continue;  // a bare digest, as far as one sees
    EXPECT_THAT(Digest(whole.substr(0, size)), HasSubstr("refused")) << size;
  }
}

TEST(DigestLinesTest, OtherFormsAreRefused) {
  for (const std::string& text :
       {Line(kMd5, " data.jsonl\n"), Line(kMd5, "\tdata.jsonl\n"), Line(kMd5, "data.jsonl"),
        "MD5 (data.jsonl) = " + std::string(kMd5), " " + Line(kMd5, "  data.jsonl"),
        "g" + std::string(kMd5.substr(1)) + "  data.jsonl", "\\" + std::string(kMd5),
        Line(kMd5, "\n") + std::string(kMd5), Line(kMd5, "\n") + Line(kMd5, "  data.jsonl"),
        Line(kMd5, "  data.jsonl\n") + std::string(kMd5), Line(kMd5, "  data.jsonl\n???\n")}) {
    const auto digest = FindDigest(text, "data.jsonl", kMd5Digits);
    ASSERT_FALSE(digest) << text;
    EXPECT_EQ(digest.error().code(), ErrorCode::kRefused);
    EXPECT_THAT(digest.error().message(), HasSubstr("hexadecimal digits")) << text;
  }
}

}  // namespace
}  // namespace larder::importer
