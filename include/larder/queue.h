// Queue: first in, first out, on disk; read by number, shared by threads and processes.
//
//   auto jobs = larder::Queue::Open({.directory = "/var/lib/shop/jobs"});
//   if (!jobs) return Complain(jobs.error().message());
//   jobs->Append("resize 1.jpg");
//   for (auto job = jobs->Pop(); job && *job; job = jobs->Pop()) Work((*job)->data);
//
// Every record gets a number when it is appended: 1, 2, 3... Numbers only grow and are never used
// twice, whatever was deleted or lost; a power cut may leave a gap. A record is there until it is
// deleted: by Pop or Delete, by the last group that acknowledges it, by Prune, or because a full
// queue drops its oldest. What is deleted is gone at once; its space comes back when all of its
// segment is deleted, also in the middle of the queue.
//
// Processes:  any number open the same directory, in any order. One of them may append, or any
//             number with QueueWriters::kShared; all may read, delete, pop and acknowledge. No
//             record is popped twice. Any of them may be killed at any instant.
// Ownership:  handles share the Queue; a handle that was moved from is assigned to or destroyed.
//             A QueueRecord's data stay as long as the record is kept, whatever is deleted.
// Threads:    everything from any thread.
// Errors:     kBusy (another process appends, and is not to share), kLimit (the queue is full, a
//             record is too large), kNotFound (no such record or group; which numbers are there),
//             kCorrupt (segment, byte, number), kNoSpace, kIoError. After a failed sync everything
//             that writes fails until the queue is opened again, which recovers what is safe.
// Durability: of an operation that has returned
//
//               operation                       a process kill   a power cut
//               Append                          survives         see QueueSync
//               Pop, Delete, Prune, Clear       survives         see QueueSync; what is lost is
//                                                                delivered again
//               Receive, Acknowledge, Release,  survives         see QueueSync; what is lost is
//               Extend, groups                                   delivered again
//               Move                            survives         in one of the two queues; only
//                                                                there unless QueueSync::kNever
//               Sync, Close                     survives         survives, with all before it
//
//             Pop gives a record away before its work is done: work that must be done is received
//             by a group. A Pop whose sync fails (kAlways) returns what it took all the same, and
//             a power cut may bring that back; the next call fails. Of a batch all survives or
//             nothing. What was not acknowledged, because the process died in the call, is done or
//             not done, never half.
// Cost:       Append: one copy and two checksums; two system calls more with kShared. Pop: a
//             look-up in memory, a read, an append of some 70 bytes. Opening reads the last
//             segment and what is open in the positions: it does not grow with the queue. A segment
//             of a queue that records were moved to is read once more before it goes.
// Fork:       a child must not use a Queue of its parent: open it after forking.
// Format:     docs/formats/queue.md
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/api.h"
#include "larder/error.h"

namespace larder {

// When what has returned is safe from a power cut.
enum class QueueSync : uint8_t {
  kNever,     // when the kernel pleases, and when a segment is full
  kInterval,  // within sync_interval, or so many bytes
  kAlways,    // at once; calls of many threads share one sync
};

// What becomes of an Append when the queue has max_segments and another one is needed.
enum class QueueFull : uint8_t {
  kRefuse,      // kLimit
  kDropOldest,  // the oldest segment goes with all its records
  kBlock,       // it waits until a segment is dead; kLimit after full_timeout
};

enum class QueueWriters : uint8_t {
  kExclusive,  // this process appends, and no other
  kShared,     // many processes append in turns
  kNone,       // this process does not append
};

struct QueueOptions {
  std::string directory = {};  // made when it is missing
  // Of its files: many queues may share a directory. Does not end in ".positions".
  std::string prefix = "queue";
  uint64_t max_segment_bytes = uint64_t{64} << 20;
  uint64_t max_segments = 0;                         // at least 2; 0: as many as the disk holds
  uint64_t max_resident_bytes = uint64_t{64} << 20;  // of the files in memory, about; 0: no limit

  QueueSync sync = QueueSync::kInterval;
  std::chrono::milliseconds sync_interval{100};  // at least 1
  uint64_t sync_bytes = uint64_t{64} << 20;

  QueueFull when_full = QueueFull::kRefuse;
  std::chrono::milliseconds full_timeout = std::chrono::hours(24);

