#include "log/control.h"

#include <cstring>
#include <string_view>

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

void Control::Begin(const LogId& id, uint64_t boot, uint64_t oldest, uint64_t committed,
                    uint64_t synced) {
  Number(0).store(0, kRelease);
  std::memcpy(At(control_at::kLogId), id.data(), id.size());
  Count(control_at::kVersion).store(kFormatVersion, kRelease);
  Number(control_at::kBoot).store(boot, kRelease);
  set_state(ControlState::kInUse);
  set_oldest(oldest);
  set_synced(synced);
  set_committed(committed);
  NoteSegmentChange();
  Number(0).store(MagicNumber(), kRelease);
}

ControlState Control::state() const {
  return static_cast<ControlState>(Count(control_at::kState).load(kAcquire));
}

void Control::set_state(ControlState state) {
  Count(control_at::kState).store(static_cast<uint32_t>(state), kRelease);
}

}  // namespace larder::log
