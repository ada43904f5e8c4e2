#include <utility>

#include <fmt/format.h>

#include "base/epoch.h"
#include "base/error.h"
#include "dataset/dataset.h"
#include "larder/dataset.h"
#include "library/dataset_state.h"
#include "library/finding.h"

namespace larder {

struct Reader::State {
  std::shared_ptr<Dataset::State> dataset;
  const dataset::Dataset* versions;
  EpochDomain::Reader reader;
  unsigned depth = 0;
};

Result<Reader> Dataset::NewReader() const {
  auto registered = state_->epochs->TryRegister();
  if (!registered) {
    return Fail(ErrorCode::kLimit,
                fmt::format("dataset {}: there are {} readers already, one for each of so many "
                            "threads; end some",
                            status().name, kMaxEpochReaders));
  }
  auto state = std::make_unique<Reader::State>();
  state->dataset = state_;
  state->versions = state_->dataset.get();
  state->reader = *std::move(registered);
  return Reader(std::move(state));
}

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Reader::Guard Reader::Enter() { return Guard(*state_); }

Reader::Guard::Guard(State& state) : state_(state) {
  // Only the outermost: entering anew would let go what the outer ones look at.
  if (state.depth++ == 0) state.reader.Enter();
  version_ = state.versions->Current();
}

Reader::Guard::~Guard() {
  if (--state_.depth == 0) state_.reader.Leave();
}

uint64_t Reader::Guard::version_number() const {
  return version_ == nullptr ? 0 : version_->number;
}

std::optional<Value> Reader::Guard::Find(std::string_view key, Expired expired) const {
  if (version_ == nullptr) return std::nullopt;
  return library::FindIn(*version_->snapshot, key, expired);
}

void Reader::Guard::FindMany(std::span<const std::string_view> keys,
                             std::span<std::optional<Value>> values, Expired expired) const {
  if (version_ == nullptr) return library::FindNothing(keys, values);
  library::FindManyIn(*version_->snapshot, keys, values, expired);
}

}  // namespace larder
