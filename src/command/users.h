// Users: who may connect, with which password, and which commands they may execute.
//
// Passwords are known by their SHA-256 only, as in Redis's ACL files, and compared in constant
// time; no password and no hash of one is ever put into a log line or an error.
//
// Ownership:  immutable; the server shares one set among its workers and replaces it whole.
// Threads:    any.
// Errors:     Make: kInvalidArgument (which user, what is wrong).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "command/spec.h"

namespace larder::command {

struct Session;

struct UserOptions {
  std::string name;
  // SHA-256 of accepted passwords, 64 hexadecimal digits. None, and not `any_password`: nobody can
  // become this user.
  std::vector<std::string> password_hashes;
  bool any_password = false;  // Redis's nopass
  bool enabled = true;
  bool may_read = true;    // everything that is not in the category admin
  bool may_admin = false;  // the category admin

  bool operator==(const UserOptions&) const = default;
};

class User {
 public:
  explicit User(UserOptions options) : options_(std::move(options)) {}

  const UserOptions& options() const { return options_; }
  const std::string& name() const { return options_.name; }
  // `spec` is a subcommand's where there is one. AUTH and what else needs none is everybody's.
  bool MayExecute(const CommandSpec& spec) const;
  bool MayAll() const { return options_.may_read && options_.may_admin; }
  // A PasswordHash. Takes the same time whatever it is and whichever of the user's hashes.
  bool AcceptsHash(std::string_view hash) const;

 private:
  UserOptions options_;
};

// SHA-256 as 64 hexadecimal digits.
std::string PasswordHash(std::string_view password);

class Users {
 public:
  // One user called "default" that may do everything without a password, as in Redis.
  Users();
  // Without a "default" among them, that one is added. Names are unique, without blanks and control
  // characters; hashes may be written with capitals.
  static Result<Users> Make(std::vector<UserOptions> users);

  const std::vector<User>& all() const { return users_; }  // by name
  // Null: there is none.
  const User* Find(std::string_view name) const;
  const User& default_user() const;
  // Connections begin as the default user: without a word when it is enabled and takes any
  // password.
  bool needs_authentication() const;
  // The user, when enabled and `password` is one of theirs; takes as long for names that are not.
  const User* Authenticate(std::string_view name, std::string_view password) const;

 private:
  std::vector<User> users_;  // by name
};

// Makes `session` one of the given users': a new connection the default user's, one that was
// another set's before the user's of the same name. For the connection's worker, while the set that
// the session's user is of still lives. False: the connection must close, because its user is gone,
// is no longer enabled, or has lost a password, or because it is told what its user may not be told
// any more (MONITOR, channels). Who was the default user without having given a password must give
// one when that user wants one now.
[[nodiscard]] bool Adopt(Session& session, const Users& users);

// `session` goes on as `user`, who has given a password.
void BecomeUser(Session& session, const User& user);

// `session` goes on as the default user: as a new connection does.
void BecomeDefaultUser(Session& session, const Users& users);

}  // namespace larder::command
