#include "command/name_index.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "command/table.h"

namespace larder::command {
namespace {

std::string UpperCase(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
  }
  return text;
}

TEST(FoldCase, ChangesCapitalsAndNothingElse) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const std::string text(11, c);
    const std::string folded(11, c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
    FoldedName name(text);
    for (size_t i = 0; i < text.size(); ++i) {
      EXPECT_EQ(static_cast<char>(name.words[i / 8] >> (i % 8 * 8)), folded[i]) << byte;
    }
  }
}

TEST(FoldedName, ReadsNoByteOutsideOfTheName) {
  const std::string letters = "abcdefghijklmnopqrstuvwx";
  for (size_t size = 0; size <= FoldedName::kMaxBytes; ++size) {
    // A heap block of exact size, so that the sanitizer sees an overread.
    const std::vector<char> block(letters.begin(), letters.begin() + static_cast<ptrdiff_t>(size));
    const FoldedName name(std::string_view(block.data(), size));
    for (size_t i = 0; i < FoldedName::kMaxBytes; ++i) {
      EXPECT_EQ(static_cast<char>(name.words[i / 8] >> (i % 8 * 8)), i < size ? letters[i] : '\0');
    }
  }
}

TEST(FindCommand, FindsEveryNameInEitherCase) {
  size_t count = 0;
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) {
      EXPECT_EQ(FindCommand(spec.name), &spec);
      EXPECT_EQ(FindCommand(UpperCase(std::string(spec.name))), &spec);
      EXPECT_EQ(FindListed(spec.name), &spec);
      for (const CommandSpec& sub : spec.subcommands) {
        EXPECT_EQ(FindSubcommand(spec, UpperCase(std::string(sub.own_name()))), &sub);
      }
      ++count;
    }
  }
  EXPECT_EQ(count, CommandCount());
  EXPECT_NE(FindCommand("POST"), nullptr);
  EXPECT_EQ(FindListed("POST"), nullptr);
}

TEST(FindCommand, FindsNothingElse) {
  for (const std::string name : {"", "ge", "gett", "get ", "foo", "GET\x01",
                                 "a name that is longer "
                                 "than any that there is"}) {
    EXPECT_EQ(FindCommand(name), nullptr) << name;
  }
  EXPECT_EQ(FindCommand(std::string_view("get\0", 4)), nullptr);
}

TEST(Tables, NameNothingTwice) {
  std::set<std::string_view> names;
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) EXPECT_TRUE(names.insert(spec.name).second) << spec.name;
  }
}

TEST(Tables, NumberEverySpecOnce) {
  for (size_t number = 0; number < SpecCount(); ++number) {
    EXPECT_EQ(SpecByNumber(number).number, number);
  }
}

}  // namespace
}  // namespace larder::command
