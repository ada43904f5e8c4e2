// WorkerHost: what commands do to connections: subscribing, tracking, monitoring, waiting, killing.
#include <algorithm>
#include <utility>

#include "server/worker.h"
#include "server/worker_host.h"

namespace larder::server {

using command::ChannelKind;

void WorkerHost::Block(command::Session& session, uint64_t timeout_ms, std::string reply) {
  session.batch_end |= command::kDeferred;
  auto blocked = std::make_unique<BlockedCall>();
  blocked->timeout_ms = timeout_ms;
  blocked->reply = std::move(reply);
  worker_.current()->blocked = std::move(blocked);
}

bool WorkerHost::Unblock(uint64_t id, std::string_view error) {
  for (const auto& worker : worker_.shared().workers) {
    if (!worker->registry().TakeBlocked(id)) continue;
    worker->Send(Unblocking{id, std::string(error)});
    return true;
  }
  return false;
}

bool WorkerHost::Subscribe(command::Session&, ChannelKind kind, std::string_view name) {
  return worker_.Subscribe(kind, name);
}

bool WorkerHost::Unsubscribe(command::Session&, ChannelKind kind, std::string_view name) {
  return worker_.Unsubscribe(kind, name);
}

std::vector<std::string> WorkerHost::Subscriptions(const command::Session&,
                                                   ChannelKind kind) const {
  const Connection& connection = *worker_.current();
  if (connection.following == nullptr) return {};
  const auto& names = connection.following->Of(kind);
  return {names.begin(), names.end()};
}

uint64_t WorkerHost::SubscriptionCount(const command::Session&, ChannelKind kind) const {
  const Connection& connection = *worker_.current();
  return connection.following == nullptr ? 0 : connection.following->Of(kind).size();
}

uint64_t WorkerHost::Publish(ChannelKind kind, std::string_view channel, std::string_view message) {
  return worker_.Publish(kind, channel, message);
}

std::vector<std::pair<std::string, uint64_t>> WorkerHost::Channels(ChannelKind kind) const {
  return worker_.shared().channels.Names(kind);
}

uint64_t WorkerHost::Subscribers(ChannelKind kind, std::string_view name) const {
  return worker_.shared().channels.Subscribers(kind, name);
}

Result<void> WorkerHost::SetTracking(command::Session&, command::TrackingOptions options) {
  if (options.redirect != 0 && worker_.shared().FindWorkerOf(options.redirect) == nullptr) {
    return Fail(ErrorCode::kNotFound, "there is no such client to redirect to");
  }
  worker_.SetTracking(std::move(options));
  return {};
}

command::TrackingOptions WorkerHost::Tracking(const command::Session&) const {
  const Connection& connection = *worker_.current();
  return connection.following == nullptr ? command::TrackingOptions()
                                         : connection.following->tracking;
}

void WorkerHost::StartMonitoring(command::Session&) { worker_.StartMonitoring(); }

void WorkerHost::StopMonitoring(command::Session&) { worker_.StopMonitoring(); }

void WorkerHost::TellMonitors(std::string_view line) { worker_.TellMonitors(line); }

void WorkerHost::Kill(command::Session& session, const std::vector<uint64_t>& ids) {
  for (const uint64_t id : ids) {
    if (id == session.id) {
      session.batch_end |= command::kClosesAfterReply;
      continue;
    }
    for (const auto& worker : worker_.shared().workers) {
      if (!worker->registry().Withdraw(id)) continue;
      worker->Send(Killing{id});
      break;
    }
  }
}

void WorkerHost::Pause(uint64_t timeout_ms, bool writes_only) {
  const int64_t now_ms = Worker::ExactClockMs();
  // Redis's clock overflows, and nothing is paused; for ever would be worse.
  if (timeout_ms > static_cast<uint64_t>(INT64_MAX - worker_.now_ms())) return;
  worker_.shared().pause.Begin(now_ms, now_ms + static_cast<int64_t>(timeout_ms),
                               writes_only ? Pause::Kind::kWrites : Pause::Kind::kAll);
}

void WorkerHost::Unpause() {
  worker_.shared().pause.End();
  for (const auto& worker : worker_.shared().workers) worker->Send(Resumption());
}

}  // namespace larder::server
