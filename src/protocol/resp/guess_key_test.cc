#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/resp/request_parser.h"

namespace larder::resp {
namespace {

TEST(GuessKey, IsTheSecondArgumentOfTheFirstRequest) {
  EXPECT_EQ(GuessKey("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"), "key");
  EXPECT_EQ(GuessKey("*3\r\n$4\r\nHGET\r\n$12\r\nuser:1234567\r\n$1\r\nf\r\n"), "user:1234567");
  EXPECT_EQ(GuessKey("*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"), "a");
}

TEST(GuessKey, StandsInTheBytesThatCame) {
  const std::string received = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
  EXPECT_EQ(GuessKey(received).data(), received.data() + received.find("key"));
}

TEST(GuessKey, IsNothingForRequestsOfAnotherShape) {
  for (const std::string_view received :
       {"", "*", "*1\r\n$4\r\nPING\r\n", "*0\r\n", "*-1\r\n", "GET key\r\n", "*2\r\n:3\r\n",
        "*2\r\n$3\r\nGET\r\n:3\r\n", "*2\r\n$-1\r\n$3\r\nkey\r\n", "*2\r\n$3\r\nGET\r\n$123\r\n",
        "*x\r\n$3\r\nGET\r\n$3\r\nkey\r\n"}) {
    EXPECT_EQ(GuessKey(received), "") << received;
  }
}

TEST(GuessKey, IsNothingUntilTheKeyHasCome) {
  const std::string request = "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n";
  for (size_t size = 0; size < request.size(); ++size) {
    EXPECT_EQ(GuessKey(std::string(request, 0, size)), "") << size;
  }
}

}  // namespace
}  // namespace larder::resp
