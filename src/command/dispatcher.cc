#include "command/dispatcher.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "command/arguments.h"
#include "command/context.h"
#include "command/table.h"

namespace larder::command {
namespace {

constexpr std::string_view kReadOnlyError = "READONLY You can't write against a read only replica.";
constexpr std::string_view kLoadingError = "LOADING Larder is loading the dataset in memory";

// Requests whose names, keys, buckets and records are looked at side by side; see kKeysPerGroup.
constexpr size_t kRequestsPerGroup = kKeysPerGroup;

// How much of a client's text Redis repeats in an error.
constexpr size_t kErrorTextBytes = 128;

struct Prepared {
  const CommandSpec* spec;
  const snapshot::Snapshot* hashed_for;
  uint64_t hash;
};

void UnknownCommand(resp::ReplyWriter& reply, Arguments args) {
  std::string shown;
  for (size_t i = 1; i < args.size() && shown.size() < kErrorTextBytes; ++i) {
    const size_t room = kErrorTextBytes - shown.size();
    shown.append("'").append(CString(args[i]).substr(0, room)).append("' ");
  }
  std::string text = "ERR unknown command '";
  text.append(CString(args[0]).substr(0, kErrorTextBytes));
  text.append("', with args beginning with: ").append(shown);
  reply.Error(text);
}

void UnknownSubcommand(resp::ReplyWriter& reply, const CommandSpec& container,
                       std::string_view name) {
  std::string text = "ERR unknown subcommand '";
  text.append(CString(name).substr(0, kErrorTextBytes)).append("'. Try ");
  for (const char c : container.name)
    text.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c);
  reply.Error(text.append(" HELP."));
}

void WrongArity(resp::ReplyWriter& reply, const CommandSpec& spec) {
  std::string text = "ERR wrong number of arguments for '";
  reply.Error(text.append(spec.name).append("' command"));
}

// Executes the requests of one Execute call one after another. The stores are those of its begin: a
// change of them waits until the caller has left its epoch.
class Batch {
 public:
  Batch(Context& context, CommandStatistics& statistics, Dispatcher::Damage& damage)
      : context_(context),
        statistics_(statistics),
        damage_(damage),
        view_(context.catalogue.view()),
        database_(context.session.database),
        dataset_(view_.ByDatabase(database_)),
        monitored_(context.instruments.monitors.load(std::memory_order_relaxed)) {}
  ~Batch() { NoteDamage(); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // The version of the selected database as of now; false while there is nothing to serve.
  bool TakeVersion() {
    if (context_.session.database != database_) [[unlikely]]
      TakeDatabase();
    const dataset::Version* version = dataset_ == nullptr ? nullptr : dataset_->Current();
    if (version != context_.version) {
      NoteDamage();
      context_.version = version;
      probation_ = version == nullptr ? nullptr : version->probation.get();
    }
    return dataset_ == nullptr || version != nullptr;
  }

  Prepared Prepare(Arguments args) {
    Prepared prepared{.spec = FindCommand(args[0]), .hashed_for = nullptr, .hash = 0};
    const snapshot::Snapshot* snapshot = context_.snapshot();
    if (snapshot != nullptr && prepared.spec != nullptr && args.size() > 1 &&
        prepared.spec->first_argument_is_key()) {
      prepared.hashed_for = snapshot;
      prepared.hash = snapshot->Hash(args[1]);
    }
    return prepared;
  }

  void Execute(const Prepared& prepared, Arguments args) {
    ++context_.counters.commands;
    const CommandSpec* spec = Resolve(prepared.spec, args);
    if (spec == nullptr) return;
    if ((context_.session.unusual | monitored_) != 0 && !Admit(*spec, args)) [[unlikely]]
      return;
    if (spec->handler == nullptr) return Refuse(*spec);
    if (!TakeVersion() && (spec->flags & kLoading) == 0) {
      statistics_.Add(statistics_[spec->number].rejected, 1);
      return context_.reply.Error(kLoadingError);
    }
    context_.spec = spec;
    context_.hashed_for = prepared.hashed_for;
    context_.first_key_hash = prepared.hash;
    Call(*spec, args);
  }

 private:
  // How reads fare on a version that nobody has served before. What does not read it (PING, INFO)
  // says nothing of it.
  void ExecuteOnProbation(dataset::ReadCounts& counts, const CommandSpec& spec, Arguments args) {
    const bool counted =
        (spec.flags & kReadonly) != 0 && !counts.ended.load(std::memory_order_relaxed);
    const Counters before = context_.counters;
    const uint64_t errors = context_.reply.errors();
    spec.handler(context_, args);
    if (!counted) return;
    const auto add = [](std::atomic<uint64_t>& to, uint64_t count) {
      if (count != 0) to.fetch_add(count, std::memory_order_relaxed);
    };
    add(counts.commands, 1);
    add(counts.errors, context_.reply.errors() != errors ? 1 : 0);
    add(counts.hits, context_.counters.keyspace_hits - before.keyspace_hits);
    add(counts.misses, context_.counters.keyspace_misses - before.keyspace_misses);
  }

  // Counts the call, and times it where that costs little beside it.
  void Call(const CommandSpec& spec, Arguments args) {
    CommandStatistics::PerCommand& statistics = statistics_[spec.number];
    CommandStatistics::Add(statistics.calls, 1);
    const uint64_t errors = context_.reply.errors();
    if ((spec.flags & kFast) == 0 || args.size() > kManyArguments || statistics_.TakesSample()) {
      CallTimed(spec, args);
    } else if (probation_ != nullptr) [[unlikely]] {
      ExecuteOnProbation(*probation_, spec, args);
    } else {
      spec.handler(context_, args);
    }
    if (context_.reply.errors() != errors) [[unlikely]]
      CommandStatistics::Add(statistics.failed, 1);
  }

  void CallTimed(const CommandSpec& spec, Arguments args) {
    const auto before = std::chrono::steady_clock::now();
    if (probation_ != nullptr) {
      ExecuteOnProbation(*probation_, spec, args);
    } else {
      spec.handler(context_, args);
    }
    const auto taken = std::chrono::steady_clock::now() - before;
    CommandStatistics::PerCommand& statistics = statistics_[spec.number];
    CommandStatistics::Add(statistics.timed, 1);
    CommandStatistics::Add(
        statistics.timed_ns,
        static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count()));
  }

