// Worker: one event loop on one thread, with the connections that it accepted.
//
// A round: wait, enter the epoch, serve every connection that has something to read or to send,
// leave the epoch. A worker that waits is outside the epoch, so it never holds up a switch. Epoll
// is level-triggered: a connection that had its share of a round is simply reported again, and
// its registration changes only when it must stop reading or wait to send, so that a request
// costs three system calls (wait, receive, send) and a pipeline the same three.
//
// Ownership:  owns its connections; borrows its listening sockets and the SharedState.
// Threads:    Start, Join by the owner; Wake from any thread and from signal handlers; Post, Send,
//             registry() and counters() from any thread; everything else by its own thread, which
//             alone reads the settings: a change of them is a message.
// Errors:     a connection's errors end that connection.
// Cost:       no lock and, once buffers have grown, no allocation per request.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <latch>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <sys/epoll.h>

#include "base/epoch.h"
#include "base/mutex.h"
#include "command/dispatcher.h"
#include "io/descriptor.h"
#include "server/client_registry.h"
#include "server/connection.h"
#include "server/idle_list.h"
#include "server/mailbox.h"
#include "server/shared_state.h"
#include "server/worker_host.h"

namespace larder::server {

struct ListeningSocket {
  int fd = -1;
  bool shared = false;  // by all workers
  std::shared_ptr<const Entrance> entrance;
};

class Worker {
 public:
  static Result<std::unique_ptr<Worker>> Create(SharedState& shared,
                                                std::shared_ptr<const ActiveSettings> settings,
                                                const std::vector<ListeningSocket>& sockets);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Start();
  void Join();
  void Wake();

  using Message = DeferralEnd;
  void Post(Message message) { Send(std::move(message)); }
  // It is taken between two batches.
  void Send(Letter letter);

  // Other settings from now on. `taken` is counted down once the worker uses none of the removed
  // sockets any more, also by one that has ended or was not started.
  struct SettingsChange {
    std::shared_ptr<const ActiveSettings> settings;
    std::vector<ListeningSocket> open;  // those that are new, and those that stay
    std::vector<ListeningSocket> removed;
    std::latch* taken = nullptr;
  };
  void Post(SettingsChange change);

  const ClientRegistry& registry() const { return registry_; }
  ClientRegistry& registry() { return registry_; }
  const PublishedCounters& counters() const { return published_; }

  // For the WorkerHost, while a command is executed.
  SharedState& shared() { return shared_; }
  const SharedState& shared() const { return shared_; }
  const ActiveSettings& settings() const { return *settings_; }
  Connection* current() const { return current_; }
  int64_t clock_ms() const { return clock_ms_; }
  int64_t now_ms() const { return now_ms_; }
  static int64_t ExactClockMs();
  void PublishCounters();
  void PublishConnection(Connection& connection);
  uint32_t monitors() const { return monitors_.load(std::memory_order_relaxed); }

  // The same, about the connection whose command is executed (worker_followers.cc).
  bool Subscribe(command::ChannelKind kind, std::string_view name);
  bool Unsubscribe(command::ChannelKind kind, std::string_view name);
  uint64_t Publish(command::ChannelKind kind, std::string_view channel, std::string_view message);
  void SetTracking(command::TrackingOptions options);
  void StartMonitoring();
  void StopMonitoring();
  void TellMonitors(std::string_view line);

 private:
  struct ListenerSource : EventSource {
    ListeningSocket socket;
  };
  struct Handshake {
    uint64_t connection;
    int64_t deadline_ms;
  };

  Worker(SharedState& shared, std::shared_ptr<const ActiveSettings> settings, io::Descriptor epoll,
         io::Descriptor wake_up);
  Result<void> Register(const std::vector<ListeningSocket>& sockets);

  // The loop (worker.cc).
  void Run();
  void UpdateClocks();
  int TimeoutMs() const;
  void HandleEvent(EventSource& source, uint32_t events);
  void OnWakeUp();
  void TakeLetters();
  void TakeChanges();
  void TakeChange(SettingsChange& change);
  void SetSessionLimits(command::Session& session) const;
  void EndMailbox();
  void ServeReady();
  void OnTimers();
  void BeginStop();
  void FreeClosed();

  // The events of a round, each received from before its turn (worker_round.cc).
  struct Ahead {
    Connection* connection = nullptr;  // null: nothing was received ahead
    ssize_t received = 0;
    int error_number = 0;
    command::Foreseen foreseen;
    std::unique_ptr<char[]> bytes;
  };
  void HandleEvents(std::span<const epoll_event> events);
  bool MayReceiveAhead(const epoll_event& event) const;
  void ReceiveAhead(const epoll_event& event, Ahead& ahead);
  void TakeAhead(Ahead& ahead);

  // What others have sent (worker_letters.cc).
  void TakeLetter(DeferralEnd& end);
  void TakeLetter(const Delivery& delivery);
  void TakeLetter(const MonitorLine& line);
  void TakeLetter(const Invalidation& invalidation);
  void TakeLetter(const RedirectedInvalidation& invalidation);
  void TakeLetter(const Unblocking& unblocking);
  void TakeLetter(const Killing& killing);
  void TakeLetter(const Resumption& resumption);
  Connection* Find(uint64_t client) const;
  void Deliver(Connection& connection, const std::shared_ptr<const Publication>& publication,
               const std::string* pattern);
  void Invalidate(Connection& connection);
  void TellInvalidation(Connection& connection, int tracking_protocol, bool redirected);
  void Touch(Connection& connection, size_t bytes);
  void FlushTouched();
  bool TooSlow(Connection& connection);
  void CloseFollowers();

