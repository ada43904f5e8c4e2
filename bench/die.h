// Die: ends a program of bench/ with a message; main catches it.
#pragma once

#include <stdexcept>
#include <string>

namespace larder::bench {

[[noreturn]] inline void Die(const std::string& message) { throw std::runtime_error(message); }

}  // namespace larder::bench
