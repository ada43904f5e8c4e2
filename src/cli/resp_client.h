// RespClient: one connection to a running server, for the subcommands that speak to it.
//
// Ownership: owns its socket. Threads: one.
// Errors:    kIoError (refused, lost, silent for kMaxSilence), kCorrupt (no RESP), kLimit (a reply
// over kMaxReplyBytes); an
//            error reply is a Reply, not an Error.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/reply_reader.h"
#include "io/descriptor.h"

namespace larder::cli {

// A switch waits for the workers, which is milliseconds, and a server that compiles still answers.
inline constexpr std::chrono::seconds kMaxSilence{30};
inline constexpr uint64_t kMaxReplyBytes = uint64_t{2} << 30;  // a value of 512 MiB and its kin

class RespClient {
 public:
  static Result<RespClient> Connect(const std::string& address);

  const std::string& address() const { return address_; }
  // Sends a request and waits for its reply.
  Result<Reply> Call(const std::vector<std::string_view>& arguments);

 private:
  RespClient(io::Descriptor socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}
  Result<void> Send(std::string_view bytes);
  Result<void> Receive();
  Result<void> Silent() const;

  io::Descriptor socket_;
  std::string address_;
  std::string received_;
};

}  // namespace larder::cli
