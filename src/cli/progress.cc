#include "cli/progress.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/exit_code.h"

namespace larder::cli {

namespace {

constexpr std::chrono::milliseconds kBetweenLines{100};
constexpr std::string_view kStartOfClearedLine = "\r\x1b[K";

}  // namespace

Progress::Progress(std::string title)
    : title_(std::move(title)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::Show(std::string_view step, double share) {
  if (!terminal_) return;
  if (share >= 1) return Clear();
  const MutexLock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + kBetweenLines;
  shown_ = true;
  // The cursor goes back to the start, so that a line of the log writes over this one.
  PrintToStderr(fmt::format("{}{}: {} {:.0f}%\r", kStartOfClearedLine, title_, step,
                            std::clamp(share, 0.0, 1.0) * 100));
  std::fflush(stderr);
}

void Progress::Clear() {
  const MutexLock lock(mutex_);
  if (!shown_) return;
  shown_ = false;
  PrintToStderr(std::string(kStartOfClearedLine));
  std::fflush(stderr);
}

}  // namespace larder::cli
