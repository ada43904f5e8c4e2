// Worker: bytes in, requests executed, replies out.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/log.h"
#include "server/limits.h"
#include "server/worker.h"

namespace larder::server {

namespace {

// Looks at what the kernel could not read. It tells nobody but the sender; a look of our own marks
// the version as damaged, so that its dataset leaves it.
void TouchPages(std::span<const iovec> pieces, const resp::ReplyBuffer& reply) {
  for (const iovec& piece : pieces) {
    const volatile char* const bytes = static_cast<const char*>(piece.iov_base);
    for (size_t at = 0; at < piece.iov_len; at += kTouchBytes) {
      static_cast<void>(bytes[at]);
      if (reply.damaged(kSendPieces)) return;
    }
    static_cast<void>(bytes[piece.iov_len - 1]);
  }
}

size_t BytesOf(std::span<const iovec> pieces) {
  size_t bytes = 0;
  for (const iovec& piece : pieces) bytes += piece.iov_len;
  return bytes;
}

// One piece, as most replies are, costs the kernel less without a message around it.
ssize_t SendPieces(int socket, std::span<const iovec> pieces) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (pieces.size() == 1) return ::send(socket, pieces[0].iov_base, pieces[0].iov_len, kFlags);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg only reads
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, kFlags);
}

ssize_t ReceiveBytes(Connection& connection, char* to, size_t room) {
  if (connection.tls != nullptr) [[unlikely]]
    return connection.tls->Receive(to, room);
  return ::recv(connection.socket.number(), to, room, MSG_DONTWAIT);
}

// TLS holds bytes that epoll knows nothing of.
bool HasMore(const Connection& connection) {
  return connection.tls != nullptr && connection.tls->has_more();
}
// TLS has to send before it can receive.
bool ReceiveWaitsToSend(const Connection& connection) {
  return connection.tls != nullptr && connection.tls->receive_waits_to_send();
}

// Nothing can be sent yet.
bool InHandshake(const Connection& connection) {
  return connection.tls != nullptr && !connection.tls->handshake_done();
}

}  // namespace

void Worker::OnConnection(Connection& connection, uint32_t events) {
  if (connection.closed) return;
  // After a hang-up nothing can be delivered; what has been received is still read first.
  const bool reading = (connection.registered_events & EPOLLIN) != 0;
  if ((events & EPOLLRDHUP) != 0 && (connection.blocked != nullptr || connection.postponed))
    return Close(connection);
  if ((events & EPOLLERR) != 0 || ((events & EPOLLHUP) != 0 && !reading)) return Close(connection);
  if ((events & EPOLLOUT) != 0) Resume(connection);
  if ((events & (EPOLLIN | EPOLLHUP)) != 0 && !connection.closed && MayExecute(connection))
    ReadAndServe(connection);
  if (stopping_ && !connection.closed) ServeUntilDrained(connection);
}

bool Worker::MayExecute(const Connection& connection) const {
  return !connection.suspended && !connection.closing && !connection.unparsed &&
         connection.reply.size() < kPauseReplyBytes;
}

// Returns whether anything was read.
bool Worker::ReadAndServe(Connection& connection) {
  std::string_view data;
  const ssize_t received = Receive(connection, data);
  return TakeReceived(connection, received, data);
}

// What came of a receive, with its errno.
bool Worker::TakeReceived(Connection& connection, ssize_t received, std::string_view data) {
  if (received < 0) {
    if (errno == EAGAIN || errno == EINTR) {
      if (connection.tls != nullptr) Finish(connection);
      return false;
    }
    if (errno == EPROTO && connection.tls != nullptr) {
      LogDebug(fmt::format("client {} of {} closed: TLS: {}", connection.card.id,
                           connection.card.peer.ToString(), connection.tls->failure()));
    }
    Close(connection);
    return false;
  }
  if (received == 0) {
    // The client sends no more, but may still read what it asked for.
    connection.closing = true;
    Finish(connection);
    return false;
  }
  NoteActive(connection);
  input_bytes_ += static_cast<uint64_t>(received);
  Serve(connection, data, !connection.input.empty());
  return true;
}

// Connections stand in the list by the clock's ticks: within one of them their order says nothing.
void Worker::NoteActive(Connection& connection) {
  if (connection.card.active_ms.load(std::memory_order_relaxed) == clock_ms_) return;
  connection.card.active_ms.store(clock_ms_, std::memory_order_relaxed);
  idle_.MoveToEnd(connection);
}

