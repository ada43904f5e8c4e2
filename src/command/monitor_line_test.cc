#include "command/monitor_line.h"

#include <gtest/gtest.h>

namespace larder::command {
namespace {

TEST(MonitorLineTest, TellsTimeDatabaseClientAndArguments) {
  const std::string_view args[] = {"keys", "*"};
  EXPECT_EQ(MonitorLine(1'339'518'083'107'412, 0, "127.0.0.1:60866", args),
            R"(1339518083.107412 [0 127.0.0.1:60866] "keys" "*")");
}

TEST(MonitorLineTest, MicrosecondsHaveSixDigits) {
  const std::string_view args[] = {"PING"};
  EXPECT_EQ(MonitorLine(1'339'518'083'000'007, 3, "unix:/run/larder.sock", args),
            R"(1339518083.000007 [3 unix:/run/larder.sock] "PING")");
}

TEST(MonitorLineTest, QuotesAsRedisDoes) {
  using namespace std::string_view_literals;
  const std::string_view args[] = {"ECHO", "a\"b\\c\n\r\t\a\b\x00\xff \xc3\xa9\x7f"sv, ""};
  EXPECT_EQ(MonitorLine(0, 0, "-", args),
            R"(0.000000 [0 -] "ECHO" "a\"b\\c\n\r\t\a\b\x00\xff \xc3\xa9\x7f" "")");
}

}  // namespace
}  // namespace larder::command
