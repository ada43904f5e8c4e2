// Rows, and how the shape of a line is told.
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/jsonl/parsed_line.h"

namespace larder::importer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const LineOptions kById = {.key_field = "id"};
const LineOptions kForcedById = {.shape = SourceShape::kRows, .key_field = "id"};

RecordCopy Hash(std::string key, std::vector<std::string> items) {
  return {std::move(key), ValueType::kHash, "", std::move(items), {}};
}

// ---- Rows.

TEST(RowTest, AnObjectIsAHashOfItsOtherMembers) {
  for (const LineOptions& options : {kById, kForcedById}) {
    const Parsed parsed(
        R"({"name":"Ada","id":7,"born":1815.0,"dead":true,"by":null,"tags":["x", null],"o": {"a":1} })",
        options);
    ASSERT_TRUE(parsed.ok()) << parsed.reason();
    EXPECT_EQ(parsed.record(), Hash("7", {"name", "Ada", "born", "1815.0", "dead", "true", "tags",
                                          R"(["x", null])", "o", R"({"a":1})"}));
  }
}

TEST(RowTest, TheKeyHasThePrefix) {
  const Parsed parsed(R"({"id":"7\n","a":1})", {.key_field = "id", .key_prefix = "person/"});
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), Hash("person/7\n", {"a", "1"}));
}

TEST(RowTest, NamesMayHaveEscapes) {
  const Parsed parsed(R"({"\u0069d":"\u0037","n\u00e9":"\u0061"})", kById);
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), Hash("7", {"n\xc3\xa9", "a"}));
  const Parsed quoted(R"({"a\"b":"7","f":"x"})", {.key_field = "a\"b"});
  ASSERT_TRUE(quoted.ok()) << quoted.reason();
  EXPECT_EQ(quoted.record().key, "7");
}

TEST(RowTest, ARowOfNothingElseIsAnEmptyCollection) {
  EXPECT_TRUE(Parsed(R"({"id":7})", kById).empty_collection());
  EXPECT_TRUE(Parsed(R"({"id":7,"a":null})", kForcedById).empty_collection());
}

TEST(RowTest, OfARepeatedMemberTheLastIsHandedOnLast) {
  const Parsed parsed(R"({"id":7,"a":1,"a":2,"a":null})", kById);
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), Hash("7", {"a", "1", "a", "2"}));
}

TEST(RowTest, MembersThatMeanSomethingElsewhereAreFields) {
  const Parsed parsed(R"({"id":7,"key":"k","value":"v","type":"set","ttl_ms":"x"})", kById);
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), Hash("7", {"key", "k", "value", "v", "type", "set", "ttl_ms", "x"}));
  const Parsed forced(R"({"id":7,"set_record":{"elements":["a"]}})", kForcedById);
  ASSERT_TRUE(forced.ok()) << forced.reason();
  EXPECT_EQ(forced.record(), Hash("7", {"set_record", R"({"elements":["a"]})"}));
}

TEST(RowTest, TheKeyFieldMayBeCalledKey) {
  const LineOptions options = {.key_field = "key"};
  const Parsed parsed(R"({"key":"k","value":"v"})", options);
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record(), Hash("k", {"value", "v"}));
}

struct Refusal {
  std::string line;
  size_t column;
  std::string_view reason;
};

void ExpectRefused(const Refusal& bad, const LineOptions& options) {
  const Parsed parsed(bad.line, options);
  ASSERT_FALSE(parsed.ok()) << bad.line;
  EXPECT_THAT(parsed.reason(), HasSubstr(bad.reason)) << bad.line;
  EXPECT_EQ(parsed.column(), bad.column) << bad.line << ": " << parsed.reason();
}

