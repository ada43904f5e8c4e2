// Takes whole replies of RESP2, RESP3 and memcached's text protocols out of a stream, for the load
// generator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace larder::bench {

enum class Protocol : uint8_t { kResp2, kResp3, kMemcachedText, kMemcachedMeta };

// A string, number or null of a reply.
struct ReplyItem {
  std::string_view bytes;
  bool null = false;
};

// Reads one reply from the front of `data`: returns its length, or 0 when it is not whole yet.
// `items` takes what is in it, nested arrays and maps flattened; of memcached's values the key
// before each. `error` takes the text of an error reply. Anything that is no reply sets `error` and
// returns data.size().
size_t ReadReply(Protocol protocol, std::string_view data, std::vector<ReplyItem>& items,
                 std::string_view& error);

}  // namespace larder::bench
