#include "command/dispatcher.h"

#include <algorithm>

#include "command/batch.h"
#include "command/transaction.h"
#include "protocol/resp/request_parser.h"

namespace larder::command {
namespace {

// Requests whose names, keys, buckets and records are looked at side by side; see kKeysPerGroup.
constexpr size_t kRequestsPerGroup = kKeysPerGroup;

}  // namespace

Dispatcher::Dispatcher(const store::Catalogue& catalogue, Host& host, Counters& counters,
                       Instruments& instruments, CommandStatistics& statistics)
    : catalogue_(catalogue),
      host_(host),
      counters_(counters),
      instruments_(instruments),
      statistics_(statistics) {}

Foreseen Dispatcher::Foresee(const Session& session, std::string_view received) const {
  const std::string_view key = resp::GuessKey(received);
  const dataset::Dataset* dataset = catalogue_.view().ByDatabase(session.database);
  const dataset::Version* version = dataset == nullptr ? nullptr : dataset->Current();
  if (key.empty() || version == nullptr) return {};
  const snapshot::Snapshot* snapshot = version->snapshot.get();
  const snapshot::Snapshot::Lookup lookup = snapshot->StartLookup(key);
  snapshot->PrefetchBucket(lookup.hash);
  return {.key = key.data(), .snapshot = snapshot, .lookup = lookup};
}

size_t Dispatcher::Execute(Session& session, std::span<const std::string_view> arguments,
                           std::span<const Request> requests, int64_t now_ms,
                           size_t max_reply_bytes, resp::ReplyBuffer& reply,
                           const Foreseen& foreseen) {
  if (session.transaction != nullptr) [[unlikely]]
    TrimTransaction(session);
  resp::ReplyWriter writer(reply, session.protocol);
  writer.set_error_listener(&statistics_);
  Context context{.catalogue = catalogue_,
                  .host = host_,
                  .counters = counters_,
                  .instruments = instruments_,
                  .session = session,
                  .reply = writer,
                  .now_ms = now_ms};
  Batch batch(context, statistics_, damage_);
  Prepared prepared[kRequestsPerGroup];
  snapshot::Snapshot::Lookup lookups[kRequestsPerGroup];
  const auto args_of = [&arguments](const Request& request) {
    return arguments.subspan(request.first, request.count);
  };
  // Counted once for all of them.
  const auto executed = [this, &batch](size_t count) {
    counters_.commands += count - batch.unexecuted();
    return count;
  };
  for (size_t done = 0; done < requests.size();) {
    const auto group = requests.subspan(done, std::min(kRequestsPerGroup, requests.size() - done));
    batch.TakeVersion();
    uint32_t flags = 0;
    for (size_t i = 0; i < group.size(); ++i) {
      prepared[i] = batch.Prepare(args_of(group[i]), foreseen, lookups[i]);
      if (prepared[i].spec != nullptr) flags |= prepared[i].spec->flags;
    }
    const bool some_act = (flags & kActs) != 0;
    if (group.size() > 1 && context.snapshot() != nullptr) {
      context.snapshot()->Prefetch({lookups, group.size()});
    }
    for (size_t i = 0; i < group.size(); ++i, ++done) {
      const bool acts =
          some_act && prepared[i].spec != nullptr && (prepared[i].spec->flags & kActs) != 0;
      if (acts && done > 0) return executed(done);  // alone, so that it is never repeated
      batch.Execute(prepared[i], args_of(group[i]));
      if (acts || session.batch_end != 0 || reply.size() > max_reply_bytes)
        return executed(done + 1);
    }
  }
  return executed(requests.size());
}

Dispatcher::Damage Dispatcher::TakeDamage() { return std::exchange(damage_, {}); }

}  // namespace larder::command
