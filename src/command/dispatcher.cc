#include "command/dispatcher.h"

#include <algorithm>
#include <atomic>

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
  Batch(Context& context, Dispatcher::Damage& damage)
      : context_(context),
        damage_(damage),
        view_(context.catalogue.view()),
        database_(context.session.database),
        dataset_(view_.ByDatabase(database_)) {}
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
    if (snapshot != nullptr && prepared.spec != nullptr && prepared.spec->keys != Keys::kNone &&
        args.size() > 1) {
      prepared.hashed_for = snapshot;
      prepared.hash = snapshot->Hash(args[1]);
    }
    return prepared;
  }

  void Execute(const Prepared& prepared, Arguments args) {
    ++context_.counters.commands;
    const CommandSpec* spec = Check(prepared.spec, args);
    if (spec == nullptr) return;
    if (!TakeVersion() && (spec->flags & kLoading) == 0) {
      return context_.reply.Error(kLoadingError);
    }
    context_.spec = spec;
    context_.hashed_for = prepared.hashed_for;
    context_.first_key_hash = prepared.hash;
    if (probation_ != nullptr) [[unlikely]]
      return ExecuteOnProbation(*probation_, *spec, args);
    spec->handler(context_, args);
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

  // Redis's order: unknown, arity, then whether it may write. Null: refused and answered.
  const CommandSpec* Check(const CommandSpec* spec, Arguments args) {
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
      context_.session.close_after_reply = true;
      return nullptr;
    }
    if (!spec->ArityFits(args.size()) || (spec->handler == nullptr && !spec->subcommands.empty())) {
      WrongArity(reply, *spec);
      return nullptr;
    }
    if (spec->handler == nullptr) {
      reply.Error(kReadOnlyError);
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
  Dispatcher::Damage& damage_;
  const store::View& view_;
  uint32_t database_;
  dataset::Dataset* dataset_;                 // what view_ has there
  dataset::ReadCounts* probation_ = nullptr;  // of context_.version
};

}  // namespace

Dispatcher::Dispatcher(const store::Catalogue& catalogue, Host& host, Counters& counters)
    : catalogue_(catalogue), host_(host), counters_(counters) {}

size_t Dispatcher::Execute(Session& session, std::span<const std::string_view> arguments,
                           std::span<const Request> requests, int64_t now_ms,
                           size_t max_reply_bytes, resp::ReplyBuffer& reply) {
  resp::ReplyWriter writer(reply, session.protocol);
  Context context{.catalogue = catalogue_,
                  .host = host_,
                  .counters = counters_,
                  .session = session,
                  .reply = writer,
                  .now_ms = now_ms};
  Batch batch(context, damage_);
  Prepared prepared[kRequestsPerGroup];
  const auto args_of = [&arguments](const Request& request) {
    return arguments.subspan(request.first, request.count);
  };
  for (size_t done = 0; done < requests.size();) {
    const auto group = requests.subspan(done, std::min(kRequestsPerGroup, requests.size() - done));
    batch.TakeVersion();
    for (size_t i = 0; i < group.size(); ++i) prepared[i] = batch.Prepare(args_of(group[i]));
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
      batch.Execute(prepared[i], args_of(group[i]));
      if (session.close_after_reply || session.deferred || reply.size() > max_reply_bytes) {
        return done + 1;
      }
    }
  }
  return requests.size();
}

Dispatcher::Damage Dispatcher::TakeDamage() { return std::exchange(damage_, {}); }

}  // namespace larder::command
