// LATENCY: moments at which something took long, and how long commands take.
#include "command/latency.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

// The rows of LATENCY GRAPH, and how full a place of each may be.
constexpr int kGraphRows = 4;
constexpr std::string_view kGraphFillings = "_o#";
constexpr size_t kGraphWidth = 80;

std::string Age(int64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 60 * 60) return fmt::format("{}m", seconds / 60);
  if (seconds < 24 * 60 * 60) return fmt::format("{}h", seconds / (60 * 60));
  return fmt::format("{}d", seconds / (24 * 60 * 60));
}

struct Range {
  uint64_t low = 0;
  uint64_t high = 0;
};

Range RangeOf(const LatencyMonitor::Event& event) {
  const auto [low, high] =
      std::ranges::minmax_element(event.samples, {}, &LatencyMonitor::Sample::milliseconds);
  return {.low = low->milliseconds, .high = high->milliseconds};
}

// How many steps of the graph a sample is high.
int StepOf(uint64_t milliseconds, const Range& range) {
  constexpr int kSteps = kGraphRows * static_cast<int>(kGraphFillings.size());
  const double width = std::max<double>(1, static_cast<double>(range.high - range.low));
  const double part = static_cast<double>(milliseconds - range.low) / width;
  return std::min(kSteps - 1, static_cast<int>(part * kSteps));
}

std::string GraphRow(std::span<const LatencyMonitor::Sample> samples, const Range& range, int row) {
  const int fillings = static_cast<int>(kGraphFillings.size());
  std::string line;
  for (const LatencyMonitor::Sample& sample : samples) {
    const int filled = StepOf(sample.milliseconds, range) - (kGraphRows - row - 1) * fillings;
    if (filled < 0) {
      line += ' ';
    } else {
      line += filled < fillings ? kGraphFillings[static_cast<size_t>(filled)] : '|';
    }
  }
  return line + "\n";
}

// The ages below the graph, read downwards.
std::string GraphLabels(std::span<const LatencyMonitor::Sample> samples, int64_t now_seconds) {
  std::string text;
  for (size_t row = 0;; ++row) {
    std::string line;
    bool more = false;
    for (const LatencyMonitor::Sample& sample : samples) {
      const std::string age = Age(now_seconds - sample.unix_seconds);
      more = more || row < age.size();
      line += row < age.size() ? age[row] : ' ';
    }
    if (!more) return text;
    text += line + "\n";
  }
}

std::string Graph(const LatencyMonitor::Event& event, int64_t now_seconds) {
  const Range range = RangeOf(event);
  std::string text =
      fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n{:-<{}}\n", event.name,
                  range.high, range.low, event.longest_ms, "", kGraphWidth);
  const std::vector<LatencyMonitor::Sample> all(event.samples.begin(), event.samples.end());
  for (size_t first = 0; first < all.size(); first += kGraphWidth) {
    const auto samples = std::span(all).subspan(first, std::min(kGraphWidth, all.size() - first));
    if (first != 0) text += "\n";
    for (int row = 0; row < kGraphRows; ++row) text += GraphRow(samples, range, row);
    text += std::string(samples.size(), ' ') + "\n" + GraphLabels(samples, now_seconds);
  }
  return text;
}

std::optional<LatencyMonitor::Event> FindEvent(Context& context, std::string_view name) {
  for (LatencyMonitor::Event& event : context.instruments.latency_monitor.events()) {
    if (event.name == CString(name)) return std::move(event);
  }
  return std::nullopt;
}

std::string Diagnosis(const LatencyMonitor& monitor, int64_t now_seconds) {
  const uint64_t threshold_ms = monitor.threshold_ms.load(std::memory_order_relaxed);
  const std::vector<LatencyMonitor::Event> events = monitor.events();
  if (events.empty()) {
    return threshold_ms == 0
               ? "Nothing is kept: the latency monitor is off. CONFIG SET "
                 "latency-monitor-threshold <milliseconds> switches it on."
               : fmt::format(
                     "Nothing has taken {} ms or more since the monitor was switched on or "
                     "reset.",
                     threshold_ms);
  }
  std::string text = fmt::format("What took long (threshold now: {} ms):\n", threshold_ms);
  for (const LatencyMonitor::Event& event : events) {
    const Range range = RangeOf(event);
    text += fmt::format(
        "\n- {}: {} times in the last {}, {} to {} ms; the longest of all took {} ms.", event.name,
        event.samples.size(), Age(now_seconds - event.samples.front().unix_seconds), range.low,
        range.high, event.longest_ms);
  }
  text +=
      "\n\nA 'command' reads in proportion to its arguments or its reply: SLOWLOG GET names the "
      "calls. A 'fast-command' that took long has most likely waited for the disk: see whether the "
      "versions fit into memory (docs/operations.md).";
  return text;
}

// A command that was timed, with its name and what is known of it.
void AnswerHistogram(Context& context, const CommandSpec& spec, const LatencyCounts& counts,
                     uint64_t calls) {
  resp::ReplyWriter& reply = context.reply;
  const double calls_each = static_cast<double>(calls) / static_cast<double>(SumOf(counts));
  const std::vector<CumulativeStep> steps = Cumulative(counts);
  reply.Bulk(spec.name);
  reply.Map(2);
  reply.Bulk("calls");
  reply.Integer(static_cast<int64_t>(calls));
  reply.Bulk("histogram_usec");
  reply.Map(steps.size());
  for (const CumulativeStep& step : steps) {
    reply.Integer(static_cast<int64_t>(step.up_to_us));
    reply.Integer(std::llround(static_cast<double>(step.calls) * calls_each));
  }
}

