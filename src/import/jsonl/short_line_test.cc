// Lines of the short shape: every rule of docs/formats/jsonl.md, "Short".
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/jsonl/parsed_line.h"

namespace larder::importer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const LineOptions kForced = {.shape = SourceShape::kShort};

std::string Line(std::string_view members) { return R"({"key":"k",)" + std::string(members) + "}"; }

// Told from the line and forced, in the order given and with the value before all that it depends
// on, and after all of it.
void ExpectRecord(std::string_view members, const RecordCopy& expected) {
  for (const LineOptions& options : {LineOptions{}, kForced}) {
    const Parsed parsed(Line(members), options);
    ASSERT_TRUE(parsed.ok()) << members << ": " << parsed.reason();
    ASSERT_FALSE(parsed.empty_collection()) << members;
    EXPECT_EQ(parsed.record(), expected) << members;
  }
}

void ExpectValue(std::string_view value, const std::vector<std::string>& others,
                 const RecordCopy& expected) {
  std::string behind = R"("value":)" + std::string(value);
  std::string before;
  for (const std::string& other : others) {
    behind += "," + other;
    before += other + ",";
  }
  ExpectRecord(behind, expected);
  ExpectRecord(before + R"("value":)" + std::string(value), expected);
}

RecordCopy String(std::string text) { return {"k", ValueType::kString, std::move(text), {}, {}}; }
RecordCopy Json(std::string text) { return {"k", ValueType::kJson, std::move(text), {}, {}}; }
RecordCopy Of(ValueType type, std::vector<std::string> items, std::vector<double> scores = {}) {
  return {"k", type, "", std::move(items), std::move(scores)};
}

const std::string kSet = R"("type":"set")";
const std::string kZset = R"("type":"zset")";
const std::string kJsonType = R"("type":"json")";
const std::string kBase64 = R"("encoding":"base64")";
const std::string kFieldBase64 = R"("field_encoding":"base64")";

struct Refusal {
  std::string members;  // besides the key
  std::string_view at;  // what stands at the column
  std::string_view reason;
};

void ExpectRefused(const Refusal& bad) {
  const std::string line = Line(bad.members);
  for (const LineOptions& options : {LineOptions{}, kForced}) {
    const Parsed parsed(line, options);
    ASSERT_FALSE(parsed.ok()) << line;
    EXPECT_THAT(parsed.reason(), HasSubstr(bad.reason)) << line;
    EXPECT_EQ(parsed.code(), ErrorCode::kCorrupt) << line;
    EXPECT_EQ(parsed.key(), "k") << line;
    EXPECT_TRUE(std::string_view(line).substr(parsed.column() - 1).starts_with(bad.at))
        << line << ": " << parsed.column() << ": " << parsed.reason();
  }
}

// ---- Values.

TEST(ShortLineTest, ScalarsAreStringsWithTheirSourceText) {
  ExpectRecord(R"("value":"v\u00e9\n")", String("v\xc3\xa9\n"));
  ExpectRecord(R"("value":"")", String(""));
  for (const std::string text :
       {"0", "-0", "1.10", "1e3", "123456789012345678901234567890", "1e999", "true", "false"}) {
    ExpectRecord(R"("value": )" + text + " ", String(text));
    ExpectValue(text, {R"("type":"string")"}, String(text));
  }
}

TEST(ShortLineTest, ObjectsAreHashes) {
  const RecordCopy expected =
      Of(ValueType::kHash, {"s", "v", "n", "1.10", "b", "false", "o", R"({"x":[1, null]})", "a",
                            R"([ "\n" ])", "last", "{}"});
  constexpr std::string_view kValue =
      R"({"s":"v","n":1.10,"b":false,"gone":null,"o":{"x":[1, null]} ,"a": [ "\n" ]	,"last":{}})";
  ExpectRecord(R"("value":)" + std::string(kValue), expected);
  ExpectValue(kValue, {R"("type":"hash")"}, expected);
}

TEST(ShortLineTest, ArraysAreLists) {
  const RecordCopy expected =
      Of(ValueType::kList, {"a", "1.10", "true", "a", "[[]]", R"({"x":null})"});
  constexpr std::string_view kValue = R"(["a",1.10 ,true,"a",[[]], {"x":null} ])";
  ExpectRecord(R"("value":)" + std::string(kValue), expected);
  ExpectValue(kValue, {R"("type":"list")"}, expected);
}

