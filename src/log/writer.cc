#include "log/writer.h"

#include <utility>

#include "log/file_writer.h"

namespace larder::log {

Result<uint64_t> Writer::Append(std::span<const std::string_view> records, RecordKind kind) {
  uint64_t last = 0;
  {
    LARDER_ASSIGN(Turn turn, BeginTurn());
    LARDER_ASSIGN(last, turn.Append(records, kind));
  }
  LARDER_TRY(Settle(last));
  return last;
}

Result<Writer::Turn> Writer::BeginTurn() {
  LARDER_TRY(TakeTurn());
  return Turn(this);
}

Result<void> Writer::Rotate() {
  LARDER_ASSIGN(Turn turn, BeginTurn());
  return turn.Rotate();
}

Result<std::unique_ptr<Writer>> Writer::Open(io::FileSystem& files, const Options& options) {
  LARDER_TRY(CheckOptions(options));
  const std::string boot_id = files.BootId();
  if (boot_id.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "this machine's boot id cannot be read (/proc/sys/kernel/random/boot_id): a power "
                "cut would not be noticed");
  }
  LARDER_TRY(files.MakeDirectories(options.directory));
  LARDER_ASSIGN(Locks locks, TakeLocks(files, options));
  LARDER_ASSIGN(auto control,
                Control::Open(files, options.directory + "/" + ControlName(options.prefix)));
  auto writer = std::make_unique<FileWriter>(files, options, std::move(locks), std::move(control),
                                             BootChecksum(boot_id));
  LARDER_TRY(writer->Begin());
  return writer;
}

}  // namespace larder::log
