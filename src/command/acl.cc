// ACL. Users are the configuration's: it tells about them and changes none.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <openssl/rand.h>

#include "command/access_log.h"
#include "command/admission.h"
#include "command/arguments.h"
#include "command/client_list.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"
#include "command/table.h"
#include "command/users.h"

namespace larder::command {
namespace {

constexpr int64_t kDefaultPasswordBits = 256;
constexpr int64_t kMaxPasswordBits = 4096;
constexpr int64_t kBitsPerDigit = 4;
constexpr uint64_t kDefaultLogEntries = 10;

// In the language of Redis's rules.
std::string_view CommandRules(const UserOptions& user) {
  if (user.may_read) return user.may_admin ? "+@all" : "+@all -@admin";
  return user.may_admin ? "-@all +@admin" : "-@all";
}

std::string DescribeUser(const UserOptions& user) {
  std::string text = fmt::format("user {} {}", user.name, user.enabled ? "on" : "off");
  if (user.any_password) text += " nopass";
  for (const std::string& hash : user.password_hashes) text.append(" #").append(hash);
  return text.append(" ~* &* ").append(CommandRules(user));
}

void WrongSubcommandArity(Context& context, std::string_view subcommand) {
  context.reply.Error(
      fmt::format("ERR unknown subcommand or wrong number of arguments for '{}'. Try ACL HELP.",
                  CString(subcommand).substr(0, 128)));
}

// False: refused and answered.
bool HasAtMostOneArgument(Context& context, Arguments args) {
  if (args.size() <= 3) return true;
  WrongSubcommandArity(context, args[1]);
  return false;
}

// What a category has, subcommands too.
std::vector<std::string_view> CommandsIn(uint32_t category) {
  std::vector<std::string_view> names;
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) {
      if ((spec.categories & category) != 0) names.push_back(spec.name);
      for (const CommandSpec& sub : spec.subcommands) {
        if ((sub.categories & category) != 0) names.push_back(sub.name);
      }
    }
  }
  return names;
}

template <typename Names>
void AnswerNames(Context& context, const Names& names) {
  context.reply.Array(std::size(names));
  for (const std::string_view name : names) context.reply.Bulk(name);
}

void AnswerDenial(Context& context, const Denial& denial) {
  resp::ReplyWriter& reply = context.reply;
  std::string client = ClientLine(denial.client);
  client.pop_back();  // the end of the line
  reply.Map(7);
  reply.Bulk("count");
  reply.Integer(static_cast<int64_t>(denial.count));
  reply.Bulk("reason");
  reply.Bulk(denial.reason == Denial::Reason::kPassword ? "auth" : "command");
  reply.Bulk("context");
  reply.Bulk(denial.in_transaction ? "multi" : "toplevel");
  reply.Bulk("object");
  reply.Bulk(denial.object);
  reply.Bulk("username");
  reply.Bulk(denial.user);
  reply.Bulk("age-seconds");
  reply.Double(static_cast<double>(context.now_ms - denial.at_ms) / 1000);
  reply.Bulk("client-info");
  reply.Bulk(client);
}

// With its subcommand, where it has one; null: there is none of that name.
const CommandSpec* FindWhole(Arguments command) {
  const CommandSpec* spec = FindListed(command[0]);
  if (spec == nullptr || spec->subcommands.empty() || command.size() < 2) return spec;
  return FindSubcommand(*spec, command[1]);
}

}  // namespace

void AclCat(Context& context, Arguments args) {
  if (!HasAtMostOneArgument(context, args)) return;
  if (args.size() == 2) return AnswerNames(context, kCategoryNames);
  for (size_t i = 0; i < std::size(kCategoryNames); ++i) {
    if (IsOption(args[2], kCategoryNames[i])) return AnswerNames(context, CommandsIn(1U << i));
  }
  context.reply.Error(fmt::format("ERR Unknown category '{}'", CString(args[2])));
}

