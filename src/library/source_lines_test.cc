#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "larder/importer.h"

namespace larder {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A text that is handed out in pieces of `piece` bytes; then it ends, or fails.
class PiecesText : public SourceText {
 public:
  PiecesText(std::string text, size_t piece, bool fails = false)
      : text_(std::move(text)), piece_(piece), fails_(fails) {}
  Result<size_t> Read(char* to, size_t room) override {
    const size_t bytes = std::min({piece_, room, text_.size() - at_});
    if (bytes == 0 && fails_) return Fail(ErrorCode::kIoError, "told to fail");
    text_.copy(to, bytes, at_);
    at_ += bytes;
    return bytes;
  }
  const std::string& path() const override { return path_; }

 private:
  std::string text_;
  size_t piece_;
  bool fails_;
  size_t at_ = 0;
  std::string path_ = "words.txt";
};

std::vector<std::string> LinesOf(const std::string& text, size_t piece) {
  PiecesText source(text, piece);
  SourceLines lines(source);
  std::vector<std::string> all;
  while (const auto line = lines.Next()) {
    all.emplace_back(*line);
    EXPECT_EQ(lines.number(), all.size());
  }
  EXPECT_TRUE(lines.status());
  EXPECT_FALSE(lines.Next());
  return all;
}

TEST(SourceLinesTest, SplitsWhereverThePiecesEnd) {
  for (size_t piece = 1; piece < 12; ++piece) {
    EXPECT_THAT(LinesOf("a\nbc\r\n\n\r\nlast", piece), ElementsAre("a", "bc", "", "", "last"));
    EXPECT_THAT(LinesOf("a\n", piece), ElementsAre("a"));
    EXPECT_THAT(LinesOf("\n\n", piece), ElementsAre("", ""));
    EXPECT_THAT(LinesOf("a", piece), ElementsAre("a"));
    EXPECT_THAT(LinesOf("", piece), IsEmpty());
  }
}

TEST(SourceLinesTest, ReadsLinesThatAreLongerThanAPiece) {
  const std::string lengthy(1'000'000, 'x');
  EXPECT_THAT(LinesOf(lengthy + "\nb\n" + lengthy, 100'000), ElementsAre(lengthy, "b", lengthy));
}

TEST(SourceLinesTest, ErrorOfTheTextEndsThem) {
  PiecesText source("a\nunfinished", 4, true);
  SourceLines lines(source);
  EXPECT_EQ(lines.Next(), "a");
  EXPECT_EQ(lines.Next(), std::nullopt);
  ASSERT_FALSE(lines.status());
  EXPECT_EQ(lines.status().error().code(), ErrorCode::kIoError);
  EXPECT_EQ(lines.Next(), std::nullopt);
}

TEST(SourceLinesTest, BadLineIsNamed) {
  PiecesText source("a\nb\n", 4);
  SourceLines lines(source);
  lines.Next();
  lines.Next();
  EXPECT_EQ(lines.Bad("no =").error().message(), "words.txt:2: no =");
}

}  // namespace
}  // namespace larder
