// PFCOUNT: what a HyperLogLog string counts (command/hyperloglog_registers.h).
#include "command/context.h"
#include "command/handlers.h"
#include "command/hyperloglog_registers.h"

namespace larder::command {
namespace {

constexpr std::string_view kNoHyperLogLog =
    "WRONGTYPE Key is not a valid HyperLogLog string value.";
constexpr std::string_view kCorrupt = "INVALIDOBJ Corrupted HLL object detected";

// The whole string; none: it is no HyperLogLog: refused and answered.
std::optional<HyperLogLogView> ViewOf(Context& context, const snapshot::Value& value) {
  if (value.type != ValueType::kString) {
    context.reply.Error(kWrongType);
    return std::nullopt;
  }
  const auto view = HyperLogLogView::Of(snapshot::TextView(value).text());
  if (!view) context.reply.Error(kNoHyperLogLog);
  return view;
}

void CountOne(Context& context, std::string_view key) {
  const auto value = context.Find(key);
  if (!value) return context.reply.Integer(0);
  const auto view = ViewOf(context, *value);
  if (!view) return;
  const auto count = view->Count();
  if (!count) return context.reply.Error(kCorrupt);
  context.reply.Integer(static_cast<int64_t>(*count));
}

}  // namespace

void PfCount(Context& context, Arguments args) {
  if (args.size() == 2) return CountOne(context, args[1]);
  HyperLogLogRegisters merged;
  bool refused = false;
  FindEach(context, args.subspan(1), [&](size_t, const std::optional<snapshot::Value>& value) {
    if (refused || !value) return;
    const auto view = ViewOf(context, *value);
    refused = !view;
    if (!view || view->MergeInto(merged)) return;
    refused = true;
    context.reply.Error(kCorrupt);
  });
  if (!refused) context.reply.Integer(static_cast<int64_t>(merged.Estimate()));
}

}  // namespace larder::command
