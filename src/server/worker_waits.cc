// Worker: connections that wait: paused by CLIENT PAUSE, or blocked by a command.
#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "command/admission.h"
#include "command/table.h"
#include "command/transaction.h"
#include "server/worker.h"

namespace larder::server {

namespace {

// What replicas of a Redis would be told of, though it writes nothing: a pause of writes holds it
// back. (What writes is refused here at once, as by a replica.)
bool MayReplicate(const command::CommandSpec* spec) {
  constexpr std::string_view kNames[] = {"pfcount", "publish", "spublish"};
  return spec != nullptr && std::ranges::find(kNames, spec->name) != std::end(kNames);
}

bool QueuedMayReplicate(const command::Session& session) {
  if (session.transaction == nullptr) return false;
  const auto queued = std::span(session.transaction->queued).first(session.queued);
  return std::ranges::any_of(queued, [](const auto& one) { return MayReplicate(one.spec); });
}

// Redis refuses before it looks at a pause.
bool IsRefused(const command::Session& session, std::span<const std::string_view> args) {
  const command::CommandSpec* spec = command::FindCommand(args[0]);
  if (spec != nullptr && !spec->subcommands.empty() && args.size() > 1)
    spec = command::FindSubcommand(*spec, args[1]);
  return spec == nullptr || !spec->ArityFits(args.size()) || command::IsRefused(session, *spec);
}

}  // namespace

bool Worker::IsPostponed(const Connection& connection, const command::Request& request,
                         Pause::Kind kind) const {
  const command::Session& session = connection.session;
  // To Redis a monitor is a replica, and those are never paused.
  if (session.Is(command::kMonitoring)) return false;
  if (kind == Pause::Kind::kWrites) {
    const command::CommandSpec* const spec = command::FindCommand(arguments_[request.first]);
    const bool executes = spec != nullptr && spec->name == "exec";
    if (!MayReplicate(spec) && !(executes && QueuedMayReplicate(session))) return false;
  }
  return !IsRefused(
      session, std::span<const std::string_view>(arguments_).subspan(request.first, request.count));
}

// Those of `requests` that a pause lets through, one at a time: what it does may change what holds
// of the next. When it lets none through, the connection is suspended until it ends.
std::span<const command::Request> Worker::NotPostponed(Connection& connection,
                                                       std::span<const command::Request> requests) {
  const Pause::Kind kind = stopping_ ? Pause::Kind::kNone : shared_.pause.kind(clock_ms_);
  if (kind == Pause::Kind::kNone) return requests;
  if (!IsPostponed(connection, requests[0], kind)) return requests.first(1);
  connection.suspended = true;
  connection.postponed = true;
  connection.card.postponed.store(true, std::memory_order_relaxed);
  shared_.blocked_clients.fetch_add(1, std::memory_order_relaxed);
  postponed_.push_back(connection.session.id);
  return {};
}

void Worker::ResumePostponed() {
  std::vector<uint64_t> clients;
  clients.swap(postponed_);
  for (const uint64_t client : clients) {
    Connection* const connection = Find(client);
    if (connection == nullptr || !connection->postponed) continue;
    ForgetWaits(*connection);
    connection->suspended = false;
    Resume(*connection);
  }
}

// Once it is known that the batch stands.
void Worker::BeginBlock(Connection& connection) {
  BlockedCall& blocked = *connection.blocked;
  blocked.begun = true;
  blocked.until_ms = INT64_MAX;
  const int64_t now_ms = ExactClockMs();
  if (blocked.timeout_ms != 0 && blocked.timeout_ms < static_cast<uint64_t>(INT64_MAX - now_ms))
    blocked.until_ms = now_ms + static_cast<int64_t>(blocked.timeout_ms);
  if (stopping_) blocked.until_ms = clock_ms_;
  blocked_until_.emplace(blocked.until_ms, connection.session.id);
  shared_.blocked_clients.fetch_add(1, std::memory_order_relaxed);
  connection.card.blocked.store(true, std::memory_order_relaxed);
}

void Worker::EndBlock(Connection& connection, std::string_view reply) {
  if (!connection.session.Is(command::kRepliesOff) &&
      !connection.session.Is(command::kSkipsThisReply)) {
    connection.reply.Append(reply);
  }
  connection.session.Set(command::kSkipsThisReply, false);
  ForgetWaits(connection);
  connection.suspended = false;
  connection.session.batch_end &= static_cast<uint8_t>(~command::kDeferred);
  Resume(connection);
}

// Those whose time has passed. Who unblocks a client by command has taken its card's mark, and a
// letter about it is on its way.
void Worker::EndBlocks(int64_t until_ms) {
  std::vector<uint64_t> clients;
  for (const auto& [deadline_ms, client] : blocked_until_) {
    if (deadline_ms > until_ms) break;
    clients.push_back(client);
  }
  for (const uint64_t client : clients) {
    Connection* const connection = Find(client);
    if (connection == nullptr || connection->blocked == nullptr) continue;
    if (connection->card.blocked.exchange(false, std::memory_order_relaxed))
      EndBlock(*connection, std::string(connection->blocked->reply));
  }
}

// For a connection that closes, or goes on.
void Worker::ForgetWaits(Connection& connection) {
  if (std::exchange(connection.postponed, false)) {
    connection.card.postponed.store(false, std::memory_order_relaxed);
    shared_.blocked_clients.fetch_sub(1, std::memory_order_relaxed);
  }
  if (connection.blocked == nullptr) return;
  const auto blocked = std::exchange(connection.blocked, nullptr);
  if (!blocked->begun) return;
  connection.card.blocked.store(false, std::memory_order_relaxed);
  shared_.blocked_clients.fetch_sub(1, std::memory_order_relaxed);
  blocked_until_.erase({blocked->until_ms, connection.session.id});
}

void Worker::OnWaitTimers() {
  if (!blocked_until_.empty() && blocked_until_.begin()->first <= clock_ms_) EndBlocks(clock_ms_);
  if (!shared_.pause.possible()) [[likely]]
    return;
  shared_.pause.EndIfOver(clock_ms_);
  if (!postponed_.empty() && !shared_.pause.possible()) ResumePostponed();
}

}  // namespace larder::server
