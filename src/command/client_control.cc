// CLIENT's subcommands that act: KILL, PAUSE, REPLY, TRACKING, UNBLOCK and their kin.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/client_list.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/users.h"

namespace larder::command {
namespace {

void RefuseCount(Context& context, Arguments args) {
  context.reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try CLIENT HELP.",
                  CString(args[1]).substr(0, 128)));
}

// ON or OFF; none: refused and answered.
std::optional<bool> ReadSwitch(Context& context, std::string_view text) {
  if (IsOption(text, "on")) return true;
  if (IsOption(text, "off")) return false;
  context.reply.Error(kSyntaxError);
  return std::nullopt;
}

struct KillFilter {
  std::optional<std::string_view> address;
  std::optional<std::string_view> local_address;
  std::optional<ClientKind> kind;
  std::optional<std::string_view> user;
  uint64_t id = 0;  // 0: any
  bool skip_me = true;

  bool Takes(const ClientInfo& client, uint64_t me) const {
    if (address && client.address != *address) return false;
    if (local_address && client.local_address != *local_address) return false;
    if (kind && KindOf(client) != *kind) return false;
    if (id != 0 && client.id != id) return false;
    if (user && client.user != *user) return false;
    return !skip_me || client.id != me;
  }
};

// Empty: read. Otherwise the error.
std::string ReadKillOption(const Context& context, std::string_view option, std::string_view value,
                           KillFilter& filter) {
  if (IsOption(option, "id")) {
    const auto id = ParseInteger(value);
    if (!id || *id < 1) return "ERR client-id should be greater than 0";
    filter.id = static_cast<uint64_t>(*id);
  } else if (IsOption(option, "type")) {
    filter.kind = ParseClientKind(value);
    if (!filter.kind) return fmt::format("ERR Unknown client type '{}'", CString(value));
  } else if (IsOption(option, "addr")) {
    filter.address = CString(value);
  } else if (IsOption(option, "laddr")) {
    filter.local_address = CString(value);
  } else if (IsOption(option, "user")) {
    if (context.host.users().Find(value) == nullptr)
      return fmt::format("ERR No such user '{}'", CString(value));
    filter.user = value;
  } else if (IsOption(option, "skipme") && (IsOption(value, "yes") || IsOption(value, "no"))) {
    filter.skip_me = IsOption(value, "yes");
  } else {
    return std::string(kSyntaxError);
  }
  return {};
}

// False: refused and answered.
bool ReadKillFilter(Context& context, Arguments options, KillFilter& filter) {
  for (size_t i = 0; i < options.size(); i += 2) {
    const std::string error = i + 1 == options.size()
                                  ? std::string(kSyntaxError)
                                  : ReadKillOption(context, options[i], options[i + 1], filter);
    if (error.empty()) continue;
    context.reply.Error(error);
    return false;
  }
  return true;
}

// Options behind ON or OFF. False: refused and answered.
bool ReadTrackingOptions(Context& context, Arguments args, TrackingOptions& options) {
  for (size_t i = 0; i < args.size(); ++i) {
    const bool more = i + 1 < args.size();
    if (IsOption(args[i], "redirect") && more) {
      if (options.redirect != 0) {
        context.reply.Error("ERR A client can only redirect to a single other client");
        return false;
      }
      const auto id = ParseInteger(args[++i]);
      if (!id) {
        context.reply.Error(kNotAnInteger);
        return false;
      }
      options.redirect = static_cast<uint64_t>(*id);
      const auto clients = context.host.clients();
      if (!std::ranges::binary_search(clients, options.redirect, {}, &ClientInfo::id)) {
        context.reply.Error("ERR The client ID you want redirect to does not exist");
        return false;
      }
    } else if (IsOption(args[i], "bcast")) {
      options.broadcast = true;
    } else if (IsOption(args[i], "optin")) {
      options.opt_in = true;
    } else if (IsOption(args[i], "optout")) {
      options.opt_out = true;
    } else if (IsOption(args[i], "noloop")) {
      options.no_loop = true;
    } else if (IsOption(args[i], "prefix") && more) {
      options.prefixes.emplace_back(args[++i]);
    } else {
      context.reply.Error(kSyntaxError);
      return false;
    }
  }
  return true;
}

