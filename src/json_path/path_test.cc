#include "json_path/path.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::json_path {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Step OnlyStep(std::string_view path) {
  auto steps = Compile(path);
  EXPECT_TRUE(steps.has_value()) << path << ": " << (steps ? "" : steps.error().message());
  if (!steps || steps->size() != 1) {
    ADD_FAILURE() << path << " has not one step";
    return {};
  }
  return std::move(steps->front());
}

std::string ErrorOf(std::string_view path) {
  const auto steps = Compile(path);
  return steps ? "compiled" : steps.error().message();
}

TEST(Path, RootHasNoSteps) { EXPECT_TRUE(Compile("$")->empty()); }

TEST(Path, NamesStandBehindDotsOrInBrackets) {
  EXPECT_THAT(OnlyStep("$.a").names, ElementsAre("a"));
  EXPECT_THAT(OnlyStep("$['a b']").names, ElementsAre("a b"));
  EXPECT_THAT(OnlyStep("$.['a']").names, ElementsAre("a"));
  EXPECT_THAT(OnlyStep("$[\"a\",'b']").names, ElementsAre("a", "b"));
  EXPECT_THAT(OnlyStep("$.a-b_c:d/e%f").names, ElementsAre("a-b_c:d/e%f"));
  EXPECT_THAT(OnlyStep("$.0").names, ElementsAre("0"));
}

TEST(Path, QuotedNamesEscapeQuotesAndBackslashes) {
  EXPECT_THAT(OnlyStep(R"($["a\"b\\c'd"])").names, ElementsAre(R"(a"b\c'd)"));
  EXPECT_THAT(OnlyStep(R"($['a\'b"c'])").names, ElementsAre(R"(a'b"c)"));
  EXPECT_THAT(ErrorOf(R"($["a\n"])"), HasSubstr("a backslash behind the backslash"));
  EXPECT_THAT(ErrorOf("$['a"), HasSubstr("the quote that ends the text"));
}

TEST(Path, WildcardAndDescent) {
  EXPECT_EQ(OnlyStep("$.*").kind, Step::Kind::kEvery);
  EXPECT_EQ(OnlyStep("$[*]").kind, Step::Kind::kEvery);
  EXPECT_FALSE(OnlyStep("$.*").descends);
  for (const char* path : {"$..a", "$..*", "$..[0]", "$..['a']"}) {
    EXPECT_TRUE(OnlyStep(path).descends) << path;
  }
}

TEST(Path, IndicesMayBeNegativeAndMany) {
  EXPECT_THAT(OnlyStep("$[0]").indices, ElementsAre(0));
  EXPECT_THAT(OnlyStep("$[-1, 2 ,0]").indices, ElementsAre(-1, 2, 0));
  EXPECT_THAT(ErrorOf("$[01]"), HasSubstr("']'"));
  EXPECT_THAT(ErrorOf("$[99999999999999999999]"), HasSubstr("a number of 64 bits"));
  EXPECT_THAT(ErrorOf("$[-]"), HasSubstr("a number"));
}

TEST(Path, SlicesLeaveOutWhatTheyLike) {
  const Step full = OnlyStep("$[1:-2:3]");
  EXPECT_EQ(full.kind, Step::Kind::kSlice);
  EXPECT_EQ(full.first, 1);
  EXPECT_EQ(full.end, -2);
  EXPECT_EQ(full.stride, 3);
  EXPECT_FALSE(OnlyStep("$[:2]").first);
  EXPECT_FALSE(OnlyStep("$[1:]").end);
  EXPECT_EQ(OnlyStep("$[::2]").stride, 2);
  EXPECT_EQ(OnlyStep("$[:]").stride, 1);
  EXPECT_EQ(OnlyStep("$[1::]").first, 1);
  EXPECT_THAT(ErrorOf("$[::0]"), HasSubstr("a step of at least 1"));
  EXPECT_THAT(ErrorOf("$[::-1]"), HasSubstr("a step of at least 1"));
}

TEST(Path, FiltersCompare) {
  const Step step = OnlyStep("$[?(@.price<=10.5)]");
  ASSERT_EQ(step.kind, Step::Kind::kFilter);
  const Condition& condition = step.filter[0];
  EXPECT_EQ(condition.kind, Condition::Kind::kCompare);
  EXPECT_EQ(condition.op, Operator::kLessEqual);
  EXPECT_EQ(condition.left.kind, Term::Kind::kFromCurrent);
  EXPECT_THAT(condition.left.steps.at(0).names, ElementsAre("price"));
  EXPECT_EQ(condition.right.kind, Term::Kind::kNumber);
  EXPECT_DOUBLE_EQ(condition.right.number, 10.5);
}

TEST(Path, FiltersNeedNoParenthesesAndNoDot) {
  EXPECT_THAT(OnlyStep("$[?@.a==1]").filter.at(0).left.steps.at(0).names, ElementsAre("a"));
  EXPECT_THAT(OnlyStep("$[?(@a==1)]").filter.at(0).left.steps.at(0).names, ElementsAre("a"));
  EXPECT_EQ(OnlyStep("$[?(@.a)]").filter.at(0).kind, Condition::Kind::kExists);
}