  // What stands in the way of a session or request that is out of the ordinary: false when the
  // request was answered (refused, queued).
  [[gnu::noinline]] bool Admit(const CommandSpec& spec, Arguments args) {
    static_cast<void>(spec);
    static_cast<void>(args);
    return true;
  }

  // Known, and not executed here.
  [[gnu::noinline]] void Refuse(const CommandSpec& spec) {
    CommandStatistics::Add(statistics_[spec.number].rejected, 1);
    context_.reply.Error((spec.flags & kWrite) != 0 ? kReadOnlyError : spec.refusal);
  }

  // Redis's order: unknown, then arity. Null: refused and answered.
  const CommandSpec* Resolve(const CommandSpec* spec, Arguments args) {
    resp::ReplyWriter& reply = context_.reply;
    context_.session.last_command = spec;
    context_.session.last_subcommand = nullptr;
    if (spec == nullptr) {
      UnknownCommand(reply, args);
      return nullptr;
    }
    if (!spec->subcommands.empty() && args.size() > 1) {
      const CommandSpec* container = spec;
      spec = FindSubcommand(*container, args[1]);
      // A container that is a command by itself takes no arguments but subcommands.
      if (spec == nullptr) {
        UnknownSubcommand(reply, *container, args[1]);
        return nullptr;
      }
      context_.session.last_subcommand = spec;
    }
    if (spec->arity == 0) {
      context_.session.batch_end |= kClosesAfterReply;
      return nullptr;
    }
    if (!spec->ArityFits(args.size()) || (spec->handler == nullptr && !spec->subcommands.empty())) {
      CommandStatistics::Add(statistics_[spec->number].rejected, 1);
      WrongArity(reply, *spec);
      return nullptr;
    }
    return spec;
  }

