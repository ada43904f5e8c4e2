// MULTI, EXEC, DISCARD, WATCH, UNWATCH: all but EXEC inside MULTI, which is the batch's
// (command/batch.cc).
#include <fmt/format.h>

#include "base/hash.h"
#include "command/handlers.h"
#include "command/transaction.h"

namespace larder::command {
namespace {

// Reading more than that for a digest would keep the worker from others.
constexpr size_t kMaxDigestedBytes = size_t{64} << 10;

uint64_t BytesOf(const QueuedCommand& command) {
  uint64_t bytes = sizeof(QueuedCommand);
  for (const std::string& argument : command.args) bytes += sizeof(std::string) + argument.size();
  return bytes;
}

uint64_t BytesOf(const WatchedKey& watched) { return sizeof(WatchedKey) + watched.key.size(); }

template <typename Entry>
void Trim(std::vector<Entry>& entries, size_t good, uint64_t& bytes) {
  while (entries.size() > good) {
    bytes -= BytesOf(entries.back());
    entries.pop_back();
  }
}

Transaction& TransactionOf(Session& session) {
  if (session.transaction == nullptr) session.transaction = std::make_unique<Transaction>();
  return *session.transaction;
}

bool Fits(const Session& session, uint64_t bytes) {
  const uint64_t taken = session.transaction->bytes;
  return bytes <= session.max_transaction_bytes && taken <= session.max_transaction_bytes - bytes;
}

}  // namespace

void TrimTransaction(Session& session) {
  if (session.queued == 0 && session.watched == 0) {
    session.transaction.reset();
    return;
  }
  Transaction& transaction = *session.transaction;
  Trim(transaction.queued, session.queued, transaction.bytes);
  Trim(transaction.watched, session.watched, transaction.bytes);
}

void EndTransaction(Session& session) {
  session.Set(kInMulti, false);
  session.Set(kTransactionFails, false);
  session.queued = 0;
  session.watched = 0;
}

bool Enqueue(Session& session, const CommandSpec& spec, Arguments args) {
  Transaction& transaction = TransactionOf(session);
  uint64_t bytes = sizeof(QueuedCommand) + args.size() * sizeof(std::string);
  for (const std::string_view argument : args) bytes += argument.size();
  if (!Fits(session, bytes)) return false;
  transaction.queued.push_back({.spec = &spec, .args = {args.begin(), args.end()}});
  transaction.bytes += bytes;
  ++session.queued;
  return true;
}

uint64_t DigestOf(const Context& context, std::string_view key) {
  const snapshot::Snapshot* snapshot = context.snapshot();
  if (snapshot == nullptr) return 0;
  const auto value = snapshot->Find(key, snapshot->Hash(key));
  if (!value || value->Expired(context.now_ms)) return 0;
  const uint64_t expiry =
      HashBytes("", value->expires_at_ms ? static_cast<uint64_t>(*value->expires_at_ms) : 0);
  const bool is_read = value->encoded.size() <= kMaxDigestedBytes;
  const uint64_t content =
      is_read ? HashBytes(value->encoded, 0) : snapshot->header().checksums_checksum;
  const uint64_t digest =
      HashBytes("", content ^ expiry ^ (static_cast<uint64_t>(value->type) + 1));
  return digest == 0 ? 1 : digest;
}

void Multi(Context& context, Arguments /*args*/) {
  if (context.session.Is(kInMulti)) {
    return context.reply.Error("ERR MULTI calls can not be nested");
  }
  context.session.Set(kInMulti);
  context.reply.Simple("OK");
}

void Exec(Context& context, Arguments /*args*/) { context.reply.Error("ERR EXEC without MULTI"); }

void Discard(Context& context, Arguments /*args*/) {
  if (!context.session.Is(kInMulti)) return context.reply.Error("ERR DISCARD without MULTI");
  EndTransaction(context.session);
  context.reply.Simple("OK");
}

void Watch(Context& context, Arguments args) {
  Session& session = context.session;
  if (session.Is(kInMulti)) return context.reply.Error("ERR WATCH inside MULTI is not allowed");
  Transaction& transaction = TransactionOf(session);
  for (const std::string_view key : args.subspan(1)) {
    const uint64_t bytes = sizeof(WatchedKey) + key.size();
    if (!Fits(session, bytes)) {
      return context.reply.Error(
          fmt::format("ERR the watched keys take more than the {} bytes that a transaction may",
                      session.max_transaction_bytes));
    }
    transaction.watched.push_back(
        {.database = session.database, .key = std::string(key), .digest = DigestOf(context, key)});
    transaction.bytes += bytes;
    ++session.watched;
  }
  context.reply.Simple("OK");
}

// Inside a transaction EXEC has looked at the watched keys before.
void Unwatch(Context& context, Arguments /*args*/) {
  if (!context.in_transaction) context.session.watched = 0;
  context.reply.Simple("OK");
}

}  // namespace larder::command
