#include "command/batch.h"

#include <algorithm>
#include <chrono>
#include <string>

#include <fmt/format.h>

#include "command/admission.h"
#include "command/authentication.h"
#include "command/handlers.h"
#include "command/monitor_line.h"
#include "command/secrets.h"
#include "command/transaction.h"
#include "command/users.h"

namespace larder::command {
namespace {

constexpr std::string_view kCodeOfMost = "ERR ";

uint64_t NanosecondsSince(std::chrono::steady_clock::time_point start) {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
          .count());
}

bool IsSilent(const Session& session) {
  return session.Is(kRepliesOff) || session.Is(kSkipsThisReply);
}

}  // namespace

const CommandSpec* Batch::ResolveFurther(const CommandSpec* spec, Arguments args) {
  if (spec == nullptr) {
    Reject(nullptr, UnknownCommand(args));
    return nullptr;
  }
  if (!spec->subcommands.empty() && args.size() > 1) {
    const CommandSpec* container = spec;
    spec = FindSubcommand(*container, args[1]);
    // A container that is a command by itself takes no arguments but subcommands.
    if (spec == nullptr) {
      Reject(nullptr, UnknownSubcommand(*container, args[1]));
      return nullptr;
    }
    context_.session.last_subcommand = spec;
  }
  if (spec->arity == 0) {
    context_.session.batch_end |= kClosesAfterReply;
    return nullptr;
  }
  if (!spec->ArityFits(args.size()) || (spec->handler == nullptr && !spec->subcommands.empty())) {
    Reject(spec, WrongArity(*spec));
    return nullptr;
  }
  return spec;
}

void Batch::Reject(const CommandSpec* spec, std::string_view error) {
  Session& session = context_.session;
  ++unexecuted_;
  if (spec != nullptr) CommandStatistics::Add(statistics_[spec->number].rejected, 1);
  if (spec != nullptr && spec->handler == &Exec) {
    EndTransaction(session);
    if (error.starts_with(kCodeOfMost)) error.remove_prefix(kCodeOfMost.size());
    return context_.reply.Error(
        fmt::format("EXECABORT Transaction discarded because of: {}", error));
  }
  if (session.Is(kInMulti)) session.Set(kTransactionFails);
  context_.reply.Error(error);
}

void Batch::RejectUnserved(const CommandSpec& spec) {
  Reject(&spec, WhyUnserved(context_.session, spec));
}

void Batch::RejectLoading(const CommandSpec& spec) { Reject(&spec, kLoadingError); }

