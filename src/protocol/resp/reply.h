// ReplyBuffer and ReplyWriter: replies on their way to a socket, in RESP2 or RESP3.
//
// A ReplyBuffer is a queue of bytes, most of them copied, large ones borrowed from a mapping
// together with the pin that keeps the mapping alive until they are sent. A ReplyWriter knows the
// protocol version and writes the shapes of RESP into a buffer.
//
// Threads:    one connection's, one at a time.
// Errors:     none; the owner looks at size() and enforces its limit.
// Cost:       copying; no allocation once the buffer has grown to its working size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace larder::resp {

class ReplyBuffer {
 public:
  // Slices at least this long are borrowed, shorter ones copied: below it the copy is cheaper than
  // another iovec and a pin.
  static constexpr size_t kBorrowMin = size_t{32} << 10;

  using Keepalive = std::shared_ptr<const void>;
  // Whether bytes lent by `owner` may have changed since: they must not be sent then.
  using IsDamaged = bool (*)(const void* owner);

  void Append(std::string_view bytes) { copied_.append(bytes); }
  void Append(char byte) { copied_.push_back(byte); }
  // Room for exactly `bytes`, which the caller must fill before it calls anything else.
  char* Extend(size_t bytes) {
    const size_t before = copied_.size();
    const size_t after = before + bytes;
    // gcc 12's library hands the function the grown capacity, not the size that was asked for.
    copied_.resize_and_overwrite(after, [after](char*, size_t) { return after; });
    return copied_.data() + before;
  }
  // `bytes` stay valid as long as `keepalive` lives; `is_damaged` is asked about what it holds.
  void AppendBorrowed(std::string_view bytes, Keepalive keepalive, IsDamaged is_damaged);

  // Unsent bytes.
  size_t size() const { return copied_.size() - sent_copied_ + borrowed_bytes_; }
  bool empty() const { return size() == 0; }
  // Borrowed bytes among the next `pieces` unsent ones are no longer what they were.
  bool damaged(size_t pieces) const;

  // A place in the buffer, to drop everything after it again (nothing may be consumed in between).
  struct Mark {
    size_t copied;
    size_t borrowed;
  };
  Mark mark() const { return {copied_.size(), borrowed_.size()}; }
  void TruncateTo(Mark mark);

  // The unsent bytes as up to `max` pieces, for writev; returns how many.
  size_t Pieces(iovec* to, size_t max) const;
  // `bytes` of them were sent.
  void Consume(size_t bytes);
  void Clear();
  // Gives memory beyond `bytes` back once everything was sent.
  void ShrinkTo(size_t bytes);
  // Memory of the copied bytes.
  size_t capacity() const { return copied_.capacity(); }

  // All unsent bytes in one string; for tests.
  std::string ToString() const;

 private:
  struct Borrowed {
    size_t at;  // stands before copied_[at]
    std::string_view bytes;
    Keepalive keepalive;
    IsDamaged is_damaged;
  };
  void Compact();

  std::string copied_;
  size_t sent_copied_ = 0;
  std::vector<Borrowed> borrowed_;
  size_t first_borrowed_ = 0;
  size_t borrowed_bytes_ = 0;
};

// Told of every error that a ReplyWriter writes, without the dash.
class ErrorListener {
 public:
  virtual ~ErrorListener() = default;
  virtual void OnError(std::string_view text) = 0;
};

class ReplyWriter {
 public:
  ReplyWriter(ReplyBuffer& buffer, int protocol) : buffer_(buffer), protocol_(protocol) {}

  int protocol() const { return protocol_; }
  void set_protocol(int protocol) { protocol_ = protocol; }
  ReplyBuffer& buffer() { return buffer_; }
  uint64_t errors() const { return errors_; }  // how many were written
  void set_error_listener(ErrorListener* listener) { listener_ = listener; }

  void Raw(std::string_view bytes) { buffer_.Append(bytes); }
  void Simple(std::string_view text);  // +OK
  void Error(std::string_view text);   // -ERR ...; `text` has the code in front
  void Integer(int64_t value);         // :1
  void Bulk(std::string_view bytes);   // $3 abc
  void Null();                         // $-1 or _
  void NullArray();                    // *-1 or _
  void Array(uint64_t count);          // *n
  void Map(uint64_t pairs);            // *2n or %n
  void Set(uint64_t count);            // *n or ~n
  void Push(uint64_t count);           // >n (RESP3 only)
  void Double(double value);           // bulk "%.17g" or ,x
  void Boolean(bool value);            // :1 or #t
  void Verbatim(std::string_view format, std::string_view text);  // bulk or =n txt:...
  void BigNumber(std::string_view digits);                        // bulk or (n

 private:
  void Head(char type, int64_t number);
  ReplyBuffer& buffer_;
  int protocol_;
  uint64_t errors_ = 0;
  ErrorListener* listener_ = nullptr;
};

}  // namespace larder::resp
