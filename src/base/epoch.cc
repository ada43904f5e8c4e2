#include "base/epoch.h"

#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

namespace larder {

EpochDomain::Reader::Reader(Reader&& other) noexcept
    : domain_(std::exchange(other.domain_, nullptr)), slot_(std::exchange(other.slot_, nullptr)) {}

EpochDomain::Reader& EpochDomain::Reader::operator=(Reader&& other) noexcept {
  std::swap(domain_, other.domain_);
  std::swap(slot_, other.slot_);
  return *this;
}

EpochDomain::Reader::~Reader() {
  if (slot_ == nullptr) return;
  slot_->word.store(0, std::memory_order_release);
  slot_->taken.store(false, std::memory_order_release);
}

EpochDomain::EpochDomain() : slots_(std::make_unique<std::array<Slot, kMaxEpochReaders>>()) {}
EpochDomain::~EpochDomain() = default;

std::optional<EpochDomain::Reader> EpochDomain::TryRegister() {
  for (Slot& slot : *slots_) {
    if (!slot.taken.exchange(true, std::memory_order_acq_rel)) return Reader(this, &slot);
  }
  return std::nullopt;
}

EpochDomain::Reader EpochDomain::Register() {
  std::optional<Reader> reader = TryRegister();
  if (!reader) std::abort();
  return *std::move(reader);
}

void EpochDomain::WaitForReaders() {
  const uint64_t target = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
  for (Slot& slot : *slots_) {
    // A reader's batch takes microseconds: yield first, then sleep so as not to take its core.
    for (int attempt = 0;; ++attempt) {
      const uint64_t word = slot.word.load(std::memory_order_seq_cst);
      if (word == 0 || word >= target) break;
      if (attempt < 64) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    }
  }
}

}  // namespace larder
