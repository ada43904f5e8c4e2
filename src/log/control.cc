#include "log/control.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "io/futex.h"

namespace larder::log {

namespace {

uint64_t MagicNumber() { return LoadLe<uint64_t>(kControlMagic.data()); }

}  // namespace

Result<std::unique_ptr<Control>> Control::Open(io::FileSystem& files, const std::string& path) {
  LARDER_ASSIGN(auto memory, files.OpenShared(path, kControlBytes));
  return std::unique_ptr<Control>(new Control(std::move(memory)));
}

bool Control::Trusted(const LogId& id, uint64_t boot) const {
  return Number(0).load(kAcquire) == MagicNumber() &&
         Count(control_at::kVersion).load(kAcquire) == kFormatVersion &&
         std::memcmp(At(control_at::kLogId), id.data(), id.size()) == 0 &&
         Number(control_at::kBoot).load(kAcquire) == boot;
}

void Control::Begin(const LogId& id, uint64_t boot, uint64_t reserved, uint64_t synced,
                    const LogEnd& end) {
  Number(0).store(0, kRelease);
  std::memcpy(At(control_at::kLogId), id.data(), id.size());
  Count(control_at::kVersion).store(kFormatVersion, kRelease);
  Number(control_at::kBoot).store(boot, kRelease);
  set_state(ControlState::kInUse);
  set_reserved(reserved);
  Number(control_at::kSynced).store(synced, kRelease);
  NoteSegmentChange();
  Count(control_at::kRecoveries).fetch_add(1, kRelease);
  Commit(end);
  Number(0).store(MagicNumber(), kRelease);
  WakeAll();
  CancelAppend();
}

// Who fails in an append says first that the log failed, and then that the append is over. And a
// recovery takes the magic away before it changes anything, and counts before that is back.
std::optional<uint32_t> Control::Decided(const LogId& id, uint64_t boot) const {
  const uint32_t recovered = recoveries();
  if (!Trusted(id, boot) || appending() || state() == ControlState::kSyncFailed) return {};
  if (!Trusted(id, boot) || recoveries() != recovered) return {};
  return recovered;
}

LogEnd Control::end() const {
  return {.segment = Number(control_at::kSegment).load(kAcquire),
          .end = Number(control_at::kEnd).load(kAcquire),
          .committed = committed()};
}

// Who is killed before the last line leaves it to the next to wake.
void Control::EndAppend(const LogEnd& end) {
  Commit(end);
  Announce();
  CancelAppend();
}

void Control::Commit(const LogEnd& end) {
  Number(control_at::kSegment).store(end.segment, kRelease);
  Number(control_at::kEnd).store(end.end, kRelease);
  Number(control_at::kCommitted).store(end.committed, std::memory_order_seq_cst);
}

void Control::RaiseSynced(uint64_t number) {
  const auto synced = Number(control_at::kSynced);
  uint64_t known = synced.load(kAcquire);
  while (known < number && !synced.compare_exchange_weak(known, number)) {
  }
}

// Both sides write first and look then, so that one of them sees the other. Who prepares after the
// word was taken back has seen the announcement, or sleeps on a number that is no more.
void Control::Announce() {
  const auto sleepers = Count(control_at::kSleepers);
  if (sleepers.load(std::memory_order_seq_cst) == 0) return;
  sleepers.store(0, std::memory_order_seq_cst);
  WakeAll();
}

void Control::WakeAll() {
  Count(control_at::kAnnouncements).fetch_add(1, std::memory_order_seq_cst);
  io::FutexWakeAll(Word(control_at::kAnnouncements));
}

uint32_t Control::PrepareToSleep() {
  const uint32_t announced = Count(control_at::kAnnouncements).load(std::memory_order_seq_cst);
  Count(control_at::kSleepers).store(1, std::memory_order_seq_cst);
  return announced;
}

void Control::Sleep(uint32_t prepared, std::chrono::steady_clock::time_point deadline) {
  // Who was to wake may be killed just before it does.
  constexpr auto kLongest = std::chrono::seconds(1);
  io::FutexWait(Word(control_at::kAnnouncements), prepared,
                std::min(deadline, std::chrono::steady_clock::now() + kLongest));
}

ControlState Control::state() const {
  return static_cast<ControlState>(Count(control_at::kState).load(kAcquire));
}

void Control::set_state(ControlState state) {
  Count(control_at::kState).store(static_cast<uint32_t>(state), kRelease);
}

}  // namespace larder::log
