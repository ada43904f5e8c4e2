#include "export/compressor.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace larder::exporter {
namespace {

std::string Decompressed(Compression compression, std::string_view bytes) {
  auto decompressor = Decompressor::Create(compression);
  EXPECT_TRUE(decompressor);
  std::string text;
  std::string room(1 << 16, '\0');
  for (;;) {
    const auto step = (*decompressor)->Step(bytes, room.data(), room.size());
    EXPECT_TRUE(step) << step.error().message();
    if (!step || (step->produced == 0 && step->consumed == bytes.size())) break;
    text.append(room, 0, step->produced);
    bytes.remove_prefix(step->consumed);
  }
  EXPECT_TRUE((*decompressor)->Finish());
  return text;
}

std::string SomeText() {
  std::mt19937 dice(5);
  std::string text;
  while (text.size() < 3'000'000) text += "line " + std::to_string(dice() % 100000) + "\n";
  return text;
}

std::string Compressed(Compression compression, std::string_view text, size_t piece) {
  auto compressor = Compressor::Create(compression);
  EXPECT_TRUE(compressor);
  std::string bytes;
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), piece))) {
    EXPECT_TRUE((*compressor)->Add(text.substr(0, piece), bytes));
  }
  EXPECT_TRUE((*compressor)->Finish(bytes));
  return bytes;
}

TEST(Compressor, WhatItWritesReadsBack) {
  const std::string text = SomeText();
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const std::string bytes = Compressed(compression, text, 100'000);
    EXPECT_LT(bytes.size(), text.size() / 2);
    EXPECT_EQ(DetectCompression(std::string_view(bytes).substr(0, kCompressionMagicBytes)),
              compression);
    EXPECT_EQ(Decompressed(compression, bytes), text) << CompressionName(compression);
  }
}

TEST(Compressor, AnEmptyTextIsWholeToo) {
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const std::string bytes = Compressed(compression, "", 1);
    EXPECT_FALSE(bytes.empty());
    EXPECT_EQ(Decompressed(compression, bytes), "");
  }
}

TEST(Compressor, NoneChangesNothing) {
  EXPECT_EQ(Compressed(Compression::kNone, "text", 3), "text");
}

TEST(Compressor, NamesTellTheCompression) {
  EXPECT_EQ(CompressionOfName("a.jsonl.gz"), Compression::kGzip);
  EXPECT_EQ(CompressionOfName("a.zst"), Compression::kZstd);
  EXPECT_EQ(CompressionOfName("a.jsonl"), Compression::kNone);
}

}  // namespace
}  // namespace larder::exporter
