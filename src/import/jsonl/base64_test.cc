#include "import/jsonl/base64.h"

#include <cstddef>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace larder::importer {
namespace {

std::optional<std::string> Decoded(std::string_view text) {
  Base64Decoder decoder;
  decoder.Begin(text.size());
  const auto decoded = decoder.Decode(text);
  if (!decoded) return std::nullopt;
  return std::string(*decoded);
}

// RFC 4648, section 10.
TEST(Base64Test, TheExamplesOfTheRfc) {
  const std::pair<std::string_view, std::string_view> examples[] = {{"", ""},
                                                                    {"Zg==", "f"},
                                                                    {"Zm8=", "fo"},
                                                                    {"Zm9v", "foo"},
                                                                    {"Zm9vYg==", "foob"},
                                                                    {"Zm9vYmE=", "fooba"},
                                                                    {"Zm9vYmFy", "foobar"}};
  for (const auto& [text, bytes] : examples) EXPECT_EQ(Decoded(text), bytes) << text;
}

TEST(Base64Test, AllBytesAreReached) {
  EXPECT_EQ(Decoded("AAECA/3+/w=="), std::string("\x00\x01\x02\x03\xfd\xfe\xff", 7));
}

TEST(Base64Test, WhatIsNotExactlyItIsRefused) {
  for (const std::string_view text :
       {"Zg",   "Zg=",   "Zg===", "Z",      "=",       "====",     "Z===",   "Zg==Zg==",     "Z=g=",
        "=Zg=", " Zg==", "Zg== ", "Zg==\n", "Zm\n9",   "Zm9v\n",   "\nZm9v", "Zm9v\r\n\r\n", "    ",
        "Zh==", "Zm9=",  "Zm-_",  "Zm9-",   "Zm9\xc3", "Zm9v====", "----"}) {
    EXPECT_EQ(Decoded(text), std::nullopt) << text;
  }
  EXPECT_EQ(Decoded(std::string_view("Zm9\0", 4)), std::nullopt);
}

TEST(Base64Test, ManyTextsOfOneLineStayWhereTheyAre) {
  std::mt19937_64 random(7);
  Base64Decoder decoder;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> texts;
    size_t bytes = 0;
    for (size_t i = 0; i < 50; ++i) {
      std::string text;
      for (size_t j = random() % 20; j > 0; --j) text += "Zm9v";
      text += random() % 2 == 0 ? "Zg==" : "Zm8=";
      bytes += text.size();
      texts.push_back(std::move(text));
    }
    decoder.Begin(bytes);
    std::vector<std::string_view> decoded;
    for (const std::string& text : texts) decoded.push_back(decoder.Decode(text).value());
    for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(decoded[i], Decoded(texts[i]));
  }
}

}  // namespace
}  // namespace larder::importer