// Into the worker's memory while the connection has no unfinished request, so that thousands of
// waiting connections hold no buffer; behind the unfinished request otherwise.
ssize_t Worker::Receive(Connection& connection, std::string_view& data) {
  InputBuffer& input = connection.input;
  if (input.empty()) {
    const ssize_t received = ReceiveBytes(connection, scratch_.get(), kReadBytes);
    if (received > 0) data = {scratch_.get(), static_cast<size_t>(received)};
    return received;
  }
  const uint64_t wanted = connection.parser.wanted_bytes();
  const uint64_t missing = wanted > input.size() ? wanted - input.size() : 0;
  const size_t room = std::clamp<size_t>(missing, kReadBytes, kLargeReadBytes);
  input.Reserve(room);
  const ssize_t received = ReceiveBytes(connection, input.tail(), room);
  if (received > 0) {
    input.Added(static_cast<size_t>(received));
    data = input.view();
  }
  return received;
}

void Worker::Serve(Connection& connection, std::string_view data, bool in_own_buffer) {
  // A waiting connection holds no reply memory: it borrows the worker's while it is served.
  if (connection.reply.empty()) {
    std::swap(connection.reply, spare_reply_);
    spare_is_lent_ = true;
  }
  current_ = &connection;
  const size_t consumed = ExecuteAll(connection, data);
  current_ = nullptr;
  if (in_own_buffer) {
    connection.input.ConsumeFront(consumed);
  } else {
    connection.input.Append(data.substr(consumed));
  }
  if (connection.suspended) PostDeferredWork(connection);
  Finish(connection);
}

// Goes on after replies were sent, a deferral ended, or others had their turn.
void Worker::Resume(Connection& connection) {
  Flush(connection);
  if (connection.closed) return;
  connection.soft_limit.Note(connection.reply.size(), clock_ms_);
  if (connection.unparsed && !connection.suspended && !connection.closing &&
      connection.reply.size() < kPauseReplyBytes) {
    Serve(connection, connection.input.view(), true);
  } else if ((HasMore(connection) || ReceiveWaitsToSend(connection)) && MayExecute(connection)) {
    ReadAndServe(connection);
  } else {
    Finish(connection);
  }
  if (stopping_ && !connection.closed) ServeUntilDrained(connection);
}

// While stopping: answers what has been received, then lets the connection end.
void Worker::ServeUntilDrained(Connection& connection) {
  while (!connection.closed && MayExecute(connection)) {
    const uint64_t before = input_bytes_;
    const bool more = ReadAndServe(connection);
    connection.read_while_stopping += input_bytes_ - before;
    if (connection.closed) return;
    if (!more || connection.read_while_stopping > kStopReadBytes) {
      connection.closing = true;
      Finish(connection);
    }
  }
}

// Executes whole requests from the front of `data` and returns how many bytes they took. What
// remains is an unfinished request, or (`unparsed`) requests that must wait.
size_t Worker::ExecuteAll(Connection& connection, std::string_view data) {
  size_t consumed = 0;
  const uint64_t sent_before = output_bytes_;
  connection.unparsed = false;
  while (true) {
    const resp::ParseOutcome outcome = ParseBatch(connection, data.substr(consumed));
    const size_t executed = ExecuteBatch(connection);
    if (connection.closed || connection.closing) return data.size();
    if (executed < requests_.size()) {
      // What the parser knows of the request behind these counts from another first byte.
      connection.parser = resp::RequestParser(settings_->options.request);
      connection.unparsed = true;
      return consumed + (executed == 0 ? 0 : request_ends_[executed - 1]);
    }
    consumed += parsed_bytes_;
    connection.parser.Reset();
    if (connection.suspended) {
      connection.unparsed = true;
      return consumed;
    }
    if (outcome == resp::ParseOutcome::kIncomplete) return consumed;
    if (outcome == resp::ParseOutcome::kMalformed) {
      resp::ReplyWriter(connection.reply, connection.session.protocol)
          .Error(connection.parser.error());
      connection.closing = true;
      return data.size();
    }
    if (output_bytes_ - sent_before > kRoundReplyBytes) {
      connection.unparsed = true;
      return consumed;
    }
  }
}