TEST(ShortLineTest, ATypeMakesSetsSortedSetsAndJson) {
  ExpectValue(R"(["a",1,[2]])", {kSet}, Of(ValueType::kSet, {"a", "1", "[2]"}));
  ExpectValue(R"({"a":1.5,"b":"-inf","a":2})", {kZset},
              Of(ValueType::kZset, {"a", "b", "a"}, {1.5, -INFINITY, 2}));
  ExpectValue(R"({"a":1})", {R"("type":"ordered_set")"}, Of(ValueType::kZset, {"a"}, {1}));
}

TEST(ShortLineTest, JsonKeepsItsSourceTextWhateverItIs) {
  for (const std::string text : {R"({"a":[1,null, 2.50],"b":{}})", "{}", "[ ]", R"([{"x":"]}"}])",
                                 R"("t\u00e9\"")", "1.10", "true", "null"}) {
    ExpectValue(" " + text + "\t ", {kJsonType}, Json(text));
  }
}

TEST(ShortLineTest, EmptyCollectionsAreNoKey) {
  for (const std::string_view members :
       {R"("value":{})", R"("value":[])", R"("value":{"a":null,"b":null})",
        R"("value":[],"type":"set")", R"("type":"zset","value":{})"}) {
    const Parsed parsed(Line(members));
    EXPECT_TRUE(parsed.empty_collection()) << members << ": " << parsed.reason();
  }
}

TEST(ShortLineTest, ValuesThatDoNotFit) {
  ExpectRefused({R"("value":null)", "null", "null, where a string is meant"});
  ExpectRefused({R"("value":[1,null])", "null", "null, where a string is meant"});
  ExpectRefused({kSet + R"(,"value":["a",null])", "null", "null, where a string is meant"});
  ExpectRefused({kZset + R"(,"value":{"a":null})", "null", "the score is not a number"});
  ExpectRefused({kZset + R"(,"value":{"a":true})", "true", "the score is not a number"});
  ExpectRefused({kZset + R"(,"value":{"a":"1"})", "\"1\"", "neither \"inf\""});
  ExpectRefused({kZset + R"(,"value":{"a":1e999})", "1e999", "too large"});
  ExpectRefused({kZset + R"(,"value":["a"])", "[", "\"zset\", but the value is an array"});
  ExpectRefused({R"("value":{"a":1},)" + kSet, "{", "\"set\", but the value is an object"});
  ExpectRefused({R"("type":"string","value":[1])", "[", "\"string\", but the value is an array"});
  ExpectRefused({R"("type":"hash","value":"v")", "\"v\"", "\"hash\", but the value is a string"});
  ExpectRefused({R"("type":"list","value":null)", "null", "\"list\", but the value is null"});
  ExpectRefused({R"("type":"hash","value":true)", "true", "but the value is a boolean"});
  ExpectRefused({R"("type":"set","value":7)", "7", "but the value is a number"});
  ExpectRefused({R"("value":tru)", "tru", "not a JSON value"});
  ExpectRefused({R"("value":[1,2,{"a":nul}])", "nul", "not a JSON value"});
  ExpectRefused({R"("value":{"a":"\ud83d"})", "\"\\ud83d", "escape"});
  ExpectRefused({R"("value":{"a":{"b":"\ud83d"}})", "\"\\ud83d", "escape"});
}

TEST(ShortLineTest, NestedValuesHaveALimit) {
  const auto line = [](size_t depth) {
    return Line(R"("value":[)" + std::string(depth, '[') + std::string(depth, ']') + "]");
  };
  EXPECT_TRUE(Parsed(line(256)).ok());
  EXPECT_THAT(Parsed(line(300)).reason(), HasSubstr("nested too deeply"));
}

// ---- Members.

TEST(ShortLineTest, MembersComeInAnyOrderAndWithEscapes) {
  const RecordCopy expected = {"k", ValueType::kSet, "", {"\xff"}, {}, 5, 6, 7};
  for (
      const std::string_view line :
      {R"({"key":"k","type":"set","expires_at_ms":5,"version":6,"flags":7,"encoding":"base64","value":["/w=="]})",
       R"({"value":["/w=="],"encoding":"base64","flags":7,"version":6,"expires_at_ms":5,"type":"set","key":"k"})",
       R"({"\u0076alue":["\/w=="],"encodin\u0067":"b\u0061se64","fl\u0061gs":7,"v\u0065rsion":6,)"
       R"("expires\u005fat_ms":5,"t\u0079pe":"s\u0065t","\u006bey":"\u006b"})"}) {
    const Parsed parsed(line);
    ASSERT_TRUE(parsed.ok()) << line << ": " << parsed.reason();
    EXPECT_EQ(parsed.record(), expected) << line;
  }
}

