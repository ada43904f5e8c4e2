#include "server/mailbox.h"

#include <utility>

#include "server/limits.h"

namespace larder::server {

namespace {

// Of what may come without end; 0: a letter of the other kinds.
size_t DroppableBytes(const Letter& letter) {
  if (const auto* const delivery = std::get_if<Delivery>(&letter))
    return sizeof(Letter) + delivery->publication->body.size();
  if (const auto* const line = std::get_if<MonitorLine>(&letter))
    return sizeof(Letter) + line->line->size();
  return 0;
}

}  // namespace

bool Mailbox::Put(Letter letter) {
  const size_t bytes = DroppableBytes(letter);
  const MutexLock lock(mutex_);
  if (closed_) return false;
  waiting_.store(true, std::memory_order_release);
  if (bytes != 0 && bytes_ + bytes > kMailboxBytes) {
    lost_ = true;
    return false;  // the worker has been woken for those before
  }
  bytes_ += bytes;
  letters_.push_back(std::move(letter));
  return letters_.size() == 1;
}

void Mailbox::Take(Taken& to) {
  const MutexLock lock(mutex_);
  waiting_.store(false, std::memory_order_relaxed);
  to.letters.swap(letters_);
  to.lost = std::exchange(lost_, false);
  bytes_ = 0;
}

void Mailbox::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  letters_.clear();
}

}  // namespace larder::server
