// Finding in a Snapshot as programs expect it: expired records left out, many keys at a time.
//
// Threads: any. Cost: the clock is read only for a record that has an expiry.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "larder/snapshot.h"
#include "larder/value.h"
#include "snapshot/snapshot.h"

namespace larder::library {

// By the clock, as of now.
bool HasExpired(const Value& value);

// Whether the value is to be left out.
inline bool IsLeftOut(const Value& value, Expired expired) {
  return value.expires_at_ms.has_value() && expired == Expired::kMissing && HasExpired(value);
}

std::optional<Value> FindIn(const snapshot::Snapshot& snapshot, std::string_view key,
                            Expired expired);
void FindManyIn(const snapshot::Snapshot& snapshot, std::span<const std::string_view> keys,
                std::span<std::optional<Value>> values, Expired expired);
// All values missing.
void FindNothing(std::span<const std::string_view> keys, std::span<std::optional<Value>> values);

}  // namespace larder::library
