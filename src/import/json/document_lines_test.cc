#include "import/json/document_lines.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/memory_files.h"

namespace larder::importer {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

struct Outcome {
  std::vector<std::string> lines;
  std::vector<std::string> positions;  // "LINE:COLUMN"
  std::optional<Error> error;
  std::string message() const { return error ? error->message() : ""; }
};

constexpr size_t kOneChunk = size_t{1} << 20;

std::string Text(const LinePosition& position) {
  return fmt::format("{}:{}", position.line, position.column);
}

// Takes the chunk apart into lines, which it must hold whole.
void Collect(const SourceChunk& chunk, Outcome& outcome) {
  std::string_view text = chunk.lines.text();
  size_t lines = 0;
  for (; !text.empty(); ++lines) {
    const size_t newline = text.find('\n');
    ASSERT_NE(newline, std::string_view::npos);
    outcome.lines.emplace_back(text.substr(0, newline));
    text.remove_prefix(newline + 1);
  }
  ASSERT_EQ(lines, chunk.positions.size());
  for (const LinePosition& position : chunk.positions) outcome.positions.push_back(Text(position));
}

Outcome Split(std::string text, const SourceOptions& source = {}, size_t chunk_bytes = kOneChunk,
              uint64_t max_line_bytes = kOneChunk) {
  MemoryFiles files;
  files.Put("doc", std::move(text));
  auto stream = SourceStream::Open(files, "doc");
  ImportOptions options;
  options.source = source;
  options.max_line_bytes = max_line_bytes;
  DocumentLines document(**stream, options, chunk_bytes);
  Outcome outcome;
  if (auto started = document.Start(); !started) {
    outcome.error = started.error();
    return outcome;
  }
  SourceChunk chunk;
  for (;;) {
    if (auto next = document.Next(chunk); !next) {
      outcome.error = next.error();
      return outcome;
    }
    if (chunk.lines.text().empty()) return outcome;
    Collect(chunk, outcome);
  }
}

SourceOptions TwoLevels(char separator = '/') {
  SourceOptions options;
  options.levels = 2;
  options.level_separator = separator;
  return options;
}

SourceOptions Rows(std::string key_field = "id") {
  SourceOptions options;
  options.key_field = std::move(key_field);
  return options;
}

TEST(DocumentLinesTest, AMemberIsALineOfItsSourceText) {
  const Outcome outcome =
      Split(R"({"a":"x\u0000\/","b":1.50,"c":true,"d":{"e":[1,{}]},"f":[],"":null})");
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.lines, ElementsAre(R"({"key":"a","value":"x\u0000\/"})",
                                         R"({"key":"b","value":1.50})",  //
                                         R"({"key":"c","value":true})",  //
                                         R"({"key":"d","value":{"e":[1,{}]}})",
                                         R"({"key":"f","value":[]})",  //
                                         R"({"key":"","value":null})"));
  EXPECT_THAT(outcome.positions, ElementsAre("1:2", "1:18", "1:27", "1:36", "1:53", "1:60"));
}

TEST(DocumentLinesTest, NewlinesBetweenTokensBecomeSpaces) {
  const Outcome outcome = Split("\n{\r\n  \"a\" :\n {\n \"b\"\r\n: 1 }\n ,\n\"c\"\n:\n[\n]\n}\n\n");
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.lines, ElementsAre("{\"key\":\"a\",\"value\" :  {  \"b\"\r : 1 }}",
                                         "{\"key\":\"c\",\"value\" : [ ]}"));
  EXPECT_THAT(outcome.positions, ElementsAre("3:3", "8:1"));
}

TEST(DocumentLinesTest, AnElementIsALineOfItsOwn) {
  const Outcome outcome = Split("[{\"key\":\"a\"},\n  {\n}, 5 ,[1,\n2] , null,\"s\"]");
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.lines, ElementsAre(R"({"key":"a"})", "{ }", "5", "[1, 2]", "null", "\"s\""));
  EXPECT_THAT(outcome.positions, ElementsAre("1:2", "2:3", "3:4", "3:7", "4:6", "4:11"));
}

