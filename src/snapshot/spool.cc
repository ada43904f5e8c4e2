#include "snapshot/spool.h"

#include <algorithm>

namespace larder::snapshot {
namespace {

constexpr uint64_t kWriteBytes = uint64_t{256} << 10;  // of one write, once on disk

}  // namespace

Spool::Spool(io::FileSystem& files, std::string path, uint64_t memory_bytes)
    : files_(files), path_(std::move(path)), limit_(memory_bytes) {}

Spool::~Spool() {
  file_.reset();
  readable_.reset();
  // Nothing more can be done about a temporary that cannot be removed; its name says what it is.
  if (on_disk_) (void)files_.Remove(path_);
}

Result<void> Spool::Append(std::string_view bytes) {
  if (!on_disk_ && memory_.size() + bytes.size() > limit_) {
    LARDER_ASSIGN(file_, files_.Create(path_));
    on_disk_ = true;
    LARDER_TRY(WriteOut());
    limit_ = kWriteBytes;
    memory_.shrink_to_fit();
  }
  if (on_disk_ && memory_.size() + bytes.size() > limit_) LARDER_TRY(WriteOut());
  memory_.append(bytes);
  return {};
}

Result<void> Spool::WriteOut() {
  if (!memory_.empty()) LARDER_TRY(file_->Write(memory_));
  spilled_ += memory_.size();
  memory_.clear();
  return {};
}

Result<void> Spool::Finish() {
  if (!on_disk_) return {};
  LARDER_TRY(WriteOut());
  LARDER_TRY(file_->Close());
  file_.reset();
  LARDER_ASSIGN(readable_, files_.OpenForRead(path_));
  readable_->AdviseSequential();
  return {};
}

Spool::Reader::Reader(const Spool& spool, uint64_t buffer_bytes) : spool_(spool) {
  if (spool.on_disk_) {
    buffer_.resize(buffer_bytes);
  } else {
    rest_ = spool.memory_;
    at_ = rest_.size();
  }
}

Result<std::string_view> Spool::Reader::Next(uint64_t bytes) {
  if (rest_.empty()) LARDER_TRY(Fill(1));
  const std::string_view piece = rest_.substr(0, bytes);
  rest_.remove_prefix(piece.size());
  return piece;
}

Result<void> Spool::Reader::Fill(uint64_t wanted) {
  if (!spool_.on_disk_) return {};
  const size_t kept = rest_.size();
  std::copy(rest_.begin(), rest_.end(), buffer_.begin());
  rest_ = {};
  if (buffer_.size() < wanted) buffer_.resize(wanted);
  LARDER_ASSIGN(const size_t read,
                spool_.readable_->ReadAt(at_, buffer_.data() + kept, buffer_.size() - kept));
  at_ += read;
  rest_ = std::string_view(buffer_).substr(0, kept + read);
  if (read == 0 && at_ < spool_.spilled_) {
    return Fail(ErrorCode::kIoError,
                "a temporary file became shorter while it was read: " + spool_.path_);
  }
  return {};
}

}  // namespace larder::snapshot
