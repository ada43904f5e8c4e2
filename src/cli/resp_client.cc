#include "cli/resp_client.h"

#include <array>
#include <cerrno>

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "server/address.h"

namespace larder::cli {

namespace {

// The first byte of a TLS alert; no reply begins so.
constexpr char kTlsAlert = '\x15';

Error WantsPassword(const std::string& address) {
  return {ErrorCode::kPermissionDenied,
          fmt::format("{} wants a password: have it in the environment variable {}, or in a file "
                      "that --password-file names; --user names another user than default",
                      address, kPasswordVariable)};
}

// A plain server takes the beginning of a handshake for that of a request, and waits for the rest.
constexpr std::chrono::milliseconds kHandshakeSilence{5000};

// What OpenSSL's words mean to whoever typed the command.
std::string AdviceFor(std::string_view failure) {
  if (failure.find("certificate verify failed") != std::string_view::npos)
    return "; --tls-ca FILE says whom to trust, --tls-name NAME whom the certificate must be for";
  if (failure.find("certificate required") != std::string_view::npos ||
      failure.find("handshake failure") != std::string_view::npos) {
    return "; does it ask for a certificate? --tls-cert FILE --tls-key FILE";
  }
  if (failure.find("wrong version number") != std::string_view::npos ||
      failure.find("packet length") != std::string_view::npos) {
    return "; it does not speak TLS, as it seems: leave --tls and its kin away";
  }
  return "";
}

}  // namespace

Result<RespClient> RespClient::Connect(const ServerPlace& place) {
  LARDER_ASSIGN(const server::Address parsed, server::ParseAddress(place.address));
  io::Descriptor socket(::socket(parsed.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval silence = {.tv_sec = kMaxSilence.count(), .tv_usec = 0};
  if (socket.open()) {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof silence);
    ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &silence, sizeof silence);
  }
  if (!socket.open() || ::connect(socket.number(), parsed.raw(), parsed.length) != 0)
    return std::unexpected(ErrnoError(errno, "cannot connect to", place.address));
  RespClient client(std::move(socket), place.address);
  if (place.tls) {
    LARDER_ASSIGN(const auto context, server::TlsContext::ForClient(place.tls_files));
    client.tls_ = server::TlsStream::Connect(*context, client.socket_.number(), place.tls_name);
    if (client.tls_ == nullptr) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("\"{}\" is no name for a certificate", place.tls_name));
    }
  }
  LARDER_TRY(client.LogIn(place));
  return client;
}

Result<void> RespClient::LogIn(const ServerPlace& place) {
  if (place.password.empty()) return {};
  std::vector<std::string_view> request = {"AUTH"};
  if (!place.user.empty()) request.push_back(place.user);
  request.push_back(place.password);
  LARDER_ASSIGN(const Reply reply, Call(request));
  if (reply.kind != Reply::Kind::kError) return {};
  return Fail(ErrorCode::kPermissionDenied,
              fmt::format("{} does not let {} in: {}", address_,
                          place.user.empty() ? "default" : place.user, reply.text));
}

Result<void> RespClient::Silent() const {
  return Fail(ErrorCode::kIoError,
              fmt::format("{} has not answered for {} s: is that process stopped or stuck?",
                          address_, kMaxSilence.count()));
}

std::unexpected<Error> RespClient::Lost(std::string_view doing) const {
  if (errno != EPROTO || tls_ == nullptr)
    return std::unexpected(ErrnoError(errno, doing, address_));
  return Fail(ErrorCode::kPermissionDenied,
              fmt::format("{}: TLS: {}{}", address_, tls_->failure(), AdviceFor(tls_->failure())));
}

std::unexpected<Error> RespClient::Ended() const {
  return Fail(
      ErrorCode::kIoError,
      fmt::format(
          "{} closed the connection{}", address_,
          answered_ || tls_ != nullptr ? "" : " without an answer; if it speaks TLS, say --tls"));
}

// Until TLS can go on.
Result<void> RespClient::Await() {
  pollfd event{.fd = socket_.number(), .events = tls_->wants(), .revents = 0};
  const bool greeted = tls_->handshake_done();
  const std::chrono::milliseconds wait = greeted ? kMaxSilence : kHandshakeSilence;
  if (::poll(&event, 1, static_cast<int>(wait.count())) != 0) return {};
  if (greeted) return Silent();
  return Fail(ErrorCode::kPermissionDenied,
              fmt::format("{} does not answer TLS; if it speaks none, leave --tls and its kin away",
                          address_));
}

Result<void> RespClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = tls_ != nullptr
                             ? tls_->Send(bytes)
                             : ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      LARDER_TRY(tls_ != nullptr ? Await() : Silent());
      continue;
    }
    if (sent < 0) return Lost("cannot send to");
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
      answered_ = true;
      received_.erase(0, consumed);
      if (reply.kind == Reply::Kind::kError && reply.text.starts_with("NOAUTH"))
        return std::unexpected(WantsPassword(address_));
      return reply;
    }
    if (outcome == ReplyOutcome::kMalformed) {
      const bool alert = tls_ == nullptr && received_.starts_with(kTlsAlert);
      return Fail(
          alert ? ErrorCode::kPermissionDenied : ErrorCode::kCorrupt,
          fmt::format("{} {}", address_, alert ? "speaks TLS: say --tls" : "does not speak RESP"));
    }
    if (received_.size() > kMaxReplyBytes)
      return Fail(ErrorCode::kLimit, fmt::format("a reply of {} is too large", address_));
    LARDER_TRY(Receive());
  }
}

// Waits for bytes, then takes all that are there: a large reply is not parsed again for every
// piece of it.
Result<void> RespClient::Receive() {
  std::array<char, size_t{64} << 10> buffer;
  bool waits = true;
  while (received_.size() <= kMaxReplyBytes) {
    const ssize_t count = tls_ != nullptr ? tls_->Receive(buffer.data(), buffer.size())
                                          : ::recv(socket_.number(), buffer.data(), buffer.size(),
                                                   waits ? 0 : MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (!waits) return {};
      LARDER_TRY(tls_ != nullptr ? Await() : Silent());
      continue;
    }
    if (count < 0) return Lost("cannot receive from");
    // What came before the end may be the reply.
    if (count == 0) return waits ? Result<void>(Ended()) : Result<void>();
    received_.append(buffer.data(), static_cast<size_t>(count));
    waits = false;
  }
  return {};
}

}  // namespace larder::cli
