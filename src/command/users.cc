#include "command/users.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "command/session.h"
#include "snapshot/printable_key.h"

namespace larder::command {
namespace {

constexpr std::string_view kDefaultName = "default";

UserOptions OpenDefault() {
  UserOptions options;
  options.name = kDefaultName;
  options.any_password = true;
  options.may_admin = true;
  return options;
}

// Names stand in CLIENT LIST and ACL LIST, whose fields are separated by blanks.
bool IsName(std::string_view name) {
  return !name.empty() &&
         std::ranges::none_of(name, [](char c) { return (c >= 0 && c <= ' ') || c == 0x7F; });
}

bool IsHash(std::string_view hash) {
  return hash.size() == size_t{2} * SHA256_DIGEST_LENGTH && std::ranges::all_of(hash, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// A hash is never repeated in the error: it may be a password by mistake.
Result<void> Check(const UserOptions& user) {
  if (!IsName(user.name)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a user's name is empty, or has blanks or control characters: {}",
                            snapshot::PrintableKey(user.name)));
  }
  for (size_t i = 0; i < user.password_hashes.size(); ++i) {
    if (IsHash(user.password_hashes[i])) continue;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("password hash {} of user {} is not the 64 hexadecimal digits of a "
                            "SHA-256 (printf %s PASSWORD | sha256sum makes them)",
                            i + 1, user.name));
  }
  if (user.any_password && !user.password_hashes.empty()) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("user {} has passwords and takes any password: one of the two", user.name));
  }
  return {};
}

// Nobody whose password was taken away goes on; which of several it was is not remembered.
bool KeepsPasswords(const UserOptions& before, const UserOptions& now) {
  if (now.any_password) return true;
  return !before.any_password &&
         std::ranges::all_of(before.password_hashes, [&now](const std::string& hash) {
           return std::ranges::find(now.password_hashes, hash) != now.password_hashes.end();
         });
}

void Become(Session& session, const User& user, bool gave_password) {
  session.user = &user;
  session.gave_password = gave_password;
  session.Set(kNotAuthenticated, false);
  session.Set(kMayNotAll, !user.MayAll());
}

// Whether what the session is told without asking again (MONITOR, channels) is still for its user.
bool MayGoOnListening(const Session& session) {
  const bool monitors = session.Is(kMonitoring);
  const bool subscribed = session.Is(kSubscribed);
  if (!monitors && !subscribed) return true;
  const UserOptions& user = session.user->options();
  return !session.Is(kNotAuthenticated) && (!monitors || user.may_admin) &&
         (!subscribed || user.may_read);
}

// False: the user of the session has gone, or is not to be trusted with it any more.
bool AdoptUser(Session& session, const Users& users) {
  if (session.user == nullptr) {
    BecomeDefaultUser(session, users);
    return true;
  }
  const User* user = users.Find(session.user->name());
  if (user == nullptr) return false;
  if (!session.gave_password) {
    BecomeDefaultUser(session, users);
    return true;
  }
  if (!user->options().enabled || !KeepsPasswords(session.user->options(), user->options()))
    return false;
  BecomeUser(session, *user);
  return true;
}

}  // namespace

bool User::MayExecute(const CommandSpec& spec) const {
  if ((spec.flags & kNoAuth) != 0) return true;
  return (spec.categories & kInAdmin) != 0 ? options_.may_admin : options_.may_read;
}

bool User::AcceptsHash(std::string_view hash) const {
  bool accepted = options_.any_password;
  for (const std::string& known : options_.password_hashes) {
    accepted |=
        known.size() == hash.size() && CRYPTO_memcmp(known.data(), hash.data(), hash.size()) == 0;
  }
  return accepted;
}

std::string PasswordHash(std::string_view password) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(password.data()), password.size(), digest);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

Users::Users() { users_.emplace_back(OpenDefault()); }

Result<Users> Users::Make(std::vector<UserOptions> users) {
  for (UserOptions& user : users) {
    LARDER_TRY(Check(user));
    for (std::string& hash : user.password_hashes) {
      for (char& c : hash) c = c >= 'A' && c <= 'F' ? static_cast<char>(c + 0x20) : c;
    }
  }
  if (std::ranges::find(users, kDefaultName, &UserOptions::name) == users.end()) {
    users.push_back(OpenDefault());
  }
  std::ranges::sort(users, {}, &UserOptions::name);
  const auto twice = std::ranges::adjacent_find(users, {}, &UserOptions::name);
  if (twice != users.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("there are two users {}: give each a name of its own", twice->name));
  }
  Users made;
  made.users_.clear();
  for (UserOptions& user : users) made.users_.emplace_back(std::move(user));
  return made;
}

const User* Users::Find(std::string_view name) const {
  const auto found = std::ranges::find(users_, name, &User::name);
  return found == users_.end() ? nullptr : &*found;
}

const User& Users::default_user() const { return *Find(kDefaultName); }

bool Users::needs_authentication() const {
  const UserOptions& options = default_user().options();
  return !options.enabled || !options.any_password;
}

// Compares with the passwords of every user, whoever is asked for.
const User* Users::Authenticate(std::string_view name, std::string_view password) const {
  const std::string hash = PasswordHash(password);
  const User* authenticated = nullptr;
  for (const User& user : users_) {
    const bool accepted = user.AcceptsHash(hash);
    const bool meant = user.name().size() == name.size() &&
                       CRYPTO_memcmp(user.name().data(), name.data(), name.size()) == 0;
    if (meant & accepted & user.options().enabled) authenticated = &user;
  }
  return authenticated;
}

bool Adopt(Session& session, const Users& users) {
  return AdoptUser(session, users) && MayGoOnListening(session);
}

void BecomeUser(Session& session, const User& user) { Become(session, user, true); }

void BecomeDefaultUser(Session& session, const Users& users) {
  Become(session, users.default_user(), false);
  session.Set(kNotAuthenticated, users.needs_authentication());
}

}  // namespace larder::command
