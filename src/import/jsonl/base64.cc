#include "import/jsonl/base64.h"

#include <climits>

#include <openssl/evp.h>

namespace larder::importer {
namespace {

// Given back when a line needs less.
constexpr size_t kKeptBytes = size_t{8} << 20;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

size_t PaddingOf(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

}  // namespace

void Base64Decoder::Begin(size_t text_bytes) {
  used_ = 0;
  wanted_ = text_bytes;
  if (capacity_ <= kKeptBytes || text_bytes > kKeptBytes) return;
  decoded_.reset();
  capacity_ = 0;
  encoded_ = {};
}

std::optional<std::string_view> Base64Decoder::Decode(std::string_view text) {
  if (text.empty()) return text;
  if (text.size() % 4 != 0 || text.size() > INT_MAX) return std::nullopt;
  // Nothing points into the old block before the first text of a line.
  if (used_ == 0 && capacity_ < wanted_) {
    decoded_ = std::make_unique_for_overwrite<unsigned char[]>(wanted_);
    capacity_ = wanted_;
  }
  unsigned char* to = decoded_.get() + used_;
  const int got = EVP_DecodeBlock(to, Bytes(text), static_cast<int>(text.size()));
  if (got < 0) return std::nullopt;
  // OpenSSL counts the padding as zeros, and lets whitespace, padding elsewhere and stray bits
  // pass: what is base64 comes out the same when it is encoded again.
  const size_t size = static_cast<size_t>(got) - PaddingOf(text);
  encoded_.resize(text.size() + 1);
  auto* again = reinterpret_cast<unsigned char*>(encoded_.data());
  const int encoded = EVP_EncodeBlock(again, to, static_cast<int>(size));
  if (std::string_view(encoded_).substr(0, static_cast<size_t>(encoded)) != text) {
    return std::nullopt;
  }
  used_ += size;
  return std::string_view(reinterpret_cast<const char*>(to), size);
}

}  // namespace larder::importer
