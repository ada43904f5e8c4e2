// InputBuffer: the bytes of a connection that are no whole request yet.
//
// Ownership:  owns its memory; grows with what has come, never with what was announced, and gives a
//             large buffer back once it is empty.
// Threads:    one connection's, one at a time.
// Errors:     out of memory ends the program, as everywhere in Larder.
// Cost:       ConsumeFront moves nothing; Reserve moves what is left when it must.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace larder::server {

class InputBuffer {
 public:
  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  size_t capacity() const { return capacity_; }

  // Room for at least `bytes` more at tail().
  void Reserve(size_t bytes);
  char* tail() { return data_.get() + end_; }
  size_t tail_bytes() const { return capacity_ - end_; }
  void Added(size_t bytes) { end_ += bytes; }

  void Append(std::string_view bytes);
  void ConsumeFront(size_t bytes);

 private:
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  std::unique_ptr<char[], Free> data_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace larder::server
