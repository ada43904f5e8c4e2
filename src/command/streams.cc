// Streams: no source has any, so what is asked for is missing, or of another type. Arguments are
// checked all the same, in Redis's order.
#include <array>
#include <cerrno>
#include <cstdlib>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

constexpr size_t kMaxIdBytes = 127;
constexpr uint64_t kMaxPart = ~uint64_t{0};

struct StreamId {
  uint64_t ms = 0;
  uint64_t sequence = 0;
};

// As Redis reads one half of an ID: an integer, or else what strtoull takes.
std::optional<uint64_t> ParsePart(const char* text) {
  if (const auto integer = ParseInteger(text)) {
    if (*integer < 0) return std::nullopt;
    return static_cast<uint64_t>(*integer);
  }
  char* end = nullptr;
  errno = 0;
  const uint64_t value = std::strtoull(text, &end, 10);
  if (errno != 0 || *text == '\0' || *end != '\0') return std::nullopt;
  return value;
}

// "5-1", "5" (then `missing_sequence` is the other half), and, unless `strict`, "-" and "+".
std::optional<StreamId> ParseStreamId(std::string_view text, uint64_t missing_sequence,
                                      bool strict) {
  std::array<char, kMaxIdBytes + 1> copy{};
  if (text.size() > kMaxIdBytes) return std::nullopt;
  text.copy(copy.data(), text.size());
  const std::string_view shown(copy.data());
  if (!strict && shown == "-") return StreamId{};
  if (!strict && shown == "+") return StreamId{.ms = kMaxPart, .sequence = kMaxPart};
  const size_t dash = shown.find('-');
  if (dash != std::string_view::npos) copy[dash] = '\0';
  const auto ms = ParsePart(copy.data());
  const auto sequence =
      dash == std::string_view::npos ? missing_sequence : ParsePart(copy.data() + dash + 1);
  if (!ms || !sequence) return std::nullopt;
  return StreamId{.ms = *ms, .sequence = *sequence};
}

bool RefuseId(Context& context) {
  context.reply.Error("ERR Invalid stream ID specified as stream command argument");
  return false;
}

// One bound of an interval, "(" in front: exclusive; false: refused and answered.
bool CheckBound(Context& context, std::string_view text, bool is_start) {
  const bool exclusive = text.size() > 1 && text[0] == '(';
  const auto id =
      ParseStreamId(exclusive ? text.substr(1) : text, is_start ? 0 : kMaxPart, exclusive);
  if (!id) return RefuseId(context);
  const uint64_t last = is_start ? kMaxPart : 0;
  if (exclusive && id->ms == last && id->sequence == last) {
    context.reply.Error(
        fmt::format("ERR invalid {} ID for the interval", is_start ? "start" : "end"));
    return false;
  }
  return true;
}

bool CheckInterval(Context& context, std::string_view start, std::string_view end) {
  return CheckBound(context, start, true) && CheckBound(context, end, false);
}

bool CheckInteger(Context& context, std::string_view text) {
  if (ParseInteger(text)) return true;
  context.reply.Error(kNotAnInteger);
  return false;
}

// Answers that there is no such key with `missing()`; any that there is is of another type.
template <typename Missing>
void AnswerMissing(Context& context, std::string_view key, Missing&& missing) {
  if (context.Find(key)) return context.reply.Error(kWrongType);
  missing();
}

void Range(Context& context, Arguments args, std::string_view start, std::string_view end) {
  if (!CheckInterval(context, start, end)) return;
  for (size_t i = 4; i < args.size(); i += 2) {
    if (i + 1 >= args.size() || !IsOption(args[i], "count")) {
      return context.reply.Error(kSyntaxError);
    }
    if (!CheckInteger(context, args[i + 1])) return;
  }
  AnswerMissing(context, args[1], [&context] { context.reply.Array(0); });
}

struct ReadOptions {
  std::optional<int64_t> timeout_ms;  // none: it does not wait
  Arguments keys;
  Arguments ids;
};