TEST(ShortLineTest, TheTypeMayBeSaidOfEveryValueAndBehindItToo) {
  ExpectValue("\"v\"", {R"("type":"string")"}, String("v"));
  ExpectValue(R"({"a":null})", {kJsonType}, Json(R"({"a":null})"));
  ExpectValue("[null]", {kJsonType}, Json("[null]"));
}

TEST(ShortLineTest, OptionalMembersAndRecordMembersThatAreNullAreAbsent) {
  ExpectRecord(
      R"("type":null,"expires_at_ms":null,"ttl_ms":null,"version":null,"flags":null,)"
      R"("encoding":null,"field_encoding":null,"key_encoding":null,"hash_record":null,"value":"v")",
      String("v"));
}

TEST(ShortLineTest, UnknownMembersAreRefusedByName) {
  ExpectRefused({R"("value":"v","expire_at_ms":5)", "5", "unknown member \"expire_at_ms\""});
  ExpectRefused({R"("value":"v","comment":null)", "null", "unknown member \"comment\""});
  ExpectRefused({R"("Type":"set","value":[1])", "\"set\"", "unknown member \"Type\""});
  EXPECT_THAT(Parsed(Line(R"("value":"v","x":1)")).reason(), HasSubstr("expires_at_ms, ttl_ms"));
}

TEST(ShortLineTest, MembersThatStandTwiceAreRefused) {
  const std::pair<std::string_view, std::string_view> members[] = {{"key", "\"k\""},
                                                                   {"value", "[1]"},
                                                                   {"type", "\"list\""},
                                                                   {"expires_at_ms", "1"},
                                                                   {"ttl_ms", "1"},
                                                                   {"version", "1"},
                                                                   {"flags", "1"},
                                                                   {"encoding", "\"base64\""},
                                                                   {"field_encoding", "\"base64\""},
                                                                   {"key_encoding", "\"base64\""}};
  for (const auto& [name, value] : members) {
    const std::string member = '"' + std::string(name) + "\":" + std::string(value);
    const Parsed parsed(R"({"key":"AAAA","value":[],)" + member + "," + member + "}");
    EXPECT_THAT(parsed.reason(), HasSubstr('"' + std::string(name) + "\" stands twice"));
  }
}

TEST(ShortLineTest, KeyAndValueMustStand) {
  const Parsed no_key(R"({"value":"v"})", kForced);
  EXPECT_THAT(no_key.reason(), HasSubstr("no member \"key\""));
  const Parsed no_value(R"({"key":"k"})", kForced);
  EXPECT_THAT(no_value.reason(), HasSubstr("no member \"value\""));
  EXPECT_EQ(no_value.key(), "k");
}

