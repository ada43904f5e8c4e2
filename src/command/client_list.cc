// CLIENT LIST and CLIENT INFO.
#include "command/client_list.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {

std::string ClientLine(const ClientInfo& client) {
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} "
      "multi={} qbuf={} qbuf-free={} argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem={} "
      "tot-mem={} events=r cmd={} user={} redir={} resp={} lib-name={} lib-ver={}\n",
      client.id, client.address, client.local_address, client.fd, client.name, client.age_seconds,
      client.idle_seconds, client.flags, client.database, client.channels, client.patterns,
      client.shard_channels, client.queued, client.query_buffer_bytes,
      client.query_buffer_free_bytes, client.output_buffer_bytes, client.memory_bytes,
      client.last_command, client.user, client.redirects_to, client.protocol, client.library_name,
      client.library_version);
}

namespace {

// The ids after CLIENT LIST ID; none: refused and answered.
std::optional<std::vector<uint64_t>> ReadIds(Context& context, Arguments ids) {
  std::vector<uint64_t> read;
  for (const std::string_view text : ids) {
    const auto id = ParseInteger(text);
    if (!id) {
      context.reply.Error("ERR Invalid client ID");
      return std::nullopt;
    }
    read.push_back(static_cast<uint64_t>(*id));
  }
  return read;
}

}  // namespace

std::optional<ClientKind> ParseClientKind(std::string_view text) {
  if (IsOption(text, "normal")) return ClientKind::kNormal;
  if (IsOption(text, "master")) return ClientKind::kMaster;
  if (IsOption(text, "slave") || IsOption(text, "replica")) return ClientKind::kReplica;
  if (IsOption(text, "pubsub")) return ClientKind::kPubSub;
  return std::nullopt;
}

ClientKind KindOf(const ClientInfo& client) {
  const bool subscribed = client.channels + client.patterns + client.shard_channels > 0;
  return subscribed ? ClientKind::kPubSub : ClientKind::kNormal;
}

void ClientInfoLine(Context& context, Arguments /*args*/) {
  context.reply.Verbatim("txt", ClientLine(context.host.client(context.session)));
}

void ClientList(Context& context, Arguments args) {
  std::optional<std::vector<uint64_t>> ids;
  std::optional<ClientKind> kind;
  if (args.size() == 4 && IsOption(args[2], "type")) {
    kind = ParseClientKind(args[3]);
    if (!kind) {
      return context.reply.Error(fmt::format("ERR Unknown client type '{}'", CString(args[3])));
    }
  } else if (args.size() > 3 && IsOption(args[2], "id")) {
    ids = ReadIds(context, args.subspan(3));
    if (!ids) return;
  } else if (args.size() != 2) {
    return context.reply.Error(kSyntaxError);
  }
  std::string lines;
  const auto clients = context.host.clients();
  if (ids) {
    for (const uint64_t id : *ids) {
      const auto found = std::ranges::lower_bound(clients, id, {}, &ClientInfo::id);
      if (found != clients.end() && found->id == id) lines += ClientLine(*found);
    }
  } else {
    for (const auto& client : clients) {
      if (!kind || KindOf(client) == *kind) lines += ClientLine(client);
    }
  }
  context.reply.Verbatim("txt", lines);
}

}  // namespace larder::command
