// A control page of any bytes that claims to be this log's: nobody who opens the log may crash or
// hang, and what a writer makes of the log can be opened again or is told to be damaged.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "io/faulty_file_system.h"
#include "larder/log.h"
#include "log/control.h"
#include "log/reader.h"
#include "log/small_files.h"
#include "log/writer.h"

namespace {

using namespace larder;

log::Options SharedOptions() {
  return {.directory = "/log",
          .sync = log::SyncPolicy::kNever,
          .segment_records = 4,
          .writers = log::Writers::kShared};
}

// That it returns is all that is asked.
template <typename T>
void Ignore(const T& /*returned*/) {}

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string ControlPath() { return "/log/" + log::ControlName("log"); }

// The page as `bytes` say, but for what makes it trusted: magic, version, id and boot.
void Overwrite(io::FileSystem& files, std::string_view bytes) {
  auto page = files.OpenShared(ControlPath(), log::kControlBytes);
  Require(page.has_value());
  char* const to = (*page)->data();
  const auto copy = [&](uint64_t from, uint64_t end) {
    if (bytes.size() <= from) return;
    std::memcpy(to + from, bytes.data() + from, std::min<uint64_t>(end, bytes.size()) - from);
  };
  copy(log::control_at::kState, log::control_at::kLogId);
  copy(log::control_at::kReserved, log::kControlBytes);
}

void ReadAll(io::FileSystem& files) {
  const auto reader = log::Reader::Open(files, {.directory = "/log"});
  if (!reader) return;
  uint64_t number = 1;
  for (int i = 0; i < 40; ++i) {
    const auto record = (*reader)->ReadFrom(number);
    if (!record || record->number == UINT64_MAX) break;
    number = record->number + 1;
  }
  Ignore((*reader)->Read((*reader)->committed()));
  Ignore((*reader)->WaitAbove((*reader)->committed(), std::chrono::steady_clock::now()));
  Ignore((*reader)->Segments());
}

void AppendAndClose(io::FileSystem& files) {
  const auto writer = log::Writer::Open(files, SharedOptions());
  if (!writer) return;
  for (int i = 0; i < 6; ++i) Ignore((*writer)->Append("appended behind it"));
  ReadAll(files);
  Ignore((*writer)->Close());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  SetLogLevel(LogLevel::kOff);
  io::FaultyFileSystem files(1);
  {
    const auto writer = *log::Writer::Open(files, SharedOptions());
    for (int i = 0; i < 6; ++i) Require(writer->Append("a record").has_value());
    files.Crash();
  }
  files.Reboot(io::Survival::kEverything);
  Overwrite(files, {reinterpret_cast<const char*>(data), size});
  ReadAll(files);
  AppendAndClose(files);
  // Without the page the segments alone tell.
  Require(files.Remove(ControlPath()).has_value());
  const auto again = log::Writer::Open(files, SharedOptions());
  Require(again || again.error().code() == ErrorCode::kCorrupt);
  ReadAll(files);
  return 0;
}
