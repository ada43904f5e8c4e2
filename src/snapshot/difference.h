// Difference: what sets one Snapshot's records apart from another's.
//
// Equal means equal to who reads: the elements of hashes, sets and zsets count without their order,
// those of lists with it; expiry, version and flags count; metadata, seeds and the order of the
// file do not. Scores are compared bit by bit (-0 is not 0): what is equal prints alike.
//
// Ownership:  samples copy what they show.
// Threads:    one; the Snapshots are immutable.
// Errors:     kCorrupt (a damaged Snapshot), kCancelled.
// Cost:       a walk through each file, and a look-up in the other for every record, in prefetched
//             batches.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "snapshot/snapshot.h"

namespace larder::snapshot {

// One way in which two values of a key differ.
struct Change {
  enum class Kind : uint8_t {
    kType,
    kValue,    // of a string or JSON
    kField,    // of a hash; also one that was added or removed
    kElement,  // of a list: `name` is its number
    kMember,   // of a set or zset
    kExpiry,
    kVersion,
    kFlags,
  };
  Kind kind = Kind::kValue;
  std::string name;                   // field, member, number of the element
  std::optional<std::string> before;  // none: it is not there
  std::optional<std::string> after;
};

struct KeySample {
  std::string key;
  ValueType type = ValueType::kString;  // in the Snapshot that has it; of a changed one, before
  std::vector<Change> changes;          // of a changed one, at most kShownChanges of them
  uint64_t change_count = 0;
};

inline constexpr size_t kShownChanges = 5;
// Of a value or name in a sample about the first so many bytes are kept, and "..." where more were.
inline constexpr size_t kShownBytes = 200;

// Where to cut a text of more than `most` bytes: not inside a character, when it is UTF-8.
size_t CutAtCharacter(std::string_view text, size_t most);

struct Difference {
  uint64_t equal = 0;
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;
  std::vector<KeySample> added_samples;  // the first ones in the order of the file
  std::vector<KeySample> removed_samples;
  std::vector<KeySample> changed_samples;

  bool none() const { return added == 0 && removed == 0 && changed == 0; }
};

struct DifferenceOptions {
  size_t samples = 10;  // of each kind
  // Called now and then; returning false cancels.
  std::function<bool(double share)> progress;
};

Result<Difference> Compare(const Snapshot& before, const Snapshot& after,
                           const DifferenceOptions& options);

// Whether both hold the same, for whoever reads them.
bool SameMeaning(const Value& a, const Value& b);

// All ways in which they differ, the first `most` of them described; returns how many there are.
uint64_t DescribeChanges(const Value& before, const Value& after, size_t most,
                         std::vector<Change>& changes);

}  // namespace larder::snapshot
