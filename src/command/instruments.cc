#include "command/instruments.h"

#include <algorithm>

#include "command/context.h"
#include "command/secrets.h"

namespace larder::command {
namespace {

constexpr std::string_view kCodeOfMost = "ERR";
// In which Redis looks for the end of an error's code; its dash stands before them.
constexpr size_t kCodeBytes = 31;
// An operator who asks for commands faster than this wants all of them.
constexpr int64_t kAllAreTimedBelowUs = 1000;

std::string_view CodeOf(std::string_view error) {
  const size_t end = error.substr(0, kCodeBytes).find(' ');
  return end == std::string_view::npos ? kCodeOfMost : error.substr(0, end);
}

uint64_t Read(const std::atomic<uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

}  // namespace

CommandStatistics::CommandStatistics()
    : per_command_(std::make_unique<PerCommand[]>(SpecCount())) {}

void CommandStatistics::Took(const CommandSpec& spec, uint64_t nanoseconds, bool latency_tracking) {
  PerCommand& command = per_command_[spec.number];
  Add(command.timed, 1);
  Add(command.timed_ns, nanoseconds);
  if (!latency_tracking) return;
  LatencyBuckets* latencies = command.latencies.load(std::memory_order_relaxed);
  if (latencies == nullptr) {
    histograms_.push_back(std::make_unique<LatencyBuckets>());
    latencies = histograms_.back().get();
    command.latencies.store(latencies, std::memory_order_release);
  }
  latencies->Add(nanoseconds);
}

void CommandStatistics::OnError(std::string_view text) {
  const std::string_view code = CodeOf(text);
  const MutexLock lock(errors_mutex_);
  auto known = errors_.find(code);
  if (known == errors_.end()) {
    const bool full = errors_.size() >= kMaxErrorCodes;
    known = errors_.emplace(full ? kCodeOfMost : code, 0).first;
  }
  ++known->second;
}

ErrorCounts CommandStatistics::errors() const {
  const MutexLock lock(errors_mutex_);
  return errors_;
}

CommandStatistics& Instruments::AddWorker() {
  const MutexLock lock(mutex_);
  workers_.push_back(std::make_unique<CommandStatistics>());
  const int64_t least = slow_log_min_us();
  workers_.back()->TimeAll(least >= 0 && least < kAllAreTimedBelowUs);
  return *workers_.back();
}

void Instruments::SetSlowLogMin(int64_t microseconds) {
  const MutexLock lock(mutex_);
  slow_log_min_us_.store(microseconds, std::memory_order_relaxed);
  for (const auto& worker : workers_)
    worker->TimeAll(microseconds >= 0 && microseconds < kAllAreTimedBelowUs);
}

std::vector<double> Instruments::percentiles() const {
  const MutexLock lock(mutex_);
  return percentiles_;
}

void Instruments::SetPercentiles(std::vector<double> percentiles) {
  const MutexLock lock(mutex_);
  percentiles_ = std::move(percentiles);
}

void Instruments::Took(Context& context, CommandStatistics& statistics, const CommandSpec& spec,
                       Arguments args, uint64_t nanoseconds) {
  statistics.Took(spec, nanoseconds, latency_tracking.load(std::memory_order_relaxed));
  KeepIfSlow(context, spec, args, nanoseconds);
}

void Instruments::TookLong(Context& context, const CommandSpec& spec, Arguments args,
                           uint64_t ticks) {
  KeepIfSlow(context, spec, args, tick_scale_.Nanoseconds(ticks));
}

void Instruments::KeepIfSlow(Context& context, const CommandSpec& spec, Arguments args,
                             uint64_t nanoseconds) {
  const uint64_t microseconds = nanoseconds / 1000;
  if (const uint64_t milliseconds = microseconds / 1000; latency_monitor.Keeps(milliseconds)) {
    latency_monitor.Add((spec.flags & kFast) != 0 ? "fast-command" : "command",
                        {.unix_seconds = context.now_ms / 1000, .milliseconds = milliseconds});
  }
  const int64_t least = slow_log_min_us();
  if (least < 0 || microseconds < static_cast<uint64_t>(least)) return;
  if ((spec.flags & kSkipSlowlog) != 0) return;
  const std::vector<std::string_view> shown = WithoutSecrets(spec, args);
  slow_log.Add({.id = 0,
                .unix_seconds = context.now_ms / 1000,
                .microseconds = microseconds,
                .arguments = ShortenedArguments(shown),
                .client_address = context.host.client(context.session).address,
                .client_name = context.session.name},
               slow_log_max_entries.load(std::memory_order_relaxed));
}

uint64_t Instruments::Totals::microseconds() const {
  if (timed == 0) return 0;
  const double mean_ns = static_cast<double>(timed_ns) / static_cast<double>(timed);
  return static_cast<uint64_t>(mean_ns * static_cast<double>(calls) / 1000);
}

std::vector<Instruments::Totals> Instruments::SumTotals() const {
  std::vector<Totals> totals(SpecCount());
  for (const auto& worker : workers_) {
    for (size_t i = 0; i < totals.size(); ++i) {
      const CommandStatistics::PerCommand& command = (*worker)[i];
      totals[i].calls += Read(command.calls);
      totals[i].rejected += Read(command.rejected);
      totals[i].failed += Read(command.failed);
      totals[i].timed += Read(command.timed);
      totals[i].timed_ns += Read(command.timed_ns);
    }
  }
  return totals;
}

LatencyCounts Instruments::SumLatencies(size_t number) const {
  LatencyCounts counts;
  for (const auto& worker : workers_) {
    const LatencyBuckets* latencies = (*worker)[number].latencies.load(std::memory_order_acquire);
    if (latencies == nullptr) continue;
    counts.resize(LatencyBuckets::kBuckets);
    latencies->AddTo(counts);
  }
  return counts;
}

ErrorCounts Instruments::SumErrors() const {
  ErrorCounts sum;
  for (const auto& worker : workers_) {
    for (const auto& [code, count] : worker->errors()) sum[code] += count;
  }
  return sum;
}

std::vector<Instruments::Totals> Instruments::totals() const {
  const MutexLock lock(mutex_);
  std::vector<Totals> totals = SumTotals();
  for (size_t i = 0; i < totals_before_.size(); ++i) {
    const Totals& before = totals_before_[i];
    totals[i].calls -= before.calls;
    totals[i].rejected -= before.rejected;
    totals[i].failed -= before.failed;
    totals[i].timed -= before.timed;
    totals[i].timed_ns -= before.timed_ns;
  }
  return totals;
}

LatencyCounts Instruments::Latencies(size_t number) const {
  const MutexLock lock(mutex_);
  LatencyCounts counts = SumLatencies(number);
  if (const auto before = latencies_before_.find(number); before != latencies_before_.end()) {
    for (size_t i = 0; i < counts.size(); ++i) counts[i] -= before->second[i];
  }
  if (SumOf(counts) == 0) counts.clear();
  return counts;
}

ErrorCounts Instruments::errors() const {
  const MutexLock lock(mutex_);
  ErrorCounts errors = SumErrors();
  for (const auto& [code, count] : errors_before_) errors[code] -= count;
  std::erase_if(errors, [](const auto& error) { return error.second == 0; });
  return errors;
}

void Instruments::Reset() {
  const MutexLock lock(mutex_);
  totals_before_ = SumTotals();
  errors_before_ = SumErrors();
  latencies_before_.clear();
  for (size_t i = 0; i < SpecCount(); ++i) {
    if (LatencyCounts counts = SumLatencies(i); !counts.empty()) {
      latencies_before_.emplace(i, std::move(counts));
    }
  }
}

}  // namespace larder::command
