#include "import/jsonl/record_parser.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/jsonl/json_token.h"
#include "import/jsonl/parsed_line.h"
#include "import/line_chunks.h"
#include "import/record_copies.h"

namespace larder::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string StringLine(std::string_view value_json) {
  return R"({"key":"k","type":"string","string_record":{"value":)" + std::string(value_json) + "}}";
}

std::string ListLine(std::string_view element_json) {
  return R"({"key":"k","type":"list","list_record":{"elements":[)" + std::string(element_json) +
         "]}}";
}

std::string ZsetLine(std::string_view score_json) {
  return R"({"key":"k","type":"zset","ordered_set_record":{"elements":[{"value":"m","score":)" +
         std::string(score_json) + "}]}}";
}

// ---- What is accepted.

TEST(RecordParserTest, MembersMayComeInAnyOrder) {
  const Parsed parsed(R"({"string_record":{"value":"v"},"type":"string","key":"k"})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), (RecordCopy{"k", ValueType::kString, "v", {}, {}}));
}

TEST(RecordParserTest, WhitespaceBetweenTokensIsNothing) {
  const Parsed parsed(
      " \t{ \"key\" :\t\"k\" , \"type\" : \"list\",\"list_record\" : { \"elements\" : [ 1 , true ] "
      "} "
      "} \r");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_THAT(parsed.record().items, ElementsAre("1", "true"));
}

TEST(RecordParserTest, OrderedSetIsAnotherNameOfZset) {
  const Parsed parsed(
      R"({"key":"k","type":"ordered_set","ordered_set_record":{"elements":[{"value":"m","score":1}]}})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record().type, ValueType::kZset);
}

TEST(RecordParserTest, NumbersAndBooleansKeepTheirSourceText) {
  for (const std::string text :
       {"0", "-0", "1.10", "1e3", "1E+3", "-12.50e-07", "123456789012345678901234567890", "1e999",
        "-0.0", "true", "false", "18446744073709551616"}) {
    const Parsed string(StringLine(text));
    ASSERT_TRUE(string.ok()) << text << ": " << string.reason();
    EXPECT_EQ(string.record().text, text);
    const Parsed spaced(StringLine(" " + text + "\t "));
    ASSERT_TRUE(spaced.ok()) << text << ": " << spaced.reason();
    EXPECT_EQ(spaced.record().text, text);
    const Parsed list(ListLine(text + "," + text + " ,\"x\"," + text));
    ASSERT_TRUE(list.ok()) << text << ": " << list.reason();
    EXPECT_THAT(list.record().items, ElementsAre(text, text, "x", text));
    const Parsed hash(R"({"key":"k","type":"hash","hash_record":{"fields":{"f":)" + text +
                      R"(,"g":"x"}}})");
    ASSERT_TRUE(hash.ok()) << text << ": " << hash.reason();
    EXPECT_THAT(hash.record().items, ElementsAre("f", text, "g", "x"));
    const Parsed member(R"({"key":"k","type":"zset","ordered_set_record":{"elements":[{"value":)" +
                        text + R"(,"score":1}]}})");
    ASSERT_TRUE(member.ok()) << text << ": " << member.reason();
    EXPECT_THAT(member.record().items, ElementsAre(text));
  }
}

TEST(RecordParserTest, AKeyMayBeANumberOrBooleanToo) {
  for (const std::string text : {"42", "1.10", "true"}) {
    const Parsed parsed(R"({"key":)" + text + R"(,"type":"string","string_record":{"value":""}})");
    ASSERT_TRUE(parsed.ok()) << parsed.reason();
    EXPECT_EQ(parsed.record().key, text);
  }
}

TEST(RecordParserTest, EmptyKeysAndStringsAreRecords) {
  const Parsed parsed(R"({"key":"","type":"string","string_record":{"value":""}})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_FALSE(parsed.empty_collection());
  EXPECT_EQ(parsed.record(), (RecordCopy{"", ValueType::kString, "", {}, {}}));
}

TEST(RecordParserTest, EscapesAreResolved) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041\u00e9\u20ac")", "A\xc3\xa9\xe2\x82\xac"},
      {R"("\ud83d\ude00")", "\xf0\x9f\x98\x80"},
      {R"("\uD83D\uDE00x")", "\xf0\x9f\x98\x80x"},
      {R"("\u0000")", std::string_view("\0", 1)},
      {R"("a\u0000b")", std::string_view("a\0b", 3)},
      {R"("\uffff\ufffe")", "\xef\xbf\xbf\xef\xbf\xbe"},
      {"\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"", "\xc3\xa9\xf0\x9f\x98\x80\x7f"},
  };
  for (const auto& [json, text] : cases) {
    const Parsed parsed(StringLine(json));
    ASSERT_TRUE(parsed.ok()) << json << ": " << parsed.reason();
    EXPECT_EQ(parsed.record().text, text) << json;
  }
}

TEST(RecordParserTest, EscapesAreResolvedInEveryPlace) {
  const Parsed hash(
      R"({"k\u0065y":"\u006b\n","type":"h\u0061sh","hash_record":{"fields":{"\u0066":"\u0076"}}})");
  ASSERT_TRUE(hash.ok()) << hash.reason();
  EXPECT_EQ(hash.record(), (RecordCopy{"k\n", ValueType::kHash, "", {"f", "v"}, {}}));
}

TEST(RecordParserTest, RepeatedFieldsAndMembersAreHandedOnInOrder) {
  const Parsed hash(R"({"key":"k","type":"hash","hash_record":{"fields":{"f":"1","f":"2"}}})");
  ASSERT_TRUE(hash.ok()) << hash.reason();
  EXPECT_THAT(hash.record().items, ElementsAre("f", "1", "f", "2"));
}

TEST(RecordParserTest, ScoresAreReadExactly) {
  const std::pair<std::string_view, double> cases[] = {
      {"0", 0},
      {"-1.5", -1.5},
      {"1e3", 1000},
      {"0.1", 0.1},
      {"9007199254740993", 9007199254740992.0},
      {"123456789012345678901234567890", 123456789012345678901234567890.0},
      {"1.7976931348623157e308", std::numeric_limits<double>::max()},
      {"5e-324", std::numeric_limits<double>::denorm_min()},
      {"1e-400", 0},
      {"\"inf\"", INFINITY},
      {"\"+inf\"", INFINITY},
      {"\"-inf\"", -INFINITY},
      {"\"Infinity\"", INFINITY},
      {"\"+Infinity\"", INFINITY},
      {"\"-Infinity\"", -INFINITY},
      {"\"-INF\"", -INFINITY},
  };
  for (const auto& [json, score] : cases) {
    const Parsed parsed(ZsetLine(json));
    ASSERT_TRUE(parsed.ok()) << json << ": " << parsed.reason();
    EXPECT_THAT(parsed.record().scores, ElementsAre(score)) << json;
  }
}

TEST(RecordParserTest, ANegativeZeroKeepsItsSign) {
  const Parsed parsed(ZsetLine("-0.0"));
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_TRUE(std::signbit(parsed.record().scores.at(0)));
}

TEST(RecordParserTest, EmptyCollectionsAreNoKey) {
  for (const std::string_view line :
       {R"({"key":"k","type":"hash","hash_record":{"fields":{}}})",
        R"({"key":"k","type":"hash","hash_record":{"fields":null}})",
        R"({"key":"k","type":"list","list_record":{"elements":[]}})",
        R"({"key":"k","type":"set","set_record":{"elements":[ ]}})",
        R"({"key":"k","type":"zset","ordered_set_record":{"elements":[]}})",
        R"({"key":"k","type":"zset","ordered_set_record":{"elements":null}})"}) {
    const Parsed parsed(line);
    EXPECT_TRUE(parsed.empty_collection()) << line << ": " << parsed.reason();
  }
}

TEST(RecordParserTest, OtherMembersAreIgnored) {
  const Parsed parsed(
      R"({"note":{"a":[1,{"b":null}],"c":"\n"},"key":"k","type":"zset","x":[],"y":{},"z":1e999,)"
      R"("ordered_set_record":{"n":true,"elements":[{"value":"m","rank":[1],"score":1}]},"note":1})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), (RecordCopy{"k", ValueType::kZset, "", {"m"}, {1}}));
}

TEST(RecordParserTest, RecordMembersThatAreNullAreAbsent) {
  const Parsed parsed(
      R"({"key":"k","type":"string","hash_record":null,"string_record":{"value":"v"},"list_record":null})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record().text, "v");
}

TEST(RecordParserTest, AParserGoesOnAfterABadLineAndALongOne) {
  RecordParser parser;
  std::string padded;  // the record's strings lie in it
  const auto parse = [&](const std::string& line) {
    padded = line + std::string(kChunkPadding, '\n');
    return parser.Parse(std::string_view(padded).substr(0, line.size())).has_value();
  };
  EXPECT_TRUE(parse(StringLine("\"v\"")));
  EXPECT_FALSE(parse("{\"key\":"));
  EXPECT_TRUE(parse(StringLine('"' + std::string(20 << 20, 'x') + '"')));
  EXPECT_EQ(parser.record().text.size(), size_t{20} << 20);
  EXPECT_TRUE(parse(StringLine("\"w\"")));
  EXPECT_EQ(parser.record().text, "w");
}

// ---- What is refused: the line, the column, a part of the reason.

struct Refusal {
  std::string line;
  size_t column;
  std::string_view reason;
};

void ExpectRefused(const Refusal& bad) {
  for (const char after : {'\n', '\r'}) {
    const Parsed parsed(bad.line, {.shape = SourceShape::kTyped}, after);
    ASSERT_FALSE(parsed.ok()) << bad.line;
    EXPECT_THAT(parsed.reason(), HasSubstr(bad.reason)) << bad.line;
    EXPECT_EQ(parsed.column(), bad.column) << bad.line << "\n" << parsed.reason();
    EXPECT_EQ(parsed.code(), ErrorCode::kCorrupt);
  }
}

TEST(BadLineTest, WhatIsNoObject) {
  ExpectRefused({R"([{"key":"k"}])", 1, "a record is a JSON object"});
  ExpectRefused({R"(  "text")", 3, "a record is a JSON object"});
  ExpectRefused({"42", 1, "a record is a JSON object"});
  ExpectRefused({"null", 1, "a record is a JSON object"});
  ExpectRefused({"\xef\xbb\xbf{}", 1, "a record is a JSON object"});
  ExpectRefused({"}", 1, "a record is a JSON object"});
}

TEST(BadLineTest, WhatFollowsTheObject) {
  const std::string line = StringLine("\"v\"");
  const size_t after = line.size() + 1;
  ExpectRefused({line + "x", after, "something follows"});
  ExpectRefused({line + " " + line, after + 1, "something follows"});
  ExpectRefused({line + " ,", after + 1, "something follows"});
  ExpectRefused({line + "}", after, "something follows"});
}

TEST(BadLineTest, MalformedJson) {
  ExpectRefused({R"({"key" "k"})", 8, "malformed JSON"});
  ExpectRefused({R"({"key":"k" "type":"string"})", 12, "malformed JSON"});
  ExpectRefused({R"({"key":"k",})", 12, "malformed JSON"});
  ExpectRefused({R"({,"key":"k"})", 2, "malformed JSON"});
  ExpectRefused({R"({key:"k"})", 2, "malformed JSON"});
  ExpectRefused({R"({"key":})", 8, "not a JSON value"});
  ExpectRefused({R"({"x":[1,2}})", 10, "malformed JSON"});
  ExpectRefused({R"({"x":[1 2]})", 9, "malformed JSON"});
  ExpectRefused({R"({"x":[1,]})", 9, "not a JSON value"});
  ExpectRefused({R"({"x":[,1]})", 7, "not a JSON value"});
  ExpectRefused({R"({"x":{"y":1])", 13, "ends before"});
  ExpectRefused({R"({"x":{"y" 1}})", 11, "malformed JSON"});
}

TEST(BadLineTest, ALineCutOffAnywhere) {
  const std::string line =
      R"({"key":"k\n","n":[1,{"a":null}],"type":"zset","ordered_set_record":{"elements":[{"value":"m","score":1.5},{"value":"m","score":"inf"}]}})";
  ASSERT_TRUE(Parsed(line).ok());
  for (size_t size = 1; size < line.size(); ++size) {
    for (const char after : {'\n', '\r'}) {
      EXPECT_FALSE(Parsed(std::string_view(line).substr(0, size), {}, after).ok()) << size;
    }
  }
}

TEST(BadLineTest, WhatAScalarMustNotBe) {
  for (const std::string_view json : {"tru", "truee", "nul", "nulll", "NaN", "Infinity", "+1", "01",
                                      "1.", ".5", "1e", "1e+", "-", "--1", "0x10", "1_000", "1a"}) {
    ExpectRefused({StringLine(json), 53, "not a JSON value"});
    ExpectRefused({R"({"ignored":)" + std::string(json) + "}", 12, "not a JSON value"});
  }
}

TEST(BadLineTest, NullAndNestedValuesWhereAStringIsMeant) {
  ExpectRefused({StringLine("null"), 53, "null, where a string is meant"});
  ExpectRefused({StringLine("[1]"), 53, "nested"});
  ExpectRefused({StringLine("{}"), 53, "nested"});
  ExpectRefused({ListLine("\"a\",null"), 57, "null, where a string is meant"});
  ExpectRefused({ListLine("\"a\",[]"), 57, "nested"});
  ExpectRefused(
      {R"({"key":"k","type":"hash","hash_record":{"fields":{"f":null}}})", 55, "null, where"});
  ExpectRefused({R"({"key":null})", 8, "null, where a string is meant"});
  ExpectRefused({R"({"key":["k"]})", 8, "nested"});
}

TEST(BadLineTest, InvalidEscapes) {
  for (const std::string_view json :
       {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\n")",
        R"("\ud83d\u0041")", R"("\ude00")", R"("\ude00\ud83d")", R"("\ud83d\ud83d")"}) {
    ExpectRefused({StringLine(json), 53, "escape"});
    ExpectRefused({R"({"ignored":)" + std::string(json) + "}", 12, "escape"});
    ExpectRefused({"{" + std::string(json) + ":1}", 2, "escape"});
  }
}

TEST(BadLineTest, BytesThatAreNoUtf8) {
  for (const std::string_view bytes :
       {"\xff", "\x80", "\xc3", "\xc0\x80", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf0\x80\x80\x80", "\xe0\x80\x80", "\xf5\x80\x80\x80", "\xc3\x41"}) {
    ExpectRefused({StringLine("\"ab" + std::string(bytes) + "\""), 56, "not UTF-8"});
  }
  ExpectRefused({"{\"key\":\"k\"} \xff", 13, "not UTF-8"});
}

TEST(BadLineTest, ControlCharactersAndUnclosedStrings) {
  ExpectRefused({StringLine("\"a\tb\""), 55, "control character"});
  ExpectRefused({StringLine(std::string("\"\0\"", 3)), 54, "control character"});
  ExpectRefused({StringLine("\"\\\"a"), 53, "does not end"});
  ExpectRefused({R"({"key":"k)", 8, "does not end"});
  ExpectRefused({R"({"key":"k\)", 8, "does not end"});
}

TEST(BadLineTest, MissingMembers) {
  ExpectRefused({"{}", 1, "no member \"key\""});
  ExpectRefused({R"(  {"type":"string","string_record":{"value":"v"}})", 3, "no member \"key\""});
  ExpectRefused({R"({"key":"k","string_record":{"value":"v"}})", 1, "no member \"type\""});
  ExpectRefused({R"({"key":"k","type":"string"})", 1, "no member \"string_record\""});
  ExpectRefused({R"({"key":"k","type":"string","string_record":null})", 1, "no member"});
  ExpectRefused({R"({"key":"k","type":"string","string_record":{}})", 44, "no member \"value\""});
  ExpectRefused({R"({"key":"k","type":"hash","hash_record":{}})", 40, "no member \"fields\""});
  ExpectRefused({R"({"key":"k","type":"set","set_record":{"x":1}})", 38, "no member \"elements\""});
  const std::string zset = R"({"key":"k","type":"zset","ordered_set_record":{"elements":[)";
  ExpectRefused({zset + R"({"value":"m"}]}})", 60, "no member \"score\""});
  ExpectRefused({zset + R"({"score":1}]}})", 60, "no member \"value\""});
  ExpectRefused({zset + R"({}]}})", 60, "no member \"value\""});
}

TEST(BadLineTest, MembersOfAnotherForm) {
  ExpectRefused({R"({"key":"k","type":"stream"})", 19, "the type is none of"});
  ExpectRefused({R"({"key":"k","type":"String"})", 19, "the type is none of"});
  ExpectRefused({R"({"key":"k","type":1})", 19, "the type is not a string"});
  ExpectRefused({R"({"key":"k","type":null})", 19, "the type is not a string"});
  ExpectRefused({R"({"key":"k","type":"string","hash_record":{"fields":{}}})", 42,
                 "the type is \"string\", but the value stands in \"hash_record\""});
  ExpectRefused({R"({"key":"k","type":"string","string_record":"v"})", 44, "is not an object"});
  ExpectRefused({R"({"key":"k","type":"hash","hash_record":{"fields":[]}})", 50, "not an object"});
  ExpectRefused({R"({"key":"k","type":"list","list_record":{"elements":{}}})", 52, "not an array"});
  ExpectRefused({R"({"key":"k","type":"set","set_record":{"elements":"x"}})", 50, "not an array"});
  ExpectRefused({R"({"key":"k","type":"zset","ordered_set_record":{"elements":["m"]}})", 60,
                 "not an object"});
}

TEST(BadLineTest, MembersThatStandTwice) {
  ExpectRefused({R"({"key":"k","key":"k"})", 18, "\"key\" stands twice"});
  ExpectRefused({R"({"key":"k","type":"set","type":"set"})", 32, "\"type\" stands twice"});
  ExpectRefused({R"({"string_record":{"value":"v"},"string_record":{"value":"v"}})", 48,
                 "\"string_record\" stands twice"});
  ExpectRefused({R"({"string_record":{"value":"v"},"set_record":{"elements":[]}})", 45,
                 "only one can be meant"});
  ExpectRefused({R"({"string_record":{"value":"v","value":"v"}})", 39, "\"value\" stands twice"});
  const std::string zset = R"({"ordered_set_record":{"elements":[{"value":"m","score":1,)";
  ExpectRefused({zset + R"("score":1}]}})", 67, "\"score\" stands twice"});
  ExpectRefused({zset + R"("value":1}]}})", 67, "\"value\" stands twice"});
}

TEST(BadLineTest, Scores) {
  ExpectRefused({ZsetLine("1e999"), 81, "too large"});
  ExpectRefused({ZsetLine("-1e999"), 81, "too large"});
  for (const std::string_view json : {"null", "true", "[]", "NaN", "01", "1x"}) {
    ExpectRefused({ZsetLine(json), 81, "not a number"});
  }
  for (const std::string_view json : {R"("nan")", R"("1")", R"("")", R"("--inf")", R"("+-inf")",
                                      R"("infinit")", R"("inf ")", R"("infinityinfinityinf")"}) {
    ExpectRefused({ZsetLine(json), 81, "neither \"inf\""});
  }
}

TEST(BadLineTest, TheKeyIsToldWhenItIsKnown) {
  EXPECT_EQ(Parsed(R"({"key":"k1","type":"x"})").key(), "k1");
  EXPECT_EQ(Parsed(R"({"key":"k1","type":"string"})").key(), "k1");
  EXPECT_EQ(Parsed(R"({"key":"k1","type" "x"})").key(), "k1");
  EXPECT_EQ(Parsed(R"({"type":"x","key":"k1"})", {.shape = SourceShape::kTyped}).key(),
            std::nullopt);
}

TEST(BadLineTest, NestingTooDeepToBeMeant) {
  const auto nested = [](size_t depth) {
    return R"({"key":"k","type":"string","string_record":{"value":"v"},"x":)" +
           std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_TRUE(Parsed(nested(256)).ok());
  EXPECT_THAT(Parsed(nested(300)).reason(), HasSubstr("nested too deeply"));
  EXPECT_FALSE(Parsed(nested(100'000)).ok());
}

TEST(RecordParserTest, KeysHaveALimit) {
  const auto line = [](size_t bytes) {
    return R"({"key":")" + std::string(bytes, 'k') +
           R"(","type":"string","string_record":{"value":"v"}})";
  };
  EXPECT_TRUE(Parsed(line(kMaxKeyBytes)).ok());
  const Parsed parsed(line(kMaxKeyBytes + 1));
  EXPECT_EQ(parsed.code(), ErrorCode::kLimit);
  EXPECT_EQ(parsed.column(), 8U);
}

// ---- The parts.

TEST(JsonTokenTest, NumbersFollowTheGrammar) {
  for (const std::string_view text : {"0", "-0", "10", "1.5", "1e5", "1E-5", "-1.25e+10"}) {
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  }
  for (const std::string_view text :
       {"", "-", "00", "01", "-01", "1.", ".1", "1.e1", "e1", "1e", "1e+", "1 ", " 1", "+1"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
}

TEST(JsonTokenTest, BlankIsSpacesTabsAndReturns) {
  EXPECT_TRUE(IsBlank(""));
  EXPECT_TRUE(IsBlank(" \t\r"));
  EXPECT_FALSE(IsBlank("\v"));
  EXPECT_FALSE(IsBlank(" x"));
}

}  // namespace
}  // namespace larder::importer