TEST(Path, EveryOperatorIsKnown) {
  const std::pair<const char*, Operator> operators[] = {
      {"<", Operator::kLess},          {"<=", Operator::kLessEqual}, {">", Operator::kGreater},
      {">=", Operator::kGreaterEqual}, {"==", Operator::kEqual},     {"!=", Operator::kNotEqual},
      {"=~", Operator::kMatches}};
  for (const auto& [text, meaning] : operators) {
    EXPECT_EQ(OnlyStep("$[?(@.a " + std::string(text) + " 'x')]").filter.at(0).op, meaning) << text;
  }
  EXPECT_THAT(ErrorOf("$[?(@.a = 1)]"), HasSubstr("'=='"));
}

TEST(Path, EveryConstantIsKnown) {
  const auto right = [](const std::string& text) {
    return OnlyStep("$[?(@==" + text + ")]").filter.at(0).right;
  };
  EXPECT_EQ(right("null").kind, Term::Kind::kNull);
  EXPECT_TRUE(right("true").boolean);
  EXPECT_EQ(right("false").kind, Term::Kind::kBoolean);
  EXPECT_EQ(right("-7").integer, -7);
  EXPECT_EQ(right("'a'").text, "a");
  EXPECT_EQ(right("$.a").kind, Term::Kind::kFromRoot);
  EXPECT_THAT(ErrorOf("$[?(@==x)]"), HasSubstr("a quoted text, true, false or null"));
}

TEST(Path, AndBindsBeforeOr) {
  const Condition any = OnlyStep("$[?(@.a || @.b && @.c)]").filter.at(0);
  ASSERT_EQ(any.kind, Condition::Kind::kAny);
  ASSERT_EQ(any.operands.size(), 2U);
  EXPECT_EQ(any.operands[0].kind, Condition::Kind::kExists);
  EXPECT_EQ(any.operands[1].kind, Condition::Kind::kAll);
  const Condition all = OnlyStep("$[?((@.a || @.b) && @.c)]").filter.at(0);
  ASSERT_EQ(all.kind, Condition::Kind::kAll);
  EXPECT_EQ(all.operands[0].kind, Condition::Kind::kAny);
}

TEST(Path, ABadPatternIsNoError) {
  EXPECT_NE(OnlyStep("$[?(@.a =~ 'x+')]").filter.at(0).pattern, nullptr);
  EXPECT_EQ(OnlyStep("$[?(@.a =~ '(')]").filter.at(0).pattern, nullptr);
}

TEST(Path, ErrorsShowThePlace) {
  EXPECT_EQ(ErrorOf("$.a["),
            "Error occurred on position 4, \"$.a[ <<<<----\", expected one of the following: a "
            "quoted name, a number, a slice, '*' or '?'.");
  EXPECT_THAT(ErrorOf("$.a b"), HasSubstr("\"$.a  ---->>>> b\""));
  EXPECT_THAT(ErrorOf("$."), HasSubstr("a name, '*' or '['"));
  EXPECT_THAT(ErrorOf("$..."), HasSubstr("a name, '*' or '['"));
  EXPECT_THAT(ErrorOf("a"), HasSubstr("'$'"));
  EXPECT_THAT(ErrorOf("$[1"), HasSubstr("']'"));
  EXPECT_THAT(ErrorOf("$[1,'a']"), HasSubstr("a number"));
  EXPECT_THAT(ErrorOf("$['a',1]"), HasSubstr("a quoted text"));
  EXPECT_THAT(ErrorOf("$[?(@.a]"), HasSubstr("')'"));
}

TEST(Path, HasLimits) {
  EXPECT_THAT(ErrorOf("$." + std::string(kMaxPathBytes, 'a')), HasSubstr("more than 16384"));
  std::string steps = "$";
  for (size_t i = 0; i < kMaxSteps; ++i) steps += ".a";
  EXPECT_TRUE(Compile(steps));
  EXPECT_THAT(ErrorOf(steps + ".a"), HasSubstr("too many steps"));
  const std::string deep = "$[?" + std::string(kMaxFilterDepth, '(') + "@";
  EXPECT_THAT(ErrorOf(deep), HasSubstr("nested less deeply"));
}

TEST(Path, OtherPathsAreLegacy) {
  const auto read = [](const char* path) { return PathText(path).dollar; };
  EXPECT_EQ(read("."), "$");
  EXPECT_EQ(read(".a.b"), "$.a.b");
  EXPECT_EQ(read("a[0]"), "$.a[0]");
  EXPECT_EQ(read("[0]"), "$.[0]");
  EXPECT_EQ(read("$a"), "$.$a");
  EXPECT_TRUE(PathText("$a").legacy);
  EXPECT_FALSE(PathText("$").legacy);
  EXPECT_FALSE(PathText("$.a").legacy);
  EXPECT_FALSE(PathText("$[0]").legacy);
}

TEST(Path, SingularPathsLeadToOneValueAtMost) {
  for (const char* path : {"$", "$.a.b", "$['a'][3]"}) EXPECT_TRUE(IsSingular(*Compile(path)));
  for (const char* path : {"$.*", "$..a", "$[0,1]", "$['a','b']", "$[-1]", "$[0:1]", "$[?(@)]"}) {
    EXPECT_FALSE(IsSingular(*Compile(path))) << path;
  }
}

}  // namespace
}  // namespace larder::json_path
