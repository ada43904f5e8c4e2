// SORT_RO. That it answers as Redis does is shown by tests/conformance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/test_stores.h"

namespace larder::command {
namespace {

class SortTest : public ::testing::Test {
 protected:
  // The bulks of the reply, a null as "(nil)", separated by blanks; an error as it is.
  std::string Sorted(std::string_view options) {
    const std::string reply = connection_.Ask(fmt::format("SORT_RO {}", options));
    if (reply[0] != '*') return reply;
    std::string words;
    for (size_t at = reply.find("\r\n") + 2; at < reply.size();) {
      const size_t line = reply.find("\r\n", at);
      const int bytes = std::stoi(reply.substr(at + 1, line - at - 1));
      if (!words.empty()) words += ' ';
      words += bytes < 0 ? "(nil)" : reply.substr(line + 2, static_cast<size_t>(bytes));
      at = line + 2 + (bytes < 0 ? 0 : static_cast<size_t>(bytes) + 2);
    }
    return words;
  }

  TestStores stores_;
  TestConnection connection_{stores_};
};

TEST_F(SortTest, NumbersAreSortedAsNumbersOrAsText) {
  EXPECT_EQ(Sorted("ids DESC"), "10 3 2 1");
  EXPECT_EQ(Sorted("ids ALPHA"), "1 10 2 3");
  EXPECT_EQ(Sorted("ids ALPHA DESC LIMIT 1 2"), "2 10");
  EXPECT_EQ(Sorted("zset ALPHA"), "four one three two");
  EXPECT_EQ(Sorted("set"), "-ERR One or more scores can't be converted into double\r\n");
}

TEST_F(SortTest, OtherKeysAndFieldsOfHashesGiveTheOrder) {
  EXPECT_EQ(Sorted("ids BY weight_*"), "10 2 3 1");
  EXPECT_EQ(Sorted("ids BY object_*->weight DESC"), "1 3 2 10");
  EXPECT_EQ(Sorted("ids BY nothing_*"), "1 10 2 3");
}

TEST_F(SortTest, GetAnswersWhatOtherKeysHold) {
  EXPECT_EQ(Sorted("ids GET # GET weight_* GET object_*->n LIMIT 2 2"), "3 20 3 10 (nil) (nil)");
  EXPECT_EQ(Sorted("ids GET constant LIMIT 0 1"), "(nil)");
  EXPECT_EQ(Sorted("ids GET list* LIMIT 0 1"), "(nil)");
}

TEST_F(SortTest, AConstantKeepsTheOrderOfTheKey) {
  EXPECT_EQ(Sorted("ids BY nosort DESC"), "10 3 2 1");
  EXPECT_EQ(Sorted("zset BY nosort DESC LIMIT 0 2"), "four three");
  EXPECT_EQ(Sorted("set BY nosort DESC"), "x y z");
}

TEST_F(SortTest, TiesOfTextKeepTheOrderOfTheList) {
  EXPECT_EQ(Sorted("ids BY nothing_* ALPHA"), "1 2 3 10");
  EXPECT_EQ(Sorted("ids BY nothing_* ALPHA DESC"), "1 2 3 10");
}

TEST_F(SortTest, OfNothingIsNothing) {
  EXPECT_EQ(Sorted("nothing"), "");
  EXPECT_EQ(Sorted("ids LIMIT 9 9"), "");
  EXPECT_EQ(Sorted("string"),
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
}

}  // namespace
}  // namespace larder::command
