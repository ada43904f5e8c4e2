#include "json_path/select.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::json_path {
namespace {

using testing::HasSubstr;

std::string Selected(std::string_view json, std::string_view path) {
  Document document;
  if (!document.Parse(json)) return "malformed";
  const auto steps = Compile(path);
  if (!steps) return steps.error().message();
  std::vector<uint32_t> matches;
  const auto selected = Select(document, *steps, matches);
  if (!selected) return selected.error().message();
  std::string text;
  for (const uint32_t match : matches) {
    if (!text.empty()) text += ' ';
    text += document.nodes()[match].raw;
  }
  return text;
}

constexpr std::string_view kDocument =
    R"({"a":{"b":1,"c":[10,20,30,40,50]},"d":[{"b":2,"n":"x"},{"b":3,"n":"yx"},{"n":"z"}],"b":null})";

TEST(Select, Names) {
  EXPECT_EQ(Selected(kDocument, "$.a.b"), "1");
  EXPECT_EQ(Selected(kDocument, "$['b','nothing']"), "null");
  EXPECT_EQ(Selected(kDocument, "$.a['c','b']"), "[10,20,30,40,50] 1");
  EXPECT_EQ(Selected(kDocument, "$.d.b"), "");
}

TEST(Select, OfTwoMembersOfOneNameTheFirst) {
  EXPECT_EQ(Selected(R"({"a":1,"a":2})", "$.a"), "1");
  EXPECT_EQ(Selected(R"({"a":1,"a":2})", "$.*"), "1 2");
}

TEST(Select, Every) {
  EXPECT_EQ(Selected(kDocument, "$.a.c[*]"), "10 20 30 40 50");
  EXPECT_EQ(Selected(kDocument, "$.a.*"), "1 [10,20,30,40,50]");
  EXPECT_EQ(Selected(kDocument, "$.b.*"), "");
}

TEST(Select, Indices) {
  EXPECT_EQ(Selected(kDocument, "$.a.c[0,-1,2]"), "10 50 30");
  EXPECT_EQ(Selected(kDocument, "$.a.c[5]"), "");
  EXPECT_EQ(Selected(kDocument, "$.a.c[-6]"), "10");  // as RedisJSON: never before the front
  EXPECT_EQ(Selected(kDocument, "$.a[0]"), "");
  EXPECT_EQ(Selected("[]", "$[-1]"), "");
}

TEST(Select, Slices) {
  EXPECT_EQ(Selected(kDocument, "$.a.c[1:3]"), "20 30");
  EXPECT_EQ(Selected(kDocument, "$.a.c[:2]"), "10 20");
  EXPECT_EQ(Selected(kDocument, "$.a.c[-2:]"), "40 50");
  EXPECT_EQ(Selected(kDocument, "$.a.c[::2]"), "10 30 50");
  EXPECT_EQ(Selected(kDocument, "$.a.c[1:-1:2]"), "20 40");
  EXPECT_EQ(Selected(kDocument, "$.a.c[3:1]"), "");
  EXPECT_EQ(Selected(kDocument, "$.a[0:1]"), "");
}

TEST(Select, DescendsInTheOrderOfTheText) {
  EXPECT_EQ(Selected(kDocument, "$..b"), "null 1 2 3");
  EXPECT_EQ(Selected(kDocument, "$..[0]"), R"(10 {"b":2,"n":"x"})");
  EXPECT_EQ(Selected("[[1,[2]],3]", "$..*"), "[1,[2]] 3 1 [2] 2");
  EXPECT_EQ(Selected("7", "$..*"), "");
}

TEST(Select, FiltersByComparison) {
  EXPECT_EQ(Selected(kDocument, "$.a.c[?(@>20)]"), "30 40 50");
  EXPECT_EQ(Selected(kDocument, "$.a.c[?(@>=20 && @<=30)]"), "20 30");
  EXPECT_EQ(Selected(kDocument, "$.a.c[?(@<20 || @==50)]"), "10 50");
  EXPECT_EQ(Selected(kDocument, "$.a.c[?(@!=20)]"), "10 30 40 50");
  EXPECT_EQ(Selected(kDocument, "$.a.c[?((@<20 || @>40) && @!=50)]"), "10");
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.n==\"z\")].n"), "\"z\"");
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.b>$.a.b)].n"), "\"x\" \"yx\"");
}

TEST(Select, FiltersByExistence) {
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.b)].n"), "\"x\" \"yx\"");
  EXPECT_EQ(Selected("[{\"a\":false},{\"a\":null},{}]", "$[?(@.a)]"), "{\"a\":false} {\"a\":null}");
  // What is not exactly one value is nothing, as in RedisJSON.
  EXPECT_EQ(Selected("[[1,2],[3]]", "$[?(@.*)]"), "[3]");
}