  // What a connection follows (worker_followers.cc).
  void JoinTrackers(Connection& connection);
  void LeaveTrackers(Connection& connection);
  void LeaveMonitors(Connection& connection);
  void LeaveAll(Connection& connection);

  // Connections wait (worker_waits.cc).
  std::span<const command::Request> NotPostponed(Connection& connection,
                                                 std::span<const command::Request> requests);
  bool IsPostponed(const Connection& connection, const command::Request& request,
                   Pause::Kind kind) const;
  void ResumePostponed();
  void BeginBlock(Connection& connection);
  void EndBlock(Connection& connection, std::string_view reply);
  void EndBlocks(int64_t until_ms);
  void ForgetWaits(Connection& connection);
  void OnWaitTimers();

  // Connections come and go (worker_accept.cc).
  bool Accept(ListenerSource& listener);
  void OpenListener(const ListeningSocket& socket);
  void DropListener(const ListeningSocket& socket);
  void AddConnection(io::Descriptor socket, const Address& peer, const Entrance& entrance);
  void CloseSlowHandshakes();
  void RestAccepting(int error_number);
  bool WatchListener(ListenerSource& listener);
  void CloseIdle();
  void Close(Connection& connection);

  // Bytes in, replies out (worker_serve.cc).
  void OnConnection(Connection& connection, uint32_t events);
  bool ReadAndServe(Connection& connection);
  bool TakeReceived(Connection& connection, ssize_t received, std::string_view data);
  void NoteActive(Connection& connection);
  ssize_t Receive(Connection& connection, std::string_view& data);
  void Serve(Connection& connection, std::string_view data, bool in_own_buffer);
  void Resume(Connection& connection);
  void ServeUntilDrained(Connection& connection);
  size_t ExecuteAll(Connection& connection, std::string_view data);
  resp::ParseOutcome ParseBatch(Connection& connection, std::string_view data);
  size_t ExecuteBatch(Connection& connection);
  bool LeaveDamagedVersion(Connection& connection);
  void PostDeferredWork(Connection& connection);
  void Flush(Connection& connection);
  ssize_t SendEncrypted(Connection& connection, std::span<const iovec> pieces);
  void CloseUnreadable(Connection& connection);
  void Finish(Connection& connection);
  void ReturnReplyMemory(Connection& connection);
  void UpdateEvents(Connection& connection);
  bool MayExecute(const Connection& connection) const;

  SharedState& shared_;
  const unsigned index_;  // among the workers
  std::shared_ptr<const ActiveSettings> settings_;
  io::Descriptor epoll_;
  io::Descriptor wake_up_;
  EventSource wake_up_source_{EventSource::Kind::kWakeUp};
  std::vector<std::unique_ptr<ListenerSource>> listeners_;
  // Until the end of the round: events of it may point there.
  std::vector<std::unique_ptr<ListenerSource>> dropped_listeners_;
  std::thread thread_;

  EpochDomain::Reader epoch_;
  WorkerHost host_;
  command::Counters counters_;
  uint64_t input_bytes_ = 0;
  uint64_t output_bytes_ = 0;
  PublishedCounters published_;
  command::CommandStatistics& statistics_;
  command::Dispatcher dispatcher_;

  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  ClientRegistry registry_;
  IdleList idle_;
  // Connections whose TLS handshake may not have ended, in the order in which they came.
  std::deque<Handshake> handshakes_;
  std::vector<Connection*> ready_;      // to be served again without an event
  std::vector<Connection*> ready_now_;  // those of this round
  std::vector<Connection*> graveyard_;  // closed in this round
  Connection* current_ = nullptr;

  Followers followers_;
  std::atomic<uint32_t> monitors_{0};  // how many of its connections monitor
  std::vector<Connection*> touched_;   // have got messages that are not sent yet
  size_t touched_bytes_ = 0;
  std::set<std::pair<int64_t, uint64_t>> blocked_until_;  // and which client
  std::vector<uint64_t> postponed_;                       // clients

  int64_t clock_ms_ = 0;         // monotonic
  int64_t now_ms_ = 0;           // Unix time
  int64_t accept_again_ms_ = 0;  // 0: accepting
  int64_t stop_deadline_ms_ = 0;
  bool stopping_ = false;
  bool accept_fails_ = false;  // that was said in the log

  // Working memory of a round, shared by the connections in turn.
  std::unique_ptr<char[]> scratch_;
  static constexpr size_t kAhead = 4;
  std::array<Ahead, kAhead> ahead_;
  command::Foreseen foreseen_;  // of the connection that is served
  resp::ReplyBuffer spare_reply_;
  bool spare_is_lent_ = false;
  std::vector<std::string_view> arguments_;
  std::vector<command::Request> requests_;
  std::vector<size_t> request_ends_;      // where each request of the batch ends in its data
  command::SessionState session_before_;  // as it was before the batch, should it be repeated
  size_t parsed_bytes_ = 0;               // the batch's, with empty lines

  Mutex mailbox_mutex_;
  std::vector<SettingsChange> changes_ LARDER_GUARDED_BY(mailbox_mutex_);
  bool takes_changes_ LARDER_GUARDED_BY(mailbox_mutex_) = false;
  Mailbox mailbox_;
  Mailbox::Taken taken_;
};

}  // namespace larder::server
