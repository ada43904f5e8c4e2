// Batch: the requests of one Dispatcher::Execute call, executed one after another, each on the
// version that its database has then. The stores are those of the call's begin: a change of them
// waits until the caller has left its epoch.
//
// What nearly every request needs stands here, to be inlined; the rest is in batch.cc.
//
// Threads:    its worker's.
// Cost:       of a request out of the ordinary (Unusual, MONITOR) one branch for those that are
//             not.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/tick_counter.h"
#include "command/context.h"
#include "command/dispatcher.h"
#include "command/table.h"

namespace larder::command {

// What was found out of a request ahead of its turn.
struct Prepared {
  const CommandSpec* spec = nullptr;
  // Of what is probably its first key; null: not begun.
  const snapshot::Snapshot* begun_in = nullptr;
  const snapshot::Snapshot::Lookup* lookup = nullptr;
};

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

  // How many requests were refused or queued instead.
  uint64_t unexecuted() const { return unexecuted_; }

  // The version of the selected database as of now; false while there is nothing to serve.
  bool TakeVersion() {
    if (context_.session.database != database_) [[unlikely]]
      TakeDatabase(context_.session.database);
    const dataset::Version* version = dataset_ == nullptr ? nullptr : dataset_->Current();
    if (version != context_.version) UseVersion(version);
    return dataset_ == nullptr || version != nullptr;
  }

  Prepared Prepare(Arguments args, const Foreseen& foreseen, snapshot::Snapshot::Lookup& lookup) {
    Prepared prepared{.spec = FindCommand(args[0])};
    lookup = {};
    const snapshot::Snapshot* snapshot = context_.snapshot();
    if (snapshot != nullptr && prepared.spec != nullptr && args.size() > 1 &&
        prepared.spec->first_argument_is_key()) {
      prepared.begun_in = snapshot;
      prepared.lookup = &lookup;
      const bool is_foreseen = args[1].data() == foreseen.key && snapshot == foreseen.snapshot;
      lookup = is_foreseen ? foreseen.lookup : snapshot->StartLookup(args[1]);
    }
    return prepared;
  }

  // Once in the program, and gcc finds it too large by itself: 20 instructions a request.
  [[gnu::always_inline]] void Execute(const Prepared& prepared, Arguments args) {
    if ((context_.session.unusual | monitored_) != 0) [[unlikely]]
      return ExecuteUnusual(prepared, args);
    const CommandSpec* spec = Resolve(prepared.spec, args);
    if (spec == nullptr) return;
    if (spec->handler == nullptr) return RejectUnserved(*spec);
    if (!TakeVersion() && (spec->flags & kLoading) == 0) return RejectLoading(*spec);
    Call(*spec, prepared, args);
  }

 private:
  // Redis's order: unknown, then arity. Null: refused and answered.
  const CommandSpec* Resolve(const CommandSpec* spec, Arguments args) {
    context_.session.last_command = spec;
    context_.session.last_subcommand = nullptr;
    if (spec == nullptr || !spec->subcommands.empty() || !spec->ArityFits(args.size())) [[unlikely]]
      return ResolveFurther(spec, args);
    return spec;
  }
  const CommandSpec* ResolveFurther(const CommandSpec* spec, Arguments args);

  // Counts the call, and times it where that costs little beside it.
  [[gnu::always_inline]] void Call(const CommandSpec& spec, const Prepared& prepared,
                                   Arguments args) {
    context_.spec = &spec;
    context_.begun_in = prepared.begun_in;
    context_.first_key = prepared.lookup;
    CommandStatistics::PerCommand& statistics = statistics_[spec.number];
    const uint64_t calls_before = statistics.calls.load(std::memory_order_relaxed);
    const uint64_t errors = context_.reply.errors();
    if (statistics_.TakesSample(calls_before)) {
      CallTimed(spec, args);
    } else if ((spec.flags & kFast) == 0 || args.size() > kManyArguments) {
      CallWatched(spec, args, calls_before);
    } else if (probation_ != nullptr) [[unlikely]] {
      ExecuteOnProbation(*probation_, spec, args);
    } else {
      spec.handler(context_, args);
    }
    // Now, not before: as in Redis INFO does not see itself, and CONFIG RESETSTAT is the first.
    CommandStatistics::Add(statistics.calls, 1);
    if (context_.reply.errors() != errors) [[unlikely]]
      CommandStatistics::Add(statistics.failed, 1);
  }
  // A call that may take long: told of when it does.
  [[gnu::always_inline]] void CallWatched(const CommandSpec& spec, Arguments args,
                                          uint64_t calls_before) {
    if (calls_before < kSampleEvery || probation_ != nullptr) [[unlikely]]
      return CallTimed(spec, args);
    const uint64_t begin = ReadTicks();
    spec.handler(context_, args);
    const uint64_t ticks = ReadTicks() - begin;
    if (ticks >= kTicksBelowMillisecond) [[unlikely]]
      context_.instruments.TookLong(context_, spec, args, ticks);
  }
  void CallTimed(const CommandSpec& spec, Arguments args);
  void ExecuteOnProbation(dataset::ReadCounts& counts, const CommandSpec& spec, Arguments args);

  void UseVersion(const dataset::Version* version) {
    NoteDamage();
    context_.version = version;
    probation_ = version == nullptr ? nullptr : version->probation.get();
  }
  void TakeDatabase(uint32_t database);

  void NoteDamage() {
    if (context_.version != nullptr && context_.version->snapshot->damaged()) [[unlikely]] {
      KeepDamage();
    }
  }
  void KeepDamage();

  // A request that is not executed: counts it, answers, and lets the transaction that it was meant
  // for fail. `spec` is null for what is unknown.
  void Reject(const CommandSpec* spec, std::string_view error);
  void RejectUnserved(const CommandSpec& spec);
  void RejectLoading(const CommandSpec& spec);

  // A request of a session that is out of the ordinary, or that somebody follows with MONITOR.
  void ExecuteUnusual(const Prepared& prepared, Arguments args);
  // False: what it answers is sent in any case.
  bool ExecuteUnlessRefused(const CommandSpec& spec, const Prepared& prepared, Arguments args);
  bool SelectIsQueued() const;
  void Queue(const CommandSpec& spec, Arguments args);
  void TellMonitors(const CommandSpec& spec, Arguments args);

  // EXEC inside MULTI.
  void ExecuteTransaction(const CommandSpec& exec);
  bool WatchedHaveChanged();
  void ExecuteQueued();
  void ExecuteQueued(const CommandSpec& spec, Arguments args);
  bool TakeTransactionVersion(uint32_t database);

  Context& context_;
  CommandStatistics& statistics_;
  Dispatcher::Damage& damage_;
  const store::View& view_;
  uint32_t database_;
  dataset::Dataset* dataset_;                 // what view_ has there
  dataset::ReadCounts* probation_ = nullptr;  // of context_.version
  uint32_t monitored_;                        // by how many
  uint64_t unexecuted_ = 0;
};

}  // namespace larder::command
