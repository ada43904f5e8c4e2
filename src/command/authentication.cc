// AUTH: whose a connection is.
#include "command/authentication.h"

#include "command/handlers.h"
#include "command/users.h"

namespace larder::command {
namespace {

// Of the name that was tried: the log must not grow with what strangers send.
constexpr size_t kNoteBytes = 1024;

}  // namespace

void NoteDenial(const Context& context, Denial::Reason reason, std::string_view object,
                std::string_view user) {
  const Session& session = context.session;
  context.instruments.access_log.Add({.reason = reason,
                                      .in_transaction = session.Is(kInMulti),
                                      .object = std::string(object),
                                      .user = std::string(user.substr(0, kNoteBytes)),
                                      .client = context.host.client(session),
                                      .at_ms = context.now_ms,
                                      .count = 1});
}

bool Authenticate(Context& context, Arguments args, std::string_view name,
                  std::string_view password) {
  const User* user = context.host.users().Authenticate(name, password);
  if (user == nullptr) {
    NoteDenial(context, Denial::Reason::kPassword, args[0], name);
    context.reply.Error("WRONGPASS invalid username-password pair or user is disabled.");
    return false;
  }
  BecomeUser(context.session, *user);
  return true;
}

void Auth(Context& context, Arguments args) {
  if (args.size() > 3) return context.reply.Error(kSyntaxError);
  std::string_view name = args[1];
  if (args.size() == 2) {
    const User& user = context.host.users().default_user();
    if (user.options().any_password) {
      return context.reply.Error(
          "ERR AUTH <password> called without any password configured for the default user. Are "
          "you sure your configuration is correct?");
    }
    name = user.name();
  }
  if (Authenticate(context, args, name, args.back())) context.reply.Simple("OK");
}

}  // namespace larder::command
