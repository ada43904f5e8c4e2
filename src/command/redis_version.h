// The version of Redis whose replies and errors these are; what clients see in HELLO and INFO.
#pragma once

#include <string_view>

namespace larder::command {

inline constexpr std::string_view kRedisVersion = "7.0.15";

}  // namespace larder::command