  QueueWriters writers = QueueWriters::kExclusive;
  // Off: no other process has the queue open, which saves the system calls that ask.
  bool locking = true;
  // A record that every group has acknowledged is deleted, unless this is set.
  bool keep_acknowledged = false;
};

// Where a record was before it was moved here.
struct QueueOrigin {
  std::array<char, 16> queue{};  // the id of its records
  uint64_t number = 0;

  bool operator==(const QueueOrigin&) const = default;
};

struct QueueRecord {
  uint64_t number = 0;
  std::string_view data = {};
  std::optional<QueueOrigin> origin = {};
  uint32_t deliveries = 0;  // to consumers of the group that received it, this one included
  std::shared_ptr<const void> held = {};  // keeps `data`
};

// From this number on.
inline constexpr uint64_t kQueueOldest = 0;
inline constexpr uint64_t kQueueNewest = UINT64_MAX;  // only what is appended later

struct QueueGroupOptions {
  uint64_t start = kQueueOldest;  // the first number that is delivered
  // Who does not acknowledge in this time, at least 1 ms, loses the record to the next who asks.
  std::chrono::milliseconds visibility_timeout = std::chrono::seconds(30);
  // After so many deliveries without an acknowledgement a record is moved away; 0: never.
  uint32_t max_deliveries = 0;
  // Where to: another queue, which nobody has opened as kExclusive. Empty: it is deleted. They go
  // there though it is full: max_segments is what an Append of its own handles keeps to.
  std::string dead_letter_directory = {};
  std::string dead_letter_prefix = "queue";
};

struct QueueGroupStats {
  std::string name;
  uint64_t next = 0;         // the first number that was not delivered yet
  uint64_t waiting = 0;      // records from `next` on
  uint64_t pending = 0;      // delivered, and not acknowledged
  uint64_t redelivered = 0;  // of those, more than once
  std::vector<std::pair<std::string, uint64_t>> consumers;  // and how many are pending with each
};

// What comes and goes as a whole: a file of records, with its index.
struct QueueSegment {
  uint64_t first = 0;   // the number of its first record, which names it
  uint64_t last = 0;    // of its last one; first - 1: it has none yet
  uint64_t length = 0;  // records that are there
  uint64_t bytes = 0;
  int64_t made_ms = 0;  // Unix time
};

struct QueueStats {
  uint64_t length = 0;  // records that are there
  uint64_t first = 0;   // the first of them; 0: none
  uint64_t last = 0;    // the last number that was given; 0: none
  uint64_t bytes = 0;   // of all files
  uint64_t segments = 0;
  uint64_t deleted = 0;         // records that still take space
  int64_t oldest_ms = 0;        // Unix time of the oldest segment; 0: none
  uint64_t synced = 0;          // the last number that is safe from a power cut
  uint64_t position_bytes = 0;  // of `bytes`, what deletes and groups take
  std::vector<QueueGroupStats> groups;
};

class Queue {
 public:
  LARDER_API static Result<Queue> Open(const QueueOptions& options);

  // ---- Putting in. All of them or none, in order; returns the number of the last one.
  LARDER_API Result<uint64_t> Append(std::span<const std::string_view> records) const;
  Result<uint64_t> Append(std::string_view record) const { return Append({&record, 1}); }

  // ---- Looking. None of these changes anything.
  // kNotFound when it was deleted.
  LARDER_API Result<QueueRecord> Read(uint64_t number) const;
  // The first that is there; nothing in an empty queue.
  LARDER_API Result<std::optional<QueueRecord>> ReadFront() const;
  // At most `count` that are there, from `number` on.
  LARDER_API Result<std::vector<QueueRecord>> ReadMany(uint64_t number, size_t count) const;
  Result<std::vector<QueueRecord>> Peek(size_t count) const { return ReadMany(0, count); }
  // Waits until there is a record; false when `timeout` has passed. Another consumer may take it
  // before this one does. Looks all the time for `spin`, then sleeps until it is woken.
  LARDER_API Result<bool> WaitForData(std::chrono::milliseconds timeout,
                                      std::chrono::nanoseconds spin = {}) const;
  // Takes notice of what other processes did. Every other call does so by itself.
  LARDER_API Result<void> Refresh() const;

