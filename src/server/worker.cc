#include "server/worker.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "server/limits.h"

namespace larder::server {

namespace {

int64_t ReadClockMs(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Result<std::unique_ptr<Worker>> Worker::Create(SharedState& shared,
                                               std::shared_ptr<const ActiveSettings> settings,
                                               const std::vector<ListeningSocket>& sockets) {
  io::Descriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.open()) return std::unexpected(ErrnoError(errno, "cannot make", "an epoll"));
  io::Descriptor wake_up(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_up.open()) return std::unexpected(ErrnoError(errno, "cannot make", "an eventfd"));
  std::unique_ptr<Worker> worker(
      new Worker(shared, std::move(settings), std::move(epoll), std::move(wake_up)));
  LARDER_TRY(worker->Register(sockets));
  return worker;
}

Worker::Worker(SharedState& shared, std::shared_ptr<const ActiveSettings> settings,
               io::Descriptor epoll, io::Descriptor wake_up)
    : shared_(shared),
      index_(static_cast<unsigned>(shared.workers.size())),
      settings_(std::move(settings)),
      epoll_(std::move(epoll)),
      wake_up_(std::move(wake_up)),
      host_(*this),
      statistics_(shared.instruments.AddWorker()),
      dispatcher_(shared.catalogue, host_, counters_, shared.instruments, statistics_),
      scratch_(std::make_unique<char[]>(kReadBytes)) {
  for (Ahead& ahead : ahead_) ahead.bytes = std::make_unique_for_overwrite<char[]>(kReadBytes);
}

Worker::~Worker() { Join(); }

Result<void> Worker::Register(const std::vector<ListeningSocket>& sockets) {
  auto epoch = shared_.catalogue.epochs().TryRegister();
  if (!epoch) {
    return Fail(ErrorCode::kLimit,
                fmt::format("the stores have {} readers already, and each thread of the server is "
                            "one more: end some",
                            kMaxEpochReaders));
  }
  epoch_ = *std::move(epoch);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &wake_up_source_;
  bool ok = ::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, wake_up_.number(), &event) == 0;
  for (const ListeningSocket& socket : sockets) {
    listeners_.push_back(std::make_unique<ListenerSource>());
    listeners_.back()->kind = EventSource::Kind::kListener;
    listeners_.back()->socket = socket;
    ok = ok && WatchListener(*listeners_.back());
  }
  if (!ok) return std::unexpected(ErrnoError(errno, "cannot watch", "a listening socket"));
  return {};
}

void Worker::Start() {
  {
    const MutexLock lock(mailbox_mutex_);
    takes_changes_ = true;
  }
  thread_ = std::thread([this] { Run(); });
}

void Worker::Join() {
  if (thread_.joinable()) thread_.join();
}

void Worker::Wake() {
  // Only async-signal-safe calls here. A full counter has woken the worker already.
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(wake_up_.number(), &one, sizeof(one));
}

void Worker::Send(Letter letter) {
  if (mailbox_.Put(std::move(letter))) Wake();
}

void Worker::Post(SettingsChange change) {
  {
    const MutexLock lock(mailbox_mutex_);
    if (!takes_changes_) return change.taken->count_down();
    changes_.push_back(std::move(change));
  }
  Wake();
}

void Worker::Run() {
  std::array<epoll_event, kEvents> events;
  while (!stopping_ || !connections_.empty()) {
    const int count = ::epoll_wait(epoll_.number(), events.data(), kEvents, TimeoutMs());
    UpdateClocks();
    epoch_.Enter();
    // The sockets of this round may have been written to because of these letters.
    if (mailbox_.waiting()) TakeLetters();
    HandleEvents({events.data(), static_cast<size_t>(std::max(count, 0))});
    OnWaitTimers();
    ServeReady();
    if (!stopping_ && shared_.stop_requested.load(std::memory_order_relaxed)) BeginStop();
    epoch_.Leave();
    OnTimers();
    FreeClosed();
    PublishCounters();
  }
  EndMailbox();
  epoch_ = EpochDomain::Reader();
}

int64_t Worker::ExactClockMs() { return ReadClockMs(CLOCK_MONOTONIC); }

void Worker::UpdateClocks() {
  clock_ms_ = ReadClockMs(CLOCK_MONOTONIC_COARSE);
  now_ms_ = ReadClockMs(CLOCK_REALTIME);
}

int Worker::TimeoutMs() const {
  if (!ready_.empty()) return 0;
  int64_t until = INT64_MAX;
  if (accept_again_ms_ != 0) until = std::min(until, accept_again_ms_);
  if (stopping_) until = std::min(until, stop_deadline_ms_);
  const int64_t idle_ms = shared_.idle_timeout_seconds.load(std::memory_order_relaxed) * 1000;
  if (const Connection* idle = idle_.longest_idle(); idle_ms > 0 && idle != nullptr)
    until = std::min(until, idle->idle_since_ms() + idle_ms);
  if (!blocked_until_.empty()) until = std::min(until, blocked_until_.begin()->first);
  if (!postponed_.empty()) until = std::min(until, shared_.pause.until_ms());
  if (!handshakes_.empty()) until = std::min(until, handshakes_.front().deadline_ms);
  if (until == INT64_MAX) return -1;
  // The coarse clock stands still for a few milliseconds: never ask for less than one.
  return static_cast<int>(std::clamp<int64_t>(until - clock_ms_, 1, 1'000'000));
}

void Worker::HandleEvent(EventSource& source, uint32_t events) {
  switch (source.kind) {
    case EventSource::Kind::kWakeUp:
      return OnWakeUp();
    case EventSource::Kind::kListener:
      Accept(static_cast<ListenerSource&>(source));
      return;
    case EventSource::Kind::kConnection:
      return OnConnection(static_cast<Connection&>(source), events);
  }
}

void Worker::OnWakeUp() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t read = ::read(wake_up_.number(), &count, sizeof(count));
  TakeChanges();
  TakeLetters();
}

