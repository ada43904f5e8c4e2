// TLS listeners, talked to by a client of OpenSSL.
#include "server/tls.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>

#include "server/limits.h"
#include "server/test_certificates.h"
#include "server/test_server.h"

namespace larder::server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kGet = Request({"GET", "key/7"});
constexpr std::string_view kReply = "$3\r\none\r\n";

// A TestClient over TLS: waits where the stream says so.
class TlsClient {
 public:
  TlsClient(const std::string& address, const TlsClientOptions& options,
            const std::string& name = "127.0.0.1")
      : client_(address) {
    auto context = TlsContext::ForClient(options);
    EXPECT_TRUE(context) << context.error().message();
    // An end is one when it was told; otherwise something may be missing.
    SSL_CTX_clear_options((*context)->raw(), SSL_OP_IGNORE_UNEXPECTED_EOF);
    stream_ = TlsStream::Connect(**context, client_.fd(), name);
    EXPECT_NE(stream_, nullptr);
  }

  TestClient& plain() { return client_; }
  TlsStream& stream() { return *stream_; }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = stream_->Send(bytes);
      if (count < 0 && !Wait()) return false;
      if (count > 0) bytes.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  // Exactly so many bytes; fewer at the end or on a failure.
  std::string Receive(size_t bytes) {
    std::string received(bytes, '\0');
    size_t have = 0;
    while (have < bytes) {
      const ssize_t count = stream_->Receive(received.data() + have, bytes - have);
      ended_ = count == 0;
      if (ended_ || (count < 0 && !Wait())) break;
      if (count > 0) have += static_cast<size_t>(count);
    }
    received.resize(have);
    return received;
  }
  std::string Call(std::string_view request, size_t reply_bytes) {
    return Send(request) ? Receive(reply_bytes) : "";
  }
  // The last Receive met the end, told by the other side.
  bool ended() const { return ended_; }

 private:
  bool Wait() {
    if (errno != EAGAIN) return false;
    pollfd event{client_.fd(), stream_->wants(), 0};
    return ::poll(&event, 1, kTestWaitMs) == 1;
  }

  TestClient client_;
  std::unique_ptr<TlsStream> stream_;
  bool ended_ = false;
};

class TlsTest : public testing::Test {
 protected:
  static TestServer::Setup SetupOf(TlsOptions tls, size_t big_bytes = 0) {
    TestServer::Setup setup;
    setup.big_bytes = big_bytes;
    setup.resp_on_loopback = false;
    setup.options.listeners = {{.address = "127.0.0.1:0", .tls = std::move(tls)}};
    return setup;
  }
  // The message of the error; empty when it went well.
  static std::string Change(TestServer& server, std::vector<ListenerOptions> listeners) {
    ServerOptions options;
    options.listeners = std::move(listeners);
    auto change = server.server().Prepare(std::move(options));
    if (!change) return change.error().message();
    server.server().Commit(*std::move(change));
    return "";
  }
  TlsClientOptions trusting() const { return {.ca = certificates_.authority()}; }

  TestDirectory directory_;
  TestCertificates certificates_{directory_.File(".")};
  TlsOptions tls_ = certificates_.Make("server");
};

TEST_F(TlsTest, AnswersARequest) {
  TestServer server(SetupOf(tls_));
  TlsClient client(server.address(), trusting());
  EXPECT_EQ(client.Call(kGet, kReply.size()), kReply);
  EXPECT_TRUE(client.stream().handshake_done());
}

