#include "base/compression.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"

namespace larder {
namespace {

using ::testing::HasSubstr;

// Long enough for several deflate blocks' worth of history, short enough for every split point.
std::string SomeText() {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "line " + std::to_string(i * i * 7919) + ", and the same\n";
  return text;
}

// Everything, with the input in pieces of `piece` bytes and the output in pieces of `room`.
Result<std::string> Decompress(Compression compression, std::string_view input, size_t piece,
                               size_t room) {
  LARDER_ASSIGN(const auto decompressor, Decompressor::Create(compression));
  std::string text;
  // Of the exact size, so that the sanitizer sees a write past the end.
  const auto to = std::make_unique<char[]>(room);
  while (true) {
    // A copy of the exact size, so that it sees a read past the end.
    const std::string_view given = input.substr(0, piece);
    const auto copy = std::make_unique<char[]>(given.size());
    std::ranges::copy(given, copy.get());
    LARDER_ASSIGN(const auto progress,
                  decompressor->Step({copy.get(), given.size()}, to.get(), room));
    text.append(to.get(), progress.produced);
    input.remove_prefix(progress.consumed);
    if (progress.produced == 0 && progress.consumed == 0) break;
  }
  if (!input.empty()) return Fail(ErrorCode::kInternal, "stuck");
  LARDER_TRY(decompressor->Finish());
  return text;
}

Result<std::string> Decompress(Compression compression, std::string_view input) {
  return Decompress(compression, input, input.size() + 1, size_t{64} << 10);
}

struct Format {
  const char* name;
  Compression compression;
  std::string (*compress)(std::string_view);
};

class CompressionTest : public ::testing::TestWithParam<Format> {
 protected:
  std::string Compressed(std::string_view text) const { return GetParam().compress(text); }
  Result<std::string> Text(std::string_view bytes) const {
    return Decompress(GetParam().compression, bytes);
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, CompressionTest,
                         ::testing::Values(Format{"Gzip", Compression::kGzip, GzipForTest},
                                           Format{"Zstd", Compression::kZstd, ZstdForTest}),
                         [](const auto& format) { return std::string(format.param.name); });

TEST_P(CompressionTest, IsRecognisedByItsFirstBytes) {
  EXPECT_EQ(DetectCompression(Compressed(SomeText())), GetParam().compression);
}

TEST_P(CompressionTest, GivesTheTextBack) {
  const auto text = Text(Compressed(SomeText()));
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(*text, SomeText());
}

TEST_P(CompressionTest, GivesTheTextBackAtEverySizeOfPieces) {
  const std::string bytes = Compressed(SomeText());
  for (size_t piece = 1; piece <= bytes.size(); piece += 1 + piece / 16) {
    for (const size_t room : {1U, 2U, 7U, 100U, 100'000U}) {
      const auto text = Decompress(GetParam().compression, bytes, piece, room);
      ASSERT_TRUE(text) << text.error().message() << " piece " << piece << " room " << room;
      ASSERT_EQ(*text, SomeText()) << "piece " << piece << " room " << room;
    }
  }
}

TEST_P(CompressionTest, EmptyTextIsText) {
  const auto text = Text(Compressed(""));
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(*text, "");
}

TEST_P(CompressionTest, MembersOneAfterAnotherAreOneText) {
  const std::string bytes =
      Compressed("one\n") + Compressed("") + Compressed(SomeText()) + Compressed("three");
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto text = Decompress(GetParam().compression, bytes, piece, 50);
    ASSERT_TRUE(text) << text.error().message() << " piece " << piece;
    ASSERT_EQ(*text, "one\n" + SomeText() + "three") << "piece " << piece;
  }
}

TEST_P(CompressionTest, TruncatedAnywhereIsRefused) {
  const std::string bytes = Compressed("one") + Compressed(SomeText());
  const size_t first = Compressed("one").size();
  for (size_t size = 0; size < bytes.size(); ++size) {
    for (const size_t piece : {size_t{1}, size_t{13}, bytes.size()}) {
      const auto text = Decompress(GetParam().compression, bytes.substr(0, size), piece, 100);
      // Cut between two members it is whole: nothing could tell.
      ASSERT_EQ(text.has_value(), size == first) << "size " << size << " piece " << piece;
      if (!text) {
        ASSERT_EQ(text.error().code(), ErrorCode::kCorrupt);
      }
    }
  }
}

TEST_P(CompressionTest, TrailingBytesAreRefused) {
  for (const std::string_view rest : {std::string_view("x"), std::string_view("\0", 1),
                                      std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0", 12),
                                      std::string_view("{\"key\":\"value\"}\n")}) {
    const std::string bytes = Compressed(SomeText()) + std::string(rest);
    for (const size_t piece : {size_t{1}, bytes.size()}) {
      const auto text = Decompress(GetParam().compression, bytes, piece, 1000);
      ASSERT_FALSE(text) << rest;
      EXPECT_EQ(text.error().code(), ErrorCode::kCorrupt);
    }
  }
}

TEST_P(CompressionTest, ADamagedChecksumIsRefused) {
  std::string bytes = Compressed(SomeText());
  for (size_t back = 1; back <= 4; ++back) {
    std::string damaged = bytes;
    damaged[damaged.size() - back] = static_cast<char>(damaged[damaged.size() - back] ^ 0x10);
    EXPECT_FALSE(Text(damaged)) << back << " bytes from the end";
  }
}

TEST_P(CompressionTest, AFlippedBitNeverChangesTheText) {
  const std::string bytes = Compressed(SomeText());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    // Some bits mean nothing (gzip's time stamp); all others must be noticed.
    if (const auto text = Text(damaged)) {
      ASSERT_EQ(*text, SomeText()) << "bit " << bit;
    }
  }
}

TEST(GzipTest, TheLengthAtTheEndIsVerified) {
  std::string bytes = GzipForTest(SomeText());
  bytes[bytes.size() - 4] = static_cast<char>(bytes[bytes.size() - 4] + 1);
  const auto text = Decompress(Compression::kGzip, bytes);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message(), HasSubstr("length"));
}

// 1f 8b, deflate, the flags, time, extra flags, system; then the optional parts.
std::string GzipWithHeader(char flags, std::string_view optional, std::string_view text) {
  const std::string plain = GzipForTest(text);
  return std::string("\x1f\x8b\x08", 3) + flags + std::string(6, '\0') + std::string(optional) +
         plain.substr(10);
}

TEST(GzipTest, OptionalPartsOfTheHeaderAreSkipped) {
  const std::string bytes =
      GzipWithHeader(0x1c, std::string_view("\x03\0abcname.jsonl\0a comment\0", 26), SomeText());
  for (size_t piece = 1; piece < 60; ++piece) {
    const auto text = Decompress(Compression::kGzip, bytes, piece, 1000);
    ASSERT_TRUE(text) << text.error().message() << " piece " << piece;
    EXPECT_EQ(*text, SomeText());
  }
}

TEST(GzipTest, AnotherMethodIsRefused) {
  std::string bytes = GzipForTest("text");
  bytes[2] = 7;
  const auto text = Decompress(Compression::kGzip, bytes);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message(), HasSubstr("method"));
}

