// RequestParser: bytes of a Redis client to requests, RESP arrays and inline commands.
//
// A pure codec: it knows no socket, no store and no clock. It may be given its input in any pieces;
// what it has understood of an unfinished request is kept, so no byte is looked at twice.
//
// Ownership:  arguments are views into the caller's bytes.
// Threads:    one connection's, one at a time.
// Errors:     kMalformed with the text Redis 7.0.15 sends (without "-" and CR LF); the connection
// is
//             to be closed after that reply, as Redis does. Every further call says the same.
// Cost:       one pass over the bytes; allocates only while `args` grows.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace larder::resp {

// Of who has not said yet whose connection it is, as in Redis: enough to authenticate.
inline constexpr uint64_t kStrangersBulks = 10;
inline constexpr uint64_t kStrangersBulkBytes = uint64_t{16} << 10;

// Redis's own limits and their names there (docs/decisions/0040-resp-codec.md).
struct RequestLimits {
  uint64_t inline_bytes = uint64_t{64} << 10;          // PROTO_INLINE_MAX_SIZE
  uint64_t bulk_bytes = uint64_t{512} << 20;           // proto-max-bulk-len
  uint64_t multibulk_count = (uint64_t{1} << 31) - 1;  // INT_MAX in 7.0, 1024 * 1024 before
  uint64_t query_bytes = uint64_t{1} << 30;            // client-query-buffer-limit
};

enum class ParseOutcome : uint8_t {
  kRequest,     // args were appended
  kNothing,     // an empty line or an empty array: no request, no reply; bytes were consumed
  kIncomplete,  // more bytes are needed
  kMalformed,   // error() says why
};

// The second argument of the request at the front of `data` when it is of the usual shape, an array
// of short bulks; else empty. Without any checks beyond its bounds: for prefetching.
std::string_view GuessKey(std::string_view data);

class RequestParser {
 public:
  explicit RequestParser(const RequestLimits& limits = {}) : limits_(limits) {}

  // Reads one request from the front of `data`: the first byte that no earlier request consumed,
  // and all that has come since. After kIncomplete call again with the same bytes (they may have
  // moved) and more behind them. On kRequest the arguments are appended to `args` and consumed()
  // tells how many bytes of `data` they took. Inline arguments with quotes or escapes point into
  // this parser and are good until Reset().
  ParseOutcome Next(std::string_view data, std::vector<std::string_view>& args);

  // For what comes from now on, the rest of an unfinished request too.
  void set_limits(const RequestLimits& limits) { limits_ = limits; }
  // The same; while it is one, requests are held to kStrangersBulks and kStrangersBulkBytes, too.
  void set_is_stranger(bool is_stranger) { is_stranger_ = is_stranger; }

  uint64_t consumed() const { return consumed_; }
  const std::string& error() const { return error_; }
  // The shortest `data` that could complete the unfinished request, as far as it is known; lets the
  // reader size its buffer for a large bulk at once.
  uint64_t wanted_bytes() const { return wanted_bytes_; }
  // Frees what unquoted inline arguments take; call between batches. An unfinished request stays.
  void Reset();

 private:
  using Arguments = std::vector<std::string_view>;
  // An argument of the unfinished request: the caller's bytes may move, so no pointer.
  struct Argument {
    uint64_t offset;
    uint64_t bytes;
  };
  enum class Head : uint8_t { kRead, kUnfinished, kTooLong };

  ParseOutcome NextInline(std::string_view data, Arguments& args);
  bool SplitInline(std::string_view line, Arguments& args);
  ParseOutcome NextMultibulk(std::string_view data, Arguments& args);
  bool ReadWholeMultibulk(std::string_view data, Arguments& args);
  void KeepUnfinished(std::string_view data, size_t first, uint64_t position, uint64_t remaining,
                      Arguments& args);
  ParseOutcome ReadCount(std::string_view data);
  ParseOutcome ReadBulkHead(std::string_view data);
  Head FindHeadEnd(std::string_view data, char end, uint64_t& end_at);
  ParseOutcome Finish(ParseOutcome outcome, uint64_t consumed);
  ParseOutcome Incomplete(uint64_t wanted);
  ParseOutcome Malformed(std::string message);

  RequestLimits limits_;
  bool is_stranger_ = false;
  uint64_t consumed_ = 0;
  uint64_t wanted_bytes_ = 0;
  std::string error_;
  // The unfinished request.
  uint64_t position_ = 0;    // understood up to here
  uint64_t searched_ = 0;    // no end of the line or head at position_ before here
  int64_t remaining_ = -1;   // bulks still to come; -1: the head was not read yet
  int64_t bulk_bytes_ = -1;  // of the bulk under way; -1: its head was not read yet
  std::vector<Argument> pending_;
  std::deque<std::string> unquoted_;  // a deque: its strings never move
};

}  // namespace larder::resp
