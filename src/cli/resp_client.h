// RespClient: one connection to a running server, for the subcommands that speak to it.
//
// Ownership: owns its socket. Threads: one.
// Errors:    kIoError (refused, lost), kCorrupt (no RESP), kLimit (a reply over kMaxReplyBytes); an
//            error reply is a Reply, not an Error.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/reply_reader.h"
#include "io/descriptor.h"

namespace larder::cli {

inline constexpr uint64_t kMaxReplyBytes = uint64_t{2} << 30;  // a value of 512 MiB and its kin

class RespClient {
 public:
  static Result<RespClient> Connect(const std::string& address);

  const std::string& address() const { return address_; }
  // Sends a request and waits for its reply, as long as it takes: a switch answers when it is done.
  Result<Reply> Call(const std::vector<std::string_view>& arguments);

 private:
  RespClient(io::Descriptor socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}
  Result<void> Send(std::string_view bytes);
  Result<void> Receive();

  io::Descriptor socket_;
  std::string address_;
  std::string received_;
};

}  // namespace larder::cli
