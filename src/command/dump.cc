// DUMP: a value as a payload that Redis's RESTORE takes (rdb/dump_payload.h).
#include <vector>

#include "command/context.h"
#include "command/handlers.h"
#include "rdb/dump_payload.h"

namespace larder::command {
namespace {

std::string PayloadOf(const snapshot::Value& value) {
  RecordView record;
  record.type = value.type;
  if (value.type == ValueType::kString) {
    record.text = snapshot::TextView(value).text();
    return rdb::EncodeDumpPayload(record);
  }
  const snapshot::CollectionView view(value);
  const uint64_t count = view.count();
  std::vector<std::string_view> items(value.type == ValueType::kHash ? count * 2 : count);
  for (uint64_t i = 0; i < items.size(); ++i) items[i] = view.Text(i);
  std::vector<double> scores(value.type == ValueType::kZset ? count : 0);
  for (uint64_t i = 0; i < scores.size(); ++i) scores[i] = view.Score(i);
  record.items = items;
  record.scores = scores;
  return rdb::EncodeDumpPayload(record);
}

}  // namespace

void Dump(Context& context, Arguments args) {
  const auto value = context.Find(args[1]);
  if (!value) return context.reply.Null();
  if (value->type == ValueType::kJson) {
    return context.reply.Error(
        "ERR a JSON value has no payload here: its form is RedisJSON's own; read it with JSON.GET");
  }
  context.reply.Bulk(PayloadOf(*value));
}

}  // namespace larder::command
