#include "server/input_buffer.h"

#include <algorithm>
#include <cstring>

#include "server/limits.h"

namespace larder::server {

void InputBuffer::Reserve(size_t bytes) {
  if (tail_bytes() >= bytes) return;
  if (begin_ > 0) {
    std::memmove(data_.get(), data_.get() + begin_, size());
    end_ = size();
    begin_ = 0;
    if (tail_bytes() >= bytes) return;
  }
  const size_t capacity = std::max(end_ + bytes, capacity_ + capacity_ / 2);
  // realloc moves large buffers by their pages instead of their bytes.
  auto* moved = static_cast<char*>(std::realloc(data_.get(), capacity));
  if (moved == nullptr) std::abort();
  static_cast<void>(data_.release());
  data_.reset(moved);
  capacity_ = capacity;
}

void InputBuffer::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  Reserve(bytes.size());
  std::memcpy(tail(), bytes.data(), bytes.size());
  Added(bytes.size());
}

void InputBuffer::ConsumeFront(size_t bytes) {
  begin_ += bytes;
  if (begin_ < end_) return;
  begin_ = end_ = 0;
  if (capacity_ > kKeepInputBytes) {
    data_.reset();
    capacity_ = 0;
  }
}

}  // namespace larder::server
