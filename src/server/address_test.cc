#include "server/address.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder::server {
namespace {

TEST(AddressTest, PrintsWhatItReads) {
  for (const std::string text : {"127.0.0.1:6380", "0.0.0.0:0", "[::1]:65535", "[fe80::1]:1",
                                 "unix:/run/larder.sock", "unix:larder.sock"}) {
    const auto address = ParseAddress(text);
    ASSERT_TRUE(address) << address.error().message();
    EXPECT_EQ(address->ToString(), text);
  }
  EXPECT_EQ(ParseAddress("localhost:6380")->ToString(), "127.0.0.1:6380");
}

TEST(AddressTest, KnowsWhatOtherMachinesCanReach) {
  for (const char* const local : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/a"})
    EXPECT_TRUE(ParseAddress(local)->local()) << local;
  for (const char* const open : {"0.0.0.0:1", "192.168.0.1:1", "[::]:1", "[fe80::1]:1"})
    EXPECT_FALSE(ParseAddress(open)->local()) << open;
}

TEST(AddressTest, RefusesWhatIsNoAddress) {
  for (const char* const wrong :
       {"", ":", "6380", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:6380 ", "example.org:6380", "::1:6380", "[::1]", "[::g]:1", "[]:1", "unix:"}) {
    const auto address = ParseAddress(wrong);
    ASSERT_FALSE(address) << wrong;
    EXPECT_THAT(address.error().message(), testing::HasSubstr("expected"));
  }
  EXPECT_FALSE(ParseAddress("unix:/" + std::string(107, 'a')));
  EXPECT_TRUE(ParseAddress("unix:/" + std::string(106, 'a')));
}

}  // namespace
}  // namespace larder::server
