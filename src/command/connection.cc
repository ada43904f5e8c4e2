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
  if (context.session.Is(kSubscribed) && !context.resp3()) {
    // Whoever subscribes reads arrays only.
    context.reply.Array(2);
    context.reply.Bulk("pong");
    return context.reply.Bulk(args.size() == 2 ? args[1] : "");
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
  if (options.user && !Authenticate(context, args, *options.user, options.password)) return;
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

void ClientHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "client"); }

}  // namespace larder::command
