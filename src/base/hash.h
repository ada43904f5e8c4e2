// Hashes and digests, all of them libraries' (xxHash, OpenSSL); docs/decisions/0003-hashing.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// Inlined, so that hashing a short key is a handful of instructions at the place of the look-up.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/wide_hash.h"

namespace larder {

// The hash of keys and members (docs/formats/snapshot.md, "Hash").
inline uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// The checksum of blocks, batches, footers and small files: XXH3-64 without a seed. Wide
// instructions gain nothing for what XXH3 treats as short.
inline uint64_t Checksum64(std::string_view bytes) {
  if (bytes.size() <= XXH3_MIDSIZE_MAX) return XXH3_64bits(bytes.data(), bytes.size());
  return WideChecksum64(bytes);
}

enum class DigestKind : uint8_t { kMd5, kSha256 };

// MD5 or SHA-256 over bytes that come in pieces, as lower-case hexadecimal.
class DigestHasher {
 public:
  explicit DigestHasher(DigestKind kind);
  ~DigestHasher();
  DigestHasher(const DigestHasher&) = delete;
  DigestHasher& operator=(const DigestHasher&) = delete;

  void Update(std::string_view bytes);
  std::string HexDigest();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string ToHex(std::string_view bytes);

}  // namespace larder
