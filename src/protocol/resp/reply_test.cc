#include "protocol/resp/reply.h"

#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/uio.h>

namespace larder::resp {
namespace {

std::string Written(int protocol, const std::function<void(ReplyWriter&)>& write) {
  ReplyBuffer buffer;
  ReplyWriter writer(buffer, protocol);
  write(writer);
  return buffer.ToString();
}

// What both protocols write.
std::string Written(const std::function<void(ReplyWriter&)>& write) {
  const std::string in_resp2 = Written(2, write);
  EXPECT_EQ(Written(3, write), in_resp2);
  return in_resp2;
}

std::string SentPieces(const ReplyBuffer& buffer, size_t max) {
  std::vector<iovec> pieces(max);
  const size_t count = buffer.Pieces(pieces.data(), max);
  std::string sent;
  for (size_t i = 0; i < count; ++i) {
    EXPECT_GT(pieces[i].iov_len, 0U);
    sent.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  return sent;
}

// A mapping that tells whether it is still needed.
struct Mapped {
  std::shared_ptr<const std::string> bytes;
  explicit Mapped(char fill, size_t size = ReplyBuffer::kBorrowMin)
      : bytes(std::make_shared<const std::string>(size, fill)) {}
  void AppendTo(ReplyBuffer& buffer) const {
    buffer.AppendBorrowed(*bytes, bytes, [](const void*) { return false; });
  }
  bool held() const { return bytes.use_count() > 1; }
};

TEST(ReplyBufferTest, IsDamagedWhileUnsentBytesAreOfADamagedLender) {
  const auto lender = std::make_shared<std::string>(ReplyBuffer::kBorrowMin, 'a');
  const auto changed = [](const void* owner) {
    return static_cast<const std::string*>(owner)->front() != 'a';
  };
  ReplyBuffer buffer;
  buffer.Append("copied");
  EXPECT_FALSE(buffer.damaged(64));
  buffer.AppendBorrowed(*lender, lender, changed);
  EXPECT_FALSE(buffer.damaged(64));
  lender->front() = '\0';
  EXPECT_TRUE(buffer.damaged(64));
  buffer.Consume(buffer.size() - 1);
  EXPECT_TRUE(buffer.damaged(64));
  buffer.Consume(1);
  EXPECT_FALSE(buffer.damaged(64));
}

TEST(ReplyWriterTest, ShapesOfBothProtocols) {
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Simple("OK"); }), "+OK\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Integer(0); }), ":0\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Integer(std::numeric_limits<int64_t>::min()); }),
            ":-9223372036854775808\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Bulk(""); }), "$0\r\n\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Bulk({"a\0\r\n", 4}); }),
            std::string("$4\r\na\0\r\n\r\n", 10));
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Array(12); }), "*12\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Raw(":7\r\n"); }), ":7\r\n");
}

TEST(ReplyWriterTest, ShapesOfResp2) {
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Null(); }), "$-1\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.NullArray(); }), "*-1\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Map(3); }), "*6\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Set(3); }), "*3\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Boolean(true); }), ":1\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Boolean(false); }), ":0\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.Verbatim("txt", "hello"); }), "$5\r\nhello\r\n");
  EXPECT_EQ(Written(2, [](ReplyWriter& w) { w.BigNumber("123"); }), "$3\r\n123\r\n");
}

TEST(ReplyWriterTest, ShapesOfResp3) {
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Null(); }), "_\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.NullArray(); }), "_\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Map(3); }), "%3\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Set(3); }), "~3\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Push(2); }), ">2\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Boolean(true); }), "#t\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Boolean(false); }), "#f\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.Verbatim("txt", "hello"); }), "=9\r\ntxt:hello\r\n");
  EXPECT_EQ(Written(3, [](ReplyWriter& w) { w.BigNumber("123"); }), "(123\r\n");
}

