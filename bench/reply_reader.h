// ReplyReader: counts and checks whole RESP replies in a stream, for the load generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::bench {

// One bulk string of a reply; empty and `null` for a missing value.
struct Bulk {
  std::string_view bytes;
  bool null = false;
};

// Reads one reply from the front of `data`: returns its length, or 0 when it is not whole yet.
// `bulks` takes the strings in it (of an error or a number: none), `error` the text of an error
// reply. Anything that is not RESP sets `error` and returns data.size().
size_t ReadReply(std::string_view data, std::vector<Bulk>& bulks, std::string_view& error);

}  // namespace larder::bench
