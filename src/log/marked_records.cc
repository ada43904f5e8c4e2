#include "log/marked_records.h"

#include <algorithm>

#include "log/segment_walk.h"
#include "log/small_files.h"

namespace larder::log {

namespace {

constexpr uint64_t kInMemoryAtOnce = uint64_t{4} << 20;

}  // namespace

Result<uint64_t> VisitMarked(io::FileSystem& files, const std::string& directory,
                             const std::string& prefix, uint64_t first_number,
                             const std::function<void(const RecordInBatch&)>& visit) {
  const std::string name = SegmentName(prefix, first_number);
  LARDER_ASSIGN(const auto mapping, files.Map(directory + "/" + name));
  const std::string_view bytes = mapping->bytes();
  LARDER_ASSIGN(const SegmentHead head, ReadSegmentHead(bytes, name));
  mapping->Advise(io::AccessPattern::kSequential);
  uint64_t forgotten = 0;
  const SegmentWalk walk = WalkSegment(bytes, head, [&](uint64_t offset, const BatchHead& batch) {
    ForEachRecord(bytes, offset, batch, [&](const RecordInBatch& record) {
      if (record.kind == RecordKind::kMarked) visit(record);
    });
    if (offset - forgotten < kInMemoryAtOnce) return;
    mapping->Forget();
    forgotten = offset;
  });
  uint64_t not_whole = 0;
  for (const Hole& hole : walk.holes) not_whole += hole.to - hole.from;
  // A page that cannot be read is zeros, which may look like the end of the segment.
  return mapping->damaged() ? std::max<uint64_t>(not_whole, 1) : not_whole;
}

}  // namespace larder::log
