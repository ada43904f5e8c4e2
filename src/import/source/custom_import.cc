#include "import/source/custom_import.h"

#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "import/source_stream.h"

namespace larder::importer {
namespace {

// The stream as the importer sees it. What went wrong in it is kept: an importer that takes an
// error for the end must not make a version of half a file.
class StreamText : public SourceText {
 public:
  StreamText(SourceStream& stream, const ImportOptions& options)
      : stream_(stream), options_(options) {}

  Result<size_t> Read(char* to, size_t room) override {
    if (error_) return std::unexpected(*error_);
    if (room == 0) return 0;
    if (options_.progress && !options_.progress(stream_.raw_bytes_read(), stream_.raw_bytes())) {
      error_ = Error(ErrorCode::kCancelled, path() + ": the import was cancelled");
      return std::unexpected(*error_);
    }
    auto got = stream_.Read(to, room);
    if (!got) error_ = got.error();
    return got;
  }
  const std::string& path() const override { return stream_.path(); }

  const std::optional<Error>& error() const { return error_; }

  // Only at its end is a source known to be whole.
  Result<void> ReadToEnd() {
    std::array<char, size_t{64} << 10> rest;
    for (;;) {
      LARDER_ASSIGN(const size_t got, Read(rest.data(), rest.size()));
      if (got == 0) return {};
    }
  }

 private:
  SourceStream& stream_;
  const ImportOptions& options_;
  std::optional<Error> error_;
};

Result<ImportReport> CallImporter(const Importer& importer, SourceText& text, RecordSink& sink) {
  const auto threw = [&](const char* what) {
    return Fail(ErrorCode::kInternal, fmt::format("{}: the importer \"{}\" threw: {}", text.path(),
                                                  importer.name(), what));
  };
  try {
    return importer.Import(text, sink);
  } catch (const std::exception& error) {
    return threw(error.what());
  } catch (...) {
    return threw("something that is no std::exception");
  }
}

}  // namespace

Result<ImportOutcome> ImportCustom(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                   const ImportOptions& options, const Importer& importer) {
  LARDER_ASSIGN(const auto stream, SourceStream::Open(files, path));
  StreamText text(*stream, options);
  auto report = CallImporter(importer, text, sink);
  if (text.error()) return std::unexpected(*text.error());
  if (!report) {
    LARDER_TRY(stream->CheckUnchanged());
    return std::unexpected(std::move(report).error());
  }
  LARDER_TRY(text.ReadToEnd());
  ImportOutcome outcome;
  static_cast<ImportReport&>(outcome) = *report;
  outcome.raw_bytes = stream->raw_bytes_read();
  outcome.text_bytes = stream->text_bytes_read();
  return outcome;
}

}  // namespace larder::importer
