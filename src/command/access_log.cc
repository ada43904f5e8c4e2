#include "command/access_log.h"

#include <algorithm>
#include <utility>

namespace larder::command {
namespace {

constexpr int64_t kTogetherMs = 60'000;

bool AreAlike(const Denial& a, const Denial& b) {
  return a.reason == b.reason && a.in_transaction == b.in_transaction && a.object == b.object &&
         a.user == b.user && b.at_ms - a.at_ms <= kTogetherMs;
}

}  // namespace

void AccessLog::Add(Denial denial) {
  const MutexLock lock(mutex_);
  const auto before = std::ranges::find_if(
      entries_, [&denial](const Denial& entry) { return AreAlike(entry, denial); });
  if (before != entries_.end()) {
    denial.count += before->count;
    entries_.erase(before);
  }
  entries_.push_front(std::move(denial));
  if (entries_.size() > kMaxEntries) entries_.pop_back();
}

std::vector<Denial> AccessLog::Latest(uint64_t count) const {
  const MutexLock lock(mutex_);
  const auto end = entries_.begin() + static_cast<ptrdiff_t>(std::min(count, entries_.size()));
  return {entries_.begin(), end};
}

void AccessLog::Clear() {
  const MutexLock lock(mutex_);
  entries_.clear();
}

}  // namespace larder::command
