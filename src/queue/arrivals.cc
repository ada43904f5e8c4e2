#include "queue/arrivals.h"

#include <algorithm>
#include <map>
#include <utility>

#include "log/marked_records.h"
#include "log/reader.h"
#include "queue/moved_record.h"
#include "queue/positions.h"
#include "queue/positions_log.h"

namespace larder::queue {

namespace {

Result<Positions> ReadPositions(io::FileSystem& files, const Place& queue) {
  LARDER_ASSIGN(const auto reader,
                log::Reader::Open(files, {.directory = queue.directory,
                                          .prefix = queue.prefix + std::string(kPositionsSuffix)}));
  LARDER_ASSIGN(const auto segments, reader->Segments());
  uint64_t from = 1;
  for (const log::SegmentInfo& segment : segments) {
    const auto first = reader->Read(segment.first_number);
    if (first && first->kind == log::RecordKind::kMarked) from = segment.first_number;
    if (!first && first.error().code() != ErrorCode::kNotFound)
      return std::unexpected(first.error());
  }
  Positions state;
  while (from <= reader->committed()) {
    LARDER_ASSIGN(const log::Record record, reader->ReadFrom(from));
    LARDER_ASSIGN(const Change change, DecodeChange(record.data));
    LARDER_TRY(state.Apply(change));
    from = record.number + 1;
  }
  return state;
}

}  // namespace

Result<SegmentArrivals> ArrivalsIn(io::FileSystem& files, const Place& queue,
                                   uint64_t first_number) {
  SegmentArrivals found;
  std::map<QueueId, Arrived, AsBytes> by_queue;
  const auto note = [&](const log::RecordInBatch& record) {
    const auto moved = ReadMovedRecord(record.data, record.number);
    if (!moved) {
      found.unknown_bytes += record.data.size();
      return;
    }
    Arrived& arrived = by_queue[moved->origin.queue];
    arrived.from = moved->origin.queue;
    arrived.needed_behind = std::max(arrived.needed_behind, moved->needed_behind);
    arrived.records.push_back({.here = record.number, .there = moved->origin.number});
  };
  LARDER_ASSIGN(const uint64_t not_whole,
                log::VisitMarked(files, queue.directory, queue.prefix, first_number, note));
  found.unknown_bytes += not_whole;
  for (auto& [from, arrived] : by_queue) {
    std::erase_if(arrived.records, [&](const Arrived::Record& record) {
      return record.here <= arrived.needed_behind;
    });
    found.by_queue.push_back(std::move(arrived));
  }
  return found;
}

Result<bool> HasArrived(io::FileSystem& files, const Place& queue, const QueueOrigin& origin,
                        uint64_t behind) {
  LARDER_ASSIGN(const Positions state, ReadPositions(files, queue));
  return state.HasArrived(origin.queue, origin.number, behind);
}

}  // namespace larder::queue