// None: refused and answered. A time that ends beyond all clocks waits for ever, as in Redis.
std::optional<int64_t> ReadTimeout(Context& context, std::string_view text) {
  const auto timeout = ParseInteger(text);
  std::string_view error;
  if (!timeout) {
    error = "ERR timeout is not an integer or out of range";
  } else if (*timeout < 0) {
    error = "ERR timeout is negative";
  }
  if (error.empty()) return timeout;
  context.reply.Error(error);
  return std::nullopt;
}

std::optional<ReadOptions> Refuse(Context& context, std::string_view error) {
  context.reply.Error(error);
  return std::nullopt;
}

std::optional<ReadOptions> ReadReadOptions(Context& context, Arguments args) {
  ReadOptions read;
  for (size_t i = 1; i < args.size(); ++i) {
    const size_t left = args.size() - i - 1;
    if (left >= 1 && IsOption(args[i], "block")) {
      read.timeout_ms = ReadTimeout(context, args[++i]);
      if (!read.timeout_ms) return std::nullopt;
    } else if (left >= 1 && IsOption(args[i], "count")) {
      if (!CheckInteger(context, args[++i])) return std::nullopt;
    } else if (left >= 1 && IsOption(args[i], "streams")) {
      if (left % 2 != 0) {
        return Refuse(context,
                      "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must "
                      "be specified.");
      }
      read.keys = args.subspan(i + 1, left / 2);
      read.ids = args.subspan(i + 1 + left / 2);
      return read;
    } else if (left >= 2 && IsOption(args[i], "group")) {
      return Refuse(context,
                    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD "
                    "instead.");
    } else if (IsOption(args[i], "noack")) {
      return Refuse(context,
                    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD "
                    "instead.");
    } else {
      break;
    }
  }
  return Refuse(context, kSyntaxError);
}

// False: refused and answered.
bool CheckStreamToRead(Context& context, std::string_view key, std::string_view id) {
  if (context.Find(key)) {
    context.reply.Error(kWrongType);
    return false;
  }
  if (CString(id) == "$") return true;
  if (CString(id) == ">") {
    context.reply.Error(
        "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
        "<consumer> option.");
    return false;
  }
  return ParseStreamId(id, 0, true) ? true : RefuseId(context);
}

}  // namespace

void XLen(Context& context, Arguments args) {
  AnswerMissing(context, args[1], [&context] { context.reply.Integer(0); });
}

void XRange(Context& context, Arguments args) { Range(context, args, args[2], args[3]); }

void XRevRange(Context& context, Arguments args) { Range(context, args, args[3], args[2]); }

void XRead(Context& context, Arguments args) {
  const auto options = ReadReadOptions(context, args);
  if (!options) return;
  for (size_t i = 0; i < options->keys.size(); ++i) {
    if (!CheckStreamToRead(context, options->keys[i], options->ids[i])) return;
  }
  if (options->timeout_ms && !context.in_transaction) {
    return context.host.Block(context.session, static_cast<uint64_t>(*options->timeout_ms),
                              context.resp3() ? "_\r\n" : "*-1\r\n");
  }
  context.reply.NullArray();
}

void XPending(Context& context, Arguments args) {
  if (args.size() != 3 && (args.size() < 6 || args.size() > 9)) {
    return context.reply.Error(kSyntaxError);
  }
  if (args.size() >= 6) {
    const bool idle = IsOption(args[3], "idle");
    if (idle && !CheckInteger(context, args[4])) return;
    if (idle && args.size() < 8) return context.reply.Error(kSyntaxError);
    const size_t start = idle ? 5 : 3;
    if (!CheckInteger(context, args[start + 2])) return;
    if (!CheckInterval(context, args[start], args[start + 1])) return;
  }
  AnswerMissing(context, args[1], [&] {
    context.reply.Error(fmt::format("NOGROUP No such key '{}' or consumer group '{}'",
                                    CString(args[1]), CString(args[2])));
  });
}

void XInfoStream(Context& context, Arguments args) {
  AnswerMissing(context, args[2], [&context] { context.reply.Error("ERR no such key"); });
}

void XInfoGroups(Context& context, Arguments args) { XInfoStream(context, args); }

void XInfoConsumers(Context& context, Arguments args) { XInfoStream(context, args); }

void XInfoHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "xinfo"); }

}  // namespace larder::command
