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

namespace larder {

// The hash of keys and members (docs/formats/snapshot.md, "Hash").
inline uint64_t HashBytes(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// The checksum of blocks, footers and small files: XXH3-64 without a seed.
inline uint64_t Checksum64(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

// 32 hexadecimal digits of XXH3-128 over bytes that come in pieces: what a source's content is
// recognised by. Not for security.
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(const ContentHasher&) = delete;
  ContentHasher& operator=(const ContentHasher&) = delete;

  void Update(std::string_view bytes);
  std::string HexDigest() const;

 private:
  XXH3_state_t* state_;
};

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
