// The connection: PING, ECHO, HELLO, SELECT, QUIT, RESET, CLIENT.
#include <algorithm>
#include <climits>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/authentication.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"
#include "command/redis_version.h"
#include "command/transaction.h"
#include "command/users.h"

namespace larder::command {
namespace {

// Names stand in CLIENT LIST, whose fields are separated by spaces.
bool IsPrintable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

bool SetName(Context& context, std::string_view name) {
  if (!IsPrintable(name)) {
    context.reply.Error("ERR Client names cannot contain spaces, newlines or special characters.");
    return false;
  }
  context.session.name = name;
  return true;
}

struct HelloOptions {
  std::optional<std::string_view> user;
  std::string_view password;
  std::optional<std::string_view> name;
};

// False: refused and answered.
bool ReadHelloOptions(Context& context, Arguments options, HelloOptions& read) {
  for (size_t i = 0; i < options.size(); ++i) {
    const size_t left = options.size() - 1 - i;
    if (IsOption(options[i], "auth") && left >= 2) {
      read.user = options[i + 1];
      read.password = options[i + 2];
      i += 2;
    } else if (IsOption(options[i], "setname") && left >= 1) {
      read.name = options[++i];
      if (!IsPrintable(*read.name)) return SetName(context, *read.name);
    } else {
      context.reply.Error(
          fmt::format("ERR Syntax error in HELLO option '{}'", CString(options[i])));
      return false;
    }
  }
  return true;
}

void AnswerHello(Context& context) {
  resp::ReplyWriter& reply = context.reply;
  reply.Map(7);
  reply.Bulk("server");
  reply.Bulk("redis");
  reply.Bulk("version");
  reply.Bulk(kRedisVersion);
  reply.Bulk("proto");
  reply.Integer(context.session.protocol);
  reply.Bulk("id");
  reply.Integer(static_cast<int64_t>(context.session.id));
  reply.Bulk("mode");
  reply.Bulk("standalone");
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("modules");
  reply.Array(0);
}

void SetProtocol(Context& context, int protocol) {
  context.session.protocol = protocol;
  context.reply.set_protocol(protocol);
}

// As Redis 7.2 prints it: 7.0's line and the two names of the library at the end.
std::string ClientLine(const ClientInfo& client) {
  return fmt::format(
      "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub=0 psub=0 ssub=0 "
      "multi=-1 qbuf={} qbuf-free={} argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem={} "
      "tot-mem={} events=r cmd={} user={} redir=-1 resp={} lib-name={} lib-ver={}\n",
      client.id, client.address, client.local_address, client.fd, client.name, client.age_seconds,
      client.idle_seconds, client.unix_socket ? "U" : "N", client.database,
      client.query_buffer_bytes, client.query_buffer_free_bytes, client.output_buffer_bytes,
      client.memory_bytes, client.last_command, client.user, client.protocol, client.library_name,
      client.library_version);
}

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

void LeaveChannels(Context& context) {
  for (const ChannelKind kind :
       {ChannelKind::kChannel, ChannelKind::kPattern, ChannelKind::kShard}) {
    for (const std::string& name : context.host.Subscriptions(context.session, kind)) {
      context.host.Unsubscribe(context.session, kind, name);
    }
  }
  // Nobody is asked whether it was on: off is always possible.
  static_cast<void>(context.host.SetTracking(context.session, {}));
}

}  // namespace

void Ping(Context& context, Arguments args) {
  if (args.size() > 2) {
    return context.reply.Error("ERR wrong number of arguments for 'ping' command");
  }
  if (args.size() == 2) return context.reply.Bulk(args[1]);
  context.reply.Raw("+PONG\r\n");
}

void Echo(Context& context, Arguments args) { context.reply.Bulk(args[1]); }

void Hello(Context& context, Arguments args) {
  int protocol = context.session.protocol;
  HelloOptions options;
  if (args.size() > 1) {
    const auto version = ParseInteger(args[1]);
    if (!version) {
      return context.reply.Error("ERR Protocol version is not an integer or out of range");
    }
    if (*version < 2 || *version > 3) {
      return context.reply.Error("NOPROTO unsupported protocol version");
    }
    protocol = static_cast<int>(*version);
    if (!ReadHelloOptions(context, args.subspan(2), options)) return;
  }
  if (options.user && !Authenticate(context, *options.user, options.password)) return;
  if (context.session.Is(kNotAuthenticated)) {
    return context.reply.Error(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO "
        "AUTH <user> <pass> option can be used to authenticate the client and select the RESP "
        "protocol version at the same time");
  }
  if (options.name) context.session.name = *options.name;
  SetProtocol(context, protocol);
  AnswerHello(context);
}

void Select(Context& context, Arguments args) {
  const auto database = ParseInteger(args[1]);
  if (!database) return context.reply.Error(kNotAnInteger);
  if (*database < INT_MIN || *database > INT_MAX) {
    return context.reply.Error(
        "ERR value is out of range, value must between -2147483648 and 2147483647");
  }
  if (*database < 0 || *database >= int64_t{context.catalogue.view().databases()}) {
    return context.reply.Error("ERR DB index is out of range");
  }
  context.session.database = static_cast<uint32_t>(*database);
  context.reply.Simple("OK");
}

void Quit(Context& context, Arguments /*args*/) {
  context.session.batch_end |= kClosesAfterReply;
  context.reply.Simple("OK");
}

void Reset(Context& context, Arguments /*args*/) {
  Session& session = context.session;
  EndTransaction(session);
  LeaveChannels(context);
  if (session.Is(kMonitoring)) context.host.StopMonitoring(session);
  session.Set(kRepliesOff, false);
  session.Set(kSkipsNextReply, false);
  session.Set(kCachingGiven, false);
  session.name.clear();
  session.database = 0;
  BecomeDefaultUser(session, context.host.users());
  SetProtocol(context, 2);
  context.reply.Simple("RESET");
}

void ClientId(Context& context, Arguments /*args*/) {
  context.reply.Integer(static_cast<int64_t>(context.session.id));
}

void ClientSetName(Context& context, Arguments args) {
  if (SetName(context, args[2])) context.reply.Simple("OK");
}

void ClientGetName(Context& context, Arguments /*args*/) {
  if (context.session.name.empty()) return context.reply.Null();
  context.reply.Bulk(context.session.name);
}

void ClientSetInfo(Context& context, Arguments args) {
  const bool is_name = IsOption(args[2], "lib-name");
  if (!is_name && !IsOption(args[2], "lib-ver")) {
    return context.reply.Error(fmt::format("ERR Unrecognized option '{}'", CString(args[2])));
  }
  if (!IsPrintable(args[3])) {
    return context.reply.Error(fmt::format(
        "ERR {} cannot contain spaces, newlines or special characters.", CString(args[2])));
  }
  (is_name ? context.session.library_name : context.session.library_version) = args[3];
  context.reply.Simple("OK");
}

void ClientInfoLine(Context& context, Arguments /*args*/) {
  context.reply.Verbatim("txt", ClientLine(context.host.client(context.session)));
}

void ClientList(Context& context, Arguments args) {
  std::optional<std::vector<uint64_t>> ids;
  bool none = false;
  if (args.size() == 4 && IsOption(args[2], "type")) {
    // Every connection is a normal one; the other kinds exist and have no members.
    none = !IsOption(args[3], "normal");
    if (none && !IsOption(args[3], "slave") && !IsOption(args[3], "replica") &&
        !IsOption(args[3], "master") && !IsOption(args[3], "pubsub")) {
      return context.reply.Error(fmt::format("ERR Unknown client type '{}'", CString(args[3])));
    }
  } else if (args.size() > 3 && IsOption(args[2], "id")) {
    ids = ReadIds(context, args.subspan(3));
    if (!ids) return;
  } else if (args.size() != 2) {
    return context.reply.Error(kSyntaxError);
  }
  std::string lines;
  const auto clients = none ? std::vector<ClientInfo>() : context.host.clients();
  if (ids) {
    for (const uint64_t id : *ids) {
      const auto found = std::ranges::lower_bound(clients, id, {}, &ClientInfo::id);
      if (found != clients.end() && found->id == id) lines += ClientLine(*found);
    }
  } else {
    for (const auto& client : clients) lines += ClientLine(client);
  }
  context.reply.Verbatim("txt", lines);
}

void ClientHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "client"); }

}  // namespace larder::command
