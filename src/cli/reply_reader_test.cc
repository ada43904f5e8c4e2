#include "cli/reply_reader.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace larder::cli {
namespace {

ReplyOutcome Read(std::string_view bytes, Reply& reply, size_t& consumed) {
  // A buffer of exact size, so that the sanitizer sees a read beyond it.
  const std::unique_ptr<char[]> exact(new char[bytes.size()]);
  bytes.copy(exact.get(), bytes.size());
  return ReadReply({exact.get(), bytes.size()}, reply, consumed);
}

TEST(ReplyReaderTest, ReadsEveryKindAndNoPrefixOfIt) {
  const std::string bytes =
      "*7\r\n+OK\r\n-ERR no\r\n:-42\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*2\r\n$1\r\nk\r\n:5\r\n";
  Reply reply;
  size_t consumed = 0;
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    ASSERT_EQ(Read(bytes.substr(0, cut), reply, consumed), ReplyOutcome::kIncomplete)
        << "cut at " << cut;
  }
  ASSERT_EQ(Read(bytes + "+more\r\n", reply, consumed), ReplyOutcome::kReply);
  EXPECT_EQ(consumed, bytes.size());
  ASSERT_EQ(reply.elements.size(), 7U);
  EXPECT_EQ(reply.elements[0].text, "OK");
  EXPECT_EQ(reply.elements[1].kind, Reply::Kind::kError);
  EXPECT_EQ(reply.elements[2].integer, -42);
  EXPECT_EQ(reply.elements[3].text, "a\r\n");
  EXPECT_EQ(reply.elements[4].kind, Reply::Kind::kNull);
  EXPECT_EQ(reply.elements[5].kind, Reply::Kind::kNull);
  ASSERT_NE(reply.elements[6].Field("k"), nullptr);
  EXPECT_EQ(reply.elements[6].Field("k")->integer, 5);
  EXPECT_EQ(reply.elements[6].Field("x"), nullptr);
}

TEST(ReplyReaderTest, RefusesWhatIsNoReply) {
  for (const char* const wrong : {"\r\n", "hello\r\n", ":x\r\n", ":\r\n", "$-2\r\n", "*-2\r\n",
                                  "$1\r\nabc", "$99999999999999999999\r\n", "%1\r\n"}) {
    Reply reply;
    size_t consumed = 0;
    EXPECT_EQ(Read(wrong, reply, consumed), ReplyOutcome::kMalformed) << wrong;
  }
}

TEST(ReplyReaderTest, NestsUpToItsLimit) {
  const auto nested = [](int depth) {
    std::string bytes;
    for (int i = 0; i < depth; ++i) bytes += "*1\r\n";
    return bytes + ":1\r\n";
  };
  Reply reply;
  size_t consumed = 0;
  EXPECT_EQ(Read(nested(kMaxReplyDepth), reply, consumed), ReplyOutcome::kReply);
  EXPECT_EQ(Read(nested(kMaxReplyDepth + 1), reply, consumed), ReplyOutcome::kMalformed);
}

}  // namespace
}  // namespace larder::cli
