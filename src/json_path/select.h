// Select: the values that a path leads to.
//
// Threads:    any; what it is given must not change meanwhile.
// Errors:     kLimit: a path that looks at more than kMaxVisits values, as "$..*..*..*" of a large
//             document would. Long texts that are compared or searched for a regular expression,
//             and objects whose members are compared, count as many.
// Cost:       the values looked at. Recursion only over the steps of the path and the filters in
//             it, and in comparing two values with each other, whose depth is limited.
#pragma once

#include <cstdint>
#include <vector>

#include "base/error.h"
#include "json_path/document.h"
#include "json_path/path.h"

namespace larder::json_path {

inline constexpr uint64_t kMaxVisits = 10'000'000;

// Replaces `matches` by the numbers of nodes, in the order in which the path meets them; one that
// it meets twice is there twice.
Result<void> Select(const Document& document, const std::vector<Step>& steps,
                    std::vector<uint32_t>& matches);

// The same, counting on from `visits`: for several paths that share one limit.
Result<void> Select(const Document& document, const std::vector<Step>& steps,
                    std::vector<uint32_t>& matches, uint64_t& visits);

// As JSON values: 1 equals 1.0, members of objects have no order.
bool Equal(std::span<const Node> left, uint32_t left_node, std::span<const Node> right,
           uint32_t right_node);

}  // namespace larder::json_path
