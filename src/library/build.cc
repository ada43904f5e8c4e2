#include "larder/build.h"

#include <atomic>
#include <utility>

#include "base/error.h"
#include "dataset/compile.h"
#include "dataset/dataset.h"
#include "io/file_system.h"
#include "library/guarded_importer.h"

namespace larder {

Result<BuildReport> BuildSnapshot(const std::string& source, const std::string& output,
                                  const BuildOptions& options) {
  std::atomic<bool> cancelled{false};
  dataset::Options compile;
  compile.source = source;
  compile.import = options.import;
  LARDER_ASSIGN(compile.import.importer, library::Guard(options.import.importer));
  compile.duplicates = options.duplicates;
  compile.separator = options.separator;
  compile.build_memory_bytes = options.memory_bytes;
  compile.threads = options.threads;
  if (options.progress) {
    compile.progress = [&](std::string_view step, double share) {
      if (!options.progress(step, share)) cancelled.store(true);
    };
  }
  dataset::CompileRequest request;
  request.path = output;
  request.cancelled = &cancelled;
  LARDER_ASSIGN(auto report, dataset::CompileSource(io::RealFileSystem(), compile, request));
  return BuildReport{.records = report.records,
                     .duplicates = report.duplicates,
                     .file_bytes = report.file_bytes,
                     .skipped_lines = report.import.skipped_lines,
                     .bad_lines = std::move(report.import.bad_lines)};
}

}  // namespace larder