bool Overlap(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

// Why these prefixes cannot be had beside those there are; empty: they can.
std::string PrefixCollision(const std::vector<std::string>& wanted,
                            const std::vector<std::string>& existing) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (const std::string& other : existing) {
      if (Overlap(wanted[i], other)) {
        return fmt::format(
            "ERR Prefix '{}' overlaps with an existing prefix '{}'. Prefixes for a single client "
            "must not overlap.",
            CString(wanted[i]), CString(other));
      }
    }
    for (size_t j = i + 1; j < wanted.size(); ++j) {
      if (Overlap(wanted[i], wanted[j])) {
        return fmt::format(
            "ERR Prefix '{}' overlaps with another provided prefix '{}'. Prefixes for a single "
            "client must not overlap.",
            CString(wanted[i]), CString(wanted[j]));
      }
    }
  }
  return {};
}

// Why tracking cannot go from `now` to `wanted`; empty: it can.
std::string TrackingConflict(const TrackingOptions& now, const TrackingOptions& wanted) {
  if (!wanted.broadcast && !wanted.prefixes.empty())
    return "ERR PREFIX option requires BCAST mode to be enabled";
  if (now.on && now.broadcast != wanted.broadcast) {
    return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  if (wanted.broadcast && (wanted.opt_in || wanted.opt_out))
    return "ERR OPTIN and OPTOUT are not compatible with BCAST";
  if (wanted.opt_in && wanted.opt_out)
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  if ((wanted.opt_in && now.opt_out) || (wanted.opt_out && now.opt_in)) {
    return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
           "then re-enabling it with a different mode.";
  }
  return PrefixCollision(wanted.prefixes, now.prefixes);
}

// Prefixes add up from call to call; none at all means every key.
void AddPrefixes(const TrackingOptions& now, TrackingOptions& wanted) {
  if (!wanted.broadcast) return;
  std::vector<std::string>& prefixes = wanted.prefixes;
  if (prefixes.empty()) prefixes.emplace_back();
  prefixes.insert(prefixes.end(), now.prefixes.begin(), now.prefixes.end());
  std::ranges::sort(prefixes);
  prefixes.erase(std::ranges::unique(prefixes).begin(), prefixes.end());
}

std::vector<std::string_view> TrackingFlags(const Session& session,
                                            const TrackingOptions& options) {
  if (!options.on) return {"off"};
  std::vector<std::string_view> flags{"on"};
  const bool caching = session.Is(kCachingGiven);
  if (options.broadcast) flags.push_back("bcast");
  if (options.opt_in) flags.push_back("optin");
  if (options.opt_in && caching) flags.push_back("caching-yes");
  if (options.opt_out) flags.push_back("optout");
  if (options.opt_out && caching) flags.push_back("caching-no");
  if (options.no_loop) flags.push_back("noloop");
  if (options.broken_redirect) flags.push_back("broken_redirect");
  return flags;
}

int64_t RedirectOf(const TrackingOptions& options) {
  return options.on ? static_cast<int64_t>(options.redirect) : -1;
}

}  // namespace

void ClientKill(Context& context, Arguments args) {
  KillFilter filter;
  const bool by_address = args.size() == 3;
  if (by_address) {
    filter.address = CString(args[2]);
    filter.skip_me = false;
  } else if (!ReadKillFilter(context, args.subspan(2), filter)) {
    return;
  }
  std::vector<uint64_t> ids;
  for (const ClientInfo& client : context.host.clients()) {
    if (filter.Takes(client, context.session.id)) ids.push_back(client.id);
  }
  if (!ids.empty()) context.host.Kill(context.session, ids);
  if (!by_address) return context.reply.Integer(static_cast<int64_t>(ids.size()));
  if (ids.empty()) return context.reply.Error("ERR No such client");
  context.reply.Simple("OK");
}

void ClientPause(Context& context, Arguments args) {
  if (args.size() > 4) return RefuseCount(context, args);
  const bool writes_only = args.size() == 4 && IsOption(args[3], "write");
  if (args.size() == 4 && !writes_only && !IsOption(args[3], "all")) {
    return context.reply.Error("ERR CLIENT PAUSE mode must be WRITE or ALL");
  }
  const auto timeout_ms = ParseInteger(args[2]);
  if (!timeout_ms) {
    return context.reply.Error("ERR timeout is not an integer or out of range");
  }
  if (*timeout_ms < 0) return context.reply.Error("ERR timeout is negative");
  context.host.Pause(static_cast<uint64_t>(*timeout_ms), writes_only);
  context.reply.Simple("OK");
}

