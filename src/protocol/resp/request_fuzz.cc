// Feeds the parser arbitrary bytes, whole and in pieces that the input itself chooses, and expects
// the same requests of both. The input: one byte for how many piece sizes follow, one for the
// limits, the sizes, then the bytes of the client.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/resp/request_parser.h"

namespace {

using larder::resp::ParseOutcome;
using larder::resp::RequestLimits;
using larder::resp::RequestParser;

// Small enough for a fuzzer to reach them.
RequestLimits LimitsOf(uint8_t choice) {
  RequestLimits limits;
  if ((choice & 1) != 0) limits.inline_bytes = 40;
  if ((choice & 2) != 0) limits.bulk_bytes = 20;
  if ((choice & 4) != 0) limits.multibulk_count = 3;
  if ((choice & 8) != 0) limits.query_bytes = 60;
  return limits;
}

// Requests, one argument after another with its length, and the error at the end.
class Reading {
 public:
  explicit Reading(const RequestLimits& limits) : parser_(limits) {}

  void Take(std::string_view piece) {
    unread_ += piece;
    while (!malformed_ && !unread_.empty()) {
      // A buffer of the exact size, elsewhere each time.
      const std::unique_ptr<char[]> bytes = std::make_unique<char[]>(unread_.size());
      std::memcpy(bytes.get(), unread_.data(), unread_.size());
      args_.clear();
      const ParseOutcome outcome = parser_.Next({bytes.get(), unread_.size()}, args_);
      if (outcome == ParseOutcome::kIncomplete) {
        if (parser_.wanted_bytes() <= unread_.size()) std::abort();
        return;
      }
      if (outcome == ParseOutcome::kMalformed) {
        malformed_ = true;
        result_ += "malformed " + parser_.error();
        return;
      }
      if (parser_.consumed() == 0 || parser_.consumed() > unread_.size()) std::abort();
      if ((outcome == ParseOutcome::kNothing) != args_.empty()) std::abort();
      for (const std::string_view argument : args_) {
        result_ += std::to_string(argument.size()) + ' ';
        result_ += argument;
      }
      result_ += ';';
      unread_.erase(0, parser_.consumed());
      parser_.Reset();
    }
  }
  const std::string& result() const { return result_; }

 private:
  RequestParser parser_;
  std::vector<std::string_view> args_;
  std::string unread_;
  std::string result_;
  bool malformed_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t sizes = std::min<size_t>(data[0] % 16, size - 2);
  const RequestLimits limits = LimitsOf(data[1]);
  const uint8_t* const piece_sizes = data + 2;
  const std::string_view input(reinterpret_cast<const char*>(data) + 2 + sizes, size - 2 - sizes);

  Reading whole(limits);
  whole.Take(input);
  Reading pieces(limits);
  size_t at = 0;
  for (size_t i = 0; i < sizes && at < input.size(); ++i) {
    pieces.Take(input.substr(at, piece_sizes[i]));
    at += piece_sizes[i];
  }
  if (at < input.size()) pieces.Take(input.substr(at));
  if (whole.result() != pieces.result()) std::abort();
  return 0;
}
