// TestServer: a real server on a free port over a small dataset in a directory of its own, and
// TestClient: a socket that sends and receives exact bytes, with a limit on every wait.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/log.h"
#include "io/descriptor.h"
#include "io/file_system.h"
#include "server/address.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::server {

inline constexpr int kTestWaitMs = 30'000;

class TestDirectory {
 public:
  TestDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "larder-server-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string File(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Records "key/0".."key/99", each of them `word`; "big" of `big_bytes` bytes when not 0.
inline void WriteSource(const std::string& path, std::string_view word, size_t big_bytes) {
  std::ofstream file(path, std::ios::trunc);
  for (int i = 0; i < 100; ++i) {
    file << fmt::format(R"({{"key":"key/{}","type":"string","string_record":{{"value":"{}"}}}})", i,
                        word)
         << '\n';
  }
  if (big_bytes > 0) {
    file << R"({"key":"big","type":"string","string_record":{"value":")"
         << std::string(big_bytes, 'b') << "\"}}\n";
  }
}

class TestClient {
 public:
  explicit TestClient(const std::string& address) {
    const auto parsed = ParseAddress(address);
    EXPECT_TRUE(parsed);
    socket_ = io::Descriptor(::socket(parsed->family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{kTestWaitMs / 1000, 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    connected_ = ::connect(socket_.number(), parsed->raw(), parsed->length) == 0;
  }

  bool connected() const { return connected_; }
  int fd() const { return socket_.number(); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void FinishSending() { ::shutdown(fd(), SHUT_WR); }

  // Exactly so many bytes; fewer when the server closed or the wait was too long.
  std::string Receive(size_t bytes) {
    std::string received(bytes, '\0');
    size_t have = 0;
    while (have < bytes) {
      const ssize_t count = ::recv(fd(), received.data() + have, bytes - have, 0);
      if (count <= 0) break;
      have += static_cast<size_t>(count);
    }
    received.resize(have);
    return received;
  }
  std::string ReceiveLine() {
    std::string line;
    while (!line.ends_with("\r\n")) {
      const std::string next = Receive(1);
      if (next.empty()) break;
      line += next;
    }
    return line;
  }
  std::string ReceiveUntilClosed() {
    std::string all;
    while (true) {
      const std::string next = Receive(1);
      if (next.empty()) return all;
      all += next;
    }
  }
  // What a bulk reply holds; the line itself when it is another reply.
  std::string ReceiveBulk() {
    std::string line = ReceiveLine();
    if (!line.starts_with('$') || line.starts_with("$-")) return line;
    const size_t bytes = std::stoul(line.substr(1));
    return Receive(bytes + 2).substr(0, bytes);
  }
  bool Readable(int wait_ms) const {
    pollfd event{fd(), POLLIN, 0};
    return ::poll(&event, 1, wait_ms) == 1;
  }
  // True once the server has closed; false after the wait.
  bool ClosedByServer() {
    char byte = 0;
    return Readable(kTestWaitMs) && ::recv(fd(), &byte, 1, 0) <= 0;
  }
  std::string Call(std::string_view request, size_t reply_bytes) {
    return Send(request) ? Receive(reply_bytes) : "";
  }

 private:
  io::Descriptor socket_;
  bool connected_ = false;
};

class TestServer {
 public:
  struct Setup {
    ServerOptions options;
    std::string word = "one";
    size_t big_bytes = 0;
    bool loaded = true;
    bool resp_on_loopback = true;
    std::function<void(std::string_view step, double share)> progress;  // of a compile
  };

  TestServer() : TestServer(Setup{}) {}
  explicit TestServer(Setup setup) : catalogue_(io::RealFileSystem()) {
    SetLogLevel(LogLevel::kOff);
    WriteSource(source(), setup.word, setup.big_bytes);
    dataset::Options options;
    options.name = "features";
    options.source = source();
    options.directory = directory_.File("features");
    options.threads = 1;
    options.progress = std::move(setup.progress);
    auto added = catalogue_.AddDataset(0, std::move(options));
    EXPECT_TRUE(added) << added.error().message();
    dataset_ = *added;
    if (setup.loaded) Refresh();
    if (setup.resp_on_loopback)
      setup.options.listeners.insert(setup.options.listeners.begin(), {"127.0.0.1:0"});
    if (setup.options.threads == 0) setup.options.threads = 2;
    auto server = Server::Create(catalogue_, std::move(setup.options));
    EXPECT_TRUE(server) << server.error().message();
    server_ = *std::move(server);
    EXPECT_TRUE(server_->Start());
  }

  void Refresh() {
    const auto report = dataset_->Refresh(true);
    EXPECT_TRUE(report) << report.error().message();
  }
  void Take(std::string_view word) {
    WriteSource(source(), word, 0);
    Refresh();
  }

  std::string source() const { return directory_.File("features.jsonl"); }
  std::string File(std::string_view name) const { return directory_.File(name); }
  std::string address(size_t listener = 0) const { return server_->addresses()[listener]; }
  Server& server() { return *server_; }
  store::Catalogue& catalogue() { return catalogue_; }
  dataset::Dataset& dataset() { return *dataset_; }
  TestClient Connect(size_t listener = 0) const { return TestClient(address(listener)); }

 private:
  TestDirectory directory_;
  store::Catalogue catalogue_;
  std::shared_ptr<dataset::Dataset> dataset_;
  std::unique_ptr<Server> server_;
};

inline std::string Request(const std::vector<std::string_view>& arguments) {
  std::string bytes = fmt::format("*{}\r\n", arguments.size());
  for (const std::string_view argument : arguments)
    bytes += fmt::format("${}\r\n{}\r\n", argument.size(), argument);
  return bytes;
}

}  // namespace larder::server