  [[gnu::noinline]] void TakeDatabase() {
    NoteDamage();  // of the version that was read there
    context_.version = nullptr;
    probation_ = nullptr;
    database_ = context_.session.database;
    dataset_ = view_.ByDatabase(database_);
  }

  void NoteDamage() {
    if (context_.version != nullptr && context_.version->snapshot->damaged()) [[unlikely]] {
      KeepDamage();
    }
  }
  [[gnu::noinline]] void KeepDamage() {
    for (const store::Entry& entry : view_.entries()) {
      if (entry.dataset.get() != dataset_) continue;
      damage_ = {.dataset = entry.dataset, .version = context_.version->number};
    }
  }

  Context& context_;
  CommandStatistics& statistics_;
  Dispatcher::Damage& damage_;
  const store::View& view_;
  uint32_t database_;
  dataset::Dataset* dataset_;                 // what view_ has there
  dataset::ReadCounts* probation_ = nullptr;  // of context_.version
  uint32_t monitored_;                        // by how many
};

}  // namespace

Dispatcher::Dispatcher(const store::Catalogue& catalogue, Host& host, Counters& counters,
                       Instruments& instruments, CommandStatistics& statistics)
    : catalogue_(catalogue),
      host_(host),
      counters_(counters),
      instruments_(instruments),
      statistics_(statistics) {}

size_t Dispatcher::Execute(Session& session, std::span<const std::string_view> arguments,
                           std::span<const Request> requests, int64_t now_ms,
                           size_t max_reply_bytes, resp::ReplyBuffer& reply) {
  resp::ReplyWriter writer(reply, session.protocol);
  Context context{.catalogue = catalogue_,
                  .host = host_,
                  .counters = counters_,
                  .instruments = instruments_,
                  .session = session,
                  .reply = writer,
                  .now_ms = now_ms};
  Batch batch(context, statistics_, damage_);
  Prepared prepared[kRequestsPerGroup];
  const auto args_of = [&arguments](const Request& request) {
    return arguments.subspan(request.first, request.count);
  };
  for (size_t done = 0; done < requests.size();) {
    const auto group = requests.subspan(done, std::min(kRequestsPerGroup, requests.size() - done));
    batch.TakeVersion();
    uint32_t flags = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      prepared[i] = batch.Prepare(args_of(group[i]));
      if (prepared[i].spec != nullptr) flags |= prepared[i].spec->flags;
    }
    const bool some_act = (flags & kActs) != 0;
    if (group.size() > 1) {
      for (size_t i = 0; i < group.size(); ++i) {
        if (prepared[i].hashed_for != nullptr) {
          prepared[i].hashed_for->PrefetchBucket(prepared[i].hash);
        }
      }
      for (size_t i = 0; i < group.size(); ++i) {
        if (prepared[i].hashed_for != nullptr) {
          prepared[i].hashed_for->PrefetchRecord(prepared[i].hash);
        }
      }
    }
    for (size_t i = 0; i < group.size(); ++i, ++done) {
      const bool acts =
          some_act && prepared[i].spec != nullptr && (prepared[i].spec->flags & kActs) != 0;
      if (acts && done > 0) return done;  // alone, so that it is never repeated
      batch.Execute(prepared[i], args_of(group[i]));
      if (acts || session.batch_end != 0 || reply.size() > max_reply_bytes) return done + 1;
    }
  }
  return requests.size();
}

Dispatcher::Damage Dispatcher::TakeDamage() { return std::exchange(damage_, {}); }

}  // namespace larder::command