TEST(RowTest, WhatARowMustNotBe) {
  ExpectRefused({R"( {"a":1})", 2, "no member \"id\" (key_field)"}, kForcedById);
  for (const LineOptions& options : {kById, kForcedById}) {
    ExpectRefused({R"({"id":null,"a":1})", 7, "null, where a string is meant"}, options);
    ExpectRefused({R"({"id":[1],"a":1})", 7, "nested"}, options);
    ExpectRefused({R"({"id":1,"a":1,"id":2})", 20, "\"id\" stands twice"}, options);
    ExpectRefused({R"({"id":1,"a":tru})", 13, "not a JSON value"}, options);
    ExpectRefused({R"({"id":1,"a":[1,nul]})", 16, "not a JSON value"}, options);
    ExpectRefused({R"({"id":1,"a":1} {})", 16, "something follows"}, options);
  }
  EXPECT_EQ(Parsed(R"({"id":7,"a":tru})", kById).key(), "7");
}

TEST(RowTest, TheLimitOfKeysCountsThePrefix) {
  const LineOptions options = {.key_field = "id", .key_prefix = "1234"};
  const auto line = [](size_t bytes) {
    return R"({"id":")" + std::string(bytes, 'k') + R"(","a":1})";
  };
  EXPECT_TRUE(Parsed(line(kMaxKeyBytes - 4), options).ok());
  const Parsed longer(line(kMaxKeyBytes - 3), options);
  EXPECT_EQ(longer.code(), ErrorCode::kLimit);
  EXPECT_EQ(longer.column(), 7U);
}

// ---- Which shape a line is of.

TEST(LineShapeTest, ARecordMemberMakesALineTyped) {
  // Whatever else it has, and wherever.
  for (
      const std::string_view line :
      {R"({"key":"k","type":"string","string_record":{"value":"v"},"value":"w","id":7})",
       R"({"id":7,"value":"w","key":"k","type":"string","string_record":{"value":"v"}})",
       R"({"id":7,"value":[null],"key":"k","type":"string","string\u005frecord":{"value":"v"}})"}) {
    for (const LineOptions& options : {LineOptions{}, kById}) {
      const Parsed parsed(line, options);
      ASSERT_TRUE(parsed.ok()) << line << ": " << parsed.reason();
      EXPECT_EQ(parsed.record(), (RecordCopy{"k", ValueType::kString, "v", {}, {}})) << line;
    }
  }
}

TEST(LineShapeTest, ATypedLineThatIsBadIsToldAsOne) {
  const std::string_view line = R"({"key":"k","type":"set","string_record":{"value":"v"}})";
  const Parsed parsed(line, kById);
  EXPECT_THAT(parsed.reason(), HasSubstr("the value stands in \"string_record\""));
  EXPECT_EQ(parsed.column(), Parsed(line, {.shape = SourceShape::kTyped}).column());
}

TEST(LineShapeTest, TheKeyFieldMakesALineARow) {
  const Parsed row(R"({"key":"k","value":"v","id":7})", kById);
  ASSERT_TRUE(row.ok()) << row.reason();
  EXPECT_EQ(row.record(), Hash("7", {"key", "k", "value", "v"}));
  const Parsed without(R"({"key":"k","value":"v"})", kById);
  ASSERT_TRUE(without.ok()) << without.reason();
  EXPECT_EQ(without.record().type, ValueType::kString);
}

TEST(LineShapeTest, ARecordMemberThatIsNullMakesNoLineTyped) {
  const Parsed parsed(R"({"set_record":null,"key":"k","value":"v"})");
  ASSERT_TRUE(parsed.ok()) << parsed.reason();
  EXPECT_EQ(parsed.record().text, "v");
  const Parsed row(R"({"set_record":null,"id":"k","a":"v"})", kById);
  ASSERT_TRUE(row.ok()) << row.reason();
  EXPECT_EQ(row.record(), Hash("k", {"a", "v"}));
}

