// Connection: one client's socket and what has come from it and is on its way to it.
//
// Only state; the Worker that owns it moves the bytes. Times are on the worker's clock.
//
// Ownership:  owns its socket and its buffers.
// Threads:    its worker's; others see its card.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "command/host.h"
#include "command/session.h"
#include "io/descriptor.h"
#include "protocol/resp/reply.h"
#include "protocol/resp/request_parser.h"
#include "server/client_registry.h"
#include "server/followers.h"
#include "server/input_buffer.h"
#include "server/soft_limit.h"
#include "server/tls.h"

namespace larder::server {

// What an epoll event belongs to.
struct EventSource {
  enum class Kind : uint8_t { kWakeUp, kListener, kConnection };
  Kind kind;
};

// Host::Block: the connection waits until then, or until it is unblocked.
struct BlockedCall {
  uint64_t timeout_ms = 0;  // 0: for ever
  std::string reply;
  bool begun = false;  // before, the batch may still be repeated
  int64_t until_ms = 0;
};

struct Connection : EventSource {
  explicit Connection(const resp::RequestLimits& limits)
      : EventSource{Kind::kConnection}, parser(limits) {}

  io::Descriptor socket;
  std::unique_ptr<TlsStream> tls;  // null: plain
  resp::RequestParser parser;
  InputBuffer input;
  resp::ReplyBuffer reply;
  command::Session session;
  ClientCard card;

  uint32_t registered_events = 0;  // what epoll knows
  bool suspended = false;          // a deferred command or a damaged version: executes nothing
  bool closing = false;            // executes nothing more, ends when everything is sent
  bool closed = false;             // freed at the end of the round
  bool unparsed = false;           // `input` may hold whole requests
  bool ready = false;              // stands in the worker's list for the next round
  bool postponed = false;          // suspended by CLIENT PAUSE
  bool touched = false;            // got a message in this round
  SoftLimit soft_limit;            // of unsent messages
  int damage_retries = 0;
  uint64_t read_while_stopping = 0;
  command::Host::Work deferred_work;
  command::Host::WaitsFor deferred_waits_for = command::Host::WaitsFor::kReaders;
  std::unique_ptr<BlockedCall> blocked;  // null: not in Host::Block
  std::unique_ptr<Following> following;  // null: it follows nothing

  // When its idle time began, or when it was last found that it may stay idle.
  int64_t idle_since_ms() const {
    return std::max(card.active_ms.load(std::memory_order_relaxed), spared_ms);
  }
  int64_t spared_ms = 0;

  bool subscribes() const { return following != nullptr && following->subscribes(); }

  // In the worker's list, the longest idle first.
  Connection* idle_before = nullptr;
  Connection* idle_after = nullptr;
};

}  // namespace larder::server
