// Followers: the connections of one worker that get more than replies: those that subscribe,
// monitor or track; and Following, what one of them follows.
//
// Ownership:  borrows connections, which leave before they end.
// Threads:    the worker's.
// Cost:       joining and leaving one channel are a look-up, and a search among the worker's
//             subscribers of that channel.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "command/host.h"
#include "server/channel_hub.h"

namespace larder::server {

struct Connection;

// Of a connection; none of it holds for nearly everybody.
struct Following {
  std::set<std::string, std::less<>> channels[3];  // by ChannelKind
  command::TrackingOptions tracking;

  std::set<std::string, std::less<>>& Of(command::ChannelKind kind) {
    return channels[static_cast<size_t>(kind)];
  }
  const std::set<std::string, std::less<>>& Of(command::ChannelKind kind) const {
    return channels[static_cast<size_t>(kind)];
  }
  bool subscribes() const {
    return !channels[0].empty() || !channels[1].empty() || !channels[2].empty();
  }
};

class Followers {
 public:
  // `place` as the hub gave it.
  void Join(Connection& connection, command::ChannelKind kind, std::string_view name,
            uint64_t place);
  void Leave(Connection& connection, command::ChannelKind kind, std::string_view name);

  // Those that `publication` is for; `pattern` is null for the channel itself. As in Redis, the
  // subscribers of the channel come first.
  using Deliver = std::function<void(Connection&, const std::string* pattern)>;
  void ForEach(const Publication& publication, const Deliver& deliver) const;

  std::vector<Connection*>& monitors() { return monitors_; }
  std::vector<Connection*>& trackers() { return trackers_; }

 private:
  struct Subscriber {
    Connection* connection;
    uint64_t place;
  };
  using Index = std::unordered_map<std::string, std::vector<Subscriber>, NameHash, std::equal_to<>>;

  Index indices_[3];  // by ChannelKind
  std::vector<Connection*> monitors_;
  std::vector<Connection*> trackers_;
};

}  // namespace larder::server
