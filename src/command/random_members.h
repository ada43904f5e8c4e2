// The count of SRANDMEMBER, ZRANDMEMBER and HRANDFIELD: how it is read, which elements it gives.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "command/arguments.h"
#include "command/context.h"
#include "command/random.h"

namespace larder::command {

// None: refused and answered.
inline std::optional<int64_t> ReadRandomCount(Context& context, std::string_view text) {
  const auto count = ParseInteger(text);
  if (!count) {
    context.reply.Error(kNotAnInteger);
  } else if (*count == std::numeric_limits<int64_t>::min()) {
    context.reply.Error(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
  } else if (*count < -kMaxRepeatedElements) {
    context.reply.Error(kOutOfRange);
  } else {
    return count;
  }
  return std::nullopt;
}

// Redis collects any number of bytes; here a reply with repetitions is refused beyond this. True:
// refused and answered. `bytes_of(i)` is what the i-th of `count` parts takes.
template <typename BytesOf>
bool RefuseLongReply(Context& context, uint64_t count, BytesOf&& bytes_of) {
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < count; ++i) {
    bytes += bytes_of(i);
    if (bytes <= kMaxStringBytes) continue;
    context.reply.Error(kOutOfRange);
    return true;
  }
  return false;
}

// As many different elements of `size`, or fewer when it has no more; as many with repetitions when
// the count is negative.
inline std::vector<uint64_t> ChooseElements(int64_t count, uint64_t size) {
  RandomSource& random = WorkerRandom();
  if (size == 0) return {};
  if (count >= 0) return ChooseDistinct(random, static_cast<uint64_t>(count), size);
  std::vector<uint64_t> chosen(static_cast<uint64_t>(-count));
  for (uint64_t& element : chosen) element = random.Below(size);
  return chosen;
}

}  // namespace larder::command
