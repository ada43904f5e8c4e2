// Worker: what other threads have sent to it and to its connections.
#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/log.h"
#include "server/limits.h"
#include "server/worker.h"

namespace larder::server {

namespace {

constexpr std::string_view kInvalidationChannel = "__redis__:invalidate";

void PushHead(resp::ReplyWriter& writer, uint64_t count) {
  if (writer.protocol() >= 3) return writer.Push(count);
  writer.Array(count);
}

// A connection that is about to close gets nothing more.
bool MayTell(const Connection& connection) { return !connection.closed && !connection.closing; }

bool NeverDamaged(const void* /*owner*/) { return false; }

}  // namespace

Connection* Worker::Find(uint64_t client) const {
  const auto found = connections_.find(client);
  return found == connections_.end() || found->second->closed ? nullptr : found->second.get();
}

void Worker::TakeLetters() {
  mailbox_.Take(taken_);
  if (taken_.lost) CloseFollowers();
  for (Letter& letter : taken_.letters) {
    std::visit([this](auto& one) { TakeLetter(one); }, letter);
    if (touched_bytes_ > kRoundReplyBytes) FlushTouched();
  }
  if (taken_.letters.capacity() > kKeepLetters) std::vector<Letter>().swap(taken_.letters);
  taken_.letters.clear();
  FlushTouched();
}

void Worker::TakeLetter(DeferralEnd& end) {
  Connection* const connection = Find(end.connection);
  if (connection == nullptr) return;
  command::Session& session = connection->session;
  if (!end.reply.empty() &&
      (session.Is(command::kRepliesOff) || session.Is(command::kSkipsThisReply))) {
    end.reply.Clear();
    session.Set(command::kSkipsThisReply, false);
  }
  if (connection->reply.empty()) {
    std::swap(connection->reply, end.reply);
  } else {
    connection->reply.Append(end.reply.ToString());
  }
  connection->suspended = false;
  session.batch_end &= static_cast<uint8_t>(~command::kDeferred);
  Resume(*connection);
}

void Worker::TakeLetter(const Delivery& delivery) {
  followers_.ForEach(*delivery.publication,
                     [&](Connection& connection, const std::string* pattern) {
                       if (connection.session.id == delivery.publication->publisher) return;
                       if (MayTell(connection)) Deliver(connection, delivery.publication, pattern);
                     });
}

void Worker::Deliver(Connection& connection, const std::shared_ptr<const Publication>& publication,
                     const std::string* pattern) {
  resp::ReplyWriter writer(connection.reply, connection.session.protocol);
  PushHead(writer, pattern == nullptr ? 3 : 4);
  if (pattern != nullptr) {
    writer.Bulk("pmessage");
    writer.Bulk(*pattern);
  } else {
    writer.Bulk(publication->kind == command::ChannelKind::kShard ? "smessage" : "message");
  }
  connection.reply.AppendBorrowed(publication->body, publication, &NeverDamaged);
  if (&connection != current_) Touch(connection, publication->body.size());
}

void Worker::TakeLetter(const MonitorLine& line) {
  for (Connection* const connection : followers_.monitors()) {
    if (connection->session.id == line.skipped || !MayTell(*connection)) continue;
    connection->reply.Append(*line.line);
    Touch(*connection, line.line->size());
  }
}

void Worker::TakeLetter(const Invalidation& /*invalidation*/) {
  for (Connection* const connection : followers_.trackers()) Invalidate(*connection);
}

void Worker::Invalidate(Connection& connection) {
  command::TrackingOptions& tracking = connection.following->tracking;
  const int protocol = connection.session.protocol;
  if (tracking.redirect == 0) return TellInvalidation(connection, protocol, false);
  if (Worker* const worker = shared_.FindWorkerOf(tracking.redirect); worker != nullptr)
    return worker->Send(RedirectedInvalidation{tracking.redirect, protocol});
  tracking.broken_redirect = true;
  connection.card.broken_redirect.store(true, std::memory_order_relaxed);
  if (protocol < 3 || !MayTell(connection)) return;
  resp::ReplyWriter writer(connection.reply, protocol);
  writer.Push(2);
  writer.Bulk("tracking-redir-broken");
  writer.Integer(static_cast<int64_t>(tracking.redirect));
  Touch(connection, 0);
}

void Worker::TakeLetter(const RedirectedInvalidation& invalidation) {
  Connection* const target = Find(invalidation.target);
  if (target != nullptr) TellInvalidation(*target, invalidation.protocol, true);
}

// What Redis sends on a flush: every key, written as a null of the client that tracks. A RESP2
// connection has no words for it, unless another client's are redirected to it while it subscribes
// to anything.
void Worker::TellInvalidation(Connection& connection, int tracking_protocol, bool redirected) {
  if (!MayTell(connection)) return;
  resp::ReplyWriter writer(connection.reply, connection.session.protocol);
  if (connection.session.protocol >= 3) {
    writer.Push(2);
    writer.Bulk("invalidate");
  } else if (redirected && connection.session.Is(command::kSubscribed)) {
    writer.Array(3);
    writer.Bulk("message");
    writer.Bulk(kInvalidationChannel);
  } else {
    return;
  }
  resp::ReplyWriter(connection.reply, tracking_protocol).Null();
  Touch(connection, 0);
}

void Worker::TakeLetter(const Unblocking& unblocking) {
  Connection* const connection = Find(unblocking.connection);
  if (connection == nullptr || connection->blocked == nullptr || !connection->blocked->begun)
    return;
  if (unblocking.error.empty()) return EndBlock(*connection, connection->blocked->reply);
  EndBlock(*connection, "-" + unblocking.error + "\r\n");
}

void Worker::TakeLetter(const Killing& killing) {
  if (Connection* const connection = Find(killing.connection); connection != nullptr)
    Close(*connection);
}

void Worker::TakeLetter(const Resumption& /*resumption*/) { ResumePostponed(); }

void Worker::Touch(Connection& connection, size_t bytes) {
  touched_bytes_ += bytes;
  if (std::exchange(connection.touched, true)) return;
  touched_.push_back(&connection);
}

void Worker::FlushTouched() {
  for (size_t i = 0; i < touched_.size(); ++i) {
    Connection& connection = *touched_[i];
    connection.touched = false;
    if (connection.closed) continue;
    Finish(connection);
    if (!connection.closed && TooSlow(connection)) Close(connection);
  }
  touched_.clear();
  touched_bytes_ = 0;
}

// Only who gets what others send has these limits: the replies of the rest are their own doing.
bool Worker::TooSlow(Connection& connection) {
  const uint64_t unsent = connection.reply.size();
  const uint64_t limit = settings_->options.max_subscriber_bytes;
  if (!connection.subscribes() && !connection.session.Is(command::kMonitoring)) return false;
  if (unsent > limit) {
    LogWarning(
        fmt::format("client {} closed: it reads too slowly, {} bytes of messages are "
                    "unsent, the limit is {}",
                    connection.card.id, unsent, limit));
    return true;
  }
  connection.soft_limit.Note(unsent, clock_ms_);
  if (!connection.soft_limit.Exceeded(clock_ms_)) return false;
  LogWarning(
      fmt::format("client {} closed: it reads too slowly, more than {} bytes of messages "
                  "are unsent for {} seconds",
                  connection.card.id, kSubscriberSoftBytes, kSubscriberSoftTime.count() / 1000));
  return true;
}

// Some of what they should have got was dropped: better no connection than one that misses it.
void Worker::CloseFollowers() {
  size_t closed = 0;
  for (const auto& [id, connection] : connections_) {
    if (connection->closed) continue;
    if (!connection->subscribes() && !connection->session.Is(command::kMonitoring)) continue;
    Close(*connection);
    ++closed;
  }
  LogWarning(
      fmt::format("{} subscribers and monitors closed: more than {} bytes of messages were "
                  "waiting for their thread",
                  closed, kMailboxBytes));
}

}  // namespace larder::server