TEST_F(TlsTest, AnswersOnAUnixSocketToo) {
  TestServer::Setup setup = SetupOf(tls_);
  setup.options.listeners[0].address = "unix:" + directory_.File("larder.sock");
  TestServer server(std::move(setup));
  TlsClient client(server.address(), trusting(), "localhost");
  EXPECT_EQ(client.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, AnswersAPipelineLargerThanTheSocketsBuffers) {
  TestServer server(SetupOf(tls_));
  TlsClient client(server.address(), trusting());
  std::string requests;
  std::string replies;
  const std::string text(1000, 'e');
  for (int i = 0; i < 20'000; ++i) {
    requests += Request({"ECHO", text});
    replies += fmt::format("${}\r\n{}\r\n", text.size(), text);
  }
  // Nobody reads while it is sent: so much as fits is taken, and goes on when there is room.
  size_t sent = 0;
  std::string received;
  while (received.size() < replies.size()) {
    if (sent < requests.size()) {
      const ssize_t count = client.stream().Send(std::string_view(requests).substr(sent));
      if (count > 0) {
        sent += static_cast<size_t>(count);
        continue;
      }
      ASSERT_EQ(errno, EAGAIN);
    }
    char buffer[4096];
    const ssize_t count = client.stream().Receive(buffer, sizeof(buffer));
    if (count > 0) received.append(buffer, static_cast<size_t>(count));
    ASSERT_TRUE(count > 0 || (count < 0 && errno == EAGAIN));
    if (count > 0) continue;
    const short events = sent < requests.size() ? POLLIN | POLLOUT : POLLIN;
    pollfd event{client.plain().fd(), events, 0};
    ASSERT_EQ(::poll(&event, 1, kTestWaitMs), 1);
  }
  EXPECT_EQ(received, replies);
}

TEST_F(TlsTest, SendsALargeReplyThatIsBorrowedFromTheMapping) {
  constexpr size_t kBytes = size_t{9} << 20;
  TestServer server(SetupOf(tls_, kBytes));
  TlsClient client(server.address(), trusting());
  const std::string reply = fmt::format("${}\r\n{}\r\n", kBytes, std::string(kBytes, 'b'));
  EXPECT_EQ(client.Call(Request({"GET", "big"}) + kGet, reply.size() + kReply.size()),
            reply + std::string(kReply));
}

TEST_F(TlsTest, AReplyThatBecomesUnreadableBreaksOffWithoutAnEnd) {
  constexpr size_t kBytes = size_t{32} << 20;
  for (const bool met_before : {false, true}) {
    TestServer server(SetupOf(tls_, kBytes));
    TlsClient client(server.address(), trusting());
    const auto version = server.dataset().PinCurrent();
    ASSERT_EQ(client.Call(Request({"GET", "big"}), 11), "$33554432\r\n");
    std::filesystem::resize_file(version->snapshot->path(), 4096);
    if (met_before) {
      const std::string_view bytes = version->snapshot->mapping().bytes();
      EXPECT_NE(std::count(bytes.begin(), bytes.end(), '\0'), 0);
    }
    const std::string received = client.Receive(kBytes);
    EXPECT_LT(received.size(), kBytes);
    EXPECT_EQ(received.find_first_not_of('b'), std::string::npos);
    EXPECT_FALSE(client.ended()) << "what was cut off looks like an end";
    EXPECT_TRUE(version->snapshot->damaged());
  }
}

TEST_F(TlsTest, ReadsWhatTlsStillHoldsAfterOneRead) {
  // Four times what one read takes, in requests of which none is longer than a record.
  TestServer server(SetupOf(tls_));
  TlsClient client(server.address(), trusting());
  const size_t count = 4 * kReadBytes / kGet.size();
  std::string requests;
  std::string replies;
  for (size_t i = 0; i < count; ++i) {
    requests += kGet;
    replies += kReply;
  }
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(client.Send(requests));
    ASSERT_EQ(client.Receive(replies.size()), replies);
  }
}

TEST_F(TlsTest, TakesARequestLargerThanOneRead) {
  TestServer server(SetupOf(tls_));
  TlsClient client(server.address(), trusting());
  const std::string text(size_t{3} << 20, 'r');
  std::thread sender([&] { EXPECT_TRUE(client.Send(Request({"ECHO", text}))); });
  sender.join();
  EXPECT_EQ(client.Receive(text.size() + 12), fmt::format("${}\r\n{}\r\n", text.size(), text));
}

