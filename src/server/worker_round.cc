// Worker: the events of a round, with a look ahead.
//
// A request that comes alone would wait for memory two or three times: for its bucket, its record,
// its value. So each connection is received from before its turn, while those before it are served,
// and each of their turns gives what it needs another step (command::Foreseen). System calls take
// longer than memory does, so a look three turns ahead is enough.
#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "server/limits.h"
#include "server/worker.h"

namespace larder::server {

void Worker::HandleEvents(std::span<const epoll_event> events) {
  if (events.size() == 1) {
    return HandleEvent(*static_cast<EventSource*>(events[0].data.ptr), events[0].events);
  }
  constexpr size_t kLead = kAhead - 1;
  for (size_t turn = 0; turn < events.size() + kLead; ++turn) {
    const auto ahead = [this, turn](size_t by) -> Ahead& { return ahead_[(turn + by) % kAhead]; };
    if (turn < events.size()) ReceiveAhead(events[turn], ahead(0));
    ahead(kAhead - 1).foreseen.FetchRecord();
    ahead(kAhead - 2).foreseen.FetchValue();
    if (turn < kLead) continue;
    Ahead& now = ahead(kAhead - kLead);
    const epoll_event& event = events[turn - kLead];
    if (now.connection != nullptr) {
      TakeAhead(now);
    } else {
      HandleEvent(*static_cast<EventSource*>(event.data.ptr), event.events);
    }
  }
}

// Only what is certain to be received at its turn, too, and into the worker's own memory.
bool Worker::MayReceiveAhead(const epoll_event& event) const {
  if (event.events != EPOLLIN || stopping_) return false;
  const auto& source = *static_cast<const EventSource*>(event.data.ptr);
  if (source.kind != EventSource::Kind::kConnection) return false;
  const auto& connection = static_cast<const Connection&>(source);
  return connection.tls == nullptr && !connection.closed && connection.input.empty() &&
         MayExecute(connection);
}

void Worker::ReceiveAhead(const epoll_event& event, Ahead& ahead) {
  ahead.connection = nullptr;
  if (!MayReceiveAhead(event)) return;
  auto& connection = static_cast<Connection&>(*static_cast<EventSource*>(event.data.ptr));
  ahead.connection = &connection;
  ahead.received = ::recv(connection.socket.number(), ahead.bytes.get(), kReadBytes, MSG_DONTWAIT);
  ahead.error_number = errno;
  if (ahead.received <= 0) return;
  ahead.foreseen = dispatcher_.Foresee(connection.session,
                                       {ahead.bytes.get(), static_cast<size_t>(ahead.received)});
}

void Worker::TakeAhead(Ahead& ahead) {
  Connection& connection = *ahead.connection;
  const command::Foreseen foreseen = std::exchange(ahead.foreseen, {});  // good for this round
  if (connection.closed) return;
  const std::string_view data(ahead.bytes.get(),
                              static_cast<size_t>(std::max<ssize_t>(ahead.received, 0)));
  if (!data.empty() && (!MayExecute(connection) || !connection.input.empty())) [[unlikely]] {
    // Somebody has sent it a message or a signal since: what it sent itself waits.
    input_bytes_ += data.size();
    connection.input.Append(data);
    connection.unparsed = true;
    return Finish(connection);
  }
  foreseen_ = foreseen;
  errno = ahead.error_number;
  TakeReceived(connection, ahead.received, data);
  foreseen_ = {};
  if (stopping_ && !connection.closed) ServeUntilDrained(connection);
}

}  // namespace larder::server
