// TlsContext and TlsStream: TLS on a socket that never waits, with OpenSSL.
//
// A TlsContext is a certificate with its key and whom it trusts, read from files and checked; a
// TlsStream is one connection's state. Receive and Send keep the contract of recv and send: a
// count, 0 for the end, or -1 with errno (EAGAIN; EPROTO: failure() says why). The handshake
// happens in them. TLS 1.2 and 1.3; ciphers, groups and session tickets as the system's OpenSSL has
// them.
//
// Ownership:  a stream borrows its socket and keeps its context's memory alive by itself.
// Threads:    a context is used by any thread; a stream by one at a time.
// Errors:     kNotFound, kPermissionDenied (a file), kInvalidArgument (which file and OpenSSL's
//             reason). No error names a byte of a key.
// Cost:       an idle stream holds about 16 KiB; OpenSSL gives its buffers back between records.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/error.h"

// NOLINTBEGIN(readability-identifier-naming): the library's
struct bio_st;
struct ssl_ctx_st;
struct ssl_st;
// NOLINTEND(readability-identifier-naming)

namespace larder::server {

// Paths of PEM files.
struct TlsOptions {
  std::string certificate = {};  // the server's own first, then those between it and the root
  std::string key = {};          // not encrypted
  std::string client_ca;  // clients must show a certificate of one of these; empty: they need none

  bool enabled() const { return !certificate.empty(); }
  bool operator==(const TlsOptions&) const = default;
};

// Of who connects. Paths of PEM files, all of them optional.
struct TlsClientOptions {
  std::string ca = {};  // whom to trust; empty: the system's authorities
  std::string pinned =
      {};  // trust the first certificate of this file, whatever its names and issuer
  std::string certificate = {};  // to show, where the server asks for one
  std::string key = {};
};

class TlsContext {
 public:
  static Result<std::shared_ptr<const TlsContext>> ForServer(const TlsOptions& options);
  static Result<std::shared_ptr<const TlsContext>> ForClient(const TlsClientOptions& options);
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* raw() const { return context_; }
  // The own certificate's: "CN = larder.example" and "Jan  1 00:00:00 2027 GMT".
  std::string subject() const;
  std::string valid_until() const;
  bool expired() const;

 private:
  ssl_ctx_st* context_;
};

class TlsStream {
 public:
  // Null: out of memory.
  static std::unique_ptr<TlsStream> Accept(const TlsContext& context, int socket);
  // `name`: a host name or numeric address that the certificate must be for; empty: none is asked.
  static std::unique_ptr<TlsStream> Connect(const TlsContext& context, int socket,
                                            const std::string& name);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  ssize_t Receive(char* to, size_t bytes);
  // A record at most. After EAGAIN the next call must begin with the same bytes, and at least as
  // many.
  ssize_t Send(std::string_view bytes);
  // Tells the peer that this was all. Nothing may be unsent.
  void SendEnd();

  bool handshake_done() const { return handshake_done_; }
  // The last Receive left something that no poll of the socket tells: call it again.
  bool has_more() const { return has_more_; }
  // What EAGAIN of the last call waits for: POLLIN or POLLOUT. TLS may have to send in order to
  // receive, and the other way round.
  short wants() const { return wants_; }
  bool receive_waits_to_send() const { return receive_waits_to_send_; }
  // OpenSSL's words for the last EPROTO.
  const std::string& failure() const { return failure_; }

 private:
  TlsStream(ssl_st* ssl, int socket) : ssl_(ssl), socket_(socket) {}
  static std::unique_ptr<TlsStream> Make(const TlsContext& context, int socket);
  static int ReadSocket(bio_st* bio, char* to, int bytes);
  static int WriteSocket(bio_st* bio, const char* from, int bytes);
  friend struct SocketMethod;
  // Of a call that returned `result`: 0 or -1 with errno; sets wants_ to what EAGAIN waits for.
  ssize_t Outcome(int result);

  ssl_st* ssl_;
  int socket_;
  int socket_error_ = 0;
  short wants_ = 0;  // POLLIN, POLLOUT or nothing
  bool handshake_done_ = false;
  bool has_more_ = false;
  bool receive_waits_to_send_ = false;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace larder::server
