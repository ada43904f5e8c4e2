#include "server/tls.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/file_system.h"

namespace larder::server {

namespace {

// No chain of certificates comes near this.
constexpr uint64_t kMaxPemBytes = uint64_t{1} << 20;
// Sessions of one context may not be resumed in another; where clients show certificates OpenSSL
// wants a name for that.
constexpr std::string_view kSessionContext = "larder";

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* owned) const {
    kFree(owned);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

// The oldest error of the thread's queue: later ones only say who passed it on.
std::string Reason() {
  const unsigned long code = ERR_peek_error();
  const char* const reason = ERR_reason_error_string(code);
  std::string text = reason == nullptr ? "unknown reason" : reason;
  if (ERR_SYSTEM_ERROR(code)) text = ErrnoError(ERR_GET_REASON(code), "", "").message();
  ERR_clear_error();
  return text;
}

std::unexpected<Error> Unusable(std::string_view what, const std::string& path) {
  return Fail(ErrorCode::kInvalidArgument, fmt::format("{} {}: {}", what, path, Reason()));
}

// The text of a PEM file, wiped when it goes: it may be a key.
struct PemText {
  explicit PemText(std::string contents) : text(std::move(contents)) {}
  ~PemText() { OPENSSL_cleanse(text.data(), text.size()); }
  PemText(const PemText&) = delete;
  PemText& operator=(const PemText&) = delete;
  Bio Read() const { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }
  std::string text;
};

// Nobody is there to be asked for a pass phrase.
int NoPassPhrase(char*, int, int, void*) { return -1; }

Result<std::vector<Certificate>> ReadCertificates(const std::string& path) {
  LARDER_ASSIGN(const std::string text,
                io::ReadWholeFile(io::RealFileSystem(), path, kMaxPemBytes));
  ERR_clear_error();
  const PemText pem(text);
  const Bio bio = pem.Read();
  std::vector<Certificate> all;
  while (Certificate next{PEM_read_bio_X509_AUX(bio.get(), nullptr, NoPassPhrase, nullptr)})
    all.push_back(std::move(next));
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (all.empty() && at_end) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("certificate {}: there is no certificate in PEM form", path));
  }
  if (!at_end) return Unusable("certificate", path);
  ERR_clear_error();
  return all;
}

Result<Key> ReadKey(const std::string& path) {
  LARDER_ASSIGN(std::string text, io::ReadWholeFile(io::RealFileSystem(), path, kMaxPemBytes));
  ERR_clear_error();
  const PemText pem(std::move(text));
  const Bio bio = pem.Read();
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassPhrase, nullptr));
  if (key != nullptr) return key;
  if (pem.text.find("ENCRYPTED") != std::string::npos) {
    ERR_clear_error();
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("key {}: it is encrypted, and nobody is there to say its pass phrase: "
                            "`openssl pkey -in {} -out PLAIN` decrypts it",
                            path, path));
  }
  return Unusable("key", path);
}

Result<void> UseCertificate(SSL_CTX* context, const std::string& certificate_path,
                            const std::string& key_path) {
  LARDER_ASSIGN(const std::vector<Certificate> chain, ReadCertificates(certificate_path));
  LARDER_ASSIGN(const Key key, ReadKey(key_path));
  if (SSL_CTX_use_certificate(context, chain[0].get()) != 1)
    return Unusable("certificate", certificate_path);
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1)
      return Unusable("certificate", certificate_path);
  }
  if (X509_check_private_key(chain[0].get(), key.get()) != 1) {
    const std::string reason = Reason();
    return Fail(ErrorCode::kInvalidArgument, fmt::format("key {} is not that of certificate {}: {}",
                                                         key_path, certificate_path, reason));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) return Unusable("key", key_path);
  return {};
}