void Worker::TakeChanges() {
  std::vector<SettingsChange> changes;
  {
    const MutexLock lock(mailbox_mutex_);
    changes.swap(changes_);
  }
  for (SettingsChange& change : changes) TakeChange(change);
}

void Worker::SetSessionLimits(command::Session& session) const {
  session.max_transaction_bytes = settings_->options.request.query_bytes;
  session.max_reply_bytes = settings_->options.max_output_bytes;
}

void Worker::TakeChange(SettingsChange& change) {
  // Sessions point at users of the settings before.
  const std::shared_ptr<const ActiveSettings> before =
      std::exchange(settings_, std::move(change.settings));
  for (const auto& [id, connection] : connections_) {
    if (connection->closed) continue;
    connection->parser.set_limits(settings_->options.request);
    SetSessionLimits(connection->session);
    if (!command::Adopt(connection->session, settings_->options.users)) {
      Close(*connection);
    } else {
      PublishConnection(*connection);  // while the user that it had still has an address of its own
    }
  }
  for (const ListeningSocket& socket : change.removed) DropListener(socket);
  for (const ListeningSocket& socket : change.open) OpenListener(socket);
  change.taken->count_down();
}

// No change is left unanswered: somebody waits for it.
void Worker::EndMailbox() {
  const MutexLock lock(mailbox_mutex_);
  takes_changes_ = false;
  for (const SettingsChange& change : changes_) change.taken->count_down();
  changes_.clear();
  mailbox_.Close();
}

void Worker::ServeReady() {
  if (ready_.empty()) return;
  ready_now_.swap(ready_);
  for (Connection* const connection : ready_now_) {
    connection->ready = false;
    if (!connection->closed) Resume(*connection);
  }
  ready_now_.clear();
}

void Worker::OnTimers() {
  CloseIdle();
  if (!handshakes_.empty()) CloseSlowHandshakes();
  if (accept_again_ms_ != 0 && clock_ms_ >= accept_again_ms_ && !stopping_) {
    accept_again_ms_ = 0;
    for (const auto& listener : listeners_) {
      if (!WatchListener(*listener)) return RestAccepting(errno);
    }
  }
  if (!stopping_ || clock_ms_ < stop_deadline_ms_) return;
  for (const auto& [id, connection] : connections_) Close(*connection);
}

void Worker::BeginStop() {
  stopping_ = true;
  accept_again_ms_ = 0;
  stop_deadline_ms_ = clock_ms_ + settings_->options.stop_grace.count();
  for (const auto& listener : listeners_) {
    ::epoll_ctl(epoll_.number(), EPOLL_CTL_DEL, listener->socket.fd, nullptr);
    // Refuses new connections at once; the descriptor stays the Listener's.
    ::shutdown(listener->socket.fd, SHUT_RD);
  }
  EndBlocks(INT64_MAX);
  ResumePostponed();
  for (const auto& [id, connection] : connections_) {
    if (!connection->closed) ServeUntilDrained(*connection);
  }
}

void Worker::FreeClosed() {
  for (const Connection* const connection : graveyard_) connections_.erase(connection->card.id);
  graveyard_.clear();
  dropped_listeners_.clear();
}

void Worker::PublishCounters() {
  constexpr auto kRelaxed = std::memory_order_relaxed;
  published_.commands.store(counters_.commands, kRelaxed);
  published_.keyspace_hits.store(counters_.keyspace_hits, kRelaxed);
  published_.keyspace_misses.store(counters_.keyspace_misses, kRelaxed);
  published_.input_bytes.store(input_bytes_, kRelaxed);
  published_.output_bytes.store(output_bytes_, kRelaxed);
}

void Worker::PublishConnection(Connection& connection) {
  registry_.Publish(connection.card, connection.session);
  constexpr auto kRelaxed = std::memory_order_relaxed;
  connection.card.query_bytes.store(connection.input.size(), kRelaxed);
  connection.card.query_free_bytes.store(connection.input.capacity() - connection.input.size(),
                                         kRelaxed);
  connection.card.output_bytes.store(connection.reply.size(), kRelaxed);
}

}  // namespace larder::server