TEST(ShortLineTest, AKeyMayBeANumberOrBoolean) {
  const Parsed parsed(R"({"key":1.10,"value":"v"})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record().key, "1.10");
  EXPECT_THAT(Parsed(R"({"key":null,"value":"v"})").reason(), HasSubstr("null, where a string"));
  EXPECT_THAT(Parsed(R"({"key":[1],"value":"v"})").reason(), HasSubstr("nested"));
}

TEST(ShortLineTest, KeysHaveALimit) {
  const auto line = [](size_t bytes) {
    return R"({"key":")" + std::string(bytes, 'k') + R"(","value":"v"})";
  };
  EXPECT_TRUE(Parsed(line(kMaxKeyBytes)).ok());
  EXPECT_EQ(Parsed(line(kMaxKeyBytes + 1)).code(), ErrorCode::kLimit);
}

TEST(ShortLineTest, TypesAreTheSixAndOneOtherName) {
  ExpectRefused({R"("value":"v","type":"strings")", "\"strings\"", "the type is none of"});
  ExpectRefused({R"("value":"v","type":"")", "\"\"", "the type is none of"});
  ExpectRefused({R"("value":"v","type":1)", "1", "the type is not a string"});
}

// ---- Numbers and times.

TEST(ShortLineTest, VersionsFlagsAndTimesAreReadExactly) {
  const Parsed largest(Line(R"("version":18446744073709551615,"flags":4294967295,)"
                            R"("expires_at_ms":9223372036854775807,"value":"v")"));
  ASSERT_TRUE(largest.ok()) << largest.reason();
  EXPECT_EQ(largest.record().version, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(largest.record().flags, std::numeric_limits<uint32_t>::max());
  EXPECT_EQ(largest.record().expires_at_ms, std::numeric_limits<int64_t>::max());
  const Parsed least(Line(R"("version":0,"flags":0,"expires_at_ms":1,"value":"v")"));
  ASSERT_TRUE(least.ok()) << least.reason();
  EXPECT_EQ(least.record().version, 0U);
  EXPECT_EQ(least.record().flags, 0U);
  EXPECT_EQ(least.record().expires_at_ms, 1);
  EXPECT_FALSE(least.depends_on_mtime());
}

TEST(ShortLineTest, NumbersThatAreNotExactIntegersInRange) {
  for (const std::string name : {"version", "flags", "expires_at_ms", "ttl_ms"}) {
    for (const std::string_view json : {"1.0", "1e3", "1E3", "-1.5"}) {
      ExpectRefused({'"' + name + "\":" + std::string(json) + R"(,"value":"v")", json,
                     "not written as an integer"});
    }
    for (const auto& [json, kind] : {std::pair{"\"1\"", "a string"}, std::pair{"true", "a boolean"},
                                     std::pair{"[1]", "an array"}, std::pair{"{}", "an object"}}) {
      ExpectRefused({'"' + name + "\":" + json + R"(,"value":"v")", json,
                     '"' + name + "\" is " + kind + ", not an integer"});
    }
    ExpectRefused({'"' + name + R"(":tru,"value":"v")", "tru", "not a JSON value"});
    ExpectRefused({'"' + name + R"(":-1,"value":"v")", "-1", "\"" + name + "\" is -1, not from "});
  }
  ExpectRefused({R"("version":18446744073709551616,"value":"v")", "184", "not from 0 to"});
  ExpectRefused({R"("flags":4294967296,"value":"v")", "4294967296", "from 0 to 4294967295"});
  ExpectRefused({R"("expires_at_ms":9223372036854775808,"value":"v")", "92", "not from 1 to"});
  ExpectRefused({R"("expires_at_ms":0,"value":"v")", "0", "not from 1 to"});
  ExpectRefused({R"("ttl_ms":0,"value":"v")", "0", "not from 1 to"});
}

TEST(ShortLineTest, ATtlIsCountedFromTheFilesTime) {
  const LineOptions options = {.mtime_ms = 1'000'000};
  const Parsed parsed(Line(R"("ttl_ms":234,"value":"v")"), options);
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record().expires_at_ms, 1'000'234);
  EXPECT_TRUE(parsed.depends_on_mtime());
  const Parsed largest(Line(R"("ttl_ms":9223372036853775807,"value":"v")"), options);
  ASSERT_TRUE(largest.ok()) << largest.reason();
  EXPECT_EQ(largest.record().expires_at_ms, std::numeric_limits<int64_t>::max());
  const Parsed later(Line(R"("ttl_ms":9223372036853775808,"value":"v")"), options);
  EXPECT_FALSE(later.ok());
  EXPECT_FALSE(Parsed(Line(R"("ttl_ms":9223372036854775807,"value":"v")"), options).ok());
}

TEST(ShortLineTest, ATimeAndATtlCannotBothBeMeant) {
  ExpectRefused({R"("expires_at_ms":5,"ttl_ms":6,"value":"v")", "6", "only one can be meant"});
  ExpectRefused({R"("ttl_ms":6,"value":"v","expires_at_ms":5)", "5", "only one can be meant"});
}

// ---- Base64.

TEST(ShortLineTest, Base64IsDecodedInEveryText) {
  ExpectValue(R"("AP8=")", {kBase64}, String(std::string("\0\xff", 2)));
  ExpectValue(R"("")", {kBase64}, String(""));
  ExpectValue(R"({"f":"AA==","gone":null,"g":"/w=="})", {kBase64},
              Of(ValueType::kHash, {"f", std::string("\0", 1), "g", "\xff"}));
  ExpectValue(R"({"AA==":"v","/w==":1,"AQ==":[1],"AQ==":null})", {kFieldBase64},
              Of(ValueType::kHash, {std::string("\0", 1), "v", "\xff", "1", "\x01", "[1]"}));
  ExpectValue(R"({"AA==":"/w=="})", {kFieldBase64, kBase64},
              Of(ValueType::kHash, {std::string("\0", 1), "\xff"}));
  ExpectValue(R"(["AA==","/w=="])", {kBase64},
              Of(ValueType::kList, {std::string("\0", 1), "\xff"}));
  ExpectValue(R"(["AA==","/w=="])", {kSet, kBase64},
              Of(ValueType::kSet, {std::string("\0", 1), "\xff"}));
  ExpectValue(R"({"AA==":1,"/w==":"inf"})", {kZset, kBase64},
              Of(ValueType::kZset, {std::string("\0", 1), "\xff"}, {1, INFINITY}));
  ExpectValue(R"("eyJhIjoKMX0=")", {kJsonType, kBase64}, Json("{\"a\":\n1}"));
}

TEST(ShortLineTest, KeysMayBeBase64Too) {
  for (const std::string_view line : {R"({"key":"AP8=","key_encoding":"base64","value":"v"})",
                                      R"({"value":"v","key_encoding":"base64","key":"AP8="})"}) {
    const Parsed parsed(line);
    ASSERT_TRUE(parsed.ok()) << parsed.reason();
    EXPECT_EQ(parsed.record().key, std::string("\0\xff", 2));
    EXPECT_EQ(parsed.record().text, "v");
  }
  const Parsed number(R"({"key":1234,"key_encoding":"base64","value":"v"})");
  EXPECT_THAT(number.reason(), HasSubstr("a number, where base64 in a string is meant"));
  EXPECT_EQ(number.column(), 8U);
  const Parsed cut(R"({"key":"AP8","key_encoding":"base64","value":"v"})");
  EXPECT_THAT(cut.reason(), HasSubstr("not base64"));
  EXPECT_EQ(cut.key(), "AP8");
}

TEST(ShortLineTest, OnlyTheKeyIsLimitedThatIsMeant) {
  // 65,536 bytes are 87,384 of base64.
  std::string key(87'383, 'A');
  const auto line = [&key] {
    return R"({"key_encoding":"base64","value":"v","key":")" + key + "\"}";
  };
  key += '=';
  EXPECT_EQ(Parsed(line()).code(), ErrorCode::kLimit) << "65,537 bytes";
  key[key.size() - 2] = '=';
  const Parsed fits(line());
  ASSERT_TRUE(fits.ok()) << fits.reason();
  EXPECT_EQ(fits.record().key.size(), kMaxKeyBytes);
}

TEST(ShortLineTest, WhatIsNoBase64IsRefusedWithItsPlace) {
  ExpectRefused({R"("value":"AP8",)" + kBase64, "\"AP8\"", "not base64"});
  ExpectRefused({kBase64 + R"(,"value":["AP8=","A P8"])", "\"A P8\"", "not base64"});
  ExpectRefused({kFieldBase64 + R"(,"value":{"x":"v"})", "\"v\"", "not base64"});
  ExpectRefused({kZset + "," + kBase64 + R"(,"value":{"x":1})", "1", "not base64"});
}

TEST(ShortLineTest, NumbersAreNoBase64) {
  ExpectRefused({kBase64 + R"(,"value":1234)", "1234", "a number, where base64"});
  ExpectRefused({kBase64 + R"(,"value":true)", "true", "a boolean, where base64"});
  ExpectRefused({kBase64 + R"(,"value":{"f":[1]})", "[1]", "an array, where base64"});
  ExpectRefused({kBase64 + R"(,"value":[{}])", "{}", "an object, where base64"});
  ExpectRefused({kBase64 + R"(,"value":[null])", "null", "null, where base64"});
  ExpectRefused({kBase64 + "," + kJsonType + R"(,"value":{})", "{}", "an object, where base64"});
}

TEST(ShortLineTest, EncodingsHaveOneName) {
  for (const std::string name : {"encoding", "field_encoding", "key_encoding"}) {
    for (const std::string_view json : {"\"Base64\"", "\"hex\"", "\"\"", "1", "true", "[]"}) {
      ExpectRefused({'"' + name + "\":" + std::string(json) + R"(,"value":{"a":"AAAA"})", json,
                     '"' + name + "\" is not \"base64\""});
    }
  }
}

TEST(ShortLineTest, AFieldEncodingIsForHashes) {
  ExpectRefused({kFieldBase64 + R"(,"value":"v")", "\"base64\"", "is for hashes"});
  ExpectRefused(
      {R"("value":{"AA==":1},)" + kZset + "," + kFieldBase64, "\"base64\"", "for hashes"});
}

}  // namespace
}  // namespace larder::importer
