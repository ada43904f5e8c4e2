// Any bytes as the changes of a queue: what is decoded is encoded as it was, fits the state or
// leaves it alone, and a checkpoint of the state is the state.
//
// The input is a run of changes, each behind two bytes of its length.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "queue/changes.h"
#include "queue/positions.h"

namespace larder::queue {
namespace {

// Of changes that are applied: one that delivers makes many numbers pending.
constexpr int kMostChanges = 8;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string Encoded(const Change& change) {
  std::string bytes;
  EncodeChange(change, bytes);
  return bytes;
}

void CheckQueries(const Positions& state) {
  const uint64_t front = state.Front(1);
  Require(!state.deleted().Contains(front) && !state.moves().contains(front));
  for (const auto& [number, move] : state.moves()) Require(!state.deleted().Contains(number));
  for (const auto& [from, known] : state.arrivals()) {
    if (known.records.empty()) continue;
    const auto& [here, there] = *known.records.begin();
    Require(here > known.needed_behind);
    Require(state.HasArrived(from, there, known.needed_behind));
  }
  for (const auto& [name, group] : state.groups()) {
    const uint64_t next = state.NextUndelivered(group);
    Require(next >= group.next() && group.Deliveries(next) == 0);
    if (const auto deadline = state.NextDeadline(group)) {
      const auto overdue = state.MostOverdue(group, *deadline);
      Require(overdue && group.pending().contains(*overdue));
    }
    Require(group.due().size() == group.pending().size());
    uint64_t of_consumers = 0;
    for (const auto& [consumer, count] : group.consumers()) of_consumers += count;
    Require(of_consumers == group.pending().size());
  }
}

void CheckCheckpoint(const Positions& state) {
  const Change checkpoint = state.ToCheckpoint();
  const std::string bytes = Encoded(checkpoint);
  const auto decoded = DecodeChange(bytes);
  Require(decoded && *decoded == checkpoint);
  Positions other;
  Require(other.Apply(*decoded).has_value());
  Require(Encoded(other.ToCheckpoint()) == bytes);
}

void CheckChanges(std::string_view input) {
  Positions state;
  for (int left = kMostChanges; left != 0 && input.size() >= 2; --left) {
    const uint64_t size = std::min<uint64_t>(LoadLe<uint16_t>(input.data()), input.size() - 2);
    // Of exact size, so that the sanitizer sees a read past the end.
    const std::vector<char> exact(input.begin() + 2,
                                  input.begin() + 2 + static_cast<ptrdiff_t>(size));
    input.remove_prefix(2 + size);
    const std::string_view bytes(exact.data(), exact.size());
    const auto change = DecodeChange(bytes);
    if (!change) continue;
    Require(CheckChange(*change).has_value());
    Require(Encoded(*change) == bytes);
    const bool fits = state.Check(*change).has_value();
    const std::string before = fits ? "" : Encoded(state.ToCheckpoint());
    Require(state.Apply(*change).has_value() == fits);
    if (!fits) Require(Encoded(state.ToCheckpoint()) == before);
    CheckQueries(state);
  }
  CheckCheckpoint(state);
}

}  // namespace
}  // namespace larder::queue

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::queue::CheckChanges({reinterpret_cast<const char*>(data), size});
  return 0;
}
