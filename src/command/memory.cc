// MEMORY: what the memory is used for.
#include <climits>
#include <string>

#include <fmt/format.h>
#include <malloc.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"
#include "command/memory_use.h"

namespace larder::command {
namespace {

// Of a record in its version: what stands before the key, and where the next one begins.
constexpr uint64_t kRecordHeadBytes = 8;
constexpr uint64_t kExpiryBytes = 8;
constexpr uint64_t kRecordAlignment = 8;

uint64_t RecordBytes(std::string_view key, const snapshot::Value& value) {
  const uint64_t bytes = kRecordHeadBytes + (value.expires_at_ms ? kExpiryBytes : 0) + key.size() +
                         value.encoded.size();
  return (bytes + kRecordAlignment - 1) / kRecordAlignment * kRecordAlignment;
}

// Above this part of the machine's memory there is something to tell.
constexpr double kMuchOfTheMachine = 0.9;

std::string Diagnosis(const MemoryUse& use) {
  std::string text = fmt::format(
      "{} bytes are resident: {} of versions and programs mapped from disk, which the system takes "
      "back when it needs them, and {} of Larder's own.",
      use.resident, use.mapped, use.own);
  const auto machine = static_cast<double>(use.machine);
  if (static_cast<double>(use.own) > machine * kMuchOfTheMachine) {
    text +=
        " That is nearly all of the machine's memory: see CLIENT LIST for connections that do "
        "not read their replies (omem), and lower max_output_bytes.";
  } else if (static_cast<double>(use.file_bytes) > machine * kMuchOfTheMachine) {
    text += fmt::format(
        " The versions that are served take {} bytes on disk, more than fits into "
        "memory: reads of what is not resident wait for the disk.",
        use.file_bytes);
  } else {
    text += " Nothing is wrong with that.";
  }
  return text;
}

class StatsWriter {
 public:
  explicit StatsWriter(resp::ReplyWriter& reply) : reply_(reply) {}
  void Number(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Real(std::string_view name, double value) {
    reply_.Bulk(name);
    reply_.Double(value);
  }

 private:
  resp::ReplyWriter& reply_;
};

}  // namespace

void MemoryDoctor(Context& context, Arguments /*args*/) {
  context.reply.Verbatim("txt", Diagnosis(MeasureMemory(context)));
}

void MemoryHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "memory"); }

void MemoryMallocStats(Context& context, Arguments /*args*/) {
  const struct mallinfo2 info = ::mallinfo2();
  context.reply.Verbatim(
      "txt",
      fmt::format("Allocator: libc\nin use: {} bytes\nmapped one by one: {} bytes\ntaken from "
                  "the system: {} bytes\nfree: {} bytes\nto be given back: {} bytes\n",
                  info.uordblks, info.hblkhd, info.arena + info.hblkhd, info.fordblks,
                  info.keepcost));
}

void MemoryPurge(Context& context, Arguments /*args*/) {
  ::malloc_trim(0);
  context.reply.Simple("OK");
}

void MemoryStats(Context& context, Arguments /*args*/) {
  const MemoryUse use = MeasureMemory(context);
  constexpr uint64_t kFields = 27;
  context.reply.Map(kFields);
  StatsWriter to(context.reply);
  to.Number("peak.allocated", use.peak);
  to.Number("total.allocated", use.resident);
  to.Number("startup.allocated", use.at_start);
  to.Number("replication.backlog", 0);
  to.Number("clients.slaves", 0);
  to.Number("clients.normal", use.clients);
  to.Number("cluster.links", 0);
  to.Number("aof.buffer", 0);
  to.Number("lua.caches", 0);
  to.Number("functions.caches", 0);
  to.Number("overhead.total", use.own);
  to.Number("keys.count", use.keys);
  to.Number("keys.bytes-per-key", use.keys == 0 ? 0 : use.mapped / use.keys);
  to.Number("dataset.bytes", use.mapped);
  to.Real("dataset.percentage", PercentOf(use.mapped, use.resident));
  to.Real("peak.percentage", PercentOf(use.resident, use.peak));
  to.Number("allocator.allocated", use.allocated);
  to.Number("allocator.active", use.active);
  to.Number("allocator.resident", use.own);
  to.Real("allocator-fragmentation.ratio", Ratio(use.active, use.allocated));
  to.Number("allocator-fragmentation.bytes", use.active - use.allocated);
  to.Real("allocator-rss.ratio", Ratio(use.own, use.active));
  to.Number("allocator-rss.bytes", use.own - use.active);
  to.Real("rss-overhead.ratio", Ratio(use.resident, use.own));
  to.Number("rss-overhead.bytes", use.resident - use.own);
  to.Real("fragmentation", 1);
  to.Number("fragmentation.bytes", 0);
}

void MemoryUsage(Context& context, Arguments args) {
  for (size_t i = 3; i < args.size(); i += 2) {
    if (!IsOption(args[i], "samples") || i + 1 == args.size()) {
      return context.reply.Error(kSyntaxError);
    }
    const auto samples = ParseInteger(args[i + 1]);
    if (!samples) return context.reply.Error(kNotAnInteger);
    if (*samples < 0) return context.reply.Error(kSyntaxError);
  }
  const snapshot::Snapshot* snapshot = context.snapshot();
  std::optional<snapshot::Value> value;
  if (snapshot != nullptr) value = snapshot->Find(args[2]);
  if (!value || value->Expired(context.now_ms)) return context.reply.Null();
  context.reply.Integer(static_cast<int64_t>(RecordBytes(args[2], *value)));
}

}  // namespace larder::command