// Certificates that others' are checked with.
Result<void> TrustAll(SSL_CTX* context, const std::string& path, bool tell_clients) {
  LARDER_ASSIGN(const std::vector<Certificate> all, ReadCertificates(path));
  for (const Certificate& one : all) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one.get()) != 1 ||
        (tell_clients && SSL_CTX_add_client_CA(context, one.get()) != 1)) {
      return Unusable("certificate", path);
    }
  }
  return {};
}

Result<std::shared_ptr<const TlsContext>> NewContext(const SSL_METHOD* method) {
  ERR_clear_error();
  SSL_CTX* const context = SSL_CTX_new(method);
  if (context == nullptr)
    return Fail(ErrorCode::kInternal, fmt::format("OpenSSL makes no context: {}", Reason()));
  auto made = std::make_shared<const TlsContext>(context);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // Requests and replies carry their lengths, so that an end without a word cuts nothing short
  // unnoticed, and many clients end so.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // a record costs one system call instead of two
  return made;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::ForServer(const TlsOptions& options) {
  LARDER_ASSIGN(auto made, NewContext(TLS_server_method()));
  SSL_CTX* const context = made->raw();
  LARDER_TRY(UseCertificate(context, options.certificate, options.key));
  SSL_CTX_set_session_id_context(context,
                                 reinterpret_cast<const unsigned char*>(kSessionContext.data()),
                                 static_cast<unsigned>(kSessionContext.size()));
  if (!options.client_ca.empty()) {
    LARDER_TRY(TrustAll(context, options.client_ca, true));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return made;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::ForClient(const TlsClientOptions& options) {
  LARDER_ASSIGN(auto made, NewContext(TLS_client_method()));
  SSL_CTX* const context = made->raw();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!options.ca.empty()) {
    LARDER_TRY(TrustAll(context, options.ca, false));
  } else if (!options.pinned.empty()) {
    LARDER_ASSIGN(const std::vector<Certificate> chain, ReadCertificates(options.pinned));
    X509_STORE* const trusted = SSL_CTX_get_cert_store(context);
    if (X509_STORE_add_cert(trusted, chain[0].get()) != 1)
      return Unusable("certificate", options.pinned);
    X509_STORE_set_flags(trusted, X509_V_FLAG_PARTIAL_CHAIN);
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return Unusable("authorities of the system in", X509_get_default_cert_dir());
  }
  if (!options.certificate.empty())
    LARDER_TRY(UseCertificate(context, options.certificate, options.key));
  return made;
}

std::string TlsContext::subject() const {
  const X509* const certificate = SSL_CTX_get0_certificate(context_);
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(bytes)};
}

std::string TlsContext::valid_until() const {
  const X509* const certificate = SSL_CTX_get0_certificate(context_);
  const Bio bio(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(bio.get(), X509_get0_notAfter(certificate));
  char* text = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(bytes)};
}

bool TlsContext::expired() const {
  return X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context_))) < 0;
}

// OpenSSL's own way to a socket raises SIGPIPE, which a program that embeds Larder need not ignore.
struct SocketMethod {
  static const BIO_METHOD* Get() {
    static const BIO_METHOD* const method = Make();
    return method;
  }

 private:
  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }
  static const BIO_METHOD* Make() {
    BIO_METHOD* const method =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "larder socket");
    BIO_meth_set_read(method, TlsStream::ReadSocket);
    BIO_meth_set_write(method, TlsStream::WriteSocket);
    BIO_meth_set_ctrl(method, Control);
    return method;
  }
};