void ClientUnpause(Context& context, Arguments /*args*/) {
  context.host.Unpause();
  context.reply.Simple("OK");
}

void ClientReply(Context& context, Arguments args) {
  Session& session = context.session;
  if (IsOption(args[2], "on")) {
    session.Set(kRepliesOff, false);
    context.reply.Simple("OK");
  } else if (IsOption(args[2], "off")) {
    session.Set(kRepliesOff);
  } else if (IsOption(args[2], "skip")) {
    if (!session.Is(kRepliesOff)) session.Set(kSkipsNextReply);
  } else {
    context.reply.Error(kSyntaxError);
  }
}

void ClientNoEvict(Context& context, Arguments args) {
  const auto on = ReadSwitch(context, args[2]);
  if (!on) return;
  context.session.no_evict = *on;
  context.reply.Simple("OK");
}

void ClientNoTouch(Context& context, Arguments args) {
  const auto on = ReadSwitch(context, args[2]);
  if (!on) return;
  context.session.no_touch = *on;
  context.reply.Simple("OK");
}

void ClientUnblock(Context& context, Arguments args) {
  if (args.size() > 4) return RefuseCount(context, args);
  const bool with_error = args.size() == 4 && IsOption(args[3], "error");
  if (args.size() == 4 && !with_error && !IsOption(args[3], "timeout")) {
    return context.reply.Error("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
  }
  const auto id = ParseInteger(args[2]);
  if (!id) return context.reply.Error(kNotAnInteger);
  constexpr std::string_view kUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
  const bool unblocked = context.host.Unblock(static_cast<uint64_t>(*id),
                                              with_error ? kUnblocked : std::string_view());
  context.reply.Integer(unblocked ? 1 : 0);
}

void ClientTracking(Context& context, Arguments args) {
  TrackingOptions wanted;
  if (!ReadTrackingOptions(context, args.subspan(3), wanted)) return;
  const auto on = ReadSwitch(context, args[2]);
  if (!on) return;
  if (*on) {
    const TrackingOptions now = context.host.Tracking(context.session);
    const std::string conflict = TrackingConflict(now, wanted);
    if (!conflict.empty()) return context.reply.Error(conflict);
    wanted.on = true;
    AddPrefixes(now, wanted);
  } else {
    wanted = {};
    context.session.Set(kCachingGiven, false);
  }
  if (!context.host.SetTracking(context.session, std::move(wanted))) {
    return context.reply.Error("ERR The client ID you want redirect to does not exist");
  }
  context.reply.Simple("OK");
}

void ClientTrackingInfo(Context& context, Arguments /*args*/) {
  const TrackingOptions options = context.host.Tracking(context.session);
  const auto flags = TrackingFlags(context.session, options);
  resp::ReplyWriter& reply = context.reply;
  reply.Map(3);
  reply.Bulk("flags");
  reply.Set(flags.size());
  for (const std::string_view flag : flags) reply.Bulk(flag);
  reply.Bulk("redirect");
  reply.Integer(RedirectOf(options));
  reply.Bulk("prefixes");
  reply.Array(options.prefixes.size());
  for (const std::string& prefix : options.prefixes) reply.Bulk(prefix);
}

void ClientGetRedir(Context& context, Arguments /*args*/) {
  context.reply.Integer(RedirectOf(context.host.Tracking(context.session)));
}

void ClientCaching(Context& context, Arguments args) {
  const TrackingOptions options = context.host.Tracking(context.session);
  if (!options.on) {
    return context.reply.Error(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  if (IsOption(args[2], "yes")) {
    if (!options.opt_in) {
      return context.reply.Error(
          "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
    }
  } else if (IsOption(args[2], "no")) {
    if (!options.opt_out) {
      return context.reply.Error(
          "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
    }
  } else {
    return context.reply.Error(kSyntaxError);
  }
  context.session.Set(kCachingGiven);
  context.reply.Simple("OK");
}

}  // namespace larder::command