// As the real server wrote them (ZSCORE of these scores, Redis 7.0.15).
TEST(ReplyWriterTest, DoublesAreWrittenAsRedisDoes) {
  const double infinity = std::numeric_limits<double>::infinity();
  struct Case {
    double value;
    std::string text;
  };
  const Case cases[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {3.0, "3"},
      {-17.5, "-17.5"},
      {0.1, "0.10000000000000001"},
      {1.0 / 3, "0.33333333333333331"},
      {1e16, "10000000000000000"},
      {1e17, "1e+17"},
      {123456789012345678.0, "1.2345678901234568e+17"},
      {1e300, "1.0000000000000001e+300"},
      {1e-5, "1.0000000000000001e-05"},
      {0.0001, "0.0001"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::numeric_limits<double>::denorm_min(), "4.9406564584124654e-324"},
      {infinity, "inf"},
      {-infinity, "-inf"},
  };
  for (const Case& score : cases) {
    const auto write = [&score](ReplyWriter& w) { w.Double(score.value); };
    const std::string& text = score.text;
    EXPECT_EQ(Written(2, write), "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n");
    EXPECT_EQ(Written(3, write), "," + text + "\r\n");
  }
}

TEST(ReplyWriterTest, ErrorsStayOnOneLine) {
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Error("ERR no"); }), "-ERR no\r\n");
  EXPECT_EQ(Written([](ReplyWriter& w) { w.Error("ERR a\r\nb\nc\r\n"); }), "-ERR a  b c\r\n");
}

TEST(ReplyWriterTest, ProtocolMayChangeBetweenReplies) {
  ReplyBuffer buffer;
  ReplyWriter writer(buffer, 2);
  writer.Null();
  writer.set_protocol(3);
  writer.Null();
  EXPECT_EQ(buffer.ToString(), "$-1\r\n_\r\n");
}

TEST(ReplyBufferTest, ShortSlicesAreCopied) {
  ReplyBuffer buffer;
  const Mapped slice('s', ReplyBuffer::kBorrowMin - 1);
  slice.AppendTo(buffer);
  EXPECT_FALSE(slice.held());
  EXPECT_EQ(buffer.ToString(), *slice.bytes);
}

TEST(ReplyBufferTest, LongSlicesAreBorrowedInPlace) {
  ReplyBuffer buffer;
  const Mapped slice('s');
  buffer.Append("before");
  slice.AppendTo(buffer);
  buffer.Append("after");
  std::array<iovec, 4> pieces;
  ASSERT_EQ(buffer.Pieces(pieces.data(), pieces.size()), 3U);
  EXPECT_EQ(pieces[1].iov_base, slice.bytes->data());
  EXPECT_EQ(buffer.size(), 6 + slice.bytes->size() + 5);
}

TEST(ReplyBufferTest, PiecesAreAsManyAsAskedFor) {
  ReplyBuffer buffer;
  const Mapped first('1');
  const Mapped second('2');
  first.AppendTo(buffer);
  second.AppendTo(buffer);
  buffer.Append("end");
  EXPECT_EQ(SentPieces(buffer, 1), *first.bytes);
  EXPECT_EQ(SentPieces(buffer, 2), *first.bytes + *second.bytes);
  EXPECT_EQ(SentPieces(buffer, 3), buffer.ToString());
  EXPECT_EQ(SentPieces(buffer, 9), buffer.ToString());
}

// Sends in steps of every size: what is left is always the rest, and a slice is held exactly until
// its last byte is sent.
TEST(ReplyBufferTest, ConsumesAtEveryByteCount) {
  const size_t slice_bytes = ReplyBuffer::kBorrowMin;
  for (const size_t step : {size_t{1}, size_t{2}, size_t{3}, size_t{4}, size_t{5}, size_t{7},
                            slice_bytes - 1, slice_bytes, slice_bytes + 1, 3 * slice_bytes}) {
    ReplyBuffer buffer;
    const Mapped first('1');
    const Mapped second('2');
    buffer.Append("abc");
    first.AppendTo(buffer);
    second.AppendTo(buffer);
    buffer.Append("de");
    const std::string all = buffer.ToString();
    size_t sent = 0;
    while (sent < all.size()) {
      const size_t now = std::min(step, all.size() - sent);
      buffer.Consume(now);
      sent += now;
      ASSERT_EQ(buffer.size(), all.size() - sent);
      ASSERT_EQ(first.held(), sent < 3 + slice_bytes) << sent;
      ASSERT_EQ(second.held(), sent < 3 + 2 * slice_bytes) << sent;
      if (step > 1000 || sent % 997 == 0 || all.size() - sent < 9) {
        ASSERT_EQ(SentPieces(buffer, 8), std::string_view(all).substr(sent));
        ASSERT_EQ(buffer.ToString(), std::string_view(all).substr(sent));
      }
    }
    EXPECT_TRUE(buffer.empty());
  }
}

