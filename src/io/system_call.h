// What every call of the kernel needs: again after a signal, and its error with operation and path.
#pragma once

#include <cerrno>
#include <string_view>

#include "base/error.h"

namespace larder::io {

// Again while a signal interrupts it; -1 and errno otherwise.
template <typename Call>
auto Uninterrupted(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

inline std::unexpected<Error> FailErrno(std::string_view operation, std::string_view path) {
  return std::unexpected(ErrnoError(errno, operation, path));
}

}  // namespace larder::io