void AddWithSubcommands(std::vector<const CommandSpec*>& specs, const CommandSpec& spec) {
  specs.push_back(&spec);
  for (const CommandSpec& sub : spec.subcommands) specs.push_back(&sub);
}

// By name: all commands when none is named.
std::vector<const CommandSpec*> NamedCommands(Arguments names) {
  std::vector<const CommandSpec*> specs;
  for (const std::string_view name : names) {
    const size_t bar = name.find('|');
    const CommandSpec* spec = FindListed(name.substr(0, bar));
    if (spec == nullptr) continue;
    if (bar == std::string_view::npos) {
      AddWithSubcommands(specs, *spec);
    } else if (const CommandSpec* sub = FindSubcommand(*spec, name.substr(bar + 1))) {
      specs.push_back(sub);
    }
  }
  if (!names.empty()) return specs;
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) AddWithSubcommands(specs, spec);
  }
  return specs;
}

}  // namespace

void LatencyMonitor::Add(std::string_view name, Sample sample) {
  const MutexLock lock(mutex_);
  auto known = events_.find(name);
  if (known == events_.end()) {
    known = events_.emplace(name, Event()).first;
    known->second.name = name;
  }
  Event& event = known->second;
  event.longest_ms = std::max(event.longest_ms, sample.milliseconds);
  if (!event.samples.empty() && event.samples.back().unix_seconds == sample.unix_seconds) {
    uint64_t& worst = event.samples.back().milliseconds;
    worst = std::max(worst, sample.milliseconds);
    return;
  }
  event.samples.push_back(sample);
  if (event.samples.size() > kSamples) event.samples.pop_front();
}

std::vector<LatencyMonitor::Event> LatencyMonitor::events() const {
  const MutexLock lock(mutex_);
  std::vector<Event> all;
  for (const auto& [name, event] : events_) all.push_back(event);
  return all;
}

bool LatencyMonitor::Reset(std::string_view name) {
  const MutexLock lock(mutex_);
  const auto known = events_.find(name);
  if (known == events_.end()) return false;
  events_.erase(known);
  return true;
}

size_t LatencyMonitor::ResetAll() {
  const MutexLock lock(mutex_);
  const size_t count = events_.size();
  events_.clear();
  return count;
}

void LatencyDoctor(Context& context, Arguments /*args*/) {
  context.reply.Verbatim("txt",
                         Diagnosis(context.instruments.latency_monitor, context.now_ms / 1000));
}

void LatencyGraph(Context& context, Arguments args) {
  const auto event = FindEvent(context, args[2]);
  if (!event) {
    return context.reply.Error(
        fmt::format("ERR No samples available for event '{}'", CString(args[2])));
  }
  context.reply.Verbatim("txt", Graph(*event, context.now_ms / 1000));
}

void LatencyHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "latency"); }

void LatencyHistogram(Context& context, Arguments args) {
  const std::vector<Instruments::Totals> totals = context.instruments.totals();
  std::vector<std::pair<const CommandSpec*, LatencyCounts>> found;
  for (const CommandSpec* spec : NamedCommands(args.subspan(2))) {
    LatencyCounts counts = context.instruments.Latencies(spec->number);
    if (!counts.empty()) found.emplace_back(spec, std::move(counts));
  }
  context.reply.Map(found.size());
  for (const auto& [spec, counts] : found) {
    AnswerHistogram(context, *spec, counts, std::max(totals[spec->number].calls, SumOf(counts)));
  }
}

void LatencyHistory(Context& context, Arguments args) {
  const auto event = FindEvent(context, args[2]);
  if (!event) return context.reply.Array(0);
  context.reply.Array(event->samples.size());
  for (const LatencyMonitor::Sample& sample : event->samples) {
    context.reply.Array(2);
    context.reply.Integer(sample.unix_seconds);
    context.reply.Integer(static_cast<int64_t>(sample.milliseconds));
  }
}

void LatencyLatest(Context& context, Arguments /*args*/) {
  const std::vector<LatencyMonitor::Event> events = context.instruments.latency_monitor.events();
  context.reply.Array(events.size());
  for (const LatencyMonitor::Event& event : events) {
    context.reply.Array(4);
    context.reply.Bulk(event.name);
    context.reply.Integer(event.samples.back().unix_seconds);
    context.reply.Integer(static_cast<int64_t>(event.samples.back().milliseconds));
    context.reply.Integer(static_cast<int64_t>(event.longest_ms));
  }
}

void LatencyReset(Context& context, Arguments args) {
  LatencyMonitor& monitor = context.instruments.latency_monitor;
  if (args.size() == 2) return context.reply.Integer(static_cast<int64_t>(monitor.ResetAll()));
  int64_t count = 0;
  for (const std::string_view name : args.subspan(2)) count += monitor.Reset(CString(name)) ? 1 : 0;
  context.reply.Integer(count);
}

}  // namespace larder::command