TEST_F(TlsTest, AnswersWhatCameBeforeTheClientsEnd) {
  for (const bool told : {true, false}) {
    TestServer server(SetupOf(tls_));
    TlsClient client(server.address(), trusting());
    ASSERT_TRUE(client.Send(kGet + kGet));
    if (told) {
      client.stream().SendEnd();
    } else {
      client.plain().FinishSending();
    }
    EXPECT_EQ(client.Receive(100), std::string(kReply) + std::string(kReply));
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(TlsTest, QuitEndsTheConnectionAfterItsReplyAndSaysSo) {
  TestServer server(SetupOf(tls_));
  TlsClient client(server.address(), trusting());
  ASSERT_TRUE(client.Send("PING\r\nQUIT\r\nPING\r\n"));
  EXPECT_EQ(client.Receive(100), "+PONG\r\n+OK\r\n");
  EXPECT_TRUE(client.ended());
}

TEST_F(TlsTest, PlainTextEndsTheConnectionAndNobodyElses) {
  TestServer server(SetupOf(tls_));
  TlsClient other(server.address(), trusting());
  ASSERT_EQ(other.Call(kGet, kReply.size()), kReply);
  TestClient plain(server.address());
  ASSERT_TRUE(plain.Send(kGet));
  const std::string answer = plain.ReceiveUntilClosed();
  EXPECT_THAT(answer, testing::Not(HasSubstr("one")));
  EXPECT_EQ(other.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, AHandshakeThatTakesTooLongEndsTheConnection) {
  TestServer::Setup setup = SetupOf(tls_);
  setup.options.handshake_timeout = std::chrono::milliseconds(100);
  TestServer server(std::move(setup));
  TlsClient other(server.address(), trusting());
  ASSERT_EQ(other.Call(kGet, kReply.size()), kReply);
  TestClient silent(server.address());
  TestClient half(server.address());
  ASSERT_TRUE(half.Send("\x16\x03"));  // a record begins
  EXPECT_TRUE(silent.ClosedByServer());
  EXPECT_TRUE(half.ClosedByServer());
  EXPECT_EQ(other.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, OneClientMoreThanAllowedIsClosedWithoutAWordInPlainText) {
  TestServer::Setup setup = SetupOf(tls_);
  setup.options.max_clients = 1;
  TestServer server(std::move(setup));
  TlsClient client(server.address(), trusting());
  ASSERT_EQ(client.Call("PING\r\n", 7), "+PONG\r\n");
  TestClient refused(server.address());
  EXPECT_EQ(refused.ReceiveUntilClosed(), "");
}

TEST_F(TlsTest, OlderProtocolsAreRefused) {
  TestServer server(SetupOf(tls_));
  auto context = TlsContext::ForClient(trusting());
  ASSERT_TRUE(context);
  SSL_CTX_set_min_proto_version((*context)->raw(), TLS1_1_VERSION);
  SSL_CTX_set_max_proto_version((*context)->raw(), TLS1_1_VERSION);
  TestClient client(server.address());
  const auto stream = TlsStream::Connect(**context, client.fd(), "127.0.0.1");
  char byte = 0;
  ssize_t received = 0;
  do {
    received = stream->Receive(&byte, 1);
  } while (received < 0 && errno == EAGAIN && client.Readable(kTestWaitMs));
  EXPECT_LE(received, 0);
  EXPECT_FALSE(stream->handshake_done());
}

TEST_F(TlsTest, AClientWithoutACertificateIsRefusedWhereOneIsAskedFor) {
  tls_.client_ca = certificates_.authority();
  TestServer server(SetupOf(tls_));
  TlsClient without(server.address(), trusting());
  EXPECT_EQ(without.Call(kGet, kReply.size()), "");
  EXPECT_THAT(without.stream().failure(), HasSubstr("certificate required"));

  const TlsOptions mine = certificates_.Make("client");
  TlsClientOptions options = trusting();
  options.certificate = mine.certificate;
  options.key = mine.key;
  TlsClient with(server.address(), options);
  EXPECT_EQ(with.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityIsRefused) {
  tls_.client_ca = certificates_.authority();
  TestServer server(SetupOf(tls_));
  const TestDirectory elsewhere;
  TestCertificates others(elsewhere.File("."));
  const TlsOptions theirs = others.Make("client");
  TlsClient client(
      server.address(),
      {.ca = certificates_.authority(), .certificate = theirs.certificate, .key = theirs.key});
  EXPECT_EQ(client.Call(kGet, kReply.size()), "");
}

TEST_F(TlsTest, AClientChecksTheServersNameAndAuthority) {
  TestServer server(SetupOf(tls_));
  TlsClient other_name(server.address(), trusting(), "larder.example");
  EXPECT_EQ(other_name.Call(kGet, kReply.size()), "");
  EXPECT_THAT(other_name.stream().failure(), HasSubstr("hostname mismatch"));
  const TestDirectory elsewhere;
  const TestCertificates others(elsewhere.File("."));
  TlsClient other_authority(server.address(), {.ca = others.authority()});
  EXPECT_EQ(other_authority.Call(kGet, kReply.size()), "");
  EXPECT_THAT(other_authority.stream().failure(), HasSubstr("certificate verify failed"));
  TlsClient pinned(server.address(), {.pinned = tls_.certificate}, "");
  EXPECT_EQ(pinned.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, AnotherCertificateIsForNewConnections) {
  TestServer server(SetupOf(tls_));
  const std::string address = server.address();
  TlsClient before(address, trusting());
  ASSERT_EQ(before.Call(kGet, kReply.size()), kReply);

  const TestDirectory elsewhere;
  TestCertificates others(elsewhere.File("."));
  const TlsOptions next = others.Make("server");
  ASSERT_EQ(Change(server, {{.address = address, .tls = next}}), "");
  EXPECT_EQ(before.Call(kGet, kReply.size()), kReply);
  TlsClient old_trust(address, trusting());
  EXPECT_EQ(old_trust.Call(kGet, kReply.size()), "");
  TlsClient after(address, {.ca = others.authority()});
  EXPECT_EQ(after.Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, AListenerBecomesPlainAndBack) {
  TestServer server(SetupOf(tls_));
  const std::string address = server.address();
  TlsClient encrypted(address, trusting());
  ASSERT_EQ(encrypted.Call(kGet, kReply.size()), kReply);
  ASSERT_EQ(Change(server, {{.address = address}}), "");
  TestClient plain(address);
  EXPECT_EQ(plain.Call(kGet, kReply.size()), kReply);
  EXPECT_EQ(encrypted.Call(kGet, kReply.size()), kReply);
  ASSERT_EQ(Change(server, {{.address = address, .tls = tls_}}), "");
  EXPECT_EQ(plain.Call(kGet, kReply.size()), kReply);
  EXPECT_EQ(TlsClient(address, trusting()).Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, BadFilesChangeNothingAndAreNamed) {
  TestServer server(SetupOf(tls_));
  const std::string address = server.address();
  const TlsOptions other = certificates_.Make("other");
  std::ofstream(directory_.File("empty.pem")).close();
  std::ofstream(directory_.File("broken.pem"))
      << "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
  const auto refusal = [&](const std::string& certificate, const std::string& key,
                           const std::string& client_ca = "") {
    return Change(server,
                  {{.address = address,
                    .tls = {.certificate = certificate, .key = key, .client_ca = client_ca}}});
  };
  EXPECT_THAT(refusal(tls_.certificate, other.key),
              AllOf(HasSubstr(other.key), HasSubstr("is not that of"), HasSubstr(tls_.certificate),
                    HasSubstr("key values mismatch")));
  EXPECT_THAT(refusal(directory_.File("none.pem"), tls_.key),
              AllOf(HasSubstr("none.pem"), HasSubstr("No such file")));
  EXPECT_THAT(refusal(directory_.File("empty.pem"), tls_.key),
              AllOf(HasSubstr("empty.pem"), HasSubstr("no certificate")));
  EXPECT_THAT(refusal(directory_.File("broken.pem"), tls_.key), HasSubstr("broken.pem"));
  EXPECT_THAT(refusal(tls_.certificate, tls_.certificate),
              AllOf(HasSubstr("key "), HasSubstr("server.pem")));
  EXPECT_THAT(refusal(tls_.certificate, tls_.key, directory_.File("empty.pem")),
              HasSubstr("empty.pem"));
  EXPECT_EQ(TlsClient(address, trusting()).Call(kGet, kReply.size()), kReply);
}

TEST_F(TlsTest, StopsWithAConnectionThatIsIdleAndOneInItsHandshake) {
  auto server = std::make_unique<TestServer>(SetupOf(tls_));
  TlsClient idle(server->address(), trusting());
  ASSERT_EQ(idle.Call(kGet, kReply.size()), kReply);
  TestClient handshaking(server->address());
  server.reset();
  EXPECT_EQ(idle.Receive(1), "");
  EXPECT_TRUE(idle.ended()) << "the end was not told";
  EXPECT_TRUE(handshaking.ClosedByServer());
}

TEST_F(TlsTest, ProtectedModeIsContentWithAClientsCertificate) {
  ServerOptions options;
  const ListenerOptions open{.address = "0.0.0.0:6380"};
  const auto address = ParseAddress(open.address);
  ASSERT_TRUE(address);
  EXPECT_FALSE(MayListen(options, open, *address));
  ListenerOptions guarded = open;
  guarded.tls = tls_;
  EXPECT_FALSE(MayListen(options, guarded, *address));
  guarded.tls.client_ca = certificates_.authority();
  EXPECT_TRUE(MayListen(options, guarded, *address));
}

}  // namespace
}  // namespace larder::server