// Fills arguments_, requests_, request_ends_ and parsed_bytes_ with up to kBatchRequests whole
// requests. Returns kRequest when there may be more of them.
resp::ParseOutcome Worker::ParseBatch(Connection& connection, std::string_view data) {
  arguments_.clear();
  requests_.clear();
  request_ends_.clear();
  parsed_bytes_ = 0;
  // What may come behind a stranger's request depends on whether that was an AUTH.
  const bool is_stranger = connection.session.Is(command::kNotAuthenticated);
  connection.parser.set_is_stranger(is_stranger);
  const size_t most = is_stranger ? 1 : kBatchRequests;
  while (requests_.size() < most) {
    const size_t first = arguments_.size();
    const resp::ParseOutcome outcome =
        connection.parser.Next(data.substr(parsed_bytes_), arguments_);
    if (outcome == resp::ParseOutcome::kIncomplete || outcome == resp::ParseOutcome::kMalformed)
      return outcome;
    parsed_bytes_ += connection.parser.consumed();
    if (outcome == resp::ParseOutcome::kNothing) continue;
    requests_.push_back(
        {static_cast<uint32_t>(first), static_cast<uint32_t>(arguments_.size() - first)});
    request_ends_.push_back(parsed_bytes_);
  }
  return resp::ParseOutcome::kRequest;
}

// Executes the parsed requests in order; returns how many were, all unless the connection is
// suspended, closing or must send first.
size_t Worker::ExecuteBatch(Connection& connection) {
  command::Session& session = connection.session;
  const std::span<const command::Request> requests(requests_);
  size_t executed = 0;
  while (executed < requests.size()) {
    std::span<const command::Request> next = requests.subspan(executed);
    if (shared_.pause.possible()) [[unlikely]] {
      next = NotPostponed(connection, next);
      if (next.empty()) break;
    }
    const resp::ReplyBuffer::Mark mark = connection.reply.mark();
    session_before_ = session;
    const size_t count = dispatcher_.Execute(session, arguments_, next, now_ms_, kPauseReplyBytes,
                                             connection.reply, foreseen_);
    if (dispatcher_.met_damage() && LeaveDamagedVersion(connection)) [[unlikely]] {
      connection.reply.TruncateTo(mark);
      session.state() = session_before_;
      return executed;
    }
    executed += count;
    connection.damage_retries = 0;
    if (connection.reply.size() > settings_->options.max_output_bytes) {
      LogWarning(fmt::format("client {} closed: {} bytes of replies unsent, the limit is {}",
                             session.id, connection.reply.size(),
                             settings_->options.max_output_bytes));
      Close(connection);
    }
    connection.closing = connection.closing || session.closes_after_reply();
    connection.suspended = session.deferred();
    if (connection.closed || connection.closing || connection.suspended) break;
    if (connection.reply.size() >= kPauseReplyBytes) {
      Flush(connection);
      if (connection.closed || connection.reply.size() >= kPauseReplyBytes) break;
    }
  }
  return executed;
}

// True when what was just executed read from a damaged version: the connection is suspended until
// the dataset has left it, and will execute the same requests again.
bool Worker::LeaveDamagedVersion(Connection& connection) {
  const command::Dispatcher::Damage damage = dispatcher_.TakeDamage();
  if (damage.dataset == nullptr) return false;
  connection.deferred_work = nullptr;
  connection.blocked = nullptr;
  if (++connection.damage_retries > kDamageRetries) {
    LogError(fmt::format("client {} closed: every version of {} that was tried is damaged",
                         connection.session.id, damage.dataset->options()->name));
    Close(connection);
    return true;
  }
  connection.suspended = true;
  shared_.admin.Post([this, damage, id = connection.session.id] {
    const auto left = damage.dataset->LeaveDamaged(damage.version);
    if (!left) LogError(left.error().message());
    Post({id, {}});
  });
  return true;
}

void Worker::PostDeferredWork(Connection& connection) {
  if (connection.blocked != nullptr && !connection.blocked->begun) BeginBlock(connection);
  if (!connection.deferred_work) return;
  const bool compiles = connection.deferred_waits_for == command::Host::WaitsFor::kCompile;
  AdminThreads& threads = compiles ? shared_.reloads : shared_.admin;
  threads.Post([this, id = connection.session.id, protocol = connection.session.protocol,
                work = std::exchange(connection.deferred_work, nullptr)] {
    Message message;
    message.connection = id;
    resp::ReplyWriter writer(message.reply, protocol);
    work(writer);
    Post(std::move(message));
  });
}

