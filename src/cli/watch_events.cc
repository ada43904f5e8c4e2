#include "cli/watch_events.h"

#include <fmt/format.h>

namespace larder::cli {

namespace {

using Kind = WatchEvent::Kind;
using dataset::Status;

class Events {
 public:
  explicit Events(const Status& now) : now_(now) {}

  WatchEvent& Add(Kind kind) {
    WatchEvent& event = events_.emplace_back();
    event.kind = kind;
    event.store = now_.name;
    event.version = now_.current;
    event.now = now_;
    return event;
  }
  std::vector<WatchEvent> Take() { return std::move(events_); }

 private:
  const Status& now_;
  std::vector<WatchEvent> events_;
};

// Back on purpose: by an operator, who pins, or by a probation, which refuses what it leaves. A
// source that goes back to what it was is a switch like any other.
bool IsRollback(const Status& before, const Status& now) {
  return now.current < before.current && (now.pinned || now.refused_version == before.current);
}

void AddRefusals(const Status& before, const Status& now, Events& events) {
  const bool other = now.refused_version != before.refused_version && now.refused_version != 0;
  const bool again = now.refused > before.refused;
  if (other || (again && now.refused_version != 0)) {
    WatchEvent& event = events.Add(Kind::kRefused);
    event.version = now.refused_version;
    event.reason = now.verdict;
  } else if (!now.last_error.empty() && (again || now.last_error != before.last_error)) {
    WatchEvent& event = events.Add(again ? Kind::kRefused : Kind::kFailed);
    event.version = 0;
    event.reason = now.last_error;
  }
}

std::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kState:
      return "state";
    case Kind::kAdded:
      return "added";
    case Kind::kRemoved:
      return "removed";
    case Kind::kCompiling:
      return "compiling";
    case Kind::kSwitched:
      return "switched";
    case Kind::kRolledBack:
      return "rolled_back";
    case Kind::kPinned:
      return "pinned";
    case Kind::kUnpinned:
      return "unpinned";
    case Kind::kRefused:
      return "refused";
    case Kind::kDamaged:
      return "damaged";
    case Kind::kFailed:
      return "failed";
    case Kind::kLost:
      return "lost";
    case Kind::kFound:
      return "found";
  }
  return "";
}

std::string SizeText(const Status& now) {
  return fmt::format("({} records, {} bytes)", now.records, now.file_bytes);
}

std::string StateText(const Status& now) {
  std::string text = now.current == 0 ? std::string("serves nothing yet")
                                      : fmt::format("serves {} {}", now.current, SizeText(now));
  if (now.pinned) text += ", pinned";
  if (now.compiling) text += ", compiling";
  if (now.probation_until_ms != 0) text += ", on probation";
  if (now.refused_version != 0) {
    text += fmt::format(", refused {}: {}", now.refused_version, now.verdict);
  } else if (!now.last_error.empty()) {
    text += fmt::format(", failed: {}", now.last_error);
  }
  return text;
}

}  // namespace

std::vector<WatchEvent> EventsBetween(const Status* before, const Status* now) {
  if (now == nullptr) {
    Events events(*before);
    events.Add(Kind::kRemoved);
    return events.Take();
  }
  Events events(*now);
  if (before == nullptr) {
    events.Add(Kind::kAdded);
    return events.Take();
  }
  if (now->damaged > before->damaged) events.Add(Kind::kDamaged).version = before->current;
  if (now->current != before->current) {
    const Kind kind = IsRollback(*before, *now) ? Kind::kRolledBack : Kind::kSwitched;
    events.Add(kind).previous = before->current;
  }
  if (now->pinned != before->pinned) events.Add(now->pinned ? Kind::kPinned : Kind::kUnpinned);
  AddRefusals(*before, *now, events);
  if (now->compiling && !before->compiling) events.Add(Kind::kCompiling);
  return events.Take();
}

std::string EventText(const WatchEvent& event) {
  switch (event.kind) {
    case Kind::kState:
      return StateText(event.now);
    case Kind::kAdded:
      return "added, " + StateText(event.now);
    case Kind::kRemoved:
      return "removed";
    case Kind::kCompiling:
      return "compiling";
    case Kind::kSwitched:
      return fmt::format("switched {} -> {} {}", event.previous, event.version,
                         SizeText(event.now));
    case Kind::kRolledBack:
      return fmt::format("rolled back {} -> {} {}", event.previous, event.version,
                         SizeText(event.now));
    case Kind::kPinned:
      return fmt::format("pinned at {}", event.version);
    case Kind::kUnpinned:
      return "unpinned";
    case Kind::kRefused:
      if (event.version == 0) return fmt::format("refused: {}", event.reason);
      return fmt::format("refused version {}: {}", event.version, event.reason);
    case Kind::kDamaged:
      return fmt::format("damaged version {}", event.version);
    case Kind::kFailed:
      return fmt::format("failed: {}", event.reason);
    case Kind::kLost:
      return fmt::format("the server is lost: {}", event.reason);
    case Kind::kFound:
      return "the server answers again";
  }
  return "";
}

Json EventJson(const WatchEvent& event) {
  Json json = {{"event", KindName(event.kind)}};
  if (!event.reason.empty()) json["reason"] = event.reason;
  if (event.store.empty()) return json;
  json["store"] = event.store;
  if (event.previous != 0) json["previous"] = event.previous;
  if (event.version != 0) json["version"] = event.version;
  const Status& now = event.now;
  json["current"] = now.current;
  json["records"] = now.records;
  json["bytes"] = now.file_bytes;
  json["pinned"] = now.pinned;
  json["compiling"] = now.compiling;
  json["refused_version"] = now.refused_version;
  if (!now.verdict.empty()) json["verdict"] = now.verdict;
  if (!now.last_error.empty()) json["last_error"] = now.last_error;
  if (now.probation_until_ms != 0) json["probation_until_ms"] = now.probation_until_ms;
  return json;
}

}  // namespace larder::cli
