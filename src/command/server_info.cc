// The server: INFO, DBSIZE, TIME, ROLE, LASTSAVE, WAIT.
#include <chrono>
#include <string_view>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/info_sections.h"

namespace larder::command {

void Info(Context& context, Arguments args) {
  context.reply.Verbatim("txt", InfoText(context, args.subspan(1)));
}

void DbSize(Context& context, Arguments /*args*/) {
  const snapshot::Snapshot* snapshot = context.snapshot();
  context.reply.Integer(snapshot == nullptr ? 0 : static_cast<int64_t>(snapshot->record_count()));
}

// When a store last began to serve another version: what Redis calls a save is that here.
void LastSave(Context& context, Arguments /*args*/) {
  context.reply.Integer(LastSwitchMs(context) / 1000);
}

void Role(Context& context, Arguments /*args*/) {
  context.reply.Array(3);
  context.reply.Bulk("master");
  context.reply.Integer(0);
  context.reply.Array(0);
}

void Time(Context& context, Arguments /*args*/) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  context.reply.Array(2);
  context.reply.Bulk(fmt::format_int(now / 1'000'000).c_str());
  context.reply.Bulk(fmt::format_int(now % 1'000'000).c_str());
}

// There are no replicas: whoever waits for some waits until the time is over.
void Wait(Context& context, Arguments args) {
  const auto replicas = ParseInteger(args[1]);
  if (!replicas) return context.reply.Error(kNotAnInteger);
  const auto timeout_ms = ParseInteger(args[2]);
  if (!timeout_ms) return context.reply.Error("ERR timeout is not an integer or out of range");
  if (*timeout_ms < 0) return context.reply.Error("ERR timeout is negative");
  if (*replicas <= 0 || context.in_transaction) return context.reply.Integer(0);
  context.host.Block(context.session, static_cast<uint64_t>(*timeout_ms), ":0\r\n");
}

}  // namespace larder::command
