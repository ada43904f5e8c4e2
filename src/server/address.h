// Address: where a server listens or a client connects, read from text and printed again.
//
// "127.0.0.1:6380", "localhost:6380" (127.0.0.1), "[::1]:6380", "unix:/run/larder.sock". Hosts are
// numeric: a name that resolves differently tomorrow has no place in a server's configuration.
//
// Threads: a value. Errors: kInvalidArgument with what was found and what is expected.
#pragma once

#include <string>
#include <string_view>

#include <sys/socket.h>

#include "base/error.h"

namespace larder::server {

struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  bool unix_socket() const { return storage.ss_family == AF_UNIX; }
  // Reachable from this machine only.
  bool local() const;
  uint16_t port() const;         // 0 for a Unix socket
  std::string path() const;      // of a Unix socket
  std::string ToString() const;  // "127.0.0.1:6380", "[::1]:6380", "unix:/run/larder.sock"
};

Result<Address> ParseAddress(std::string_view text);

}  // namespace larder::server
