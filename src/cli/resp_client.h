// RespClient: one connection to a running server, for the subcommands that speak to it; plain or
// TLS, logged in where the place says how.
//
// Ownership: owns its socket. Threads: one.
// Errors:    kIoError (refused, lost, silent for kMaxSilence), kCorrupt (no RESP), kLimit (a reply
//            over kMaxReplyBytes), kPermissionDenied (password, certificate: what to give); any
//            other error reply is a Reply, not an Error.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/reply_reader.h"
#include "cli/server_place.h"
#include "io/descriptor.h"

namespace larder::cli {

// A switch waits for the workers, which is milliseconds, and a server that compiles still answers.
inline constexpr std::chrono::seconds kMaxSilence{30};
inline constexpr uint64_t kMaxReplyBytes = uint64_t{2} << 30;  // a value of 512 MiB and its kin

class RespClient {
 public:
  static Result<RespClient> Connect(const ServerPlace& place);

  const std::string& address() const { return address_; }
  // Sends a request and waits for its reply.
  Result<Reply> Call(const std::vector<std::string_view>& arguments);

 private:
  RespClient(io::Descriptor socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}
  Result<void> LogIn(const ServerPlace& place);
  Result<void> Send(std::string_view bytes);
  Result<void> Receive();
  Result<void> Await();
  std::unexpected<Error> Lost(std::string_view doing) const;
  std::unexpected<Error> Ended() const;
  Result<void> Silent() const;

  io::Descriptor socket_;
  std::unique_ptr<server::TlsStream> tls_;  // null: plain
  std::string address_;
  std::string received_;
  bool answered_ = false;
};

}  // namespace larder::cli
