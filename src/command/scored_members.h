// ScoredMembers: a sorted set that a command makes, in the order of sorted sets.
//
// The order never depends on bytes of the mapping twice: std::sort with an order that changes under
// it would leave its array, and a mapping changes when its file is damaged. So it sorts by what is
// copied here (the score, the first bytes of the member), and what is left by heaps, which stay
// inside whatever they are told.
//
// Ownership:  borrows the members' bulks.
// Threads:    one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "command/context.h"

namespace larder::command {

class ScoredMembers {
 public:
  struct Member {
    double score = 0;
    uint64_t prefix = 0;
    std::string_view bulk;
    std::string_view text;
  };

  void Reserve(uint64_t count) { members_.reserve(count); }
  // `bulk` as it is stored, `text` inside it. Each member once.
  void Add(std::string_view bulk, std::string_view text, double score);
  uint64_t size() const { return members_.size(); }

  // By score, members of equal score by their bytes.
  void Sort();
  void Answer(Context& context, bool with_scores) const;

 private:
  std::vector<Member> members_;
};

}  // namespace larder::command
