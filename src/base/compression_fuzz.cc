// The decompressors on arbitrary bytes: they end, stay inside their buffers, and how the input is
// cut makes no difference.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/compression.h"

namespace {

constexpr size_t kMostText = size_t{1} << 20;

// The text, or none when the input was refused or gives more than kMostText.
std::optional<std::string> Decompress(larder::Compression compression, std::string_view input,
                                      size_t piece) {
  auto decompressor = larder::Decompressor::Create(compression);
  if (!decompressor) std::abort();
  std::string text;
  std::array<char, 1000> to{};
  for (;;) {
    const auto progress = (*decompressor)->Step(input.substr(0, piece), to.data(), to.size());
    if (!progress) return std::nullopt;
    if (progress->consumed > std::min(piece, input.size())) std::abort();
    if (progress->produced > to.size()) std::abort();
    text.append(to.data(), progress->produced);
    input.remove_prefix(progress->consumed);
    if (text.size() > kMostText) return std::nullopt;
    if (progress->consumed == 0 && progress->produced == 0) break;
  }
  if (!input.empty()) std::abort();
  if (!(*decompressor)->Finish()) return std::nullopt;
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto compression = larder::DetectCompression(input);
  if (compression == larder::Compression::kNone) return 0;
  if (Decompress(compression, input, input.size() + 1) != Decompress(compression, input, 1)) {
    std::abort();
  }
  return 0;
}
