#include "json_path/document.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json_path/json_text.h"

namespace larder::json_path {
namespace {

using testing::HasSubstr;

std::string Written(std::string_view json, const Layout& layout = {}) {
  Document document;
  const auto parsed = document.Parse(json);
  if (!parsed) return parsed.error().message();
  std::string text;
  AppendNode(document, 0, layout, 0, text);
  return text;
}

std::string Found(std::string_view json, std::string_view path) {
  Document document;
  const auto found = document.Find(json, *Compile(path));
  if (!found) return found.error().message();
  return *found ? std::string(**found) : "nowhere";
}

TEST(Document, KnowsEveryValue) {
  Document document;
  ASSERT_TRUE(document.Parse(R"( {"a" : [1, 2.5, "x"], "b":{}, "c":true, "d":null} )"));
  const auto nodes = document.nodes();
  ASSERT_EQ(nodes.size(), 8U);
  EXPECT_EQ(nodes[0].type, JsonType::kObject);
  EXPECT_EQ(nodes[0].count, 4U);
  EXPECT_EQ(nodes[0].end, 8U);
  EXPECT_EQ(nodes[1].name, "a");
  EXPECT_EQ(nodes[1].raw, R"([1, 2.5, "x"])");
  EXPECT_EQ(nodes[1].end, 5U);
  EXPECT_EQ(nodes[3].raw, "2.5");
  EXPECT_EQ(nodes[4].text, "x");
  EXPECT_EQ(nodes[5].raw, "{}");
  EXPECT_EQ(nodes[7].raw, "null");
}

TEST(Document, NamesTypesAsRedisJsonDoes) {
  const auto type = [](std::string_view json) {
    Document document;
    return document.Parse(json) ? NameOf(document.nodes()[0].type) : "malformed";
  };
  EXPECT_EQ(type("1"), "integer");
  EXPECT_EQ(type("-9223372036854775808"), "integer");
  EXPECT_EQ(type("18446744073709551615"), "integer");
  EXPECT_EQ(type("18446744073709551616"), "number");
  EXPECT_EQ(type("-9223372036854775809"), "number");
  EXPECT_EQ(type("1.0"), "number");
  EXPECT_EQ(type("1e3"), "number");
  EXPECT_EQ(type("-0"), "number");
  EXPECT_EQ(type("\"s\""), "string");
  EXPECT_EQ(type(" true "), "boolean");
  EXPECT_EQ(type("null"), "null");
  EXPECT_EQ(type("[]"), "array");
  EXPECT_EQ(type("{}"), "object");
}

TEST(Document, RefusesWhatIsNoJson) {
  for (const char* json :
       {"", "{", "[1", "{\"a\":}", "tru", "[tru]", "{} {}", "x", "\"a", "[\xff]"}) {
    EXPECT_THAT(Written(json), HasSubstr("not valid JSON")) << json;
  }
}

TEST(Document, RefusesWhatIsNestedTooDeeply) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_EQ(Written(nested(kMaxDepth)), nested(kMaxDepth));
  EXPECT_THAT(Written(nested(kMaxDepth + 1)), HasSubstr("nested deeper than 512"));
}

TEST(Document, FindsWithoutAnIndex) {
  constexpr std::string_view kJson = R"({"x":[1,{"y":"z"}], "a":{"b": [10, 20 ] ,"b":2}})";
  EXPECT_EQ(Found(kJson, "$.a.b"), "[10, 20 ]");
  EXPECT_EQ(Found(kJson, "$.a.b[1]"), "20");
  EXPECT_EQ(Found(kJson, "$.x[1].y"), "\"z\"");
  EXPECT_EQ(Found(kJson, "$"), kJson);
  EXPECT_EQ(Found("  7 ", "$"), "7");
  for (const char* path : {"$.n", "$.a.n", "$.x[2]", "$.x.y", "$.a[0]", "$.a.b[0].c"}) {
    EXPECT_EQ(Found(kJson, path), "nowhere") << path;
  }
  EXPECT_EQ(Found("7", "$.a"), "nowhere");
}

TEST(Document, FindsEscapedNames) {
  EXPECT_EQ(Found(R"({"\u0061\"":1,"b\n":2})", R"($["a\""])"), "1");
  EXPECT_EQ(Found("{\"b\\n\":2}", "$['b\n']"), "2");
}

TEST(Document, IsUsedAgain) {
  Document document;
  ASSERT_TRUE(document.Parse("[1,2,3]"));
  ASSERT_FALSE(document.Parse("[1,"));
  ASSERT_TRUE(document.Parse("{}"));
  EXPECT_EQ(document.nodes().size(), 1U);
  document.Shrink();
  ASSERT_TRUE(document.Parse("[" + std::string(size_t{9} << 20, ' ') + "1]"));
  document.Shrink();
  ASSERT_TRUE(document.Parse("[1]"));
  EXPECT_EQ(document.nodes().size(), 2U);
}

TEST(JsonText, LeavesBlanksOut) {
  EXPECT_EQ(Written(" { \"a b\" : [ 1 , 2 ] , \"c\" : { } } "), R"({"a b":[1,2],"c":{}})");
  EXPECT_EQ(Written(R"({ "a\\" : [ 1 , "x" ] })"), R"({"a\\":[1,"x"]})");
}

TEST(JsonText, EscapesNoMoreThanItMust) {
  EXPECT_EQ(Written(R"(["\/\u00e9\ud834\udd1e\u0041\"\\"])"), R"(["/é𝄞A\"\\"])");
  EXPECT_EQ(Written(R"("\b\f\n\r\t\u0001\u001F\u007f")"), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
}

TEST(JsonText, KeepsTheTextOfNumbersAndTheOrderOfNames) {
  EXPECT_EQ(Written(R"({"b":1.50,"a":1E3,"c":123456789012345678901234567890})"),
            R"({"b":1.50,"a":1E3,"c":123456789012345678901234567890})");
}

TEST(JsonText, IsLaidOutAsAsked) {
  const Layout layout{.indent = "\t", .newline = "\n", .space = " "};
  EXPECT_EQ(Written(R"({"a":[1,{}],"b":[]})", layout),
            "{\n\t\"a\": [\n\t\t1,\n\t\t{}\n\t],\n\t\"b\": []\n}");
  EXPECT_EQ(Written("[1,2]", {.indent = "-"}), "[-1,-2]");
  EXPECT_EQ(Written(R"({"a":1})", {.space = "_"}), R"({"a":_1})");
  EXPECT_EQ(Written("[1,2]", {.newline = "|"}), "[|1,|2|]");
}

TEST(Document, RefusesWhatWasCutShort) {
  const std::string whole = R"([[[[[{"a":[{"b":"c"},true,[12.5]]}]]]]])";
  for (size_t size = 1; size < whole.size(); ++size) {
    const std::string_view cut = std::string_view(whole).substr(0, size);
    EXPECT_THAT(Written(cut), HasSubstr("not valid JSON")) << cut;
    EXPECT_NE(Found(cut, "$[0][0][0][0][0].a[2][0]"), "12.5]") << cut;
  }
  EXPECT_THAT(Written("[[[[[[["), HasSubstr("not valid JSON"));
  EXPECT_THAT(Written("[[[\n[[[[[[[[[[["), HasSubstr("not valid JSON"));
  EXPECT_EQ(Found(whole, "$[0][0][0][0][0].a[2][0]"), "12.5");
}

TEST(Document, RefusesMembersInAnArray) {
  EXPECT_THAT(Written(R"(["a":null])"), HasSubstr("not valid JSON"));
  EXPECT_THAT(Written(R"({"a":{"c":["b":1]}})"), HasSubstr("not valid JSON"));
}

TEST(Document, RefusesWhatBeginsLikeNoNumber) {
  for (const std::string_view json : {"[e]", "[+1]", "[.5]", "{\"a\":E1}"}) {
    EXPECT_THAT(Written(json), HasSubstr("not valid JSON")) << json;
  }
}

TEST(JsonText, CountsWhatItsLayoutAdds) {
  const std::string indent(30, ' ');
  const Layout layout{.indent = indent, .newline = "\r\n", .space = "     "};
  for (const std::string_view json :
       {"1", "[]", "{}", "[1]", R"({"a":[1,{}],"b":[],"c":{"d":{"e":[[[2]]]}}})"}) {
    Document document;
    ASSERT_TRUE(document.Parse(json));
    EXPECT_EQ(LayoutBytes(document, 0, layout, 0, 1'000'000),
              Written(json, layout).size() - json.size());
  }
  Document document;
  ASSERT_TRUE(document.Parse("[1,2,3,4,5,6]"));
  EXPECT_EQ(LayoutBytes(document, 0, layout, 0, 40), 2U + 2 * 32);
}

}  // namespace
}  // namespace larder::json_path
