#include "server/client_registry.h"

#include <fmt/format.h>

#include "command/spec.h"
#include "server/connection.h"

namespace larder::server {

namespace {

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

}  // namespace

void ClientRegistry::Add(ClientCard& card) {
  const MutexLock lock(mutex_);
  cards_.emplace(card.id, &card);
}

void ClientRegistry::Remove(ClientCard& card) {
  const MutexLock lock(mutex_);
  cards_.erase(card.id);
}

void ClientRegistry::Publish(ClientCard& card, const command::Session& session) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  card.protocol.store(session.protocol, kRelaxed);
  card.database.store(session.database, kRelaxed);
  card.last_command.store(session.last_command, kRelaxed);
  card.last_subcommand.store(session.last_subcommand, kRelaxed);
  if (card.name == session.name && card.library_name == session.library_name &&
      card.library_version == session.library_version) {
    return;
  }
  const MutexLock lock(mutex_);
  card.name = session.name;
  card.library_name = session.library_name;
  card.library_version = session.library_version;
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
  info.last_command =
      CommandName(card.last_command.load(kRelaxed), card.last_subcommand.load(kRelaxed));
  return info;
}

}  // namespace larder::server
