// AUTH and ACL. Users are the configuration's: ACL tells about them and changes none.
#include "command/authentication.h"

#include "command/handlers.h"
#include "command/users.h"

namespace larder::command {

bool Authenticate(Context& context, std::string_view name, std::string_view password) {
  const User* user = context.host.users().Authenticate(name, password);
  if (user == nullptr) {
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
  if (Authenticate(context, name, args.back())) context.reply.Simple("OK");
}

}  // namespace larder::command
