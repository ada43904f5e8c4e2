#include "load_connection.h"

#include <cerrno>
#include <cstring>
#include <span>
#include <system_error>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "die.h"

namespace larder::bench {
namespace {

std::string Reason() { return std::generic_category().message(errno); }

}  // namespace

LoadConnection::LoadConnection(const LoadPlan& plan, const Workload& workload, const RecordSet& set,
                               const Choice& choice, ReplyChecker& checker, uint64_t seed)
    : plan_(plan),
      workload_(workload),
      choice_(choice),
      writer_(workload, set, plan.protocol, plan.keys_per_request),
      checker_(checker) {
  choice_.Seed(seed);
  seen_.record = choice_.NextRecord();
  input_.resize(1 << 16);
  Connect(plan);
  if (plan.protocol == Protocol::kResp3 && !plan.any_reply) SpeakResp3();
  fcntl(fd_, F_SETFL, O_NONBLOCK);
}

LoadConnection::~LoadConnection() { close(fd_); }

void LoadConnection::Connect(const LoadPlan& plan) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(plan.port);
  if (inet_pton(AF_INET, plan.host.c_str(), &address.sin_addr) != 1) Die("bad host");
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    Die(fmt::format("connect {}:{}: {}", plan.host, plan.port, Reason()));
  }
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void LoadConnection::SpeakResp3() {
  constexpr std::string_view kHello = "*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n";
  if (send(fd_, kHello.data(), kHello.size(), MSG_NOSIGNAL) < 0) Die("send: " + Reason());
  std::string_view error;
  for (size_t filled = 0;;) {
    const ssize_t n = recv(fd_, input_.data() + filled, input_.size() - filled, 0);
    if (n <= 0) Die("no reply to HELLO 3");
    filled += static_cast<size_t>(n);
    if (ReadReply(plan_.protocol, {input_.data(), filled}, items_, error) > 0) break;
  }
  if (!error.empty()) Die(fmt::format("HELLO 3: {}", error));
}

void LoadConnection::Send(int requests, Clock::time_point due) {
  if (!unsent()) {
    output_.clear();
    sent_ = 0;
  }
  if (idle()) {
    asked_.clear();
    first_asked_ = 0;
  }
  const bool walks = workload_.argument == Argument::kCursor;
  for (int i = 0; i < requests; ++i) {
    const size_t first = asked_.size();
    if (walks) {
      if (seen_.cursor == "0") seen_.record = choice_.NextRecord();
      asked_.push_back({.record = seen_.record});
    } else {
      for (size_t key = 0; key < plan_.keys_per_request; ++key) asked_.push_back(choice_.Next());
    }
    writer_.Append(output_, std::span(asked_).subspan(first), seen_.cursor);
    due_.push_back(due);
  }
  Flush();
}

void LoadConnection::Flush() {
  while (unsent()) {
    const ssize_t n = send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) Die("send: " + Reason());
    sent_ += static_cast<size_t>(n);
  }
}

void LoadConnection::Receive(Tally& tally) {
  if (filled_ == input_.size()) input_.resize(input_.size() * 2);
  const ssize_t n = recv(fd_, input_.data() + filled_, input_.size() - filled_, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n == 0) Die("the server closed the connection");
  if (n < 0) Die("recv: " + Reason());
  filled_ += static_cast<size_t>(n);
  const auto now = Clock::now();
  size_t at = 0;
  while (!due_.empty()) {
    const size_t bytes = TakeReply({input_.data() + at, filled_ - at}, tally.findings);
    if (bytes == 0) break;
    at += bytes;
    const auto due = due_.front();
    due_.pop_front();
    first_asked_ += plan_.keys_per_request;
    if (plan_.paced || due_.empty()) tally.latencies.Add(now - due);
  }
  std::memmove(input_.data(), input_.data() + at, filled_ - at);
  filled_ -= at;
}

size_t LoadConnection::TakeReply(std::string_view data, Findings& findings) {
  const auto asked = std::span(asked_).subspan(first_asked_, plan_.keys_per_request);
  if (plan_.any_reply && any_reply_bytes_ > 0) {
    if (data.size() < any_reply_bytes_) return 0;
    ++findings.requests;
    return any_reply_bytes_;
  }
  if (!plan_.any_reply) {
    const auto recognized = checker_.Recognize(data, asked[0], seen_, findings);
    if (recognized.look == ReplyChecker::Look::kWaiting) return 0;
    if (recognized.look == ReplyChecker::Look::kKnown) return recognized.bytes;
  }
  std::string_view error;
  const size_t bytes = ReadReply(plan_.protocol, data, items_, error);
  if (bytes == 0) return 0;
  if (plan_.any_reply) {
    any_reply_bytes_ = bytes;
    ++findings.requests;
  } else {
    checker_.Check(data.substr(0, bytes), asked, items_, error, seen_, findings);
  }
  return bytes;
}

}  // namespace larder::bench
