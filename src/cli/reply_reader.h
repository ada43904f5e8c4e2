// ReplyReader: the bytes of a Redis server to a Reply, RESP2 only.
//
// A pure codec for the program's own client, which never asks for RESP3. The bytes come from
// whoever listens on an address, so nothing in them is trusted.
//
// Threads: any. Errors: kMalformed. Cost: one pass; a reply owns its strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder::cli {

struct Reply {
  enum class Kind : uint8_t { kSimple, kError, kInteger, kBulk, kNull, kArray };
  Kind kind = Kind::kNull;
  std::string text;             // of kSimple, kError, kBulk
  int64_t integer = 0;          // of kInteger
  std::vector<Reply> elements;  // of kArray

  // Of an array "name, value, name, value...": the value; null when there is none.
  const Reply* Field(std::string_view name) const;
};

enum class ReplyOutcome : uint8_t { kReply, kIncomplete, kMalformed };

inline constexpr int kMaxReplyDepth = 8;  // Larder's own replies nest twice

// Reads one reply from the front of `data`; on kReply `consumed` tells how many bytes it took.
ReplyOutcome ReadReply(std::string_view data, Reply& reply, size_t& consumed);

}  // namespace larder::cli
