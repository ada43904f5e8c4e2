#include "dataset/compile.h"

#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dataset/gate.h"
#include "dataset/status_board.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {

namespace {

using importer::Format;

bool Goes(const Options& options, const CompileRequest& request, std::string_view step,
          double share) {
  if (options.progress) options.progress(step, share);
  return !request.cancelled->load(std::memory_order_relaxed);
}

std::function<bool(uint64_t, uint64_t)> ReadingProgress(const Options& options,
                                                        const CompileRequest& request,
                                                        std::string_view step) {
  return [&options, &request, step](uint64_t done, uint64_t total) {
    const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
    return Goes(options, request, step, share);
  };
}

snapshot::BuildOptions BuildOptionsFor(const Options& options, const CompileRequest& request,
                                       const IdentifiedSource& source) {
  snapshot::BuildOptions build;
  build.memory_bytes = options.build_memory_bytes;
  build.threads = options.threads;
  build.duplicates = options.duplicates;
  build.separator = options.separator;
  build.key_seed = request.key_seed;
  build.member_seed = request.member_seed;
  build.metadata = {
      {"source", request.source_name.empty() ? options.source : request.source_name},
      {"source_bytes", fmt::format("{}", source.identity.info.bytes)},
      {"source_mtime_ns", fmt::format("{}", source.identity.info.mtime_ns)},
      {"source_checksum", source.identity.checksum},
      {"import_options", ImportOptionsText(options, source.files.format)},
      {"builder", "larder " LARDER_VERSION},
      {"built_at_ms", fmt::format("{}", NowMs())},
  };
  if (source.files.data != options.source) {
    build.metadata.emplace_back("source_path", source.files.data);
  }
  build.progress = [&options, &request](std::string_view step, double share) {
    return Goes(options, request, step, share);
  };
  return build;
}

// The file that is replaced was the version before: with its seeds a SCAN of the old one goes on in
// the new one.
void TakeSeedsOver(io::FileSystem& files, const std::string& path, snapshot::BuildOptions& build) {
  if (build.key_seed) return;
  const auto replaced = snapshot::Snapshot::Open(files, path);
  if (!replaced) return;
  build.key_seed = (*replaced)->header().key_seed;
  build.member_seed = (*replaced)->header().member_seed;
}

void AddCounts(snapshot::Builder& builder, const Options& options,
               const importer::ImportOutcome& outcome) {
  const auto& own = options.import.importer;
  builder.AddMetadata("format",
                      std::string(own ? own->name() : importer::FormatName(outcome.format)));
  builder.AddMetadata("records_read", fmt::format("{}", outcome.records));
  builder.AddMetadata(std::string(kSkippedLinesMetadata), fmt::format("{}", outcome.skipped_lines));
  if (outcome.depends_on_mtime) builder.AddMetadata("depends_on_mtime", "yes");
}

Result<IdentifiedSource> Identify(io::FileSystem& files, const Options& options,
                                  const CompileRequest& request) {
  if (request.source) return *request.source;
  IdentifiedSource source;
  LARDER_ASSIGN(source.files, ResolveSource(files, options));
  LARDER_ASSIGN(source.identity, IdentifyData(files, source.files.data,
                                              ReadingProgress(options, request, "checksum")));
  return source;
}

Result<void> CheckReadable(io::FileSystem& files, const Options& options,
                           const CompileRequest& request, const SourceFiles& source) {
  if (source.format == Format::kSnapshot) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is a Snapshot already: there is nothing to compile", source.data));
  }
  if (source.index.empty()) return {};
  return importer::CheckIndex(files, {.records_path = source.data, .index_path = source.index},
                              ReadingProgress(options, request, "check index"));
}

}  // namespace

Result<CompileReport> CompileSource(io::FileSystem& files, const Options& options,
                                    const CompileRequest& request) {
  LARDER_ASSIGN(const IdentifiedSource source, Identify(files, options, request));
  LARDER_TRY(CheckReadable(files, options, request, source.files));
  snapshot::BuildOptions build = BuildOptionsFor(options, request, source);
  TakeSeedsOver(files, request.path, build);
  LARDER_ASSIGN(const auto builder,
                snapshot::Builder::Create(files, request.path, std::move(build)));
  importer::ImportOptions import;
  import.source = ReadingOptions(options, source.files.format);
  import.threads = options.threads;
  import.progress = ReadingProgress(options, request, "read");
  CompileReport report;
  LARDER_ASSIGN(report.import, importer::ImportSource(files, source.files.data, *builder, import));
  LARDER_ASSIGN(const io::FileInfo after, files.Stat(source.files.data));
  if (after != source.identity.info) {
    return Fail(ErrorCode::kRefused,
                fmt::format("{} changed while it was compiled", source.files.data));
  }
  AddCounts(*builder, options, report.import);
  LARDER_ASSIGN(static_cast<snapshot::BuildReport&>(report), builder->Finish());
  return report;
}

}  // namespace larder::dataset
