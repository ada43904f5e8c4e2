// Little-endian numbers in unaligned bytes. Larder runs on little-endian machines only
// (cmake/LarderOptions.cmake refuses others), so these are plain copies.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace larder {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

static_assert(std::endian::native == std::endian::little);

template <typename T>
  requires std::is_trivially_copyable_v<T>
inline T LoadLe(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
  requires std::is_trivially_copyable_v<T>
inline void StoreLe(void* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

template <typename T>
  requires std::is_trivially_copyable_v<T>
inline void AppendLe(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

constexpr uint64_t AlignUp(uint64_t value, uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace larder
