// Hashes of many bytes, by the widest instructions that this machine has. Apart from hash.h, which
// includes this, because its inlined xxHash and the compiled one cannot stand in the same file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace larder {

// XXH3-64 without a seed. Checksum64 (hash.h) decides when it pays.
uint64_t WideChecksum64(std::string_view bytes);

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
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder
