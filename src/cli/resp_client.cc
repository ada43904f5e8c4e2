#include "cli/resp_client.h"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "server/address.h"

namespace larder::cli {

Result<RespClient> RespClient::Connect(const std::string& address) {
  LARDER_ASSIGN(const server::Address parsed, server::ParseAddress(address));
  io::Descriptor socket(::socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval silence = {.tv_sec = kMaxSilence.count(), .tv_usec = 0};
  if (socket.open()) {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
  }
  if (!socket.open() || ::connect(socket.number(), parsed.raw(), parsed.length) != 0)
    return std::unexpected(ErrnoError(errno, "cannot connect to", address));
  return RespClient(std::move(socket), address);
}

Result<void> RespClient::Silent() const {
  return Fail(ErrorCode::kIoError,
              fmt::format("{} has not answered for {} s: is that process stopped or stuck?",
                          address_, kMaxSilence.count()));
}

Result<void> RespClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return Silent();
    if (sent < 0) return std::unexpected(ErrnoError(errno, "cannot send to", address_));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

Result<Reply> RespClient::Call(const std::vector<std::string_view>& arguments) {
  std::string request = fmt::format("*{}\r\n", arguments.size());
  for (const std::string_view argument : arguments)
    request += fmt::format("${}\r\n{}\r\n", argument.size(), argument);
  LARDER_TRY(Send(request));

  while (true) {
    Reply reply;
    size_t consumed = 0;
    const ReplyOutcome outcome = ReadReply(received_, reply, consumed);
    if (outcome == ReplyOutcome::kReply) {
      received_.erase(0, consumed);
      return reply;
    }
    if (outcome == ReplyOutcome::kMalformed)
      return Fail(ErrorCode::kCorrupt, fmt::format("{} does not speak RESP", address_));
    if (received_.size() > kMaxReplyBytes)
      return Fail(ErrorCode::kLimit, fmt::format("a reply of {} is too large", address_));
    LARDER_TRY(Receive());
  }
}

// Waits for bytes, then takes all that are there: a large reply is not parsed again for every
// piece of it.
Result<void> RespClient::Receive() {
  std::array<char, size_t{64} << 10> buffer;
  for (int flags = 0;; flags = MSG_DONTWAIT) {
    const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), flags);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && flags != 0 && errno == EAGAIN) return {};
    if (count < 0 && errno == EAGAIN) return Silent();
    if (count < 0) return std::unexpected(ErrnoError(errno, "cannot receive from", address_));
    if (count == 0) {
      // What came before the end may be the reply.
      if (flags != 0) return {};
      return Fail(ErrorCode::kIoError, fmt::format("{} closed the connection", address_));
    }
    received_.append(buffer.data(), static_cast<size_t>(count));
    if (received_.size() > kMaxReplyBytes) return {};
  }
}

}  // namespace larder::cli
