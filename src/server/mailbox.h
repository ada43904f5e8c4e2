// Mailbox: what other threads have for one worker, in the order in which it came.
//
// Letters are taken between two batches, never inside one, so a letter that was put before another
// is done before it: an invalidation that a switch has sent stands before the reply to whoever
// asked for the switch. And a worker takes them before it looks at what has arrived from clients:
// who knows that a message was published, and then asks something, has the message first.
//
// What others send in any number (messages, lines for monitors) is bounded: when more than
// kMailboxBytes wait, these are dropped, and the worker closes whoever should have got them. A
// message is delivered or its connection ends; the sender never waits.
//
// Threads:    Put by any thread, Take and Close by the worker.
// Cost:       a lock a letter; nothing but a look while none waits.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "protocol/resp/reply.h"
#include "server/channel_hub.h"

namespace larder::server {

// The end of a deferral: the connection takes the reply and goes on. A connection that is gone
// takes nothing.
struct DeferralEnd {
  uint64_t connection = 0;
  resp::ReplyBuffer reply;
};
// To those of the worker's connections that subscribe to it.
struct Delivery {
  std::shared_ptr<const Publication> publication;
};
// To those that monitor.
struct MonitorLine {
  std::shared_ptr<const std::string> line;  // a whole RESP value
  uint64_t skipped = 0;                     // this client has it already
};
// What is served has changed: to those that track.
struct Invalidation {};
// The invalidation of a client that has it sent to `target`.
struct RedirectedInvalidation {
  uint64_t target = 0;
  int protocol = 2;  // of the client that tracks
};
struct Unblocking {
  uint64_t connection = 0;
  std::string error;  // empty: the reply that it waits for
};
struct Killing {
  uint64_t connection = 0;
};
// A pause has ended before its time.
struct Resumption {};

using Letter = std::variant<DeferralEnd, Delivery, MonitorLine, Invalidation,
                            RedirectedInvalidation, Unblocking, Killing, Resumption>;

class Mailbox {
 public:
  // Whether the worker must be woken: nothing waited before.
  [[nodiscard]] bool Put(Letter letter);

  // Whether there is anything to take.
  bool waiting() const { return waiting_.load(std::memory_order_acquire); }

  struct Taken {
    std::vector<Letter> letters;
    bool lost = false;  // some before these were dropped
  };
  // `to.letters` is empty, and its memory used again.
  void Take(Taken& to);
  // From now on every letter is dropped.
  void Close();

 private:
  Mutex mutex_;
  std::vector<Letter> letters_ LARDER_GUARDED_BY(mutex_);
  size_t bytes_ LARDER_GUARDED_BY(mutex_) = 0;  // of deliveries and lines
  bool lost_ LARDER_GUARDED_BY(mutex_) = false;
  bool closed_ LARDER_GUARDED_BY(mutex_) = false;
  std::atomic<bool> waiting_ = false;
};

}  // namespace larder::server