TEST(DocumentLinesTest, TwoLevelsMakeANamespaceOfTheFirst) {
  const Outcome outcome =
      Split(R"({"one":{"a":1,"b":{"c":2}}, "two" : { "\u0061":[] } , "none":{}})", TwoLevels());
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.lines,
              ElementsAre(R"({"key":"one/a","value":1})", R"({"key":"one/b","value":{"c":2}})",
                          R"({"key":"two/\u0061","value":[]})"));
  EXPECT_THAT(outcome.positions, ElementsAre("1:9", "1:15", "1:39"));
}

TEST(DocumentLinesTest, ALevelSeparatorIsEscapedWhereItMustBe) {
  EXPECT_THAT(Split(R"({"n":{"k":1}})", TwoLevels('"')).lines,
              ElementsAre(R"({"key":"n\"k","value":1})"));
  EXPECT_THAT(Split(R"({"n":{"k":1}})", TwoLevels('\\')).lines,
              ElementsAre(R"({"key":"n\\k","value":1})"));
  EXPECT_THAT(Split(R"({"n":{"k":1}})", TwoLevels('\n')).lines,
              ElementsAre(R"({"key":"n\u000ak","value":1})"));
}

TEST(DocumentLinesTest, WithAKeyFieldMembersAreArraysOfRows) {
  const Outcome outcome =
      Split("{\"3166-1\":[\n{\"id\":\"AD\"},{\"id\":\"AE\"}], \"x\":[ ]}", Rows());
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.lines, ElementsAre(R"({"id":"AD"})", R"({"id":"AE"})"));
  EXPECT_THAT(outcome.positions, ElementsAre("2:1", "2:13"));
}

TEST(DocumentLinesTest, AForcedShortShapeReadsMembersDespiteAKeyField) {
  SourceOptions options = Rows();
  options.shape = Shape::kShort;
  EXPECT_THAT(Split(R"({"a":[1]})", options).lines, ElementsAre(R"({"key":"a","value":[1]})"));
}

TEST(DocumentLinesTest, EmptyContainersHoldNoRecords) {
  for (const char* text : {"{}", " { } ", "[]", "[ ]\n"}) {
    const Outcome outcome = Split(text);
    EXPECT_EQ(outcome.message(), "") << text;
    EXPECT_THAT(outcome.lines, IsEmpty()) << text;
  }
  EXPECT_EQ(Split("{}", TwoLevels()).message(), "");
  EXPECT_EQ(Split(R"({"a":{}})", TwoLevels()).message(), "");
  EXPECT_EQ(Split(R"({"a":[]})", Rows()).message(), "");
}

TEST(DocumentLinesTest, AByteOrderMarkIsSkippedAndNotCounted) {
  const Outcome outcome = Split("\xef\xbb\xbf{\"a\":1}");
  EXPECT_EQ(outcome.message(), "");
  EXPECT_THAT(outcome.positions, ElementsAre("1:2"));
  EXPECT_THAT(Split("\xef\xbb\xbf").message(), HasSubstr("doc:1:1: the file holds no JSON"));
  EXPECT_THAT(Split("\xef\xbb{}").message(), StartsWith("doc:1:1: "));
}

TEST(DocumentLinesTest, NumbersKeepTheirTextWhateverTheirSize) {
  const std::string digits(5000, '7');
  for (const std::string& number :
       {std::string("1e400"), std::string("-1E+99999999999999999999"),
        std::string("1e-99999999999999999999"), digits, "-" + digits, "0." + digits,
        digits + "." + digits + "e" + digits, std::string("18446744073709551616"),
        std::string("-9223372036854775809"), std::string("-0")}) {
    const Outcome outcome = Split("{\"a\":" + number + ",\"b\":[" + number + "]}");
    EXPECT_EQ(outcome.message(), "") << number;
    EXPECT_THAT(outcome.lines, ElementsAre("{\"key\":\"a\",\"value\":" + number + "}",
                                           "{\"key\":\"b\",\"value\":[" + number + "]}"));
  }
}

