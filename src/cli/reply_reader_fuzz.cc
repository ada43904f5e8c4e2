// Arbitrary bytes as a server's reply: read without a fault, and every prefix of a reply is
// incomplete, never another reply.
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "cli/reply_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using larder::cli::ReplyOutcome;
  // A buffer of exact size, so that the sanitizer sees a read beyond it.
  const std::vector<char> exact(bytes, bytes + size);
  const std::string_view data(exact.data(), exact.size());
  larder::cli::Reply reply;
  size_t consumed = 0;
  if (larder::cli::ReadReply(data, reply, consumed) != ReplyOutcome::kReply) return 0;
  if (consumed > size) std::abort();
  size_t prefix_consumed = 0;
  const std::vector<char> prefix(exact.begin(),
                                 exact.begin() + static_cast<ptrdiff_t>(consumed) - 1);
  const auto outcome =
      larder::cli::ReadReply({prefix.data(), prefix.size()}, reply, prefix_consumed);
  if (outcome != ReplyOutcome::kIncomplete) std::abort();
  return 0;
}
