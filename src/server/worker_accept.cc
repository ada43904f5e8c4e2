// Worker: connections come and go.
#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "server/limits.h"
#include "server/worker.h"

namespace larder::server {

namespace {

void SetOption(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

void ConfigureTcp(int fd) {
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kKeepaliveSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kKeepaliveSeconds / 3);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace

bool Worker::WatchListener(ListenerSource& listener) {
  epoll_event event{};
  // Of the workers that share a socket, wake one.
  event.events = EPOLLIN | (listener.socket.shared ? uint32_t{EPOLLEXCLUSIVE} : 0);
  event.data.ptr = &listener;
  return ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, listener.socket.fd, &event) == 0;
}

void Worker::OpenListener(const ListeningSocket& socket) {
  for (const auto& known : listeners_) {
    if (known->socket.fd != socket.fd) continue;
    known->socket.entrance = socket.entrance;
    return;
  }
  listeners_.push_back(std::make_unique<ListenerSource>());
  ListenerSource& listener = *listeners_.back();
  listener.kind = EventSource::Kind::kListener;
  listener.socket = socket;
  if (stopping_ || accept_again_ms_ != 0) return;
  if (!WatchListener(listener)) RestAccepting(errno);
}

// Whoever has connected already is let in first (the Listener refuses new ones by now).
void Worker::DropListener(const ListeningSocket& socket) {
  const auto found = std::ranges::find_if(
      listeners_, [&](const auto& listener) { return listener->socket.fd == socket.fd; });
  if (found == listeners_.end()) return;
  ListenerSource& listener = **found;
  if (!stopping_) {
    for (int round = 0; round < kDrainRounds && Accept(listener); ++round) {
    }
  }
  ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, listener.socket.fd, nullptr);
  listener.socket.fd = -1;
  dropped_listeners_.push_back(std::move(*found));
  listeners_.erase(found);
}

// Returns whether there may be more to accept.
bool Worker::Accept(ListenerSource& listener) {
  if (listener.socket.fd < 0) return false;  // dropped in this round
  for (int accepted = 0; accepted < kAcceptsPerRound; ++accepted) {
    Address peer;
    peer.length = sizeof(peer.storage);
    io::Descriptor socket(
        ::accept4(listener.socket.fd, peer.raw(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.open()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        RestAccepting(errno);
      } else if (accept_fails_) {
        accept_fails_ = false;
        LogInfo("accepting connections again");
      }
      return false;
    }
    AddConnection(std::move(socket), peer, *listener.socket.entrance);
  }
  return true;
}

void Worker::AddConnection(io::Descriptor socket, const Address& peer, const Entrance& entrance) {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  if (shared_.connected_clients.fetch_add(1, kRelaxed) >= shared_.max_clients.load(kRelaxed)) {
    shared_.connected_clients.fetch_sub(1, kRelaxed);
    shared_.rejected_connections.fetch_add(1, kRelaxed);
    if (entrance.tls != nullptr) return;  // plain text would look like a broken handshake
    constexpr std::string_view kFull = "-ERR max number of clients reached\r\n";
    [[maybe_unused]] const ssize_t sent =
        ::send(socket.number(), kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  shared_.total_connections.fetch_add(1, kRelaxed);
  if (!peer.unix_socket()) ConfigureTcp(socket.number());
  auto made = std::make_unique<Connection>(settings_->options.request);
  Connection& connection = *made;
  connection.socket = std::move(socket);
  connection.session.id = shared_.next_client_id.fetch_add(1, kRelaxed);
  std::ignore = command::Adopt(connection.session, settings_->options.users);
  SetSessionLimits(connection.session);
  connection.session.read_only_is_noperm = entrance.read_only_is_noperm;
  connection.card.id = connection.session.id;
  connection.card.fd = connection.socket.number();
  connection.card.peer = peer;
  connection.card.created_ms = clock_ms_;
  connection.card.active_ms.store(clock_ms_, kRelaxed);
  connections_.emplace(connection.card.id, std::move(made));
  registry_.Add(connection.card);
  idle_.Add(connection);

  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = static_cast<EventSource*>(&connection);
  connection.registered_events = EPOLLIN;
  if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, connection.socket.number(), &event) != 0)
    return Close(connection);
  if (entrance.tls == nullptr) return;
  connection.tls = TlsStream::Accept(*entrance.tls, connection.socket.number());
  if (connection.tls == nullptr) return Close(connection);
  handshakes_.push_back(
      {connection.card.id, clock_ms_ + settings_->options.handshake_timeout.count()});
}

void Worker::RestAccepting(int error_number) {
  // Once, however long it lasts.
  if (!std::exchange(accept_fails_, true)) {
    LogWarning(fmt::format("cannot accept connections for now: {}",
                           std::generic_category().message(error_number)));
  }
  // The listening socket stays readable: without this the loop would spin on it.
  for (const auto& listener : listeners_)
    ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, listener->socket.fd, nullptr);
  accept_again_ms_ = clock_ms_ + kAcceptRest.count();
}

void Worker::CloseSlowHandshakes() {
  while (!handshakes_.empty()) {
    const Handshake& oldest = handshakes_.front();
    const auto found = connections_.find(oldest.connection);
    const bool done = found == connections_.end() || found->second->closed ||
                      found->second->tls->handshake_done();
    if (!done && clock_ms_ < oldest.deadline_ms) return;
    if (!done) {
      LogDebug(fmt::format("client {} of {} closed: its TLS handshake takes too long",
                           oldest.connection, found->second->card.peer.ToString()));
      Close(*found->second);
    }
    handshakes_.pop_front();
  }
}

void Worker::CloseIdle() {
  const int64_t idle_ms = shared_.idle_timeout_seconds.load(std::memory_order_relaxed) * 1000;
  if (idle_ms == 0) return;
  while (Connection* const connection = idle_.longest_idle()) {
    if (clock_ms_ - connection->idle_since_ms() < idle_ms) return;
    if (connection->suspended || connection->subscribes() ||
        connection->session.Is(command::kMonitoring)) {
      // It waits for us, not we for it. For how long is still told to whoever asks.
      connection->spared_ms = clock_ms_;
      idle_.MoveToEnd(*connection);
    } else {
      Close(*connection);
    }
  }
}

void Worker::Close(Connection& connection) {
  if (connection.closed) return;
  connection.closed = true;
  registry_.Remove(connection.card);  // before the descriptor's number can be another's
  idle_.Remove(connection);
  std::erase(ready_, &connection);
  LeaveAll(connection);
  ForgetWaits(connection);
  // An end without a word when something is missing.
  if (connection.tls != nullptr && connection.reply.empty()) connection.tls->SendEnd();
  io::Descriptor(std::move(connection.socket));
  shared_.connected_clients.fetch_sub(1, std::memory_order_relaxed);
  graveyard_.push_back(&connection);
}

}  // namespace larder::server
