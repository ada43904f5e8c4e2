#include "protocol/resp/request_parser.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::resp {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using Request = std::vector<std::string>;

// Everything a stream of bytes was understood as.
struct Understood {
  std::vector<Request> requests;
  std::string error;
  uint64_t consumed = 0;
  uint64_t nothings = 0;

  bool operator==(const Understood&) const = default;
};

// A copy in an allocation of its exact size, so that a sanitizer sees a read past the end.
class ExactBytes {
 public:
  explicit ExactBytes(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

// A connection in small: keeps unconsumed bytes and gives the parser all of them, in another place
// each time.
class Feeder {
 public:
  explicit Feeder(const RequestLimits& limits = {}) : parser_(limits) {}

  void Feed(std::string_view piece) {
    unread_ += piece;
    while (understood_.error.empty() && !unread_.empty()) {
      const ExactBytes bytes(unread_);
      std::vector<std::string_view> args = {"before"};
      const ParseOutcome outcome = parser_.Next(bytes.view(), args);
      if (outcome == ParseOutcome::kMalformed) understood_.error = parser_.error();
      if (outcome == ParseOutcome::kIncomplete) {
        EXPECT_GT(parser_.wanted_bytes(), unread_.size());
      }
      if (outcome != ParseOutcome::kRequest) {
        EXPECT_THAT(args, ElementsAre("before"));
      } else {
        understood_.requests.emplace_back(args.begin() + 1, args.end());
      }
      if (outcome == ParseOutcome::kNothing) ++understood_.nothings;
      if (outcome == ParseOutcome::kIncomplete || outcome == ParseOutcome::kMalformed) break;
      EXPECT_GT(parser_.consumed(), 0U);
      understood_.consumed += parser_.consumed();
      unread_.erase(0, parser_.consumed());
      parser_.Reset();
    }
  }
  const Understood& understood() const { return understood_; }
  RequestParser& parser() { return parser_; }

 private:
  RequestParser parser_;
  std::string unread_;
  Understood understood_;
};

Understood InPieces(std::string_view input, const std::vector<size_t>& cuts,
                    const RequestLimits& limits = {}) {
  Feeder feeder(limits);
  size_t from = 0;
  for (const size_t cut : cuts) {
    feeder.Feed(input.substr(from, cut - from));
    from = cut;
  }
  feeder.Feed(input.substr(from));
  return feeder.understood();
}

// Understands `input` whole, cut at every byte, in bytes one by one, and expects the same of all.
Understood Understand(std::string_view input, const RequestLimits& limits = {}) {
  const Understood whole = InPieces(input, {}, limits);
  std::vector<size_t> every_byte;
  for (size_t cut = 1; cut < input.size(); ++cut) {
    EXPECT_EQ(InPieces(input, {cut}, limits), whole) << "cut at " << cut;
    every_byte.push_back(cut);
  }
  EXPECT_EQ(InPieces(input, every_byte, limits), whole) << "byte by byte";
  return whole;
}

std::string ErrorOf(std::string_view input, const RequestLimits& limits = {}) {
  return Understand(input, limits).error;
}

std::vector<Request> RequestsOf(std::string_view input) {
  const Understood understood = Understand(input);
  EXPECT_EQ(understood.error, "");
  EXPECT_EQ(understood.consumed, input.size());
  return understood.requests;
}

const std::string kPing = "*1\r\n$4\r\nPING\r\n";

TEST(RequestParserTest, ArrayOfBulksIsARequest) {
  EXPECT_THAT(RequestsOf("*2\r\n$3\r\nGET\r\n$17\r\nitem:000000000042\r\n"),
              ElementsAre(Request{"GET", "item:000000000042"}));
}

TEST(RequestParserTest, BulksCarryAnyBytes) {
  EXPECT_THAT(RequestsOf("*3\r\n$0\r\n\r\n$4\r\n\r\n\0*\r\n$2\r\n$1\r\n"s),
              ElementsAre(Request{"", "\r\n\0*"s, "$1"}));
}

TEST(RequestParserTest, HeadsOfEveryLengthAreRead) {
  for (const size_t bytes : {0U, 1U, 9U, 10U, 11U, 99U, 100U, 101U, 999U, 1000U}) {
    const std::string value(bytes, 'v');
    EXPECT_THAT(RequestsOf("*1\r\n$" + std::to_string(bytes) + "\r\n" + value + "\r\n" + kPing),
                ElementsAre(Request{value}, Request{"PING"}));
  }
}

TEST(RequestParserTest, LongArraysAreRead) {
  for (const size_t count : {9U, 10U, 99U, 100U, 120U}) {
    std::string input = "*" + std::to_string(count) + "\r\n";
    Request expected;
    for (size_t i = 0; i < count; ++i) {
      expected.push_back(std::to_string(i));
      input += "$" + std::to_string(expected.back().size()) + "\r\n" + expected.back() + "\r\n";
    }
    EXPECT_THAT(RequestsOf(input), ElementsAre(expected));
  }
}

TEST(RequestParserTest, PipelinesAreReadInOrder) {
  EXPECT_THAT(
      RequestsOf(kPing + "ECHO hello\r\n\r\n*0\r\n" + kPing + "GET k\n"),
      ElementsAre(Request{"PING"}, Request{"ECHO", "hello"}, Request{"PING"}, Request{"GET", "k"}));
}

TEST(RequestParserTest, EmptyRequestsAreNothing) {
  const std::string empties = "\r\n\n \t\r\n*0\r\n*-1\r\n*-9223372036854775808\r\n";
  const Understood understood = Understand(empties + kPing);
  EXPECT_EQ(understood.nothings, 6U);
  EXPECT_THAT(understood.requests, ElementsAre(Request{"PING"}));
}

// Redis skips the byte behind CR, and the two behind a bulk, without looking at them.
TEST(RequestParserTest, LineEndsBehindHeadsAndBulksAreNotLookedAt) {
  EXPECT_THAT(RequestsOf("*1\rX$4\rYPINGzz" + kPing),
              ElementsAre(Request{"PING"}, Request{"PING"}));
}

TEST(RequestParserTest, CountsThatAreNoNumbersAreRefused) {
  const std::string error = "ERR Protocol error: invalid multibulk length";
  for (const std::string count : {"", "x", "01", "+1", " 1", "1 ", "-", "-0", "1x", "2147483648",
                                  "9223372036854775808", "-9223372036854775809", "1\n$4"})
    EXPECT_EQ(ErrorOf("*" + count + "\r\n"), error) << count;
  EXPECT_EQ(ErrorOf("*1\n$4\r\nPING\r\n"), error);
}

TEST(RequestParserTest, BulkLengthsThatAreNoNumbersAreRefused) {
  const std::string error = "ERR Protocol error: invalid bulk length";
  for (const std::string bytes : {"", "x", "04", "-1", "+4", "4 ", "536870913"})
    EXPECT_EQ(ErrorOf("*1\r\n$" + bytes + "\r\n"), error) << bytes;
  EXPECT_EQ(ErrorOf("*2\r\n$3\r\nGET\r\n$0x\r\n"), error);
}

TEST(RequestParserTest, OtherThanABulkIsRefusedByItsFirstByte) {
  EXPECT_EQ(ErrorOf("*1\r\nfoo\r\n"), "ERR Protocol error: expected '$', got 'f'");
  EXPECT_EQ(ErrorOf("*2\r\n$3\r\nGET\r\n*1\r\n"), "ERR Protocol error: expected '$', got '*'");
  EXPECT_EQ(ErrorOf("*1\r\n\xff\r\n"), "ERR Protocol error: expected '$', got '\xff'");
  EXPECT_EQ(ErrorOf("*1\r\n\r\n"), "ERR Protocol error: expected '$', got '\r'");
  EXPECT_EQ(ErrorOf("*1\r\nfoo"), "");
}

TEST(RequestParserTest, RequestsBeforeAMalformedOneAreRead) {
  const Understood understood = Understand(kPing + "*x\r\n" + kPing);
  EXPECT_THAT(understood.requests, ElementsAre(Request{"PING"}));
  EXPECT_EQ(understood.error, "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(understood.consumed, kPing.size());
}

TEST(RequestParserTest, MalformedStaysMalformed) {
  RequestParser parser;
  std::vector<std::string_view> args;
  EXPECT_EQ(parser.Next("*x\r\n", args), ParseOutcome::kMalformed);
  EXPECT_EQ(parser.Next(kPing, args), ParseOutcome::kMalformed);
}

TEST(RequestParserTest, InlineWordsAreArguments) {
  EXPECT_THAT(RequestsOf("GET key\r\n"), ElementsAre(Request{"GET", "key"}));
  EXPECT_THAT(RequestsOf("  GET \t key  \n"), ElementsAre(Request{"GET", "key"}));
  EXPECT_THAT(RequestsOf("PING\r\r\n"), ElementsAre(Request{"PING"}));
  EXPECT_THAT(RequestsOf("a\rb\r\n"), ElementsAre(Request{"a", "b"}));
  EXPECT_THAT(RequestsOf("ECHO a\vb\fc\r\n"), ElementsAre(Request{"ECHO", "a\vb\fc"}));
  EXPECT_THAT(RequestsOf("\v\fPING\r\n"), ElementsAre(Request{"PING"}));
  EXPECT_THAT(RequestsOf("ECHO \\n\r\n"), ElementsAre(Request{"ECHO", "\\n"}));
  EXPECT_THAT(RequestsOf("ECHO \xff\x80\r\n"), ElementsAre(Request{"ECHO", "\xff\x80"}));
}

TEST(RequestParserTest, InlineQuotesAndEscapesAreUndone) {
  EXPECT_THAT(RequestsOf("ECHO \"a \\x41\\xfF\\n\\r\\t\\b\\a\\q\\\"\\\\\"\r\n"),
              ElementsAre(Request{"ECHO", "a A\xff\n\r\t\b\aq\"\\"}));
  EXPECT_THAT(RequestsOf("ECHO 'a\\x41\\'\\\\ \"b'\r\n"),
              ElementsAre(Request{"ECHO", "a\\x41'\\\\ \"b"}));
  EXPECT_THAT(RequestsOf("ECHO a\"b c\" ''\r\n"), ElementsAre(Request{"ECHO", "ab c", ""}));
  EXPECT_THAT(RequestsOf("\"PING\"\v\"x\"\r\n"), ElementsAre(Request{"PING", "x"}));
  EXPECT_THAT(RequestsOf("ECHO \"\\x4\" \"\\xZZ\" \"\\x00\"\r\n"),
              ElementsAre(Request{"ECHO", "x4", "xZZ", "\0"s}));
  EXPECT_THAT(RequestsOf("ECHO \"a\rb\" \n"), ElementsAre(Request{"ECHO", "a\rb"}));
}

TEST(RequestParserTest, UnbalancedQuotesAreRefused) {
  for (const std::string line :
       {"\"a", "'a", "\"a\"b", "'a'b", "a\"", "\"abc\\", "\"abc\\\"", "'abc\\'"})
    EXPECT_EQ(ErrorOf("ECHO " + line + "\r\n"), "ERR Protocol error: unbalanced quotes in request")
        << line;
}

TEST(RequestParserTest, UnquotedArgumentsLiveUntilReset) {
  RequestParser parser;
  std::vector<std::string_view> args;
  const std::string input =
      "ECHO \"a\" 'b' \"c\" 'd'\r\nECHO \"" + std::string(100, 'x') + "\"\r\n";
  ASSERT_EQ(parser.Next(input, args), ParseOutcome::kRequest);
  ASSERT_EQ(parser.Next(std::string_view(input).substr(parser.consumed()), args),
            ParseOutcome::kRequest);
  EXPECT_THAT(args, ElementsAre("ECHO", "a", "b", "c", "d", "ECHO", std::string(100, 'x')));
}

TEST(RequestParserTest, ResetKeepsTheUnfinishedRequest) {
  RequestParser parser;
  std::vector<std::string_view> args;
  EXPECT_EQ(parser.Next("*2\r\n$3\r\nGET\r\n", args), ParseOutcome::kIncomplete);
  parser.Reset();
  EXPECT_EQ(parser.Next("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", args), ParseOutcome::kRequest);
  EXPECT_THAT(args, ElementsAre("GET", "k"));
}

TEST(RequestParserTest, LargeBulksTellHowMuchTheyWant) {
  RequestParser parser;
  std::vector<std::string_view> args;
  EXPECT_EQ(parser.Next("*2\r\n$3\r\nGET\r\n$100000\r\n", args), ParseOutcome::kIncomplete);
  EXPECT_EQ(parser.wanted_bytes(), 22U + 100000U + 2U);
}

// Zero bytes end Redis's search for the end of a line: such a request never ends.
TEST(RequestParserTest, ZeroBytesInHeadsAndLinesAreWaitedOut) {
  for (const std::string& start :
       {"PING\0\r\n"s, "*1\0\r\n"s, "*1\r\n\0\r\n"s, "*1\r\n$4\0\r\n"s}) {
    const Understood understood = Understand(start + kPing);
    EXPECT_TRUE(understood.requests.empty());
    EXPECT_EQ(understood.error, "");
    EXPECT_THAT(InPieces(start + std::string(70000, ' '), {}).error, testing::HasSubstr("too big"));
  }
}

// The limit's two sides, with the filler whole and in two pieces.
void ExpectLimit(const std::string& start, size_t limit, const std::string& error) {
  const RequestLimits limits{.inline_bytes = limit};
  EXPECT_EQ(ErrorOf(start + std::string(limit - 1, '1'), limits), "");
  EXPECT_EQ(ErrorOf(start + std::string(limit, '1'), limits), "ERR Protocol error: " + error);
}

TEST(RequestParserTest, LinesAndHeadsAreLimited) {
  for (const size_t limit : {10U, 100U}) {
    ExpectLimit("A", limit, "too big inline request");
    ExpectLimit("*", limit, "too big mbulk count string");
    ExpectLimit("*1\r\n$", limit, "too big bulk count string");
    ExpectLimit("*2\r\n$3\r\nGET\r\n$", limit, "too big bulk count string");
  }
  EXPECT_EQ(RequestLimits{}.inline_bytes, 65536U);
}

TEST(RequestParserTest, LineAsLongAsTheLimitIsRead) {
  const RequestLimits limits{.inline_bytes = 10};
  EXPECT_THAT(Understand("123456789A\n", limits).requests, ElementsAre(Request{"123456789A"}));
  EXPECT_EQ(ErrorOf("123456789AB\n", limits), "ERR Protocol error: too big inline request");
}

TEST(RequestParserTest, BulksAreLimited) {
  const RequestLimits limits{.bulk_bytes = 5};
  EXPECT_THAT(Understand("*1\r\n$5\r\nabcde\r\n", limits).requests, ElementsAre(Request{"abcde"}));
  EXPECT_EQ(ErrorOf("*1\r\n$6\r\nabcdef\r\n", limits), "ERR Protocol error: invalid bulk length");
  EXPECT_EQ(ErrorOf("*1\r\n$536870912\r\n"), "");
}

TEST(RequestParserTest, ArraysAreLimited) {
  const RequestLimits limits{.multibulk_count = 2};
  EXPECT_EQ(ErrorOf("*2\r\n$1\r\na\r\n$1\r\nb\r\n", limits), "");
  EXPECT_EQ(ErrorOf("*3\r\n", limits), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*3\r\n$1\r\na\r\n", limits), "ERR Protocol error: invalid multibulk length");
  EXPECT_EQ(ErrorOf("*2147483647\r\n"), "");
}

TEST(RequestParserTest, StrangersAreHeldToWhatAuthenticates) {
  const auto error_of = [](std::string_view data) {
    RequestParser parser;
    parser.set_is_stranger(true);
    std::vector<std::string_view> args;
    return parser.Next(data, args) == ParseOutcome::kMalformed ? parser.error() : "";
  };
  EXPECT_EQ(error_of(kPing), "");
  EXPECT_EQ(error_of("*10\r\n"), "");
  EXPECT_EQ(error_of("*11\r\n$3\r\nGET\r\n"),
            "ERR Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(error_of("*2\r\n$4\r\nAUTH\r\n$16384\r\n"), "");
  EXPECT_EQ(error_of("*2\r\n$4\r\nAUTH\r\n$16385\r\n"),
            "ERR Protocol error: unauthenticated bulk length");
}

TEST(RequestParserTest, RequestsAreLimitedBeforeTheirBytesCome) {
  const RequestLimits limits{.query_bytes = kPing.size()};
  EXPECT_THAT(Understand(kPing + kPing, limits).requests,
              ElementsAre(Request{"PING"}, Request{"PING"}));
  EXPECT_EQ(ErrorOf("*1\r\n$5\r\n", limits), "ERR Protocol error: too big request");
  EXPECT_EQ(ErrorOf("*1\r\n$5\r\nPINGS\r\n", limits), "ERR Protocol error: too big request");
}

TEST(RequestParserTest, NothingIsAllocatedOnceWarm) {
  RequestParser parser;
  std::vector<std::string_view> args;
  args.reserve(8);
  const std::string_view* const storage = args.data();
  for (int i = 0; i < 3; ++i) {
    args.clear();
    ASSERT_EQ(parser.Next("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", args), ParseOutcome::kRequest);
  }
  EXPECT_EQ(args.data(), storage);
}

}  // namespace
}  // namespace larder::resp
