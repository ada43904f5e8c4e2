// Worker: what its connections follow: channels, invalidations, commands of others.
#include <algorithm>
#include <utility>

#include "base/glob.h"
#include "server/worker.h"

namespace larder::server {

using command::ChannelKind;

namespace {

Following& FollowingOf(Connection& connection) {
  if (connection.following == nullptr) connection.following = std::make_unique<Following>();
  return *connection.following;
}

// What CLIENT LIST tells of it.
void PublishFollowing(Connection& connection) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const Following& following = *connection.following;
  ClientCard& card = connection.card;
  card.channels.store(following.Of(ChannelKind::kChannel).size(), kRelaxed);
  card.patterns.store(following.Of(ChannelKind::kPattern).size(), kRelaxed);
  card.shard_channels.store(following.Of(ChannelKind::kShard).size(), kRelaxed);
  const command::TrackingOptions& tracking = following.tracking;
  card.redirects_to.store(tracking.on ? static_cast<int64_t>(tracking.redirect) : -1, kRelaxed);
  card.tracks_broadcasts.store(tracking.broadcast, kRelaxed);
  card.broken_redirect.store(tracking.broken_redirect, kRelaxed);
}

}  // namespace

bool Worker::Subscribe(ChannelKind kind, std::string_view name) {
  Connection& connection = *current_;
  Following& following = FollowingOf(connection);
  const bool first = !following.subscribes();
  if (!following.Of(kind).emplace(name).second) return false;
  followers_.Join(connection, kind, name, shared_.channels.Join(index_, kind, name));
  if (first) shared_.pubsub_clients.fetch_add(1, std::memory_order_relaxed);
  connection.session.Set(command::kSubscribed);
  PublishFollowing(connection);
  return true;
}

bool Worker::Unsubscribe(ChannelKind kind, std::string_view name) {
  Connection& connection = *current_;
  if (connection.following == nullptr) return false;
  Following& following = *connection.following;
  const auto found = following.Of(kind).find(name);
  if (found == following.Of(kind).end()) return false;
  followers_.Leave(connection, kind, name);
  shared_.channels.Leave(index_, kind, name);
  following.Of(kind).erase(found);
  if (!following.subscribes()) {
    shared_.pubsub_clients.fetch_sub(1, std::memory_order_relaxed);
    connection.session.Set(command::kSubscribed, false);
  }
  PublishFollowing(connection);
  return true;
}

// A client that sends to itself has the message before the reply, as in Redis; everybody else gets
// it by the mailbox of their worker.
uint64_t Worker::Publish(ChannelKind kind, std::string_view channel, std::string_view message) {
  Connection& connection = *current_;
  const ChannelHub::Sent sent =
      shared_.channels.Publish(kind, channel, message, connection.session.id);
  if (sent.publication == nullptr || !connection.subscribes()) return sent.receivers;
  const Following& following = *connection.following;
  if (following.Of(kind).contains(channel)) Deliver(connection, sent.publication, nullptr);
  if (kind == ChannelKind::kShard) return sent.receivers;
  for (const std::string& pattern : following.Of(ChannelKind::kPattern)) {
    if (GlobMatches(pattern, channel)) Deliver(connection, sent.publication, &pattern);
  }
  return sent.receivers;
}

void Worker::JoinTrackers(Connection& connection) {
  const command::TrackingOptions& tracking = connection.following->tracking;
  followers_.trackers().push_back(&connection);
  shared_.tracking_clients.fetch_add(1, std::memory_order_relaxed);
  for (const std::string& prefix : tracking.prefixes) shared_.tracking_prefixes.Add(prefix);
}

void Worker::LeaveTrackers(Connection& connection) {
  const command::TrackingOptions& tracking = connection.following->tracking;
  if (!tracking.on) return;
  std::erase(followers_.trackers(), &connection);
  shared_.tracking_clients.fetch_sub(1, std::memory_order_relaxed);
  for (const std::string& prefix : tracking.prefixes) shared_.tracking_prefixes.Remove(prefix);
}

void Worker::SetTracking(command::TrackingOptions options) {
  Connection& connection = *current_;
  if (connection.following == nullptr && !options.on) return;
  Following& following = FollowingOf(connection);
  LeaveTrackers(connection);
  following.tracking = std::move(options);
  following.tracking.broken_redirect = false;
  if (following.tracking.on) JoinTrackers(connection);
  PublishFollowing(connection);
}

void Worker::StartMonitoring() {
  Connection& connection = *current_;
  if (connection.session.Is(command::kMonitoring)) return;
  connection.session.Set(command::kMonitoring);
  followers_.monitors().push_back(&connection);
  monitors_.fetch_add(1, std::memory_order_relaxed);
  shared_.instruments.monitors.fetch_add(1, std::memory_order_relaxed);
}

void Worker::StopMonitoring() { LeaveMonitors(*current_); }

void Worker::LeaveMonitors(Connection& connection) {
  if (!connection.session.Is(command::kMonitoring)) return;
  connection.session.Set(command::kMonitoring, false);
  std::erase(followers_.monitors(), &connection);
  monitors_.fetch_sub(1, std::memory_order_relaxed);
  shared_.instruments.monitors.fetch_sub(1, std::memory_order_relaxed);
}

// Who executes the command and monitors has the line behind the reply at once.
void Worker::TellMonitors(std::string_view line) {
  std::string whole;
  whole.reserve(line.size() + 3);
  whole.append("+").append(line).append("\r\n");
  if (current_->session.Is(command::kMonitoring)) current_->reply.Append(whole);
  const auto shared_line = std::make_shared<const std::string>(std::move(whole));
  for (const auto& worker : shared_.workers) {
    if (worker->monitors() != 0) worker->Send(MonitorLine{shared_line, current_->session.id});
  }
}

// For a connection that closes.
void Worker::LeaveAll(Connection& connection) {
  LeaveMonitors(connection);
  if (connection.following == nullptr) return;
  LeaveTrackers(connection);
  Following& following = *connection.following;
  if (following.subscribes()) shared_.pubsub_clients.fetch_sub(1, std::memory_order_relaxed);
  for (const ChannelKind kind :
       {ChannelKind::kChannel, ChannelKind::kPattern, ChannelKind::kShard}) {
    for (const std::string& name : following.Of(kind)) {
      followers_.Leave(connection, kind, name);
      shared_.channels.Leave(index_, kind, name);
    }
  }
  connection.following = nullptr;
}

}  // namespace larder::server
