#include "dataset/probation.h"

#include "dataset/status_board.h"

namespace larder::dataset {

std::shared_ptr<ReadCounts> Probation::Begin(uint64_t number, uint64_t previous,
                                             std::chrono::milliseconds window) {
  End();
  counts_ = std::make_shared<ReadCounts>();
  number_ = number;
  previous_ = previous;
  end_ = Clock::now() + window;
  until_ms_ = NowMs() + window.count();
  return counts_;
}

void Probation::End() {
  if (counts_ != nullptr) counts_->ended.store(true, std::memory_order_relaxed);
  counts_.reset();
  number_ = 0;
  previous_ = 0;
  until_ms_ = 0;
}

}  // namespace larder::dataset
