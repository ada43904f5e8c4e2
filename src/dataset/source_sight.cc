#include "dataset/source_sight.h"

#include <utility>

#include <fmt/format.h>

namespace larder::dataset {

namespace {

Result<SeenFile> SeeFile(io::FileSystem& files, std::string path) {
  const auto info = files.Stat(path);
  if (info) return SeenFile{std::move(path), *info};
  if (info.error().code() == ErrorCode::kNotFound) return SeenFile{std::move(path), std::nullopt};
  return std::unexpected(info.error());
}

}  // namespace

Result<SourceSight> SourceObserver::See(const Options& options) {
  LARDER_ASSIGN(const io::FileInfo info, files_.Stat(options.source));
  if (info.kind != io::FileKind::kRegular) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is {}; a source is a regular file", options.source,
                            info.kind == io::FileKind::kDirectory ? "a directory" : "no file"));
  }
  SourceSight sight{.source = {options.source, info}, .files = {}, .data = {}, .problem = {}};
  auto found = FilesOf(options, sight.source);
  if (!found) {
    sight.problem = std::move(found).error();
    return sight;
  }
  sight.files = *std::move(found);
  const std::string& data = sight.files.data;
  for (std::string path : {data, data + ".md5", data + ".sha256", sight.files.index}) {
    if (path.empty()) continue;
    LARDER_ASSIGN(SeenFile seen, SeeFile(files_, std::move(path)));
    sight.data.push_back(std::move(seen));
  }
  return sight;
}

Result<SourceFiles> SourceObserver::FilesOf(const Options& options, const SeenFile& source) {
  if (!known_ || known_->source != source) {
    known_.reset();
    LARDER_ASSIGN(const importer::Format format, FindFormat(files_, options));
    known_ = KnownFormat{source, format};
  }
  return FindFiles(files_, options, known_->format);
}

}  // namespace larder::dataset