  // ---- Taking out.
  LARDER_API Result<std::optional<QueueRecord>> Pop() const;
  LARDER_API Result<std::vector<QueueRecord>> PopMany(size_t count) const;
  // How many of them were there.
  LARDER_API Result<uint64_t> Delete(std::span<const uint64_t> numbers) const;
  Result<uint64_t> Delete(std::initializer_list<uint64_t> numbers) const {
    return Delete(std::span<const uint64_t>(numbers.begin(), numbers.size()));
  }
  // Whether there was one.
  LARDER_API Result<bool> DeleteFront() const;
  // Everything up to a number; of a segment, named by its first number (kQueueOldest: of the oldest
  // one); everything. How many records were there. kNotFound: no segment begins so. Where nothing
  // is left, the space of the last segment comes back too, but not with QueueWriters::kNone.
  LARDER_API Result<uint64_t> Prune(uint64_t up_to) const;
  LARDER_API Result<uint64_t> PruneSegment(uint64_t first) const;
  LARDER_API Result<uint64_t> Clear() const;
  // To the end of another queue, which may append: the number that it has there. It is never in
  // both and never in none, also when the process dies meanwhile. kLimit where that is full,
  // whatever its when_full says: an Append there makes room. After any other error it may be there
  // already, and nobody gets it here until that is known: once the other queue was opened anew, and
  // has synced it where somebody has that as kExclusive.
  LARDER_API Result<uint64_t> Move(uint64_t number, const Queue& destination) const;

  // ---- Groups: each record goes to one consumer of every group.
  // kAlreadyExists.
  LARDER_API Result<void> CreateGroup(std::string_view group,
                                      const QueueGroupOptions& options = {}) const;
  // Records that only this group had not acknowledged stay until somebody deletes them.
  LARDER_API Result<void> DropGroup(std::string_view group) const;
  // At most `count` records: those first whose time is over, then new ones. Waits for the first at
  // most `timeout`; nothing when there was none.
  LARDER_API Result<std::vector<QueueRecord>> Receive(std::string_view group,
                                                      std::string_view consumer, size_t count,
                                                      std::chrono::milliseconds timeout = {}) const;
  // Each of these says of how many numbers it was true that they were pending in the group.
  LARDER_API Result<uint64_t> Acknowledge(std::string_view group,
                                          std::span<const uint64_t> numbers) const;
  Result<uint64_t> Acknowledge(std::string_view group,
                               std::initializer_list<uint64_t> numbers) const {
    return Acknowledge(group, std::span<const uint64_t>(numbers.begin(), numbers.size()));
  }
  // They can be received again once `delay` has passed.
  LARDER_API Result<uint64_t> Release(std::string_view group, std::span<const uint64_t> numbers,
                                      std::chrono::milliseconds delay = {}) const;
  Result<uint64_t> Release(std::string_view group, std::initializer_list<uint64_t> numbers,
                           std::chrono::milliseconds delay = {}) const {
    return Release(group, std::span<const uint64_t>(numbers.begin(), numbers.size()), delay);
  }
  // They stay with their consumer for so long from now on.
  LARDER_API Result<uint64_t> Extend(std::string_view group, std::span<const uint64_t> numbers,
                                     std::chrono::milliseconds timeout) const;
  Result<uint64_t> Extend(std::string_view group, std::initializer_list<uint64_t> numbers,
                          std::chrono::milliseconds timeout) const {
    return Extend(group, std::span<const uint64_t>(numbers.begin(), numbers.size()), timeout);
  }

  // ---- Looking around.
  LARDER_API Result<uint64_t> Length() const;
  LARDER_API Result<uint64_t> Bytes() const;
  LARDER_API Result<QueueStats> Stats() const;
  LARDER_API Result<std::vector<QueueSegment>> Segments() const;  // from the oldest on
  LARDER_API QueueOptions options() const;

  // Returns when everything before it is safe from a power cut: all that was taken out, and all
  // that was put in, by whatever process; with QueueWriters::kNone only what was taken out.
  LARDER_API Result<void> Sync() const;
  // Ends all waits, syncs and gives the queue back; the last handle does so too, and cannot say
  // what went wrong. Other calls fail afterwards.
  LARDER_API Result<void> Close() const;

 private:
  struct State;
  explicit Queue(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;
};

}  // namespace larder