TEST(Select, FiltersByRegularExpression) {
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.n =~ 'x')].n"), "\"x\" \"yx\"");
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.n =~ '^(?i)X$')].n"), "\"x\"");
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.n =~ '(')].n"), "");
  EXPECT_EQ(Selected(kDocument, "$.d[?(@.b =~ '2')].n"), "");
  EXPECT_EQ(Selected(R"({"p":"^a","l":["ab","ba",1]})", "$.l[?(@ =~ $.p)]"), "\"ab\"");
  EXPECT_EQ(Selected(R"({"p":"(","l":["ab"]})", "$.l[?(@ =~ $.p)]"), "");
}

TEST(Select, FiltersMembersAndScalars) {
  EXPECT_EQ(Selected(R"({"a":{"x":1},"b":{"x":2}})", "$[?(@.x==2)]"), R"({"x":2})");
  EXPECT_EQ(Selected("[5,6]", "$[*][?(@==6)]"), "6");
}

TEST(Select, ComparesNumbersByValue) {
  EXPECT_EQ(Selected("[1,1.0,1e0,2]", "$[?(@==1)]"), "1 1.0 1e0");
  EXPECT_EQ(Selected("[9007199254740993]", "$[?(@==9007199254740992)]"), "");
  EXPECT_EQ(Selected("[18446744073709551615]", "$[?(@>9223372036854775807)]"),
            "18446744073709551615");
}

TEST(Select, WhatCannotBeComparedIsOnlyUnequal) {
  for (const char* op : {"==", "<", "<=", ">", ">=", "=~"}) {
    EXPECT_EQ(Selected(R"(["1",true,null,[1],{}])", std::string("$[?(@") + op + "1)]"), "") << op;
  }
  EXPECT_EQ(Selected(R"(["1",true,1])", "$[?(@!=1)]"), "\"1\" true");
  EXPECT_EQ(Selected("[null,1]", "$[?(@==null)]"), "null");
  EXPECT_EQ(Selected("[true,false]", "$[?(@==true)]"), "true");
}

TEST(Select, ComparesContainersWithEachOther) {
  EXPECT_EQ(Selected(R"({"w":{"a":1,"b":[2]},"l":[{"b":[2.0],"a":1},{"a":1},{"a":1,"b":[3]}]})",
                     "$.l[?(@==$.w)]"),
            R"({"b":[2.0],"a":1})");
  EXPECT_EQ(Selected("{\"w\":[1],\"l\":[[1],[1,2]]}", "$.l[?(@!=$.w)]"), "[1,2]");
}

TEST(Select, FiltersWithinFilters) {
  EXPECT_EQ(Selected(R"([{"l":[1,5]},{"l":[1,2]}])", "$[?(@.l[?(@>4)])]"), R"({"l":[1,5]})");
}

TEST(Select, GivesUpOnPathsWithoutEnd) {
  std::string json = "[";
  for (int i = 0; i < 300; ++i) json += "[1,[2,[3,[4]]]],";
  json += "0]";
  EXPECT_THAT(Selected(json, "$[?($[?($[?($..* == 1)] == 1)] == 1)]"),
              HasSubstr("looks at more than 10000000 values"));
}

TEST(Select, LongTextsCountWhereARegularExpressionGoesThroughThem) {
  const std::string json = "[\"" + std::string(300'000, 'a') + "\"]";
  EXPECT_THAT(Selected(json, "$[?(@=~'.{500}x')]"), HasSubstr("looks at more than"));
  EXPECT_EQ(Selected(json, "$[?(@=~'a+b')]"), "");
}

TEST(Select, MembersOfInnerObjectsCountWhenTheyAreCompared) {
  std::string members = "\"m\":0";
  for (int i = 0; i < 5000; ++i) members += ",\"m" + std::to_string(i) + "\":0";
  const std::string json = "[[{" + members + "}]]";
  EXPECT_THAT(Selected(json, "$[?(@==$[0])]"), HasSubstr("looks at more than"));
}

TEST(Select, SeveralPathsCanShareALimit) {
  Document document;
  ASSERT_TRUE(document.Parse("[1,2,3]"));
  const auto steps = Compile("$..*");
  std::vector<uint32_t> matches;
  uint64_t visits = kMaxVisits - 10;
  EXPECT_TRUE(Select(document, *steps, matches, visits));
  EXPECT_FALSE(Select(document, *steps, matches, visits));
}

}  // namespace
}  // namespace larder::json_path