TEST(ReplyBufferTest, ConsumesSmallBuffersCutAtEveryByte) {
  const std::string all = "+OK\r\n:1\r\n";
  for (size_t cut = 0; cut <= all.size(); ++cut) {
    ReplyBuffer buffer;
    buffer.Append(all);
    buffer.Consume(cut);
    EXPECT_EQ(SentPieces(buffer, 2), all.substr(cut));
    buffer.Append("+more");
    EXPECT_EQ(buffer.ToString(), all.substr(cut) + "+more");
  }
}

TEST(ReplyBufferTest, TruncatesToAMark) {
  ReplyBuffer buffer;
  const Mapped kept('k');
  const Mapped dropped('d');
  buffer.Append("abc");
  kept.AppendTo(buffer);
  buffer.Append("def");
  const std::string before = buffer.ToString();
  const ReplyBuffer::Mark mark = buffer.mark();
  buffer.Append("ghi");
  dropped.AppendTo(buffer);
  buffer.Append("jkl");
  buffer.TruncateTo(mark);
  EXPECT_EQ(buffer.ToString(), before);
  EXPECT_EQ(buffer.size(), before.size());
  EXPECT_TRUE(kept.held());
  EXPECT_FALSE(dropped.held());
  buffer.TruncateTo({0, 0});
  EXPECT_TRUE(buffer.empty());
  EXPECT_FALSE(kept.held());
}

TEST(ReplyBufferTest, TruncatesToAMarkTakenAfterSending) {
  ReplyBuffer buffer;
  buffer.Append("abcdef");
  buffer.Consume(2);
  const ReplyBuffer::Mark mark = buffer.mark();
  buffer.Append("ghi");
  buffer.TruncateTo(mark);
  EXPECT_EQ(buffer.ToString(), "cdef");
}

TEST(ReplyBufferTest, ClearReleasesEverything) {
  ReplyBuffer buffer;
  const Mapped slice('s');
  buffer.Append("abc");
  slice.AppendTo(buffer);
  buffer.Clear();
  EXPECT_TRUE(buffer.empty());
  EXPECT_FALSE(slice.held());
  EXPECT_EQ(buffer.ToString(), "");
}

// A client that never quite catches up: the memory stays in proportion to what is unsent.
TEST(ReplyBufferTest, SentBytesDoNotPileUp) {
  ReplyBuffer buffer;
  const std::string chunk(10000, 'c');
  const Mapped slice('s');
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    buffer.Append(chunk);
    expected += chunk;
    if (i % 100 == 0) {
      slice.AppendTo(buffer);
      expected += *slice.bytes;
    }
    if (buffer.size() > 20000) {
      const size_t now = buffer.size() - 15000;
      buffer.Consume(now);
      expected.erase(0, now);
    }
    ASSERT_EQ(buffer.ToString(), expected);
    ASSERT_LT(buffer.mark().copied, 400000U);
    ASSERT_LT(buffer.mark().borrowed, 20U);
  }
}

TEST(ReplyBufferTest, ShrinksOnlyWhenAllIsSent) {
  ReplyBuffer buffer;
  buffer.Append(std::string(100000, 'x'));
  EXPECT_GE(buffer.capacity(), 100000U);
  buffer.ShrinkTo(1000);
  EXPECT_EQ(buffer.size(), 100000U);
  buffer.Consume(100000);
  buffer.ShrinkTo(1000);
  EXPECT_LT(buffer.capacity(), 2000U);
}

}  // namespace
}  // namespace larder::resp
