#include "dataset/verdict_file.h"

#include <string>

#include <gtest/gtest.h>

namespace larder::dataset {
namespace {

Refusal Example() {
  return {.version = 8,
          .refused_at_ms = 1'760'000'000'000,
          .by = Judge::kGates,
          .findings = {{.gate = "min_records", .sentence = "0 records"},
                       {.gate = "canaries", .sentence = "a \"quote\", \xc3\xa4 and \n"}}};
}

ErrorCode CodeOf(const std::string& bytes) {
  const auto refusal = ParseVerdict(bytes);
  return refusal ? ErrorCode::kInternal : refusal.error().code();
}

std::string Replaced(const std::string& from, const std::string& to) {
  std::string text = EncodeVerdict(Example());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(VerdictFile, WhatIsWrittenIsReadAgain) {
  for (const Judge by : {Judge::kGates, Judge::kProbation}) {
    Refusal refusal = Example();
    refusal.by = by;
    const auto read = ParseVerdict(EncodeVerdict(refusal));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, refusal);
  }
}

TEST(VerdictFile, BytesThatAreNoTextCanBeWritten) {
  Refusal refusal = Example();
  refusal.findings[0].sentence = "\xff\xfe";
  EXPECT_TRUE(ParseVerdict(EncodeVerdict(refusal)));
}

TEST(VerdictFile, IsTheTextOfTheFormatDocument) {
  Refusal refusal = Example();
  refusal.findings.pop_back();
  EXPECT_EQ(EncodeVerdict(refusal),
            "{\n  \"format\": 1,\n  \"version\": 8,\n  \"refused_at_ms\": 1760000000000,\n"
            "  \"by\": \"gates\",\n  \"findings\": [\n    {\n      \"gate\": \"min_records\",\n"
            "      \"sentence\": \"0 records\"\n    }\n  ]\n}\n");
}

TEST(VerdictFile, EveryCutIsDamage) {
  const std::string whole = EncodeVerdict(Example());
  for (size_t bytes = 0; bytes + 1 < whole.size(); ++bytes) {
    EXPECT_EQ(CodeOf(whole.substr(0, bytes)), ErrorCode::kCorrupt) << bytes;
  }
}

TEST(VerdictFile, ANewerFormatIsUnsupportedNotDamaged) {
  EXPECT_EQ(CodeOf(Replaced("\"format\": 1", "\"format\": 2")), ErrorCode::kUnsupported);
}

TEST(VerdictFile, MembersOfOtherTypesAreDamage) {
  EXPECT_EQ(CodeOf(Replaced("\"version\": 8", "\"version\": 0")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("\"version\": 8", "\"version\": -8")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("\"version\": 8", "\"version\": \"8\"")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("1760000000000", "1e300")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("\"gates\"", "\"somebody\"")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("\"findings\"", "\"others\"")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf(Replaced("\"gate\"", "\"door\"")), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf("[]"), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace larder::dataset
