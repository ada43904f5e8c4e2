#include "server/listener.h"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <linux/filter.h>
#include <netinet/in.h>

#include "base/log.h"

namespace larder::server {

namespace {

Result<io::Descriptor> NewSocket(const Address& address) {
  io::Descriptor made(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.open())
    return std::unexpected(ErrnoError(errno, "cannot make a socket for", address.ToString()));
  return made;
}

void Enable(const io::Descriptor& socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket.number(), level, option, &on, sizeof(on));
}

Result<io::Descriptor> ListenTcp(const Address& address, bool share_port) {
  LARDER_ASSIGN(io::Descriptor socket, NewSocket(address));
  Enable(socket, SOL_SOCKET, SO_REUSEADDR);
  if (share_port) Enable(socket, SOL_SOCKET, SO_REUSEPORT);
  if (address.family() == AF_INET6) Enable(socket, IPPROTO_IPV6, IPV6_V6ONLY);
  if (::bind(socket.number(), address.raw(), address.length) != 0 ||
      ::listen(socket.number(), kListenBacklog) != 0) {
    return std::unexpected(ErrnoError(errno, "cannot listen on", address.ToString()));
  }
  return socket;
}

// Lets the kernel drop what asks for a new connection (SYN) before it reaches the socket.
// Handshakes that have begun still end in the backlog. Whoever is dropped asks again, and by then
// nobody listens. (Closing a socket, or shutting it down, would cut off those in its backlog.)
void DropConnectionRequests(const io::Descriptor& socket) {
  constexpr uint32_t kFlagsByte = 13;
  constexpr uint32_t kSyn = 0x02;
  std::array<sock_filter, 4> program = {{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlagsByte},
      {BPF_JMP | BPF_JSET | BPF_K, 0, 1, kSyn},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, UINT32_MAX},
  }};
  const sock_fprog filter{static_cast<uint16_t>(program.size()), program.data()};
  // Where there are no filters a connection may come between the last look and the close.
  ::setsockopt(socket.number(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
}

}  // namespace

void Listener::RefuseNew() {
  for (const io::Descriptor& socket : sockets_) {
    if (address_.unix_socket()) {
      ::shutdown(socket.number(), SHUT_RD);  // keeps its backlog, unlike TCP's
    } else {
      DropConnectionRequests(socket);
    }
  }
}

Result<Listener> Listener::Open(const Address& address, unsigned workers) {
  Listener listener(address);
  LARDER_TRY(address.unix_socket() ? listener.OpenUnix() : listener.OpenTcp(workers));
  return listener;
}

Listener::~Listener() {
  if (!owns_name_ || sockets_.empty()) return;
  const auto removed = io::RealFileSystem().Remove(address_.path());
  if (!removed) LogWarning(removed.error().message());
}

Result<void> Listener::OpenTcp(unsigned workers) {
  LARDER_ASSIGN(io::Descriptor first, ListenTcp(address_, false));
  if (::getsockname(first.number(), address_.raw(), &address_.length) != 0)
    return std::unexpected(ErrnoError(errno, "cannot read the port of", address_.ToString()));
  Enable(first, SOL_SOCKET, SO_REUSEPORT);
  sockets_.push_back(std::move(first));
  while (sockets_.size() < workers) {
    LARDER_ASSIGN(io::Descriptor next, ListenTcp(address_, true));
    sockets_.push_back(std::move(next));
  }
  return {};
}

Result<void> Listener::OpenUnix() {
  // The lock decides between two Larders; asking decides against anybody else who listens there.
  LARDER_ASSIGN(lock_, io::RealFileSystem().Lock(address_.path() + ".lock"));
  LARDER_ASSIGN(io::Descriptor socket, NewSocket(address_));
  if (::connect(socket.number(), address_.raw(), address_.length) == 0 || errno == EAGAIN) {
    return Fail(ErrorCode::kBusy, fmt::format("cannot listen on {}: another server listens there",
                                              address_.ToString()));
  }
  if (errno == ECONNREFUSED) {
    const auto info = io::RealFileSystem().Stat(address_.path());
    if (info && info->kind != io::FileKind::kOther) {
      return Fail(ErrorCode::kAlreadyExists,
                  fmt::format("cannot listen on {}: there is a file that is not a socket",
                              address_.ToString()));
    }
    LARDER_TRY(io::RealFileSystem().Remove(address_.path()));
  }
  LARDER_ASSIGN(socket, NewSocket(address_));
  if (::bind(socket.number(), address_.raw(), address_.length) != 0)
    return std::unexpected(ErrnoError(errno, "cannot listen on", address_.ToString()));
  owns_name_ = true;
  sockets_.push_back(std::move(socket));
  if (::listen(sockets_[0].number(), kListenBacklog) != 0)
    return std::unexpected(ErrnoError(errno, "cannot listen on", address_.ToString()));
  return {};
}

}  // namespace larder::server
