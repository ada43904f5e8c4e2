// MemberLookup: finds many members of one set or sorted set.
//
// Large collections carry a table of their members; small ones are scanned at each look-up, which
// would make an intersection of two of them quadratic. For those a table is made, when enough
// look-ups are to come to pay for it.
//
// Ownership:  borrows the collection's bytes.
// Threads:    one; neither copied nor moved.
// Cost:       nothing to make for a large collection or few look-ups; else linear, one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "snapshot/value.h"

namespace larder::command {

class MemberLookup {
 public:
  MemberLookup(const snapshot::CollectionView& view, uint64_t expected) : view_(view) {
    if (view.has_member_table() || view.count() < kMinElements || expected < kMinLookups) return;
    table_.emplace(&memory_);
    table_->reserve(view.count());
    for (uint64_t i = 0; i < view.count(); ++i) {
      table_->emplace(view.Text(i), static_cast<uint32_t>(i));
    }
  }
  MemberLookup(const MemberLookup&) = delete;
  MemberLookup& operator=(const MemberLookup&) = delete;

  std::optional<uint64_t> Find(std::string_view member) const {
    if (!table_) return view_.FindMember(member);
    const auto found = table_->find(member);
    if (found == table_->end()) return std::nullopt;
    return found->second;
  }

 private:
  static constexpr uint64_t kMinElements = 16;
  static constexpr uint64_t kMinLookups = 16;

  const snapshot::CollectionView& view_;
  std::pmr::monotonic_buffer_resource memory_{size_t{8} << 10};  // taken at the first element
  std::optional<std::pmr::unordered_map<std::string_view, uint32_t>> table_;
};

}  // namespace larder::command
