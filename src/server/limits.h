// The server's own numbers, each with its reason. What a user may set is in ServerOptions;
// docs/operations.md, "Limits" lists both.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace larder::server {

// One read takes at most this much; with it a round of the event loop gives every connection the
// same share, and a pipeline of a thousand requests still comes in one call.
inline constexpr size_t kReadBytes = size_t{64} << 10;
// The same for a connection in the middle of a large request: fewer calls for the rest of it.
inline constexpr size_t kLargeReadBytes = size_t{1} << 20;
// An input buffer that has grown beyond this is freed once it is empty.
inline constexpr size_t kKeepInputBytes = size_t{16} << 10;
// A worker's reply buffer keeps this much between rounds.
inline constexpr size_t kKeepReplyBytes = size_t{1} << 20;
// Requests looked up as one batch: enough to hide the memory's latency, few enough to stay cached.
inline constexpr size_t kBatchRequests = 256;
// Unsent replies beyond this stop the reading and executing of a connection (back-pressure).
inline constexpr size_t kPauseReplyBytes = size_t{1} << 20;
// After this many bytes of replies in one round the others have their turn.
inline constexpr size_t kRoundReplyBytes = size_t{4} << 20;
// No page is smaller: a look every so many bytes sees each of them.
inline constexpr size_t kTouchBytes = 4096;
// Pieces given to one sendmsg.
inline constexpr size_t kSendPieces = 64;
// One record of TLS carries at most this much.
inline constexpr size_t kTlsRecordBytes = size_t{16} << 10;
// What one connection may have encrypted in one go: about what a socket takes at once.
inline constexpr size_t kTlsSendBytes = size_t{1} << 20;
// Events taken from one epoll_wait, and connections accepted in one go.
inline constexpr int kEvents = 256;
inline constexpr int kAcceptsPerRound = 64;
// A listener that goes away is emptied in at most so many goes: many times its backlog.
inline constexpr int kDrainRounds = 64;
// Without descriptors (EMFILE) accepting rests this long instead of spinning.
inline constexpr std::chrono::milliseconds kAcceptRest{100};
// What is read of one connection while stopping; a client that sends without end is cut off here.
inline constexpr uint64_t kStopReadBytes = uint64_t{64} << 20;
// Threads for commands that wait for the readers (LARDER ROLLBACK ...), and for those that wait for
// a compile: any number of reloads must not hold up a rollback.
inline constexpr unsigned kAdminThreads = 2;
inline constexpr unsigned kReloadThreads = 4;
// Times that a batch is repeated because a version turned out damaged; then the connection ends.
inline constexpr int kDamageRetries = 4;
// A subscriber or monitor with more unsent than this for so long is closed; Redis's default for
// pubsub. How much closes at once is ServerOptions::max_subscriber_bytes.
inline constexpr size_t kSubscriberSoftBytes = size_t{8} << 20;
inline constexpr std::chrono::milliseconds kSubscriberSoftTime{60'000};
// Messages and monitors' lines that wait for one worker: more of them are dropped, and whoever
// should have got them is closed.
inline constexpr size_t kMailboxBytes = size_t{128} << 20;
// Letters for which a mailbox keeps memory.
inline constexpr size_t kKeepLetters = 1024;
// TCP keepalive, Redis's default tcp-keepalive.
inline constexpr int kKeepaliveSeconds = 300;

}  // namespace larder::server