void AclDryRun(Context& context, Arguments args) {
  const User* user = context.host.users().Find(args[2]);
  if (user == nullptr) {
    return context.reply.Error(fmt::format("ERR User '{}' not found", CString(args[2])));
  }
  const Arguments command = args.subspan(3);
  const CommandSpec* spec = FindWhole(command);
  if (spec == nullptr) {
    return context.reply.Error(fmt::format("ERR Command '{}' not found", CString(command[0])));
  }
  if (!spec->ArityFits(command.size())) return context.reply.Error(WrongArity(*spec));
  if (user->MayExecute(*spec)) return context.reply.Simple("OK");
  context.reply.Bulk(
      fmt::format("This user has no permissions to run the '{}' command", spec->name));
}

void AclGenPass(Context& context, Arguments args) {
  if (!HasAtMostOneArgument(context, args)) return;
  int64_t bits = kDefaultPasswordBits;
  if (args.size() == 3) {
    const auto wanted = ParseInteger(args[2]);
    if (!wanted) return context.reply.Error(kNotAnInteger);
    if (*wanted <= 0 || *wanted > kMaxPasswordBits) {
      return context.reply.Error(
          fmt::format("ERR ACL GENPASS argument must be the number of bits for the output "
                      "password, a positive number up to {}",
                      kMaxPasswordBits));
    }
    bits = *wanted;
  }
  std::array<unsigned char, kMaxPasswordBits / kBitsPerDigit> random;
  const auto digits = static_cast<size_t>((bits + kBitsPerDigit - 1) / kBitsPerDigit);
  if (RAND_bytes(random.data(), static_cast<int>(digits)) != 1) {
    return context.reply.Error("ERR the system has no random bytes for a password");
  }
  std::string password;
  for (const unsigned char byte : std::span(random).first(digits)) {
    password += "0123456789abcdef"[byte & 15];
  }
  context.reply.Bulk(password);
}

void AclGetUser(Context& context, Arguments args) {
  resp::ReplyWriter& reply = context.reply;
  const User* found = context.host.users().Find(args[2]);
  if (found == nullptr) return reply.Null();
  const UserOptions& user = found->options();
  reply.Map(6);
  reply.Bulk("flags");
  reply.Set(user.any_password ? 2 : 1);
  reply.Bulk(user.enabled ? "on" : "off");
  if (user.any_password) reply.Bulk("nopass");
  reply.Bulk("passwords");
  AnswerNames(context, user.password_hashes);
  reply.Bulk("commands");
  reply.Bulk(CommandRules(user));
  reply.Bulk("keys");
  reply.Bulk("~*");
  reply.Bulk("channels");
  reply.Bulk("&*");
  reply.Bulk("selectors");
  reply.Array(0);
}

void AclHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "acl"); }

void AclList(Context& context, Arguments /*args*/) {
  const std::vector<User>& users = context.host.users().all();
  context.reply.Array(users.size());
  for (const User& user : users) context.reply.Bulk(DescribeUser(user.options()));
}

void AclLog(Context& context, Arguments args) {
  if (!HasAtMostOneArgument(context, args)) return;
  uint64_t count = kDefaultLogEntries;
  if (args.size() == 3) {
    if (IsOption(args[2], "reset")) {
      context.instruments.access_log.Clear();
      return context.reply.Simple("OK");
    }
    const auto wanted = ParseInteger(args[2]);
    if (!wanted) return context.reply.Error(kNotAnInteger);
    count = static_cast<uint64_t>(std::max<int64_t>(*wanted, 0));
  }
  const std::vector<Denial> denials = context.instruments.access_log.Latest(count);
  context.reply.Array(denials.size());
  for (const Denial& denial : denials) AnswerDenial(context, denial);
}

void AclUsers(Context& context, Arguments /*args*/) {
  const std::vector<User>& users = context.host.users().all();
  context.reply.Array(users.size());
  for (const User& user : users) context.reply.Bulk(user.name());
}

void AclWhoAmI(Context& context, Arguments /*args*/) {
  context.reply.Bulk(context.session.user == nullptr ? "default" : context.session.user->name());
}

}  // namespace larder::command
