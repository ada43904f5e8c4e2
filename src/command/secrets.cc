#include "command/secrets.h"

#include <algorithm>

#include "command/arguments.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

constexpr std::string_view kHidden = "(redacted)";

// Settings of Redis whose values are secrets. Larder changes none of them, but is asked to.
constexpr std::string_view kSecretSettings[] = {"masterauth", "masteruser", "requirepass",
                                                "tls-client-key-file-pass", "tls-key-file-pass"};

bool IsSecretSetting(std::string_view name) {
  return std::ranges::any_of(kSecretSettings,
                             [name](std::string_view known) { return IsOption(name, known); });
}

}  // namespace

std::vector<std::string_view> WithoutSecrets(const CommandSpec& spec, Arguments args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  if (spec.handler == &Auth) {
    std::fill(shown.begin() + 1, shown.end(), kHidden);
  } else if (spec.handler == &ConfigSet) {
    for (size_t i = 2; i + 1 < args.size(); ++i) {
      if (IsSecretSetting(args[i])) shown[i + 1] = kHidden;
    }
  } else if (spec.handler == &Hello) {
    // Also where the request is not well-formed, or the word is a name: rather too much is hidden.
    for (size_t i = 1; i < args.size(); ++i) {
      if (!IsOption(args[i], "auth")) continue;
      const size_t end = std::min(args.size(), i + 3);
      std::fill(shown.begin() + static_cast<ptrdiff_t>(i) + 1,
                shown.begin() + static_cast<ptrdiff_t>(end), kHidden);
    }
  }
  return shown;
}

}  // namespace larder::command
