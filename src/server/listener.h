// Listener: the listening sockets of one address, one per worker.
//
// A TCP address gets a socket per worker (SO_REUSEPORT), so that the kernel spreads connections and
// workers share nothing. The first of them is bound and put to listening without SO_REUSEPORT,
// which fails when anybody listens there, be it another Larder; only then is the option set on it
// and are the others bound. So two servers that start at the same moment cannot both succeed, and a
// second one is refused instead of sharing the port. A Unix socket is one socket for all workers.
//
// Ownership:  owns its sockets; a Unix socket's file is removed with the Listener, and so is the
//             hold on the lock file beside it (PATH.lock, which stays).
// Threads:    made and destroyed by one thread; the sockets are accepted from by the workers.
// Errors:     kBusy (somebody listens there), kPermissionDenied, kInvalidArgument.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/descriptor.h"
#include "io/file_system.h"
#include "server/address.h"

namespace larder::server {

inline constexpr int kListenBacklog = 511;  // Redis's default; the kernel's somaxconn may be lower

class Listener {
 public:
  static Result<Listener> Open(const Address& address, unsigned workers);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) noexcept = default;
  ~Listener();

  // As bound: port 0 has become a real one.
  const Address& address() const { return address_; }
  // Whether it was opened for that address, or is bound to it.
  bool Serves(const Address& wanted) const {
    return requested_ == wanted.ToString() || address_.ToString() == wanted.ToString();
  }
  // From now on nobody new gets through; who has connected can still be accepted.
  void RefuseNew();
  int socket(unsigned worker) const { return sockets_[shared() ? 0 : worker].number(); }
  bool shared() const { return address_.unix_socket(); }

 private:
  explicit Listener(const Address& address) : requested_(address.ToString()), address_(address) {}
  Result<void> OpenTcp(unsigned workers);
  Result<void> OpenUnix();

  std::string requested_;
  Address address_;
  std::vector<io::Descriptor> sockets_;
  std::unique_ptr<io::FileLock> lock_;  // of a Unix socket's name
  bool owns_name_ = false;
};

}  // namespace larder::server
