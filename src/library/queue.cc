#include "larder/queue.h"

#include <optional>
#include <utility>

#include "base/error.h"
#include "io/file_system.h"
#include "queue/file_queue.h"

namespace larder {

struct Queue::State {
  std::unique_ptr<queue::FileQueue> queue;
};

namespace {

// The first of at most one.
Result<std::optional<QueueRecord>> First(Result<std::vector<QueueRecord>> records) {
  if (!records) return std::unexpected(std::move(records).error());
  if (records->empty()) return std::nullopt;
  return std::move(records->front());
}

}  // namespace

Result<Queue> Queue::Open(const QueueOptions& options) {
  auto state = std::make_shared<State>();
  LARDER_ASSIGN(state->queue, queue::FileQueue::Open(io::RealFileSystem(), options));
  return Queue(std::move(state));
}

Result<uint64_t> Queue::Append(std::span<const std::string_view> records) const {
  return state_->queue->Append(records);
}

Result<QueueRecord> Queue::Read(uint64_t number) const { return state_->queue->Read(number); }

Result<std::optional<QueueRecord>> Queue::ReadFront() const {
  return First(state_->queue->ReadMany(0, 1));
}

Result<std::vector<QueueRecord>> Queue::ReadMany(uint64_t number, size_t count) const {
  return state_->queue->ReadMany(number, count);
}

Result<bool> Queue::WaitForData(std::chrono::milliseconds timeout,
                                std::chrono::nanoseconds spin) const {
  return state_->queue->WaitForData(timeout, spin);
}

Result<void> Queue::Refresh() const { return state_->queue->Refresh(); }

Result<std::optional<QueueRecord>> Queue::Pop() const { return First(state_->queue->PopMany(1)); }

Result<std::vector<QueueRecord>> Queue::PopMany(size_t count) const {
  return state_->queue->PopMany(count);
}

Result<uint64_t> Queue::Delete(std::span<const uint64_t> numbers) const {
  return state_->queue->Delete(numbers);
}

Result<bool> Queue::DeleteFront() const { return state_->queue->DeleteFront(); }

Result<uint64_t> Queue::Prune(uint64_t up_to) const { return state_->queue->Prune(up_to); }

Result<uint64_t> Queue::PruneSegment(uint64_t first) const {
  return state_->queue->PruneSegment(first);
}

Result<uint64_t> Queue::Clear() const { return state_->queue->Prune(UINT64_MAX); }

Result<uint64_t> Queue::Move(uint64_t number, const Queue& destination) const {
  return state_->queue->Move(number, *destination.state_->queue);
}

Result<void> Queue::CreateGroup(std::string_view group, const QueueGroupOptions& options) const {
  return state_->queue->CreateGroup(group, options);
}

Result<void> Queue::DropGroup(std::string_view group) const {
  return state_->queue->DropGroup(group);
}

Result<std::vector<QueueRecord>> Queue::Receive(std::string_view group, std::string_view consumer,
                                                size_t count,
                                                std::chrono::milliseconds timeout) const {
  return state_->queue->Receive(group, consumer, count, timeout);
}

Result<uint64_t> Queue::Acknowledge(std::string_view group,
                                    std::span<const uint64_t> numbers) const {
  return state_->queue->Acknowledge(group, numbers);
}

Result<uint64_t> Queue::Release(std::string_view group, std::span<const uint64_t> numbers,
                                std::chrono::milliseconds delay) const {
  return state_->queue->Release(group, numbers, delay);
}

Result<uint64_t> Queue::Extend(std::string_view group, std::span<const uint64_t> numbers,
                               std::chrono::milliseconds timeout) const {
  return state_->queue->Extend(group, numbers, timeout);
}

Result<uint64_t> Queue::Length() const { return state_->queue->Length(); }
Result<uint64_t> Queue::Bytes() const { return state_->queue->Bytes(); }
Result<QueueStats> Queue::Stats() const { return state_->queue->Stats(); }
Result<std::vector<QueueSegment>> Queue::Segments() const { return state_->queue->Segments(); }
QueueOptions Queue::options() const { return state_->queue->options(); }
Result<void> Queue::Sync() const { return state_->queue->Sync(); }
Result<void> Queue::Close() const { return state_->queue->Close(); }

}  // namespace larder
