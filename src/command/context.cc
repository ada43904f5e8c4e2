#include "command/context.h"

#include <charconv>

namespace larder::command {

std::optional<snapshot::Value> Context::Find(std::string_view key) {
  const snapshot::Snapshot* from = snapshot();
  if (from != nullptr) {
    std::optional<snapshot::Value> value =
        begun_in == from ? from->Find(key, *first_key) : from->Find(key);
    if (value && !value->Expired(now_ms)) {
      ++counters.keyspace_hits;
      return value;
    }
  }
  ++counters.keyspace_misses;
  return std::nullopt;
}

std::optional<snapshot::Value> Context::FindOfType(std::string_view key, ValueType type,
                                                   bool* missing) {
  std::optional<snapshot::Value> value = Find(key);
  *missing = !value;
  if (value && value->type != type) {
    reply.Error(kWrongType);
    return std::nullopt;
  }
  return value;
}

void Context::Slice(std::string_view bytes) {
  if (bytes.size() < resp::ReplyBuffer::kBorrowMin) {
    reply.Raw(bytes);
  } else {
    reply.buffer().AppendBorrowed(bytes, version->snapshot, [](const void* lender) {
      return static_cast<const snapshot::Snapshot*>(lender)->damaged();
    });
  }
}

void Context::BulkSlice(std::string_view text) {
  if (text.size() < resp::ReplyBuffer::kBorrowMin) return reply.Bulk(text);
  char head[24] = "$";
  char* end = std::to_chars(head + 1, head + sizeof head, text.size()).ptr;
  reply.Raw({head, static_cast<size_t>(end - head)});
  reply.Raw("\r\n");
  Slice(text);
  reply.Raw("\r\n");
}

}  // namespace larder::command
