#include "dataset/dataset.h"

#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "dataset/current_options.h"
#include "dataset/source_taker.h"
#include "dataset/status_board.h"
#include "dataset/version_directory.h"
#include "dataset/version_switch.h"
#include "dataset/watch_threads.h"
#include "snapshot/verify.h"

namespace larder::dataset {

// Locks are taken in this order, and each only where needed:
//   SourceTaker (a whole look) -> VersionSwitch (a change, waits for readers) -> StatusBoard.
// WatchThreads' own is never held while another is taken.
struct Dataset::State {
  State(io::FileSystem& files_given, EpochDomain& epochs, Options given,
        std::unique_ptr<VersionDirectory> directory)
      : files(files_given),
        options(std::move(given)),
        board(*options.Get()),
        versions(options, epochs, board, std::move(directory)),
        source(files, options, versions, board) {}

  Result<SwitchReport> Leave(uint64_t number, const std::string& problem) {
    auto report = versions.LeaveDamaged(number, problem);
    source.LookAnew();
    threads.Wake();
    return report;
  }

  // The mode of the version that is served, and how much of it is in memory.
  void PollResidency() {
    uint64_t number = 0;
    if (auto settled = versions.Settle(number); !settled) {
      std::ignore = Leave(number, settled.error().message());
    }
    const auto current = board.current();
    if (current == nullptr) return;
    const bool is_new = measured != current->snapshot.get();
    if (!is_new && ++polls % kPollsPerMeasurement != 0) return;
    measured = current->snapshot.get();
    board.ShowResident(*current, current->snapshot->mapping().ResidentBytes());
  }

  // What the last attempt failed with is on the board.
  void PollDamage() {
    const auto current = board.current();
    if (current == nullptr) return;
    if (current->snapshot->damaged()) {
      std::ignore = Leave(current->number, "a page could not be read");
      return;
    }
    // A cut inside a page raises no signal, zeros stand in for the rest of the page. (A file that
    // was removed is still whole behind the mapping.)
    // A copy does not mind what becomes of its file.
    if (current->snapshot->residency() == Residency::kHuge) return;
    const auto info = files.Stat(current->snapshot->path());
    const uint64_t whole = current->snapshot->header().file_bytes;
    if (info && info->bytes < whole) {
      std::ignore =
          Leave(current->number,
                fmt::format("its file has {} bytes, not {}: cut by somebody", info->bytes, whole));
    }
  }

  void VerifyCurrent() {
    const auto current = board.current();
    if (current == nullptr) return;
    const auto verified = snapshot::Verify(
        *current->snapshot, {.threads = options.Get()->threads,
                             .progress = [this](uint64_t) { return !threads.stopping(); }});
    if (verified) {
      LogInfo(fmt::format("dataset {}: version {} is sound", options.Get()->name, current->number));
    } else if (verified.error().code() != ErrorCode::kCancelled) {
      std::ignore = Leave(current->number, verified.error().message());
    }
  }

  // To ask the kernel takes some milliseconds for each gigabyte.
  static constexpr unsigned kPollsPerMeasurement = 10;

  io::FileSystem& files;
  CurrentOptions options;
  StatusBoard board;
  VersionSwitch versions;
  SourceTaker source;
  WatchThreads threads;
  // Of the watching thread.
  unsigned polls = 0;
  const snapshot::Snapshot* measured = nullptr;
};

Result<std::unique_ptr<Dataset>> Dataset::Open(io::FileSystem& files, EpochDomain& epochs,
                                               Options options) {
  auto directory = VersionDirectory::Open(files, options.directory);
  if (!directory) {
    return std::unexpected(directory.error().Within(fmt::format("dataset {}", options.name)));
  }
  return std::make_unique<Dataset>(
      std::make_unique<State>(files, epochs, std::move(options), *std::move(directory)));
}

Dataset::Dataset(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->versions.Begin(current_);
}

Dataset::~Dataset() { StopWatching(); }

std::shared_ptr<const Options> Dataset::options() const { return state_->options.Get(); }

std::shared_ptr<const Version> Dataset::PinCurrent() const { return state_->board.current(); }

Result<SwitchReport> Dataset::Refresh(bool at_once) { return state_->source.Look(at_once); }

Result<SwitchReport> Dataset::Rollback(std::optional<uint64_t> number) {
  return state_->versions.Rollback(number);
}

Result<SwitchReport> Dataset::Pin(uint64_t number) { return state_->versions.Pin(number); }

Result<SwitchReport> Dataset::Unpin() { return state_->versions.Unpin(); }

Result<SwitchReport> Dataset::Accept() {
  auto report = state_->versions.Accept();
  if (report) state_->source.Overrule("");
  return report;
}

void Dataset::CheckProbation(std::chrono::steady_clock::time_point now) {
  std::string problem = state_->versions.CheckProbation(now);
  if (!problem.empty()) state_->source.Overrule(std::move(problem));
}

void Dataset::Reconfigure(Options options) {
  options.directory = state_->options.Get()->directory;
  state_->versions.Cancel();
  state_->source.Reconfigure(std::move(options));
  state_->versions.Resume();
  state_->threads.Wake();
}

Result<SwitchReport> Dataset::LeaveDamaged(uint64_t number) {
  const auto current = state_->board.current();
  const bool served = current != nullptr && current->number == number;
  if (!served || !current->snapshot->damaged()) return state_->versions.Unchanged();
  return state_->Leave(number, "a page could not be read");
}

std::vector<VersionInfo> Dataset::Versions() const { return state_->board.versions(); }

Status Dataset::status() const { return state_->board.status(); }

bool Dataset::WaitFor(const std::function<bool(const Status&)>& done,
                      std::chrono::milliseconds timeout) const {
  return state_->board.WaitFor(done, timeout);
}

void Dataset::StartWatching() {
  State& state = *state_;
  state.threads.Start({.interval = [&state] { return state.options.Get()->watch; },
                       .look = [&state] { std::ignore = state.source.Look(false); },
                       .poll =
                           [this, &state] {
                             state.PollDamage();
                             state.PollResidency();
                             CheckProbation(std::chrono::steady_clock::now());
                           },
                       .verify = [&state] { state.VerifyCurrent(); }});
}

void Dataset::StopWatching() {
  state_->source.Cancel();
  state_->versions.Cancel();
  state_->threads.Stop();
  state_->source.Resume();
  state_->versions.Resume();
}

}  // namespace larder::dataset
