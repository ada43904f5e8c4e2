// A process that uses a queue until it is killed, and tells on stdout what it did, a line each:
//
//   queue_worker MODE DIRECTORY SEGMENT_BYTES never|interval SEED NAME
//
// MODE is produce, consume or pop; work (as consume, but some records fail until they are dead
// letters); move (to another queue); popmoved (from that one), list (what the two others hold).
//
//   O                                     the queue is open
//   + FIRST COUNT                         about to append so many records of this name
//   A FIRST COUNT LAST                    appended; the number of the last one
//   w COUNT                               about to receive, or to pop, at most so many
//   d NUMBER DELIVERIES FROM TO NAME SEQ  received between these two times; whose record it is
//   o NUMBER FROM ID                      and popped, where it was moved from: its number there
//   e COUNT                               that were all
//   k|l|x BY NUMBER...                    about to acknowledge, release, extend by so many ms
//   K|L|X FROM TO COUNT BY NUMBER...      done between these times; how many were pending
//   m NUMBER NAME SEQ                     about to move it
//   M FROM TO NUMBER THERE                moved between these times; its number over there
//   - NUMBER                              it was not there any more
//   r dead|moved NUMBER FROM ID NAME SEQ  lies there, and where it was moved from
//   S LENGTH SEGMENTS DELETED             what is left of the queue, before the process ends
//
// Lines go out with one write(2) each, before and after a call: what is missing at the end is what
// the killed process may have done, and did not say. Times are Unix ms, as those of the queue.
//
// SIGTERM: who appends ends, who takes out ends when there is nothing left.
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "larder/queue.h"

