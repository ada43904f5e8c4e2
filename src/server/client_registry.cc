#include "server/client_registry.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "command/spec.h"
#include "command/users.h"
#include "server/connection.h"

namespace larder::server {

namespace {

// In ClientCard::unusual, beside the session's bits.
constexpr uint32_t kNoEvict = 1U << 30;
constexpr uint32_t kNoTouch = 1U << 31;

std::string AddressForClients(const Address& address) {
  if (!address.unix_socket()) return address.ToString();
  return fmt::format("{}:0", address.path());
}

std::string LocalAddress(const ClientCard& card) {
  Address local;
  local.length = sizeof(local.storage);
  if (::getsockname(card.fd, local.raw(), &local.length) != 0) return {};
  return AddressForClients(local);
}

std::string CommandName(const command::CommandSpec* command,
                        const command::CommandSpec* subcommand) {
  if (subcommand != nullptr) return std::string(subcommand->name);
  return command == nullptr ? "NULL" : std::string(command->name);
}

// Redis's letters, in its order.
std::string Flags(const ClientCard& card, uint32_t unusual) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const bool tracks = card.redirects_to.load(kRelaxed) >= 0;
  const std::pair<char, bool> letters[] = {
      {'O', (unusual & command::kMonitoring) != 0},
      {'P', (unusual & command::kSubscribed) != 0},
      {'x', (unusual & command::kInMulti) != 0},
      {'b', card.blocked.load(kRelaxed) || card.postponed.load(kRelaxed)},
      {'t', tracks},
      {'R', tracks && card.broken_redirect.load(kRelaxed)},
      {'B', tracks && card.tracks_broadcasts.load(kRelaxed)},
      {'U', card.peer.unix_socket()},
      {'e', (unusual & kNoEvict) != 0},
      {'T', (unusual & kNoTouch) != 0},
  };
  std::string flags;
  for (const auto& [letter, holds] : letters) {
    if (holds) flags += letter;
  }
  return flags.empty() ? "N" : flags;
}

void DescribeFollowing(const ClientCard& card, command::ClientInfo& info) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const uint32_t unusual = card.unusual.load(kRelaxed);
  info.flags = Flags(card, unusual);
  info.channels = card.channels.load(kRelaxed);
  info.patterns = card.patterns.load(kRelaxed);
  info.shard_channels = card.shard_channels.load(kRelaxed);
  info.redirects_to = card.redirects_to.load(kRelaxed);
  if ((unusual & command::kInMulti) != 0) info.queued = card.queued.load(kRelaxed);
}

}  // namespace

void ClientRegistry::Add(ClientCard& card) {
  const MutexLock lock(mutex_);
  cards_.emplace(card.id, &card);
}

void ClientRegistry::Remove(ClientCard& card) {
  const MutexLock lock(mutex_);
  cards_.erase(card.id);
}

bool ClientRegistry::Withdraw(uint64_t id) {
  const MutexLock lock(mutex_);
  return cards_.erase(id) != 0;
}

bool ClientRegistry::Knows(uint64_t id) const {
  const MutexLock lock(mutex_);
  return cards_.contains(id);
}

bool ClientRegistry::TakeBlocked(uint64_t id) {
  const MutexLock lock(mutex_);
  const auto found = cards_.find(id);
  return found != cards_.end() && found->second->blocked.exchange(false);
}

void ClientRegistry::Publish(ClientCard& card, const command::Session& session) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  card.protocol.store(session.protocol, kRelaxed);
  card.database.store(session.database, kRelaxed);
  card.last_command.store(session.last_command, kRelaxed);
  card.last_subcommand.store(session.last_subcommand, kRelaxed);
  const uint32_t unusual =
      session.unusual | (session.no_evict ? kNoEvict : 0) | (session.no_touch ? kNoTouch : 0);
  card.unusual.store(unusual, kRelaxed);
  if (session.Is(command::kInMulti)) card.queued.store(session.queued, kRelaxed);
  if (card.user_seen == session.user && card.name == session.name &&
      card.library_name == session.library_name &&
      card.library_version == session.library_version) {
    return;
  }
  const MutexLock lock(mutex_);
  card.name = session.name;
  card.library_name = session.library_name;
  card.library_version = session.library_version;
  card.user_seen = session.user;
  card.user = session.user == nullptr ? "" : session.user->name();
}

void ClientRegistry::Describe(int64_t now_ms, std::vector<command::ClientInfo>& to) const {
  const MutexLock lock(mutex_);
  for (const auto& [id, card] : cards_) to.push_back(DescribeCard(*card, now_ms));
}

command::ClientInfo ClientRegistry::DescribeCard(const ClientCard& card, int64_t now_ms) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  command::ClientInfo info;
  info.id = card.id;
  info.fd = card.fd;
  info.unix_socket = card.peer.unix_socket();
  info.local_address = LocalAddress(card);
  // The client's end of a Unix socket has no name: Redis shows the server's.
  info.address = info.unix_socket ? info.local_address : AddressForClients(card.peer);
  info.age_seconds = (now_ms - card.created_ms) / 1000;
  info.idle_seconds = (now_ms - card.active_ms.load(kRelaxed)) / 1000;
  info.database = card.database.load(kRelaxed);
  info.protocol = card.protocol.load(kRelaxed);
  info.query_buffer_bytes = card.query_bytes.load(kRelaxed);
  info.query_buffer_free_bytes = card.query_free_bytes.load(kRelaxed);
  info.output_buffer_bytes = card.output_bytes.load(kRelaxed);
  info.memory_bytes = sizeof(Connection) + info.query_buffer_bytes + info.query_buffer_free_bytes +
                      info.output_buffer_bytes;
  info.name = card.name;
  info.library_name = card.library_name;
  info.library_version = card.library_version;
  info.user = card.user;
  DescribeFollowing(card, info);
  info.last_command =
      CommandName(card.last_command.load(kRelaxed), card.last_subcommand.load(kRelaxed));
  return info;
}

ClientRegistry::Buffers ClientRegistry::buffers() const {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  Buffers buffers;
  const MutexLock lock(mutex_);
  for (const auto& [id, card] : cards_) {
    const uint64_t input = card->query_bytes.load(kRelaxed) + card->query_free_bytes.load(kRelaxed);
    const uint64_t output = card->output_bytes.load(kRelaxed);
    buffers.bytes += input + output;
    buffers.largest_input = std::max(buffers.largest_input, input);
    buffers.largest_output = std::max(buffers.largest_output, output);
  }
  return buffers;
}

}  // namespace larder::server
