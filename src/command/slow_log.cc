// SLOWLOG: what took long, and what keeps it.
#include "command/slow_log.h"

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

constexpr size_t kMaxArguments = 32;
constexpr size_t kMaxArgumentBytes = 128;
constexpr uint64_t kDefaultCount = 10;

}  // namespace

void SlowLog::Add(Entry entry, uint64_t max_entries) {
  const MutexLock lock(mutex_);
  entry.id = next_id_++;
  entries_.push_front(std::move(entry));
  while (entries_.size() > max_entries) entries_.pop_back();
}

std::vector<SlowLog::Entry> SlowLog::Latest(uint64_t count) const {
  const MutexLock lock(mutex_);
  const auto taken = static_cast<std::ptrdiff_t>(std::min<uint64_t>(count, entries_.size()));
  return {entries_.begin(), entries_.begin() + taken};
}

uint64_t SlowLog::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

void SlowLog::Clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
}

std::vector<std::string> ShortenedArguments(Arguments args) {
  const bool too_many = args.size() > kMaxArguments;
  const Arguments kept = too_many ? args.first(kMaxArguments - 1) : args;
  std::vector<std::string> shown;
  shown.reserve(kept.size() + 1);
  for (const std::string_view argument : kept) {
    shown.emplace_back(argument.substr(0, kMaxArgumentBytes));
    if (argument.size() > kMaxArgumentBytes) {
      shown.back() += fmt::format("... ({} more bytes)", argument.size() - kMaxArgumentBytes);
    }
  }
  if (too_many) shown.push_back(fmt::format("... ({} more arguments)", args.size() - kept.size()));
  return shown;
}

void SlowLogGet(Context& context, Arguments args) {
  if (args.size() > 3) {
    return context.reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try SLOWLOG HELP.",
        CString(args[1]).substr(0, kMaxArgumentBytes)));
  }
  uint64_t count = kDefaultCount;
  if (args.size() == 3) {
    const auto wanted = ParseInteger(args[2]);
    if (!wanted || *wanted < -1) {
      return context.reply.Error("ERR count should be greater than or equal to -1");
    }
    count = *wanted == -1 ? UINT64_MAX : static_cast<uint64_t>(*wanted);
  }
  resp::ReplyWriter& reply = context.reply;
  const std::vector<SlowLog::Entry> entries = context.instruments.slow_log.Latest(count);
  reply.Array(entries.size());
  for (const SlowLog::Entry& entry : entries) {
    reply.Array(6);
    reply.Integer(static_cast<int64_t>(entry.id));
    reply.Integer(entry.unix_seconds);
    reply.Integer(static_cast<int64_t>(entry.microseconds));
    reply.Array(entry.arguments.size());
    for (const std::string& argument : entry.arguments) reply.Bulk(argument);
    reply.Bulk(entry.client_address);
    reply.Bulk(entry.client_name);
  }
}

void SlowLogLen(Context& context, Arguments /*args*/) {
  context.reply.Integer(static_cast<int64_t>(context.instruments.slow_log.size()));
}

void SlowLogReset(Context& context, Arguments /*args*/) {
  context.instruments.slow_log.Clear();
  context.reply.Simple("OK");
}

void SlowLogHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "slowlog"); }

}  // namespace larder::command
