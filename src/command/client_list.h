// What CLIENT LIST and CLIENT KILL say of connections and their kinds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "command/host.h"

namespace larder::command {

// TYPE's words. Nobody replicates from a read-only server: masters and replicas have no members.
enum class ClientKind : uint8_t { kNormal, kMaster, kReplica, kPubSub };

// None: Redis knows no such kind.
std::optional<ClientKind> ParseClientKind(std::string_view text);
ClientKind KindOf(const ClientInfo& client);

// As Redis 7.2 prints it: 7.0's line and the two names of the library at the end. With its line's
// end.
std::string ClientLine(const ClientInfo& client);

}  // namespace larder::command