namespace {

using larder::Queue;
using larder::QueueRecord;

constexpr std::string_view kGroup = "workers";
constexpr std::chrono::milliseconds kVisibility{300};
constexpr uint64_t kMostAppended = 20;
constexpr uint64_t kMostTaken = 10;
constexpr uint32_t kMaxDeliveries = 3;
constexpr uint64_t kOneFailsOf = 16;

volatile std::sig_atomic_t ending = 0;

void BeginToEnd(int /*signal*/) { ending = 1; }

[[noreturn]] void Complain(std::string_view what) {
  std::fputs(fmt::format("queue_worker {}: {}\n", getpid(), what).c_str(), stderr);
  std::_Exit(1);
}

template <typename T>
T Must(larder::Result<T> result, std::string_view doing) {
  if (!result) Complain(fmt::format("{}: {}", doing, result.error().message()));
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

void Say(const std::string& lines) {
  if (write(STDOUT_FILENO, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size()))
    Complain("its stdout takes no more");
}

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

struct Arguments {
  std::string_view mode;
  std::string directory;
  uint64_t segment_bytes = 0;
  larder::QueueSync sync = larder::QueueSync::kNever;
  uint64_t seed = 0;
  std::string name;
};

uint64_t NumberOf(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    Complain(fmt::format("\"{}\" is no number", text));
  return number;
}

Arguments Parse(std::span<char* const> words) {
  if (words.size() != 7)
    Complain("queue_worker MODE DIRECTORY SEGMENT_BYTES never|interval SEED NAME");
  const std::string_view sync = words[4];
  return {.mode = words[1],
          .directory = words[2],
          .segment_bytes = NumberOf(words[3]),
          .sync = sync == "never" ? larder::QueueSync::kNever : larder::QueueSync::kInterval,
          .seed = NumberOf(words[5]),
          .name = words[6]};
}

larder::QueueOptions OptionsOf(const Arguments& arguments, larder::QueueWriters writers) {
  return {.directory = arguments.directory,
          .max_segment_bytes = arguments.segment_bytes,
          .max_segments = 24,
          .sync = arguments.sync,
          .sync_interval = std::chrono::milliseconds(20),
          .when_full = larder::QueueFull::kBlock,
          .writers = writers};
}

Queue Open(const Arguments& arguments, larder::QueueWriters writers) {
  return Must(Queue::Open(OptionsOf(arguments, writers)), "opening the queue");
}

// One of those beside it: for dead letters, or for what is moved. It takes all that comes.
std::string Beside(const Arguments& arguments, std::string_view which) {
  return fmt::format("{}-{}", arguments.directory, which);
}
Queue OpenBeside(const Arguments& arguments, std::string_view which, larder::QueueWriters writers) {
  larder::QueueOptions options = OptionsOf(arguments, writers);
  options.directory = Beside(arguments, which);
  options.max_segments = 0;
  return Must(Queue::Open(options), fmt::format("opening the queue of the {}", which));
}

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  uint64_t Below(uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_;
};

// ---- Records. All of a record follows from whose it is, and which.

struct Id {
  std::string name;
  uint64_t sequence = 0;
};

std::string ContentOf(const Id& id) {
  std::string content = fmt::format("{} {} ", id.name, id.sequence);
  uint64_t state = id.sequence * 0x9e3779b97f4a7c15;
  for (const char c : id.name) state = (state ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  Dice dice(state);
  const uint64_t bytes = 10 + dice.Below(2991);
  while (content.size() < bytes) content.push_back(static_cast<char>(dice.Below(256)));
  return content;
}

Id IdOf(const QueueRecord& record) {
  const size_t name_end = record.data.find(' ');
  const size_t sequence_end = record.data.find(' ', name_end + 1);
  if (name_end == std::string_view::npos || sequence_end == std::string_view::npos)
    Complain(fmt::format("record {} is none of ours", record.number));
  Id id{.name = std::string(record.data.substr(0, name_end)),
        .sequence = NumberOf(record.data.substr(name_end + 1, sequence_end - name_end - 1))};
  if (record.data != ContentOf(id)) {
    Complain(fmt::format("record {} calls itself {} {}, and is not whole", record.number, id.name,
                         id.sequence));
  }
  return id;
}

// Where it was moved from.
std::string NameOf(const larder::QueueOrigin& origin) {
  std::string id;
  for (const char c : origin.queue) id += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return fmt::format("{} {}", origin.number, id);
}

// ---- Putting in.

void Produce(const Arguments& arguments) {
  const Queue queue = Open(arguments, larder::QueueWriters::kShared);
  Say("O\n");
  Dice dice(arguments.seed);
  for (uint64_t first = 1; ending == 0;) {
    const uint64_t count = 1 + dice.Below(kMostAppended);
    std::vector<std::string> contents;
    contents.reserve(count);
    for (uint64_t i = 0; i < count; ++i)
      contents.push_back(ContentOf({.name = arguments.name, .sequence = first + i}));
    Say(fmt::format("+ {} {}\n", first, count));
    const std::vector<std::string_view> records(contents.begin(), contents.end());
    const uint64_t last = Must(queue.Append(records), "appending");
    Say(fmt::format("A {} {} {}\n", first, count, last));
    first += count;
  }
  Must(queue.Close(), "closing the queue");
}

// ---- Taking out.

// What `take` returns, and says so.
template <typename Take>
std::vector<QueueRecord> Taken(uint64_t count, Take take) {
  Say(fmt::format("w {}\n", count));
  const int64_t from = NowMs();
  std::vector<QueueRecord> records = take(count);
  const int64_t to = NowMs();
  std::string lines;
  for (const QueueRecord& record : records) {
    const Id id = IdOf(record);
    lines += fmt::format("d {} {} {} {} {} {}\n", record.number, record.deliveries, from, to,
                         id.name, id.sequence);
    if (record.origin) lines += fmt::format("o {} {}\n", record.number, NameOf(*record.origin));
  }
  Say(fmt::format("{}e {}\n", lines, records.size()));
  return records;
}

void SayWhatIsLeft(const Queue& queue) {
  const larder::QueueStats stats = Must(queue.Stats(), "looking around");
  Say(fmt::format("S {} {} {}\n", stats.length, stats.segments, stats.deleted));
}

// Says before and after it what `call` does with the numbers.
template <typename Call>
void Settle(char letter, const std::vector<uint64_t>& numbers, std::chrono::milliseconds by,
            Call call) {
  const std::string what = fmt::format("{} {}\n", by.count(), fmt::join(numbers, " "));
  Say(fmt::format("{} {}", letter, what));
  const int64_t from = NowMs();
  const uint64_t pending = Must(call(), "settling");
  Say(fmt::format("{} {} {} {} {}", static_cast<char>(letter - 'a' + 'A'), from, NowMs(), pending,
                  what));
}

void SettleOneWay(const Queue& queue, const std::vector<uint64_t>& numbers, uint64_t way,
                  std::chrono::milliseconds by) {
  const auto acknowledge = [&] {
    Settle('k', numbers, {}, [&] { return queue.Acknowledge(kGroup, numbers); });
  };
  if (ending != 0 || way < 15) return acknowledge();
  if (way == 15)
    return Settle('l', numbers, by, [&] { return queue.Release(kGroup, numbers, by); });
  if (way == 16) return Settle('x', numbers, by, [&] { return queue.Extend(kGroup, numbers, by); });
  if (way == 17) {
    Settle('x', numbers, by, [&] { return queue.Extend(kGroup, numbers, by); });
    acknowledge();
  }
  // Otherwise their time passes.
}

bool IsDrained(const Queue& queue) {
  const larder::QueueStats stats = Must(queue.Stats(), "looking around");
  for (const larder::QueueGroupStats& group : stats.groups)
    if (group.name == kGroup && (group.pending != 0 || group.waiting != 0)) return false;
  return true;
}

// Those of `records` that fail, whoever works on them; or the others.
std::vector<uint64_t> NumbersOf(const Arguments& arguments, const std::vector<QueueRecord>& records,
                                bool failing) {
  std::vector<uint64_t> numbers;
  for (const QueueRecord& record : records) {
    const bool fails = arguments.mode == "work" && IdOf(record).sequence % kOneFailsOf == 0;
    if (fails == failing) numbers.push_back(record.number);
  }
  return numbers;
}

larder::QueueGroupOptions GroupOptionsOf(const Arguments& arguments) {
  if (arguments.mode != "work") return {.visibility_timeout = kVisibility};
  return {.visibility_timeout = kVisibility,
          .max_deliveries = kMaxDeliveries,
          .dead_letter_directory = Beside(arguments, "dead")};
}

void Consume(const Arguments& arguments) {
  const Queue queue = Open(arguments, larder::QueueWriters::kNone);
  Say("O\n");
  const auto created = queue.CreateGroup(kGroup, GroupOptionsOf(arguments));
  if (!created && created.error().code() != larder::ErrorCode::kAlreadyExists)
    Complain(fmt::format("making the group: {}", created.error().message()));
  Dice dice(arguments.seed);
  for (;;) {
    // Now and then without waiting, so that the time of a delivery is known well.
    const std::chrono::milliseconds timeout(dice.Below(2) * 50);
    const auto records = Taken(1 + dice.Below(kMostTaken), [&](uint64_t count) {
      return Must(queue.Receive(kGroup, arguments.name, count, timeout), "receiving");
    });
    if (records.empty() && ending != 0 && IsDrained(queue)) break;
    const std::vector<uint64_t> failing = NumbersOf(arguments, records, true);
    const std::vector<uint64_t> good = NumbersOf(arguments, records, false);
    if (!failing.empty()) {
      const std::chrono::milliseconds by(dice.Below(50));
      Settle('l', failing, by, [&] { return queue.Release(kGroup, failing, by); });
    }
    if (!good.empty())
      SettleOneWay(queue, good, dice.Below(20), std::chrono::milliseconds(dice.Below(400)));
  }
  SayWhatIsLeft(queue);
  Must(queue.Close(), "closing the queue");
}

void PopAll(const Arguments& arguments, const Queue& queue) {
  Say("O\n");
  Dice dice(arguments.seed);
  for (;;) {
    const auto records = Taken(1 + dice.Below(kMostTaken), [&](uint64_t count) {
      return Must(queue.PopMany(count), "popping");
    });
    if (!records.empty()) continue;
    if (ending != 0) break;
    Must(queue.WaitForData(std::chrono::milliseconds(50)), "waiting");
  }
  SayWhatIsLeft(queue);
  Must(queue.Close(), "closing the queue");
}

// ---- To other queues.

void MoveOne(const Queue& queue, const Queue& target, const QueueRecord& record) {
  const Id id = IdOf(record);
  Say(fmt::format("m {} {} {}\n", record.number, id.name, id.sequence));
  const int64_t from = NowMs();
  const auto there = queue.Move(record.number, target);
  if (there) {
    Say(fmt::format("M {} {} {} {}\n", from, NowMs(), record.number, *there));
  } else if (there.error().code() == larder::ErrorCode::kNotFound) {
    Say(fmt::format("- {}\n", record.number));  // somebody was faster
  } else {
    Must(there, "moving");
  }
}

void Move(const Arguments& arguments) {
  const Queue queue = Open(arguments, larder::QueueWriters::kNone);
  const Queue target = OpenBeside(arguments, "moved", larder::QueueWriters::kShared);
  Say("O\n");
  Dice dice(arguments.seed);
  while (ending == 0) {
    const auto front = Must(queue.ReadFront(), "looking");
    if (!front) {
      Must(queue.WaitForData(std::chrono::milliseconds(50)), "waiting");
      continue;
    }
    // Some that are with a consumer, and some that are not yet.
    const auto records =
        Must(queue.ReadMany(front->number + dice.Below(100), 1 + dice.Below(2)), "looking behind");
    for (const QueueRecord& record : records) MoveOne(queue, target, record);
    // lint-allow(sleep): it waits for nothing, but leaves most for the consumers
    std::this_thread::sleep_for(std::chrono::milliseconds(dice.Below(4)));
  }
  Must(target.Close(), "closing the queue of the moved");
  Must(queue.Close(), "closing the queue");
}

void List(const Arguments& arguments) {
  for (const std::string_view which : {"dead", "moved"}) {
    const Queue queue = OpenBeside(arguments, which, larder::QueueWriters::kShared);
    for (uint64_t next = 1;;) {
      const auto records = Must(queue.ReadMany(next, 1000), "listing");
      if (records.empty()) break;
      for (const QueueRecord& record : records) {
        if (!record.origin) Complain(fmt::format("record {} does not say whence", record.number));
        const Id id = IdOf(record);
        Say(fmt::format("r {} {} {} {} {}\n", which, record.number, NameOf(*record.origin), id.name,
                        id.sequence));
      }
      next = records.back().number + 1;
    }
    Must(queue.Close(), "closing the queue");
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGTERM, BeginToEnd);
  const Arguments arguments = Parse({argv, static_cast<size_t>(argc)});
  if (arguments.mode == "produce") {
    Produce(arguments);
  } else if (arguments.mode == "consume" || arguments.mode == "work") {
    Consume(arguments);
  } else if (arguments.mode == "pop") {
    PopAll(arguments, Open(arguments, larder::QueueWriters::kNone));
  } else if (arguments.mode == "popmoved") {
    PopAll(arguments, OpenBeside(arguments, "moved", larder::QueueWriters::kNone));
  } else if (arguments.mode == "move") {
    Move(arguments);
  } else if (arguments.mode == "list") {
    List(arguments);
  } else {
    Complain("no such mode");
  }
  return 0;
}