// Written by Python's gzip module, an implementation other than the one that reads it here.
TEST(GzipTest, ReadsWhatZlibWrites) {
  const std::string_view bytes(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x57\x48\x2b\xca\xcf\x55\xa8"
      "\xca\xc9\x4c\xe2\xca\x18\xe5\x8f\xf2\xe9\xc8\x07\x00\xac\x81\x78\x8a\x80\x02\x00\x00",
      43);
  const auto text = Decompress(Compression::kGzip, bytes);
  ASSERT_TRUE(text) << text.error().message();
  std::string expected;
  for (int i = 0; i < 40; ++i) expected += "hello from zlib\n";
  EXPECT_EQ(*text, expected);
}

TEST(ZstdTest, SkippableFramesAreSkipped) {
  const std::string skippable("\x5a\x2a\x4d\x18\x03\0\0\0abc", 11);
  EXPECT_EQ(DetectCompression(skippable), Compression::kZstd);
  const auto text = Decompress(Compression::kZstd, skippable + ZstdForTest("text") + skippable);
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_EQ(*text, "text");
}

TEST(ZstdTest, AWindowOverTheLimitIsUnsupported) {
  // A frame of unknown size whose window descriptor says 2 GiB.
  const std::string_view bytes("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
  const auto text = Decompress(Compression::kZstd, bytes);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(text.error().message(), HasSubstr("--long"));
}

TEST(CompressionDetectionTest, TextAndShortFilesArePlain) {
  for (const std::string_view bytes :
       {std::string_view(""), std::string_view("\x1f"), std::string_view("\x28\xb5\x2f"),
        std::string_view("{\"key\":1}"), std::string_view("\xef\xbb\xbf{")}) {
    EXPECT_EQ(DetectCompression(bytes), Compression::kNone);
  }
}

}  // namespace
}  // namespace larder
