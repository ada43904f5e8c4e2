#include <cstdint>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/importer.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPath = "dir/data.jsonl";
constexpr const char* kEmptyMd5 = "d41d8cd98f00b204e9800998ecf8427e";
constexpr const char* kEmptySha256 =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

class SourceIdentityTest : public ::testing::Test {
 protected:
  SourceIdentity Identify(std::string bytes, bool md5 = false, bool sha256 = false) {
    files_.Put(kPath, std::move(bytes));
    auto identity = IdentifySource(files_, kPath, md5, sha256);
    EXPECT_TRUE(identity) << identity.error().message();
    return identity ? *std::move(identity) : SourceIdentity{};
  }
  MemoryFiles files_;
};

TEST_F(SourceIdentityTest, TheSameContentHasTheSameChecksum) {
  const std::string large(3'000'000, 'x');
  EXPECT_EQ(Identify(large).checksum, Identify(large).checksum);
  EXPECT_NE(Identify(large).checksum, Identify(large + "x").checksum);
  EXPECT_EQ(Identify("text").checksum.size(), 32U);
}

TEST_F(SourceIdentityTest, DigestsAreThereWhenAskedFor) {
  const SourceIdentity none = Identify("");
  EXPECT_FALSE(none.md5.has_value());
  EXPECT_FALSE(none.sha256.has_value());
  const SourceIdentity both = Identify("", true, true);
  EXPECT_EQ(both.md5, kEmptyMd5);
  EXPECT_EQ(both.sha256, kEmptySha256);
  EXPECT_EQ(Identify("abc", true).md5, "900150983cd24fb0d6963f7d28e17f72");
}

TEST_F(SourceIdentityTest, TheFileIsDescribed) { EXPECT_EQ(Identify("12345").info.bytes, 5U); }

TEST_F(SourceIdentityTest, AChangeWhileReadingIsRefused) {
  files_.Put(kPath, std::string(3'000'000, 'x'));
  files_.At(kPath).reads_until_change = 1;
  const auto identity = IdentifySource(files_, kPath, false, false);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code(), ErrorCode::kRefused);
  EXPECT_THAT(identity.error().message(), HasSubstr("changed while it was read"));
}

TEST_F(SourceIdentityTest, ProgressIsToldAndCancels) {
  files_.Put(kPath, std::string(3'000'000, 'x'));
  uint64_t calls = 0;
  uint64_t last = 0;
  const auto count = [&](uint64_t done, uint64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 3'000'000U);
    last = done;
    ++calls;
    return true;
  };
  ASSERT_TRUE(IdentifySource(files_, kPath, false, false, count));
  EXPECT_EQ(last, 3'000'000U);
  EXPECT_GT(calls, 1U) << "a huge file must be left soon";
  const auto cancelled =
      IdentifySource(files_, kPath, false, false, [](uint64_t, uint64_t) { return false; });
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code(), ErrorCode::kCancelled);
}

TEST_F(SourceIdentityTest, ADigestFileThatCannotBeReadIsNotSaidToBeWrong) {
  files_.Put("dir/data.jsonl.md5", kEmptyMd5);
  files_.At("dir/data.jsonl.md5").reads_until_error = 0;
  const auto digests = ReadDigestFiles(files_, kPath);
  ASSERT_FALSE(digests);
  EXPECT_EQ(digests.error().code(), ErrorCode::kIoError) << "it may pass: to be tried again";
}

TEST_F(SourceIdentityTest, WhatIsNoFileIsRefused) {
  EXPECT_EQ(IdentifySource(files_, kPath, false, false).error().code(), ErrorCode::kNotFound);
  files_.PutDirectory(kPath);
  EXPECT_EQ(IdentifySource(files_, kPath, false, false).error().code(),
            ErrorCode::kInvalidArgument);
}

TEST_F(SourceIdentityTest, DigestFilesStandBesideTheSource) {
  const auto none = ReadDigestFiles(files_, kPath);
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_FALSE(none->md5 || none->sha256);

  files_.Put(std::string(kPath) + ".md5", std::string(kEmptyMd5) + "  data.jsonl\n");
  const auto md5 = ReadDigestFiles(files_, kPath);
  ASSERT_TRUE(md5) << md5.error().message();
  EXPECT_EQ(md5->md5, kEmptyMd5);
  EXPECT_FALSE(md5->sha256.has_value());

  files_.Put(std::string(kPath) + ".sha256", kEmptySha256);
  const auto both = ReadDigestFiles(files_, kPath);
  ASSERT_TRUE(both) << both.error().message();
  EXPECT_EQ(both->sha256, kEmptySha256);
}

TEST_F(SourceIdentityTest, ADigestFileOfAnotherFormIsRefusedByName) {
  for (const std::string& text :
       {std::string(), std::string("nonsense"), std::string(kEmptyMd5) + "  other.jsonl\n",
        std::string(2'000'000, '\n')}) {
    files_.Put(std::string(kPath) + ".md5", text);
    const auto digests = ReadDigestFiles(files_, kPath);
    ASSERT_FALSE(digests);
    EXPECT_EQ(digests.error().code(), ErrorCode::kRefused);
    EXPECT_THAT(digests.error().message(), HasSubstr("dir/data.jsonl.md5"));
  }
}

}  // namespace
}  // namespace larder::importer
