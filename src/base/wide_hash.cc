#include "base/wide_hash.h"

#include <fmt/format.h>

#if defined(__x86_64__)
// It puts functions that look at the processor once in the place of XXH3's own.
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

namespace larder {

uint64_t WideChecksum64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

struct ContentHasher::State {
  XXH3_state_t* const state = XXH3_createState();
  State() { XXH3_128bits_reset(state); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { XXH3_freeState(state); }
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {}
ContentHasher::~ContentHasher() = default;

void ContentHasher::Update(std::string_view bytes) {
  XXH3_128bits_update(state_->state, bytes.data(), bytes.size());
}

std::string ContentHasher::HexDigest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_->state);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace larder
