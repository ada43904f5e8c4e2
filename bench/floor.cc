// larder_floor: the least that a server can do. Reads, counts the requests by their length, and
// sends the same reply for each; parses nothing and looks nothing up. What a real server needs
// beyond this is its own; the rest is the kernel's.
//
// One thread, one epoll, level-triggered, one read and one write a round: as real servers have it.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

struct Options {
  int port = 0;
  std::string request_file;
  std::string reply_file;
};

void Must(bool done, const char* what) {
  if (!done)
    throw std::runtime_error(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

std::string BytesOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  Must(file.good(), path.c_str());
  return {std::istreambuf_iterator<char>(file), {}};
}

// What a connection has asked beyond whole requests, and which of the prepared replies' bytes could
// not be sent yet.
struct Connection {
  size_t asked = 0;
  size_t sent = 0;
  size_t to_send = 0;
  bool waits_to_send = false;
};

class Floor {
 public:
  Floor(size_t request_bytes, const std::string& reply)
      : request_bytes_(request_bytes), reply_bytes_(reply.size()) {
    constexpr size_t kPreparedBytes = 1 << 16;
    do {
      replies_ += reply;
    } while (replies_.size() < kPreparedBytes);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    Must(epoll_ >= 0, "epoll_create1");
  }

  void Listen(int port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Must(listener_ >= 0, "socket");
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Must(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0, "bind");
    Must(::listen(listener_, SOMAXCONN) == 0, "listen");
    Watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void Serve() {
    std::vector<epoll_event> events(256);
    for (;;) {
      const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        if (event.data.fd == listener_) {
          Accept();
        } else {
          Answer(event.data.fd);
        }
      }
    }
  }

 private:
  void Watch(int fd, uint32_t what, int operation) const {
    epoll_event event{};
    event.events = what;
    event.data.fd = fd;
    Must(::epoll_ctl(epoll_, operation, fd, &event) == 0, "epoll_ctl");
  }

  void Accept() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    Watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    connections_[fd] = {};
  }

  void Close(int fd) {
    connections_.erase(fd);
    ::close(fd);
  }

  void Answer(int fd) {
    Connection& connection = connections_[fd];
    if (connection.to_send > 0) return SendRest(fd, connection);
    const ssize_t got = ::recv(fd, input_, sizeof(input_), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close(fd);
    connection.asked += static_cast<size_t>(got);
    const size_t requests = connection.asked / request_bytes_;
    connection.asked %= request_bytes_;
    if (requests == 0) return;
    while (replies_.size() < requests * reply_bytes_) replies_ += replies_;
    connection.sent = 0;
    connection.to_send = requests * reply_bytes_;
    SendRest(fd, connection);
  }

  void SendRest(int fd, Connection& connection) {
    const ssize_t sent =
        ::send(fd, replies_.data() + connection.sent, connection.to_send, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return Close(fd);
    const size_t done = sent < 0 ? 0 : static_cast<size_t>(sent);
    connection.sent += done;
    connection.to_send -= done;
    const bool waits = connection.to_send > 0;
    if (waits == connection.waits_to_send) return;
    connection.waits_to_send = waits;
    Watch(fd, waits ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
  }

  const size_t request_bytes_;
  const size_t reply_bytes_;
  std::string replies_;  // many in a row
  int epoll_ = -1;
  int listener_ = -1;
  std::map<int, Connection> connections_;
  char input_[1 << 16] = {};
};

int Main(int argc, char** argv) {
  CLI::App app("Sends the same reply for each so many bytes that come, on loopback.");
  Options options;
  app.add_option("--port", options.port)->required();
  app.add_option("--request", options.request_file, "a file; only its length counts")->required();
  app.add_option("--reply", options.reply_file, "a file")->required();
  CLI11_PARSE(app, argc, argv);
  Floor floor(BytesOf(options.request_file).size(), BytesOf(options.reply_file));
  floor.Listen(options.port);
  floor.Serve();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "larder_floor: %s\n", error.what());
    return 1;
  }
}
