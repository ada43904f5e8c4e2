#include "command/secrets.h"

#include <algorithm>

#include "command/arguments.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

constexpr std::string_view kHidden = "(redacted)";

}  // namespace

std::vector<std::string_view> WithoutSecrets(const CommandSpec& spec, Arguments args) {
  std::vector<std::string_view> shown(args.begin(), args.end());
  if (spec.handler == &Auth) {
    std::fill(shown.begin() + 1, shown.end(), kHidden);
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