struct BadDocument {
  const char* text;
  const char* message;
};

class BadDocumentTest : public testing::TestWithParam<BadDocument> {};

// Wherever a chunk ends.
TEST_P(BadDocumentTest, IsRefusedAtItsPlace) {
  const std::string_view text = GetParam().text;
  for (size_t chunk_bytes = 1; chunk_bytes <= text.size() + 1; ++chunk_bytes) {
    EXPECT_EQ(Split(std::string(text), {}, chunk_bytes).message(),
              std::string("doc:") + GetParam().message)
        << chunk_bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(
    DocumentLinesTest, BadDocumentTest,
    testing::Values(
        BadDocument{"", "1:1: the file holds no JSON document; it is empty"},
        BadDocument{" \n ", "2:2: the file holds no JSON document; it is empty"},
        BadDocument{"5", "1:1: a JSON document is an object or an array; this is a number"},
        BadDocument{"\n\"x\"", "2:1: a JSON document is an object or an array; this is a string"},
        BadDocument{"null", "1:1: a JSON document is an object or an array; this is null"},
        BadDocument{"true ", "1:1: a JSON document is an object or an array; this is a boolean"},
        BadDocument{"hello", "1:1: not a JSON value"},
        BadDocument{"{", "1:2: the file ends before its document does"},
        BadDocument{"{\"a\":1", "1:7: the file ends before its document does"},
        BadDocument{"[{\"a\":1}", "1:9: the file ends before its document does"},
        BadDocument{"[{},", "1:5: the file ends before its document does"},
        BadDocument{"{\"a\":\"x", "1:8: the file ends inside a string (key \"a\")"},
        BadDocument{"{\"a", "1:4: the file ends inside a string"},
        BadDocument{"{a:1}", "1:2: the name of a member is missing, a string in double quotes"},
        BadDocument{"{\"a\":1,}",
                    "1:8: the name of a member is missing, a string in double quotes"},
        BadDocument{"[{},]", "1:5: not a JSON value"},
        BadDocument{"{\"a\" 1}", "1:6: a colon is missing behind the name of a member (key \"a\")"},
        BadDocument{"{\"a\":1 \"b\":2}",
                    "1:8: a comma or \"}\" is missing behind the value of a member"},
        BadDocument{"{\"a\":1]", "1:7: a comma or \"}\" is missing behind the value of a member"},
        BadDocument{"[{} {}]", "1:5: a comma or \"]\" is missing behind an element"},
        BadDocument{"[{}}", "1:4: a comma or \"]\" is missing behind an element"},
        BadDocument{"{\"a\":1}\n{\"a\":2}",
                    "2:1: another document follows; a file of many objects, one a line, is of the "
                    "format \"jsonl\""},
        BadDocument{"[]\n []",
                    "2:2: another document follows; a file of many objects, one a line, is of the "
                    "format \"jsonl\""},
        BadDocument{"{} x", "1:4: something follows the document"},
        BadDocument{"{}}", "1:3: something follows the document"},
        BadDocument{"{\"a\":01}", "1:7: a comma or \"}\" is missing behind the value of a member"},
        BadDocument{"{\"a\":1.}", "1:8: a number without digits behind the point (key \"a\")"},
        BadDocument{"{\"a\":1.5.3}",
                    "1:9: a comma or \"}\" is missing behind the value of a member"},
        BadDocument{"{\"a\":1e5e5}",
                    "1:9: a comma or \"}\" is missing behind the value of a member"},
        BadDocument{"{\"a\":1e}", "1:8: a number without digits in the exponent (key \"a\")"},
        BadDocument{"{\"a\":+1}", "1:6: not a JSON value (key \"a\")"},
        BadDocument{"{\"a\":NaN}", "1:6: not a JSON value (key \"a\")"},
        BadDocument{"{\"a\":nul}", "1:9: not a JSON value (key \"a\")"},
        BadDocument{"{\"a\":\n{\"b\":tru}}", "2:9: not a JSON value (key \"a\")"},
        BadDocument{"{\"a\":\"\\x\"}",
                    "1:7: an invalid escape or an unescaped control character in a string "
                    "(key \"a\")"},
        BadDocument{"{\"a\":\"\n\"}",
                    "1:7: an invalid escape or an unescaped control character in a string "
                    "(key \"a\")"},
        BadDocument{"{\"a\":\"\\ud800\"}", "1:7: an escape of half a surrogate pair (key \"a\")"},
        BadDocument{"{\"a\":\"\xff\"}", "1:7: not UTF-8 (key \"a\")"},
        BadDocument{"{\"a\":\"\xed\xa0\x80\"}", "1:7: not UTF-8 (key \"a\")"},
        BadDocument{"{\"a\":1,/* no */\"b\":2}",
                    "1:8: the name of a member is missing, a string in double quotes"}));

TEST(DocumentLinesTest, ANulByteIsNoEnd) {
  using std::string_literals::operator""s;
  EXPECT_EQ(Split("{}\0"s).message(), "doc:1:3: a NUL byte behind the document");
  EXPECT_EQ(Split("{}\0{}"s).message(), "doc:1:3: a NUL byte behind the document");
  EXPECT_EQ(Split("\0{}"s).message(), "doc:1:1: a NUL byte");
  EXPECT_EQ(Split("{\"a\":1\0}"s).message(), "doc:1:7: a NUL byte");
  EXPECT_EQ(Split("{\"a\":\"\0\"}"s).message(), "doc:1:7: a NUL byte (key \"a\")");
}

TEST(DocumentLinesTest, NestingHasALimit) {
  const auto nested = [](size_t depth) {
    std::string text = "{\"a\":";
    text.append(depth - 1, '[').append(depth - 1, ']');
    return text + "}";
  };
  EXPECT_EQ(Split(nested(kMaxDocumentDepth)).message(), "");
  EXPECT_EQ(Split(nested(kMaxDocumentDepth + 1)).message(),
            "doc:1:261: nested more than 256 deep (key \"a\")");
  EXPECT_THAT(Split(nested(100000)).message(), HasSubstr("nested more than 256 deep"));
  EXPECT_THAT(Split(std::string(100000, '[')).message(), HasSubstr("nested more than 256 deep"));
}

TEST(DocumentLinesTest, WhatDoesNotFitTheSettingsIsRefused) {
  EXPECT_THAT(Split("[]", TwoLevels()).message(),
              StartsWith("doc:1:1: two levels are those of an object of objects"));
  EXPECT_EQ(Split("{\"x\":{\"a\":1},\"y\": 5}", TwoLevels()).message(),
            "doc:1:19: with two levels every member of the document is an object, of the records "
            "of its namespace; \"y\" is a number");
  EXPECT_THAT(Split("{\"y\":[]}", TwoLevels()).message(), EndsWith("; \"y\" is an array"));
  EXPECT_EQ(Split("{\"y\":\n{}}", Rows()).message(),
            "doc:2:1: with a key_field every member of the document is an array, of rows; \"y\" is "
            "an object");
  EXPECT_THAT(Split("{\"y\":null}", Rows()).message(), EndsWith("; \"y\" is null"));
  SourceOptions typed;
  typed.shape = Shape::kTyped;
  EXPECT_THAT(Split("{}", typed).message(), HasSubstr("its members are read as short"));
  EXPECT_EQ(Split("[]", typed).message(), "");
}

TEST(DocumentLinesTest, ARecordHasALimit) {
  const std::string value(100, 'v');
  const auto text = [&](size_t bytes) {
    return "{\"a\":1,\n\"b\":\"" + value.substr(0, bytes) + "\"}";
  };
  EXPECT_EQ(Split(text(90), {}, 16, 100).message(), "");
  const Outcome outcome = Split(text(100), {}, 16, 50);
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->code(), ErrorCode::kLimit);
  EXPECT_EQ(outcome.message(), "doc:2:1: a record is longer than 50 bytes (key \"b\")");
  EXPECT_THAT(outcome.lines, ElementsAre(R"({"key":"a","value":1})"));
}

// Every chunk size: each record is the last of a chunk at least once, and each byte of a block.
TEST(DocumentLinesTest, ChunksMakeNoDifference) {
  const std::string members =
      "{\"a\" : 1 , \"b\":\n\"\xc3\xa9\\u00e9\\\"\", \"c\":{\"d\":[{},[]]\n},\"e\":true,\"f\":[] , "
      "\"g\":-1.5e3\n}\n ";
  const std::string spaces = "{\"n\":{\"a\":1,\"b\":{}} ,\n\"o\" : { } , \"p\":{\"c\":[1]}}";
  const std::string elements = "[ {\"key\":1} , 7,\n{\"b\":[{}]},\"\xf0\x9f\x98\x80\",[[]] ]";
  const std::string rows = "{\"n\":[{\"id\":1},{\"id\":2}],\n\"o\":[ ],\"p\":[{\"id\":[3]}] }";
  const std::pair<std::string, SourceOptions> documents[] = {
      {members, {}}, {spaces, TwoLevels()}, {elements, {}}, {rows, Rows()}};
  for (const auto& [text, options] : documents) {
    const Outcome whole = Split(text, options);
    ASSERT_EQ(whole.message(), "");
    ASSERT_FALSE(whole.lines.empty());
    for (size_t chunk_bytes = 1; chunk_bytes < text.size() + 2; ++chunk_bytes) {
      const Outcome outcome = Split(text, options, chunk_bytes);
      EXPECT_EQ(outcome.message(), "") << chunk_bytes;
      EXPECT_EQ(outcome.lines, whole.lines) << chunk_bytes;
      EXPECT_EQ(outcome.positions, whole.positions) << chunk_bytes;
    }
  }
}

TEST(DocumentLinesTest, HalfASurrogatePairIsNoNamespace) {
  EXPECT_EQ(Split("{\"a\":{},\"\\udc00\":{}}", TwoLevels()).message(),
            "doc:1:9: an escape of half a surrogate pair");
}

TEST(DocumentLinesTest, RecordsBeforeAnErrorAreHandedOverFirst) {
  const Outcome outcome = Split("{\"a\":1,\"b\":2,");
  EXPECT_THAT(outcome.lines, testing::SizeIs(2));
  EXPECT_THAT(outcome.message(), HasSubstr("the file ends"));
}

TEST(DocumentLinesTest, AReadErrorIsToldAsItIs) {
  MemoryFiles files;
  files.Put("doc", "{\"a\":1}" + std::string(1000, ' '));
  files.At("doc").reads_until_error = 2;
  auto stream = SourceStream::Open(files, "doc");
  const ImportOptions options;
  DocumentLines document(**stream, options, 64);
  ASSERT_TRUE(document.Start());
  SourceChunk chunk;
  ASSERT_TRUE(document.Next(chunk));
  const auto error = document.Next(chunk);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().message(), "doc: bad disk");
}

TEST(DocumentLinesTest, AFileThatChangedIsToldSoBeforeItsSyntax) {
  MemoryFiles files;
  files.Put("doc", "{\"a\":1,,}");
  files.At("doc").reads_until_change = 1;
  auto stream = SourceStream::Open(files, "doc");
  const ImportOptions options;
  DocumentLines document(**stream, options, 64);
  ASSERT_TRUE(document.Start());
  SourceChunk chunk;
  ASSERT_TRUE(document.Next(chunk));
  const auto error = document.Next(chunk);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code(), ErrorCode::kRefused);
}

}  // namespace
}  // namespace larder::importer
