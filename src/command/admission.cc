#include "command/admission.h"

#include <cstdint>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/authentication.h"
#include "command/handlers.h"
#include "command/users.h"

namespace larder::command {
namespace {

// How much of a client's text Redis repeats in an error.
constexpr size_t kErrorTextBytes = 128;

bool TouchesKeyspace(const CommandSpec& spec) {
  const bool publishes = (spec.flags & kPubSub) != 0 && (spec.flags & kInSubscribed) == 0;
  return (spec.flags & kReadonly) != 0 || publishes;
}

enum class Refusal : uint8_t {
  kNone,
  kStranger,
  kInMulti,
  kNotTheUsers,
  kUnserved,
  kSubscribed,
  kMonitors,
};

Refusal RefusalOf(const Session& session, const CommandSpec& spec) {
  if (session.Is(kNotAuthenticated) && (spec.flags & kNoAuth) == 0) return Refusal::kStranger;
  if (session.Is(kInMulti) && (spec.flags & kNoMulti) != 0) return Refusal::kInMulti;
  if (session.Is(kMayNotAll) && !session.user->MayExecute(spec)) return Refusal::kNotTheUsers;
  if (spec.handler == nullptr) return Refusal::kUnserved;
  if (session.Is(kSubscribed) && session.protocol == 2 && (spec.flags & kInSubscribed) == 0)
    return Refusal::kSubscribed;
  if (session.Is(kMonitoring) && TouchesKeyspace(spec)) return Refusal::kMonitors;
  return Refusal::kNone;
}

}  // namespace

bool IsRefused(const Session& session, const CommandSpec& spec) {
  return RefusalOf(session, spec) != Refusal::kNone;
}

std::string WhyRefused(const Context& context, const CommandSpec& spec) {
  const Session& session = context.session;
  switch (RefusalOf(session, spec)) {
    case Refusal::kNone:
      return {};
    case Refusal::kStranger:
      return "NOAUTH Authentication required.";
    case Refusal::kInMulti:
      return "ERR Command not allowed inside a transaction";
    case Refusal::kNotTheUsers:
      NoteDenial(context, Denial::Reason::kCommand, spec.name, session.user->name());
      return fmt::format("NOPERM this user has no permissions to run the '{}' command", spec.name);
    case Refusal::kUnserved:
      return WhyUnserved(session, spec);
    case Refusal::kSubscribed:
      return fmt::format(
          "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
          "are allowed in this context",
          spec.name);
    case Refusal::kMonitors:
      return "ERR Replica can't interact with the keyspace";
  }
  return {};
}

std::string WhyUnserved(const Session& session, const CommandSpec& spec) {
  if ((spec.flags & kWrite) == 0) return std::string(spec.refusal);
  if (!session.read_only_is_noperm) return "READONLY You can't write against a read only replica.";
  return fmt::format("NOPERM this server only reads: it has no '{}' command", spec.name);
}

bool IsExecutedAtOnce(const CommandSpec& spec) {
  const Handler handler = spec.handler;
  return handler == &Exec || handler == &Discard || handler == &Multi || handler == &Watch ||
         handler == &Quit || handler == &Reset;
}

std::string UnknownCommand(Arguments args) {
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kErrorTextBytes; ++i) {
    const size_t room = kErrorTextBytes - shown.size();
    shown.append("'").append(CString(args[i]).substr(0, room)).append("' ");
  }
  std::string text = "ERR unknown command '";
  text.append(CString(args[0]).substr(0, kErrorTextBytes));
  return text.append("', with args beginning with: ").append(shown);
}

std::string UnknownSubcommand(const CommandSpec& container, std::string_view name) {
  std::string text = "ERR unknown subcommand '";
  text.append(CString(name).substr(0, kErrorTextBytes)).append("'. Try ");
  for (const char c : container.name)
    text.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c);
  return text.append(" HELP.");
}

std::string WrongArity(const CommandSpec& spec) {
  return fmt::format("ERR wrong number of arguments for '{}' command", spec.name);
}

}  // namespace larder::command
