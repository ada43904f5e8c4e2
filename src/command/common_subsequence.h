// CommonSubsequence: a longest common subsequence of two texts, the one of several that Redis's
// LCS names, and the runs in both that it is made of.
//
// Cost: the table has a bit for each pair of bytes and is filled 64 at a time (Hyyrö, "Bit-parallel
//       LCS-length computation revisited", 2004): texts of 11,000 bytes take 17 MB and
//       milliseconds. Without the bytes of the subsequence it has one row.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder::command {

// What Redis's table for these texts takes; it refuses more than the longest string has.
inline uint64_t RedisTableBytes(std::string_view a, std::string_view b) {
  return (a.size() + 1) * (b.size() + 1) * sizeof(uint32_t);
}

uint64_t CommonSubsequenceLength(std::string_view a, std::string_view b);

// `length` bytes from a[a_at] on are those from b[b_at] on.
struct CommonRun {
  uint64_t a_at = 0;
  uint64_t b_at = 0;
  uint64_t length = 0;
};

struct CommonSubsequence {
  std::string text;
  std::vector<CommonRun> runs;  // from the last to the first
};
CommonSubsequence FindCommonSubsequence(std::string_view a, std::string_view b);

}  // namespace larder::command