void Worker::Flush(Connection& connection) {
  if (InHandshake(connection)) return;
  std::array<iovec, kSendPieces> pieces;
  while (!connection.closed && !connection.reply.empty()) {
    if (connection.reply.damaged(kSendPieces)) return CloseUnreadable(connection);
    const std::span<const iovec> offered(pieces.data(),
                                         connection.reply.Pieces(pieces.data(), pieces.size()));
    const ssize_t sent = connection.tls == nullptr ? SendPieces(connection.socket.number(), offered)
                                                   : SendEncrypted(connection, offered);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return;
      if (errno != EFAULT) return Close(connection);
      TouchPages(offered, connection.reply);
      return CloseUnreadable(connection);
    }
    // Another reader may have met the bad page while the kernel copied what replaced it.
    if (connection.reply.damaged(kSendPieces)) return CloseUnreadable(connection);
    output_bytes_ += static_cast<uint64_t>(sent);
    connection.reply.Consume(static_cast<size_t>(sent));
    NoteActive(connection);
    if (static_cast<size_t>(sent) < BytesOf(offered)) return;  // the socket is full
  }
}

// As sendmsg, record by record. Each is copied and then looked at, so that what could not be read
// leaves as nothing instead of as zeros.
ssize_t Worker::SendEncrypted(Connection& connection, std::span<const iovec> pieces) {
  std::array<char, kTlsRecordBytes> record;
  size_t sent = 0;
  size_t skipped = 0;  // of the first piece
  while (!pieces.empty() && sent < kTlsSendBytes) {
    size_t filled = 0;
    size_t from = skipped;
    for (const iovec& piece : pieces) {
      const size_t part = std::min(piece.iov_len - from, record.size() - filled);
      std::memcpy(record.data() + filled, static_cast<const char*>(piece.iov_base) + from, part);
      filled += part;
      from = 0;
      if (filled == record.size()) break;
    }
    if (connection.reply.damaged(kSendPieces)) {
      errno = EFAULT;
      return -1;
    }
    const ssize_t count = connection.tls->Send({record.data(), filled});
    if (count < 0 && errno == EAGAIN && connection.tls->wants() != POLLOUT) {
      errno = EPROTO;  // sending waits for nothing else: there is no second handshake
      return -1;
    }
    if (count < 0) return sent > 0 && errno == EAGAIN ? static_cast<ssize_t>(sent) : count;
    sent += static_cast<size_t>(count);
    skipped += static_cast<size_t>(count);
    while (!pieces.empty() && skipped >= pieces[0].iov_len) {
      skipped -= pieces[0].iov_len;
      pieces = pieces.subspan(1);
    }
  }
  return static_cast<ssize_t>(sent);
}

// A page of a large reply could not be read, or is zeros by now. What has been sent of the reply
// cannot be taken back, so its end must not look like one.
void Worker::CloseUnreadable(Connection& connection) {
  LogError(fmt::format("client {} closed: its reply became unreadable", connection.card.id));
  Close(connection);
}

// The end of a connection's turn.
void Worker::Finish(Connection& connection) {
  Flush(connection);
  ReturnReplyMemory(connection);
  if (connection.reply.empty() && connection.closing && !connection.suspended) Close(connection);
  if (connection.closed) return;
  const bool more = connection.unparsed
                        ? !connection.suspended && connection.reply.size() < kPauseReplyBytes
                        : HasMore(connection) && MayExecute(connection);
  if (more && !connection.ready) {
    connection.ready = true;
    ready_.push_back(&connection);
  }
  PublishConnection(connection);
  UpdateEvents(connection);
}

void Worker::ReturnReplyMemory(Connection& connection) {
  if (connection.reply.empty()) {
    if (spare_is_lent_) {
      std::swap(connection.reply, spare_reply_);
      spare_reply_.ShrinkTo(kKeepReplyBytes);
    } else {
      connection.reply.ShrinkTo(0);
    }
  }
  spare_is_lent_ = false;  // what could not be sent stays where it is
}

void Worker::UpdateEvents(Connection& connection) {
  const bool reads = MayExecute(connection);
  const bool writes = (!connection.reply.empty() && !InHandshake(connection)) ||
                      (reads && ReceiveWaitsToSend(connection));
  // Who waits without being read from is still missed when it goes away.
  const bool waits = connection.blocked != nullptr || connection.postponed;
  const uint32_t wanted = (reads ? uint32_t{EPOLLIN} : 0) | (writes ? uint32_t{EPOLLOUT} : 0) |
                          (waits ? uint32_t{EPOLLRDHUP} : 0);
  if (wanted == connection.registered_events) return;
  epoll_event event{};
  event.events = wanted;
  event.data.ptr = static_cast<EventSource*>(&connection);
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_MOD, connection.socket.number(), &event) != 0)
    return Close(connection);
  connection.registered_events = wanted;
}

}  // namespace larder::server
