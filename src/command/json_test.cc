// The replies of the JSON commands, byte for byte. Examples of the documentation stand in
// tests/conformance/cases/json.txt, where they are asked from outside.
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command/test_stores.h"

namespace larder::command {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class JsonCommands : public testing::Test {
 protected:
  std::string Ask(std::string_view line) { return connection_.Ask(line); }
  std::string AskWords(const std::vector<std::string_view>& words) {
    return connection_.AskWords(words);
  }
  static std::string Bulk(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
  }

  static inline TestStores* stores_ = nullptr;
  static void SetUpTestSuite() { stores_ = new TestStores; }
  static void TearDownTestSuite() {
    delete stores_;
    stores_ = nullptr;
  }
  TestConnection connection_{*stores_};
};

constexpr std::string_view kOther = "-Existing key has wrong Redis type\r\n";
constexpr std::string_view kNoKey =
    "-ERR could not perform this operation on a key that doesn't exist\r\n";

TEST_F(JsonCommands, GetAnswersTheWholeValue) {
  EXPECT_EQ(Ask("JSON.GET document"), Bulk(kCompactDocument));
  EXPECT_EQ(Ask("JSON.GET document ."), Bulk(kCompactDocument));
  EXPECT_EQ(Ask("json.get document $"), Bulk("[" + std::string(kCompactDocument) + "]"));
  EXPECT_EQ(Ask("JSON.GET document NOESCAPE ."), Bulk(kCompactDocument));
}

TEST_F(JsonCommands, GetFollowsPaths) {
  EXPECT_EQ(Ask("JSON.GET document $.a.b"), Bulk("[1]"));
  EXPECT_EQ(Ask("JSON.GET document .a.b"), Bulk("1"));
  EXPECT_EQ(Ask("JSON.GET document a.c[1]"), Bulk("2.50"));
  EXPECT_EQ(Ask("JSON.GET document $..b"), Bulk("[1,[]]"));
  EXPECT_EQ(Ask("JSON.GET document ..b"), Bulk("1"));
  EXPECT_EQ(Ask("JSON.GET document $.s"), Bulk(R"(["é\n"])"));
  EXPECT_EQ(Ask("JSON.GET document $.nothing"), Bulk("[]"));
}

TEST_F(JsonCommands, GetOfWhatIsNotThere) {
  EXPECT_EQ(Ask("JSON.GET nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.GET nothing $.a["), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.GET document .nothing"), "-ERR Path '$.nothing' does not exist\r\n");
  EXPECT_EQ(Ask("JSON.GET document a nothing"), "-ERR Path 'nothing' does not exist\r\n");
  EXPECT_EQ(Ask("JSON.GET string"), kOther);
  EXPECT_THAT(Ask("JSON.GET document $.a["),
              StartsWith("-Error occurred on position 4, \"$.a[ <<<<----\", expected"));
  EXPECT_EQ(Ask("JSON.GET"), "-ERR wrong number of arguments for 'json.get' command\r\n");
}

TEST_F(JsonCommands, GetOfSeveralPathsIsAnObject) {
  EXPECT_EQ(Ask("JSON.GET document $.a.b $..b"), Bulk(R"({"$.a.b":[1],"$..b":[1,[]]})"));
  EXPECT_EQ(Ask("JSON.GET document .a.b s"), Bulk(R"({".a.b":1,"s":"é\n"})"));
  // One path of the newer kind makes all of them so; unreadable and repeated ones are left out.
  EXPECT_EQ(Ask("JSON.GET document .a.b $.no a.b["), Bulk(R"({".a.b":[1],"$.no":[]})"));
  EXPECT_EQ(Ask("JSON.GET document a.b a.b"), Bulk(R"({"a.b":1})"));
}

TEST_F(JsonCommands, GetLaysOutAsAsked) {
  EXPECT_EQ(
      AskWords({"JSON.GET", "document", "INDENT", "\t", "NEWLINE", "\n", "SPACE", " ", "$.a"}),
      Bulk("[\n\t{\n\t\t\"b\": 1,\n\t\t\"c\": [\n\t\t\ttrue,\n\t\t\t2.50\n\t\t]\n\t}\n]"));
  EXPECT_EQ(AskWords({"JSON.GET", "document", "indent", " ", ".a.c", ".a.b"}),
            Bulk(R"({ ".a.c":[  true,  2.50 ], ".a.b":1})"));
  EXPECT_EQ(Ask("JSON.GET document INDENT"),
            "-ERR wrong number of arguments for 'json.get' command\r\n");
}

TEST_F(JsonCommands, FormatIsForResp3) {
  EXPECT_EQ(Ask("JSON.GET document FORMAT STRING"),
            "-ERR FORMAT argument is not supported on RESP2\r\n");
  connection_.session.protocol = 3;
  EXPECT_EQ(Ask("JSON.GET document FORMAT string .a.b"), Bulk("1"));
  EXPECT_EQ(Ask("JSON.GET document FORMAT BSON .a.b"), "-ERR wrong reply format\r\n");
}

TEST_F(JsonCommands, LargeValuesAreLentFromTheMapping) {
  const std::string reply = Ask("JSON.GET largejson .text");
  EXPECT_EQ(reply.size(), 100'002U + 11U);
  EXPECT_THAT(reply, StartsWith("$100002\r\n\"xxx"));
}

TEST_F(JsonCommands, MGetAnswersNullForWhatIsNotThere) {
  EXPECT_EQ(Ask("JSON.MGET document nothing string json $.a"),
            "*4\r\n" + Bulk(R"([{"b":1,"c":[true,2.50]}])") + "$-1\r\n$-1\r\n" + Bulk("[1]"));
  EXPECT_EQ(Ask("JSON.MGET document json .s"), "*2\r\n" + Bulk(R"("é\n")") + "$-1\r\n");
  EXPECT_EQ(Ask("JSON.MGET json $["), "*1\r\n$-1\r\n");
  EXPECT_EQ(Ask("JSON.MGET json"), "-ERR wrong number of arguments for 'json.mget' command\r\n");
}

TEST_F(JsonCommands, TypeNamesTypes) {
  EXPECT_EQ(Ask("JSON.TYPE document"), Bulk("object"));
  EXPECT_EQ(Ask("JSON.TYPE document $.a.*"), "*2\r\n" + Bulk("integer") + Bulk("array"));
  EXPECT_EQ(Ask("JSON.TYPE document $.a.c.*"), "*2\r\n" + Bulk("boolean") + Bulk("number"));
  EXPECT_EQ(Ask("JSON.TYPE document $.nothing"), "*0\r\n");
  EXPECT_EQ(Ask("JSON.TYPE document .nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.TYPE document .a["), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.TYPE nothing $"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.TYPE string"), kOther);
  EXPECT_THAT(Ask("JSON.TYPE document $["), HasSubstr("position 2"));
}

TEST_F(JsonCommands, TypeIsWrappedInResp3) {
  connection_.session.protocol = 3;
  EXPECT_EQ(Ask("JSON.TYPE document $.n"), "*1\r\n*1\r\n" + Bulk("null"));
  EXPECT_EQ(Ask("JSON.TYPE document"), "*1\r\n" + Bulk("object"));
  EXPECT_EQ(Ask("JSON.TYPE nothing"), "*1\r\n_\r\n");
}

TEST_F(JsonCommands, StrLenCountsBytes) {
  EXPECT_EQ(Ask("JSON.STRLEN document .s"), ":3\r\n");
  EXPECT_EQ(Ask("JSON.STRLEN document $.*"), "*4\r\n$-1\r\n:3\r\n$-1\r\n$-1\r\n");
  EXPECT_EQ(Ask("JSON.STRLEN document .a"),
            "-WRONGTYPE wrong type of path value - expected string but found object\r\n");
  EXPECT_EQ(Ask("JSON.STRLEN document no"), "-ERR Path '$.no' does not exist\r\n");
  EXPECT_EQ(Ask("JSON.STRLEN nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.STRLEN nothing $"), kNoKey);
  EXPECT_EQ(Ask("JSON.STRLEN string"), kOther);
}

TEST_F(JsonCommands, ArrLenCountsElements) {
  EXPECT_EQ(Ask("JSON.ARRLEN document .a.c"), ":2\r\n");
  EXPECT_EQ(Ask("JSON.ARRLEN document $..b"), "*2\r\n$-1\r\n:0\r\n");
  EXPECT_EQ(Ask("JSON.ARRLEN document a"), "-ERR Path 'a' does not exist or not an array\r\n");
  EXPECT_EQ(Ask("JSON.ARRLEN document no"), "-ERR Path 'no' does not exist\r\n");
  EXPECT_EQ(Ask("JSON.ARRLEN nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.ARRLEN nothing $.a"), kNoKey);
}

TEST_F(JsonCommands, ObjKeysAreInTheOrderOfTheText) {
  EXPECT_EQ(Ask("JSON.OBJKEYS document"), "*4\r\n" + Bulk("a") + Bulk("s") + Bulk("o") + Bulk("n"));
  EXPECT_EQ(Ask("JSON.OBJKEYS document $.*"),
            "*4\r\n*2\r\n" + Bulk("b") + Bulk("c") + "$-1\r\n*1\r\n" + Bulk("b") + "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJKEYS document .s"), "-ERR Path '$.s' does not exist or not an object\r\n");
  EXPECT_EQ(Ask("JSON.OBJKEYS document .no"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJKEYS document .a["), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJKEYS nothing ."), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJKEYS nothing $"), kNoKey);
}

TEST_F(JsonCommands, ObjLenCountsMembers) {
  EXPECT_EQ(Ask("JSON.OBJLEN document"), ":4\r\n");
  EXPECT_EQ(Ask("JSON.OBJLEN document $.*"), "*4\r\n:2\r\n$-1\r\n:1\r\n$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJLEN document .s"),
            "-WRONGTYPE wrong type of path value - expected object but found string\r\n");
  EXPECT_EQ(Ask("JSON.OBJLEN document .no"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJLEN nothing"), "$-1\r\n");
  EXPECT_EQ(Ask("JSON.OBJLEN nothing $.a"), "-ERR Path '$.a' does not exist or not an object\r\n");
}

TEST_F(JsonCommands, RespTakesValuesApart) {
  EXPECT_EQ(Ask("JSON.RESP document .a"), "*5\r\n+{\r\n" + Bulk("b") + ":1\r\n" + Bulk("c") +
                                              "*3\r\n+[\r\n+true\r\n" + Bulk("2.5"));
  EXPECT_EQ(Ask("JSON.RESP document $.n"), "*1\r\n$-1\r\n");
  EXPECT_EQ(Ask("JSON.RESP document .no"), "-ERR Path '$.no' does not exist\r\n");
  EXPECT_EQ(Ask("JSON.RESP nothing"), "$-1\r\n");
}

// The layout's bytes are counted before any is written.
TEST_F(JsonCommands, NoLayoutMakesAReplyOfAnySize) {
  const std::string indent(40 << 20, ' ');
  constexpr std::string_view kTooLong = "-ERR the reply would have more than 536870912 bytes\r\n";
  EXPECT_EQ(AskWords({"JSON.GET", "document", "INDENT", indent}), kTooLong);
  EXPECT_EQ(AskWords({"JSON.GET", "document", "INDENT", indent, "$"}), kTooLong);
  EXPECT_EQ(AskWords({"JSON.GET", "document", "NEWLINE", indent, "SPACE", indent}), kTooLong);
  EXPECT_EQ(AskWords({"JSON.GET", "document", "INDENT", indent, "$..*", "$..b"}), kTooLong);
}

TEST_F(JsonCommands, WhatWouldCloseTheConnectionIsRefused) {
  connection_.session.max_reply_bytes = 500;
  constexpr std::string_view kTooLong = "-ERR the reply would have more than 500 bytes\r\n";
  const std::string indent(50, ' ');
  EXPECT_THAT(AskWords({"JSON.GET", "document", "INDENT", indent, ".a.c"}), StartsWith("$111\r\n"));
  EXPECT_EQ(AskWords({"JSON.GET", "document", "INDENT", indent}), kTooLong);
  EXPECT_EQ(Ask("JSON.GET largejson $"), kTooLong);
  EXPECT_EQ(Ask("JSON.GET largejson $ .text"), kTooLong);
}

TEST_F(JsonCommands, AllTextsOfAnMGetAreBoundedTogether) {
  connection_.session.max_reply_bytes = 250'000;
  constexpr std::string_view kTooLong = "-ERR the reply would have more than 250000 bytes\r\n";
  EXPECT_THAT(Ask("JSON.MGET largejson largejson $"), StartsWith("*2\r\n$100013\r\n"));
  EXPECT_EQ(Ask("JSON.MGET largejson largejson largejson $"), kTooLong);
  EXPECT_EQ(Ask("JSON.MGET largejson largejson largejson document nothing $"), kTooLong);
  // These are sent from where they are stored.
  EXPECT_THAT(Ask("JSON.MGET largejson largejson largejson ."), StartsWith("*3\r\n$100011\r\n"));
  connection_.session.max_reply_bytes = 1000;
  EXPECT_EQ(Ask("JSON.MGET document largejson $"),
            "-ERR the reply would have more than 1000 bytes\r\n");
}

TEST_F(JsonCommands, ValuesMetManyTimesAreBounded) {
  connection_.session.max_reply_bytes = 60;
  constexpr std::string_view kTooLong = "-ERR the reply would have more than 60 bytes\r\n";
  EXPECT_EQ(Ask("JSON.OBJKEYS document $..*"), kTooLong);
  EXPECT_EQ(Ask("JSON.RESP document $..*"), kTooLong);
}

TEST_F(JsonCommands, WritesAreRefused) {
  EXPECT_THAT(Ask("JSON.SET json $ 1"), StartsWith("-READONLY"));
  EXPECT_THAT(Ask("JSON.DEL json"), StartsWith("-READONLY"));
  EXPECT_THAT(Ask("JSON.NUMINCRBY json $.a 1"), StartsWith("-READONLY"));
  EXPECT_EQ(Ask("JSON.SET json $"), "-ERR wrong number of arguments for 'json.set' command\r\n");
  EXPECT_THAT(Ask("JSON.ARRINDEX json $ 1"), StartsWith("-ERR JSON.ARRINDEX is not supported"));
}

}  // namespace
}  // namespace larder::command