int TlsStream::ReadSocket(BIO* bio, char* to, int bytes) {
  auto* const stream = static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count = ::recv(stream->socket_, to, static_cast<size_t>(bytes), MSG_DONTWAIT);
  if (count == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (count >= 0) return static_cast<int>(count);
  stream->socket_error_ = errno;
  if (errno == EAGAIN || errno == EINTR) BIO_set_retry_read(bio);
  return -1;
}

int TlsStream::WriteSocket(BIO* bio, const char* from, int bytes) {
  auto* const stream = static_cast<TlsStream*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t count =
      ::send(stream->socket_, from, static_cast<size_t>(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (count >= 0) return static_cast<int>(count);
  stream->socket_error_ = errno;
  if (errno == EAGAIN || errno == EINTR) BIO_set_retry_write(bio);
  return -1;
}

std::unique_ptr<TlsStream> TlsStream::Make(const TlsContext& context, int socket) {
  SSL* const ssl = SSL_new(context.raw());
  BIO* const bio = BIO_new(SocketMethod::Get());
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    BIO_free(bio);
    return nullptr;
  }
  std::unique_ptr<TlsStream> stream(new TlsStream(ssl, socket));
  BIO_set_data(bio, stream.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::Accept(const TlsContext& context, int socket) {
  auto stream = Make(context, socket);
  if (stream != nullptr) SSL_set_accept_state(stream->ssl_);
  return stream;
}

std::unique_ptr<TlsStream> TlsStream::Connect(const TlsContext& context, int socket,
                                              const std::string& name) {
  auto stream = Make(context, socket);
  if (stream == nullptr) return nullptr;
  SSL_set_connect_state(stream->ssl_);
  if (name.empty()) return stream;
  std::array<unsigned char, sizeof(in6_addr)> numeric{};
  const bool is_address = ::inet_pton(AF_INET, name.c_str(), numeric.data()) == 1 ||
                          ::inet_pton(AF_INET6, name.c_str(), numeric.data()) == 1;
  const bool set =
      is_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(stream->ssl_), name.c_str()) == 1
                 : SSL_set1_host(stream->ssl_, name.c_str()) == 1 &&
                       SSL_set_tlsext_host_name(stream->ssl_, name.c_str()) == 1;
  return set ? std::move(stream) : nullptr;
}

TlsStream::~TlsStream() { SSL_free(ssl_); }

ssize_t TlsStream::Outcome(int result) {
  wants_ = 0;
  const int kind = SSL_get_error(ssl_, result);
  switch (kind) {
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      wants_ = kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_SYSCALL:
      failed_ = true;
      errno = socket_error_ == 0 || socket_error_ == EAGAIN ? ECONNRESET : socket_error_;
      return -1;
    default:
      failed_ = true;
      if (failure_.empty()) {
        const long verdict = SSL_get_verify_result(ssl_);
        failure_ = Reason();
        if (verdict != X509_V_OK) {
          failure_ =
              fmt::format("certificate verify failed: {}", X509_verify_cert_error_string(verdict));
        }
      }
      errno = EPROTO;
      return -1;
  }
}

ssize_t TlsStream::Receive(char* to, size_t bytes) {
  receive_waits_to_send_ = false;
  has_more_ = false;
  size_t received = 0;
  while (received < bytes) {
    ERR_clear_error();
    size_t count = 0;
    const int result = SSL_read_ex(ssl_, to + received, bytes - received, &count);
    if (!handshake_done_) handshake_done_ = SSL_is_init_finished(ssl_) == 1;
    if (result != 1) {
      const ssize_t outcome = Outcome(result);
      receive_waits_to_send_ = wants_ == POLLOUT;
      if (received == 0) return outcome;
      // The end, or what went wrong, is for the next call.
      has_more_ = wants_ == 0;
      break;
    }
    received += count;
    // What is still in the socket is told by it.
    has_more_ = SSL_has_pending(ssl_) == 1;
    if (!has_more_) break;
  }
  return static_cast<ssize_t>(received);
}

ssize_t TlsStream::Send(std::string_view bytes) {
  ERR_clear_error();
  size_t count = 0;
  const int result = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count);
  if (!handshake_done_) handshake_done_ = SSL_is_init_finished(ssl_) == 1;
  if (result == 1) return static_cast<ssize_t>(count);
  const ssize_t outcome = Outcome(result);
  if (outcome != 0) return outcome;
  errno = EPIPE;
  return -1;
}

void TlsStream::SendEnd() {
  if (failed_ || SSL_is_init_finished(ssl_) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace larder::server
