#include "base/compression.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <isa-l/igzip_lib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/bytes.h"

namespace larder {
namespace {

constexpr uint8_t kGzipMagic[] = {0x1f, 0x8b};
constexpr uint32_t kSkippableMask = 0xfffffff0;

bool IsZstdMagic(uint32_t magic) {
  return magic == ZSTD_MAGICNUMBER || (magic & kSkippableMask) == ZSTD_MAGIC_SKIPPABLE_START;
}

uint8_t* Bytes(char* bytes) { return reinterpret_cast<uint8_t*>(bytes); }
// isa-l takes its input through a pointer to non-const and does not write to it.
uint8_t* Bytes(const char* bytes) { return Bytes(const_cast<char*>(bytes)); }

std::string_view InflateReason(int status) {
  switch (status) {
    case ISAL_INVALID_WRAPPER:
      return "not a gzip header where one is expected (trailing bytes after the last member?)";
    case ISAL_UNSUPPORTED_METHOD:
      return "a compression method other than deflate";
    case ISAL_INCORRECT_CHECKSUM:
      return "the checksum or the length at a member's end does not match its content";
    default:
      return "invalid deflate data";
  }
}

class GzipDecompressor : public Decompressor {
 public:
  GzipDecompressor() {
    isal_inflate_init(&state_);
    BeginMember();
  }

  Result<Progress> Step(std::string_view input, char* to, size_t room) override {
    constexpr size_t kMost = std::numeric_limits<uint32_t>::max();
    const auto given = static_cast<uint32_t>(std::min(input.size(), kMost));
    const auto space = static_cast<uint32_t>(std::min(room, kMost));
    if (state_.block_state == ISAL_BLOCK_FINISH && given > 0) {
      isal_inflate_reset(&state_);
      BeginMember();
    }
    // The size goes with it. NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    state_.next_in = Bytes(input.data());
    state_.avail_in = given;
    state_.next_out = Bytes(to);
    state_.avail_out = space;
    int status = ISAL_DECOMP_OK;
    if (in_header_) {
      status = isal_read_gzip_header(&state_, &header_);
      in_header_ = status != ISAL_DECOMP_OK;
    }
    if (!in_header_) status = isal_inflate(&state_);
    if (status != ISAL_DECOMP_OK && status != ISAL_END_INPUT) {
      return Fail(ErrorCode::kCorrupt, "gzip: " + std::string(InflateReason(status)));
    }
    started_ = started_ || given > 0;
    return Progress{given - state_.avail_in, space - state_.avail_out};
  }

  Result<void> Finish() const override {
    if (started_ && state_.block_state == ISAL_BLOCK_FINISH) return {};
    return Fail(ErrorCode::kCorrupt, "gzip: the file ends in the middle of a member");
  }

 private:
  void BeginMember() {
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;
    isal_gzip_header_init(&header_);
    header_.flags = 0;
    in_header_ = true;
    started_ = false;
  }

  inflate_state state_{};
  // Kept between calls: isa-l's own reading of it forgets its flags when a header comes in pieces.
  isal_gzip_header header_{};
  bool in_header_ = true;
  bool started_ = false;  // a member, since the last reset
};

class ZstdDecompressor : public Decompressor {
 public:
  ZstdDecompressor() : context_(ZSTD_createDCtx()) {}
  bool valid() const { return context_ != nullptr; }

  Result<Progress> Step(std::string_view input, char* to, size_t room) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{to, room, 0};
    const size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
    if (ZSTD_isError(status) != 0) return std::unexpected(ErrorOf(status));
    // Called without input between two frames, it asks for the next frame's header: no change.
    if (in.pos > 0 || out.pos > 0) in_frame_ = status != 0;
    return Progress{in.pos, out.pos};
  }

  Result<void> Finish() const override {
    if (!in_frame_) return {};
    return Fail(ErrorCode::kCorrupt, "zstd: the file ends in the middle of a frame");
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };

  static Error ErrorOf(size_t status) {
    switch (ZSTD_getErrorCode(status)) {
      case ZSTD_error_frameParameter_windowTooLarge:
        return {ErrorCode::kUnsupported,
                "zstd: the window is larger than 128 MiB; compress without --long"};
      case ZSTD_error_memory_allocation:
        return {ErrorCode::kLimit, "zstd: out of memory"};
      case ZSTD_error_prefix_unknown:
        return {ErrorCode::kCorrupt,
                "zstd: not a frame where one is expected (trailing bytes after the last frame?)"};
      default:
        return {ErrorCode::kCorrupt, std::string("zstd: ") + ZSTD_getErrorName(status)};
    }
  }

  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool in_frame_ = true;  // the first frame is still to come
};

}  // namespace

Compression DetectCompression(std::string_view first_bytes) {
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(first_bytes[at]); };
  if (first_bytes.size() >= 2 && byte(0) == kGzipMagic[0] && byte(1) == kGzipMagic[1]) {
    return Compression::kGzip;
  }
  if (first_bytes.size() >= 4 && IsZstdMagic(LoadLe<uint32_t>(first_bytes.data()))) {
    return Compression::kZstd;
  }
  return Compression::kNone;
}

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "plain";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
  }
  return "unknown";
}

Result<std::unique_ptr<Decompressor>> Decompressor::Create(Compression compression) {
  if (compression == Compression::kGzip) return std::make_unique<GzipDecompressor>();
  if (compression != Compression::kZstd) {
    return Fail(ErrorCode::kInternal, "a plain file needs no decompressor");
  }
  auto zstd = std::make_unique<ZstdDecompressor>();
  if (!zstd->valid()) return Fail(ErrorCode::kLimit, "zstd: out of memory");
  return zstd;
}

}  // namespace larder
