#include "library/finding.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace larder::library {

namespace {

// Enough cache misses in flight for any core, few enough hashes to stay in the first cache.
constexpr size_t kBatch = 32;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

bool HasExpired(const Value& value) { return value.Expired(NowMs()); }

std::optional<Value> FindIn(const snapshot::Snapshot& snapshot, std::string_view key,
                            Expired expired) {
  std::optional<Value> found = snapshot.Find(key);
  if (found && IsLeftOut(*found, expired)) found.reset();
  return found;
}

void FindManyIn(const snapshot::Snapshot& snapshot, std::span<const std::string_view> keys,
                std::span<std::optional<Value>> values, Expired expired) {
  std::array<snapshot::Snapshot::Lookup, kBatch> lookups{};
  const size_t count = std::min(keys.size(), values.size());
  for (size_t first = 0; first < count; first += kBatch) {
    const size_t batch = std::min(kBatch, count - first);
    for (size_t i = 0; i < batch; ++i) {
      lookups[i] = snapshot.StartLookup(keys[first + i]);
    }
    snapshot.Prefetch(std::span(lookups).first(batch));
    for (size_t i = 0; i < batch; ++i) {
      std::optional<Value>& value = values[first + i];
      snapshot.FindInto(keys[first + i], lookups[i], value);
      if (value && IsLeftOut(*value, expired)) value.reset();
    }
  }
}

void FindNothing(std::span<const std::string_view> keys, std::span<std::optional<Value>> values) {
  std::ranges::fill(values.first(std::min(keys.size(), values.size())), std::nullopt);
}

}  // namespace larder::library
