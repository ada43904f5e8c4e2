#include "command/users.h"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace larder::command {

bool User::MayExecute(const CommandSpec& spec) const {
  return (spec.categories & kInAdmin) != 0 ? options_.may_admin : options_.may_read;
}

bool User::Accepts(std::string_view password) const {
  if (options_.any_password) return true;
  const std::string hash = PasswordHash(password);
  bool accepted = false;
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

Users::Users() {
  UserOptions options;
  options.name = "default";
  options.any_password = true;
  options.may_admin = true;
  users_.emplace_back(std::move(options));
}

const User* Users::Find(std::string_view name) const {
  const auto found = std::ranges::find(users_, name, &User::name);
  return found == users_.end() ? nullptr : &*found;
}

const User& Users::default_user() const { return *Find("default"); }

bool Users::needs_authentication() const {
  const UserOptions& options = default_user().options();
  return !options.enabled || !options.any_password;
}

}  // namespace larder::command