// How reads fare on a version that nobody has served before. What does not read it (PING, INFO)
// says nothing of it.
void Batch::ExecuteOnProbation(dataset::ReadCounts& counts, const CommandSpec& spec,
                               Arguments args) {
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

void Batch::CallTimed(const CommandSpec& spec, Arguments args) {
  const auto start = std::chrono::steady_clock::now();
  if (probation_ != nullptr) {
    ExecuteOnProbation(*probation_, spec, args);
  } else {
    spec.handler(context_, args);
  }
  context_.instruments.Took(context_, statistics_, spec, args, NanosecondsSince(start));
}

void Batch::TakeDatabase(uint32_t database) {
  UseVersion(nullptr);
  database_ = database;
  dataset_ = view_.ByDatabase(database);
}

void Batch::KeepDamage() {
  for (const store::Entry& entry : view_.entries()) {
    if (entry.dataset.get() != dataset_) continue;
    damage_ = {.dataset = entry.dataset, .version = context_.version->number};
  }
}

void Batch::ExecuteUnusual(const Prepared& prepared, Arguments args) {
  Session& session = context_.session;
  const bool caching_given = session.Is(kCachingGiven);
  session.Set(kSkipsThisReply, session.Is(kSkipsNextReply));
  session.Set(kSkipsNextReply, false);
  const resp::ReplyBuffer::Mark mark = context_.reply.buffer().mark();
  const CommandSpec* spec = Resolve(prepared.spec, args);
  const bool may_be_silent = spec == nullptr || ExecuteUnlessRefused(*spec, prepared, args);
  if (IsSilent(session) && may_be_silent) context_.reply.buffer().TruncateTo(mark);
  // A reply that comes later is still to be skipped.
  if (!session.deferred()) session.Set(kSkipsThisReply, false);
  static const CommandSpec* const client = FindListed("client");
  if (caching_given && prepared.spec != client && !session.Is(kInMulti)) {
    session.Set(kCachingGiven, false);
  }
}

bool Batch::ExecuteUnlessRefused(const CommandSpec& spec, const Prepared& prepared,
                                 Arguments args) {
  const std::string refusal = WhyRefused(context_, spec);
  if (!refusal.empty()) {
    Reject(&spec, refusal);
    return true;
  }
  const bool in_multi = context_.session.Is(kInMulti);
  const bool waits = in_multi && !IsExecutedAtOnce(spec);
  // What a transaction selects is not known before it is executed.
  if (!TakeVersion() && (spec.flags & kLoading) == 0 && !(waits && SelectIsQueued())) {
    RejectLoading(spec);
    return true;
  }
  if (waits) {
    Queue(spec, args);
    return true;
  }
  if (in_multi && spec.handler == &Exec) {
    ExecuteTransaction(spec);
  } else {
    Call(spec, prepared, args);
  }
  if (monitored_ != 0) TellMonitors(spec, args);
  // Redis pushes what a subscription answers past CLIENT REPLY.
  return (spec.flags & kPubSub) == 0 || (spec.flags & kInSubscribed) == 0;
}

bool Batch::SelectIsQueued() const {
  const Session& session = context_.session;
  return session.queued != 0 && !session.Is(kTransactionFails) &&
         std::ranges::any_of(session.transaction->queued, [](const QueuedCommand& command) {
           return command.spec->handler == &Select;
         });
}

// What cannot succeed any more is not kept, as in Redis.
void Batch::Queue(const CommandSpec& spec, Arguments args) {
  Session& session = context_.session;
  if (!session.Is(kTransactionFails) && !Enqueue(session, spec, args)) {
    return Reject(&spec,
                  fmt::format("ERR the transaction takes more than the {} bytes that one may",
                              session.max_transaction_bytes));
  }
  ++unexecuted_;
  context_.reply.Simple("QUEUED");
}

// After the command, in the database where it ended, as Redis does.
void Batch::TellMonitors(const CommandSpec& spec, Arguments args) {
  if ((spec.flags & (kSkipMonitor | kAdmin)) != 0) return;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const Session& session = context_.session;
  context_.host.TellMonitors(MonitorLine(
      std::chrono::duration_cast<std::chrono::microseconds>(now).count(), session.database,
      context_.host.client(session).address, WithoutSecrets(spec, args)));
}

// Not through Call: what fails inside has been counted there.
void Batch::ExecuteTransaction(const CommandSpec& exec) {
  const auto start = std::chrono::steady_clock::now();
  CommandStatistics::PerCommand& statistics = statistics_[exec.number];
  CommandStatistics::Add(statistics.calls, 1);
  if (context_.session.transaction != nullptr) context_.session.transaction->seen.clear();
  if (context_.session.Is(kTransactionFails)) {
    CommandStatistics::Add(statistics.failed, 1);
    context_.reply.Error("EXECABORT Transaction discarded because of previous errors.");
  } else if (WatchedHaveChanged()) {
    context_.reply.NullArray();
  } else {
    ExecuteQueued();
  }
  EndTransaction(context_.session);
  const std::string_view args[] = {exec.name};
  context_.instruments.Took(context_, statistics_, exec, args, NanosecondsSince(start));
}

bool Batch::WatchedHaveChanged() {
  const Session& session = context_.session;
  if (session.watched == 0) return false;
  return std::ranges::any_of(session.transaction->watched, [this](const WatchedKey& watched) {
    TakeTransactionVersion(watched.database);
    return DigestOf(context_, watched.key) != watched.digest;
  });
}

void Batch::ExecuteQueued() {
  Session& session = context_.session;
  context_.reply.Array(session.queued);
  if (session.queued == 0) return;
  context_.in_transaction = true;
  std::vector<std::string_view> args;
  for (const QueuedCommand& command : session.transaction->queued) {
    args.assign(command.args.begin(), command.args.end());
    ExecuteQueued(*command.spec, args);
    // The connection's limit of unsent replies; nobody will see the rest.
    if (context_.reply.buffer().size() > session.max_reply_bytes) {
      session.batch_end |= kClosesAfterReply;
      break;
    }
  }
  context_.in_transaction = false;
}

void Batch::ExecuteQueued(const CommandSpec& spec, Arguments args) {
  Session& session = context_.session;
  // Since it was queued the users may have changed, or an AUTH before it made it another's.
  if (session.Is(kMayNotAll) && !session.user->MayExecute(spec)) {
    NoteDenial(context_, Denial::Reason::kCommand, spec.name, session.user->name());
    return context_.reply.Error(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC "
        "call. This command is no longer allowed for the following reason: no permission to "
        "execute the command or subcommand");
  }
  ++context_.counters.commands;
  if (!TakeTransactionVersion(session.database) && (spec.flags & kLoading) == 0) {
    return context_.reply.Error(kLoadingError);
  }
  Call(spec, {.spec = &spec}, args);
  if (monitored_ != 0) TellMonitors(spec, args);
}

// As TakeVersion, but once a store was looked at, its version stays.
bool Batch::TakeTransactionVersion(uint32_t database) {
  if (database != database_) TakeDatabase(database);
  if (dataset_ == nullptr) return true;
  std::vector<Transaction::Seen>& seen = context_.session.transaction->seen;
  auto known = std::ranges::find(seen, dataset_, &Transaction::Seen::dataset);
  if (known == seen.end()) {
    seen.push_back({.dataset = dataset_, .version = dataset_->Current()});
    known = seen.end() - 1;
  }
  if (known->version != context_.version) UseVersion(known->version);
  return known->version != nullptr;
}

}  // namespace larder::command
