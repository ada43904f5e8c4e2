// ChannelHub: which channels have subscribers, on which workers, and what is sent to them.
//
// The hub counts; who exactly subscribes is known to the worker of each connection
// (server/followers.h). Subscriptions and publications get places in one order: a publication is
// for the subscriptions before it. It goes into the mailboxes while the hub is locked, so every
// worker, and so every subscriber, gets all publications in the same order.
//
// Ownership:  owns the counts; a Publication is shared by the workers that deliver it.
// Threads:    any; one lock.
// Errors:     none.
// Cost:       Publish is a look-up, a match against every pattern, and a letter to each worker that
//             has subscribers; nothing is charged to connections that subscribe to nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "command/host.h"

namespace larder::server {

// Lets maps of names be searched without making a string.
struct NameHash {
  using is_transparent = void;
  size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
};

struct Publication {
  command::ChannelKind kind = command::ChannelKind::kChannel;  // never a pattern
  uint64_t place = 0;
  uint64_t publisher = 0;  // the client that has delivered it to itself already; 0: none
  std::string channel;
  std::string body;  // channel and message as RESP has them in every kind of message
};

class ChannelHub {
 public:
  using Send = std::function<void(unsigned worker, std::shared_ptr<const Publication>)>;
  // `send` puts it into that worker's mailbox; called with the hub locked.
  explicit ChannelHub(Send send) : send_(std::move(send)) {}

  // One connection of `worker` more, or less, that subscribes to `name`. Join returns its place.
  uint64_t Join(unsigned worker, command::ChannelKind kind, std::string_view name);
  void Leave(unsigned worker, command::ChannelKind kind, std::string_view name);

  // What was sent, and to how many: a connection counts once for each of its subscriptions that
  // match.
  struct Sent {
    std::shared_ptr<const Publication> publication;
    uint64_t receivers = 0;
  };
  Sent Publish(command::ChannelKind kind, std::string_view channel, std::string_view message,
               uint64_t publisher);

  std::vector<std::pair<std::string, uint64_t>> Names(command::ChannelKind kind) const;
  uint64_t Subscribers(command::ChannelKind kind, std::string_view name) const;
  uint64_t Count(command::ChannelKind kind) const;

 private:
  struct Subscribed {
    uint64_t total = 0;
    std::vector<uint32_t> by_worker;
  };
  using Index = std::unordered_map<std::string, Subscribed, NameHash, std::equal_to<>>;
  Index& IndexOf(command::ChannelKind kind) LARDER_REQUIRES(mutex_) {
    return indices_[static_cast<size_t>(kind)];
  }
  const Index& IndexOf(command::ChannelKind kind) const LARDER_REQUIRES(mutex_) {
    return indices_[static_cast<size_t>(kind)];
  }
  static uint64_t AddReceivers(const Subscribed& subscribed, std::vector<bool>& workers);

  const Send send_;
  mutable Mutex mutex_;
  Index indices_[3] LARDER_GUARDED_BY(mutex_);
  uint64_t last_place_ LARDER_GUARDED_BY(mutex_) = 0;
};

}  // namespace larder::server
