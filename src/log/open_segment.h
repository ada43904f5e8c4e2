// OpenSegment: the segment that is appended to, and its index.
//
// Threads:    Append by one; Sync and StartWriting beside it by another.
// Errors:     the file system's. After one the segment is not used again.
// Cost:       an append is two copies; space is asked for when it is doubled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "io/file_system.h"
#include "log/segment_scan.h"

namespace larder::log {

class OpenSegment {
 public:
  // Begins a segment: its name and head are on the disk when this returns. `limit` is how far its
  // space is doubled.
  static Result<std::unique_ptr<OpenSegment>> Create(io::FileSystem& files,
                                                     const std::string& directory,
                                                     const std::string& prefix,
                                                     const SegmentHead& head, uint64_t limit);
  // Goes on behind the whole batches of an existing one. What lies behind them is cut; the index is
  // written anew from `entries`.
  struct Whole {
    uint64_t end = 0;
    std::string_view entries;
    bool sync = true;  // all of it, before anything is appended
  };
  static Result<std::unique_ptr<OpenSegment>> Continue(io::FileSystem& files,
                                                       const std::string& directory,
                                                       const std::string& prefix,
                                                       const SegmentHead& head, uint64_t limit,
                                                       const Whole& whole);
  // One that another writer made, too. MoveTo says where it ends.
  static Result<std::unique_ptr<OpenSegment>> Join(io::FileSystem& files,
                                                   const std::string& directory,
                                                   const std::string& prefix, uint64_t first_number,
                                                   uint64_t limit);
  // Removes a segment, or what there is of it.
  static Result<void> Discard(io::FileSystem& files, const std::string& directory,
                              const std::string& prefix, uint64_t first_number);

  // Goes on where another writer has ended.
  Result<void> MoveTo(uint64_t end, uint64_t records);
  // Space for a batch and its entries. A full disk is met here, and changes nothing.
  Result<void> MakeRoom(uint64_t batch_bytes, uint64_t entry_bytes);
  // `batch` was encoded for end(), and there is room.
  Result<void> Append(std::string_view batch, std::string_view entries);
  Result<void> Sync() { return segment_->Sync(); }
  // What was written since the last call leaves this process's memory. Returns what of it is to be
  // sent to the disk by StartWriting, so that the sync at the end of the segment is short.
  struct Bytes {
    uint64_t from = 0;
    uint64_t to = 0;
  };
  Bytes LetGo();
  uint64_t held() const { return end_ - let_go_; }
  // Beside appends, too.
  void StartWriting(const Bytes& bytes) { segment_->StartWriting(bytes.from, bytes.to); }
  // Gives back what is not used, and syncs segment and index.
  Result<void> Seal();
  // What was allocated, for who wants it back when there is no successor after all.
  struct Space {
    uint64_t segment = 0;
    uint64_t index = 0;
  };
  Space space() const { return {.segment = segment_->allocated(), .index = index_->allocated()}; }
  void TakeBackSpace(const Space& space);

  const SegmentHead& head() const { return head_; }
  uint64_t key() const { return key_; }
  uint64_t end() const { return end_; }  // where the next batch begins
  uint64_t records() const;
  const std::string& path() const { return segment_->path(); }

 private:
  OpenSegment(const SegmentHead& head, uint64_t limit, std::unique_ptr<io::AllocatedFile> segment,
              std::unique_ptr<io::AllocatedFile> index)
      : head_(head),
        key_(head.key()),
        limit_(limit),
        segment_(std::move(segment)),
        index_(std::move(index)) {}

  SegmentHead head_;
  uint64_t key_;
  uint64_t limit_;
  std::unique_ptr<io::AllocatedFile> segment_;
  std::unique_ptr<io::AllocatedFile> index_;
  uint64_t end_ = kSegmentHeadBytes;
  uint64_t let_go_ = 0;
  uint64_t index_end_ = kIndexHeadBytes;
};

}  // namespace larder::log
