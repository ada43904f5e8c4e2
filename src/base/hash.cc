#include "base/hash.h"

#include <openssl/evp.h>

namespace larder {

struct DigestHasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

DigestHasher::DigestHasher(DigestKind kind) : state_(std::make_unique<State>()) {
  EVP_DigestInit_ex(state_->context, kind == DigestKind::kMd5 ? EVP_md5() : EVP_sha256(), nullptr);
}
DigestHasher::~DigestHasher() = default;

void DigestHasher::Update(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string DigestHasher::HexDigest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &length);
  return ToHex({reinterpret_cast<const char*>(digest.data()), length});
}

std::string ToHex(std::string_view bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return hex;
}

}  // namespace larder