TEST(LineShapeTest, ALineOfNoShapeIsToldAllThatWasLookedFor) {
  for (const std::string_view line : {"{}", R"({"key":"k"})", R"({"value":1})", R"({"id":7})"}) {
    const Parsed parsed(line);
    EXPECT_THAT(parsed.reason(),
                AllOf(HasSubstr("\"string_record\""), HasSubstr("\"ordered_set_record\""),
                      HasSubstr("\"key\" and \"value\""), HasSubstr("with key_field")));
    EXPECT_EQ(parsed.column(), 1U);
  }
  EXPECT_EQ(Parsed(R"({"a":1,"key":"k"})").key(), "k");
  EXPECT_THAT(Parsed(R"({"key":"k"})", kById).reason(),
              AllOf(HasSubstr("\"id\" (key_field)"), Not(HasSubstr("with key_field"))));
}

TEST(LineShapeTest, WhatIsMalformedIsToldBeforeTheShape) {
  EXPECT_THAT(Parsed(R"({"a":1 "b":2})").reason(), HasSubstr("malformed"));
  EXPECT_THAT(Parsed(R"({"a":tru})").reason(), HasSubstr("not a JSON value"));
  EXPECT_THAT(Parsed(R"({"key":"k","value":"v")").reason(), HasSubstr("ends before"));
  EXPECT_THAT(Parsed(R"({"key":"k","value":"v"}x)").reason(), HasSubstr("something follows"));
}

TEST(LineShapeTest, AForcedShapeReadsNoOther) {
  const std::string_view typed = R"({"key":"k","type":"string","string_record":{"value":"v"}})";
  const std::string_view short_line = R"({"key":"k","value":"v"})";
  const std::string_view row = R"({"id":7,"a":1})";
  EXPECT_TRUE(Parsed(typed, {.shape = SourceShape::kTyped}).ok());
  EXPECT_THAT(Parsed(short_line, {.shape = SourceShape::kTyped}).reason(),
              HasSubstr("no member \"type\""));
  EXPECT_THAT(Parsed(row, {.shape = SourceShape::kTyped}).reason(), HasSubstr("no member \"key\""));
  EXPECT_THAT(Parsed(typed, {.shape = SourceShape::kShort}).reason(),
              HasSubstr("unknown member \"string_record\""));
  EXPECT_THAT(Parsed(row, {.shape = SourceShape::kShort}).reason(), HasSubstr("unknown member"));
  EXPECT_THAT(Parsed(short_line, kForcedById).reason(), HasSubstr("(key_field)"));
  // key_field says nothing of forced short lines.
  EXPECT_TRUE(Parsed(short_line, {.shape = SourceShape::kShort, .key_field = "key"}).ok());
}

TEST(LineShapeTest, NoLineDependsOnTheOneBefore) {
  const std::vector<std::string> lines = {
      R"({"key":"t","type":"string","string_record":{"value":"v"}})",
      R"({"key":"t","type":"string","string_record":{"value":"v"},"value":1,"id":2})",
      R"({"key":"s","value":"v"})",
      R"({"key":"s","value":{"a":1},"type":"zset"})",
      R"({"key":"s","value":"v","id":3})",
      R"({"key":"s","value":"v","x":3})",
      R"({"id":7,"a":1})",
      R"({"id":7,"list_record":{"elements":[1]},"type":"list","key":"l"})",
      R"({"id":7,"list_record":{"elements":[1]}})",
      R"({"key":"n"})",
      R"({"key":"s","value":nul})",
      "nonsense",
  };
  for (const LineOptions& options : {LineOptions{}, kById, LineOptions{.key_field = "key"}}) {
    const auto told = [](RecordParser& parser, const std::string& line) {
      const std::string padded = line + std::string(kChunkPadding, '\n');
      const auto content = parser.Parse(std::string_view(padded).substr(0, line.size()));
      if (!content) return content.error().reason + std::to_string(content.error().offset);
      if (*content == LineContent::kEmptyCollection) return std::string("empty");
      std::ostringstream text;
      text << RecordCopy::Of(parser.record());
      return text.str();
    };
    for (const std::string& before : lines) {
      for (const std::string& line : lines) {
        RecordParser fresh(options);
        RecordParser used(options);
        told(used, before);
        EXPECT_EQ(told(used, line), told(fresh, line)) << before << "\n" << line;
      }
    }
  }
}

}  // namespace
}  // namespace larder::importer
