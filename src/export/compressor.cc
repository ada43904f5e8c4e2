#include "export/compressor.h"

#include <array>
#include <vector>

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>
#include <zstd.h>

namespace larder::exporter {

namespace {

constexpr size_t kOutputBytes = size_t{256} << 10;

class PlainText : public Compressor {
 public:
  Result<void> Add(std::string_view text, std::string& to) override {
    to += text;
    return {};
  }
  Result<void> Finish(std::string& /*to*/) override { return {}; }
};

class GzipCompressor : public Compressor {
 public:
  GzipCompressor() : level_buffer_(ISAL_DEF_LVL2_DEFAULT), output_(kOutputBytes) {
    isal_deflate_init(&stream_);
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.level = 2;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<uint32_t>(level_buffer_.size());
  }
  Result<void> Add(std::string_view text, std::string& to) override {
    // The library counts in 32 bits.
    constexpr size_t kPiece = size_t{1} << 30;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), kPiece))) {
      LARDER_TRY(Deflate(text.substr(0, kPiece), false, to));
    }
    return {};
  }
  Result<void> Finish(std::string& to) override { return Deflate({}, true, to); }

 private:
  Result<void> Deflate(std::string_view text, bool end, std::string& to) {
    // It only reads. NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    stream_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uint32_t>(text.size());
    stream_.end_of_stream = end ? 1 : 0;
    do {
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uint32_t>(output_.size());
      if (const int outcome = isal_deflate(&stream_); outcome != COMP_OK) {
        return Fail(ErrorCode::kInternal, fmt::format("gzip: isa-l answers {}", outcome));
      }
      to.append(reinterpret_cast<const char*>(output_.data()), output_.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return {};
  }

  isal_zstream stream_;
  std::vector<uint8_t> level_buffer_;
  std::vector<uint8_t> output_;
};

class ZstdCompressor : public Compressor {
 public:
  explicit ZstdCompressor(ZSTD_CCtx* context) : context_(context), output_(kOutputBytes, '\0') {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }
  Result<void> Add(std::string_view text, std::string& to) override {
    return Step(text, ZSTD_e_continue, to);
  }
  Result<void> Finish(std::string& to) override { return Step({}, ZSTD_e_end, to); }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  Result<void> Step(std::string_view text, ZSTD_EndDirective directive, std::string& to) {
    ZSTD_inBuffer input{.src = text.data(), .size = text.size(), .pos = 0};
    for (;;) {
      ZSTD_outBuffer output{.dst = output_.data(), .size = output_.size(), .pos = 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &output, &input, directive);
      if (ZSTD_isError(left) != 0) {
        return Fail(ErrorCode::kInternal, fmt::format("zstd: {}", ZSTD_getErrorName(left)));
      }
      to.append(output_.data(), output.pos);
      const bool all_taken = input.pos == input.size;
      if (all_taken && (directive == ZSTD_e_continue || left == 0)) return {};
    }
  }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::string output_;
};

}  // namespace

Result<std::unique_ptr<Compressor>> Compressor::Create(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return std::make_unique<PlainText>();
    case Compression::kGzip:
      return std::make_unique<GzipCompressor>();
    case Compression::kZstd:
      if (ZSTD_CCtx* const context = ZSTD_createCCtx(); context != nullptr) {
        return std::make_unique<ZstdCompressor>(context);
      }
      return Fail(ErrorCode::kLimit, "zstd: no memory");
  }
  return Fail(ErrorCode::kInternal, "no such compression");
}

Compression CompressionOfName(std::string_view path) {
  if (path.ends_with(".gz")) return Compression::kGzip;
  return path.ends_with(".zst") ? Compression::kZstd : Compression::kNone;
}

}  // namespace larder::exporter
