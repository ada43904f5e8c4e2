#include "dataset/compile.h"

#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "dataset/status_board.h"

namespace larder::dataset {

namespace {

std::string_view DuplicatesName(snapshot::Duplicates duplicates) {
  switch (duplicates) {
    case snapshot::Duplicates::kLast:
      return "last";
    case snapshot::Duplicates::kFirst:
      return "first";
    case snapshot::Duplicates::kError:
      return "error";
  }
  return "unknown";
}

bool Goes(const Options& options, const CompileRequest& request, std::string_view step,
          double share) {
  if (options.progress) options.progress(step, share);
  return !request.cancelled->load(std::memory_order_relaxed);
}

snapshot::BuildOptions BuildOptionsFor(const Options& options, const CompileRequest& request) {
  snapshot::BuildOptions build;
  build.memory_bytes = options.build_memory_bytes;
  build.threads = options.threads;
  build.duplicates = options.duplicates;
  build.separator = options.separator;
  build.key_seed = request.key_seed;
  build.member_seed = request.member_seed;
  build.metadata = {
      {"source", options.source},
      {"source_bytes", fmt::format("{}", request.identity.info.bytes)},
      {"source_mtime_ns", fmt::format("{}", request.identity.info.mtime_ns)},
      {"source_checksum", request.identity.checksum},
      {"import_options", ImportOptionsText(options)},
      {"builder", "larder " LARDER_VERSION},
      {"built_at_ms", fmt::format("{}", NowMs())},
  };
  build.progress = [&options, &request](std::string_view step, double share) {
    return Goes(options, request, step, share);
  };
  return build;
}

}  // namespace

Result<snapshot::BuildReport> CompileSource(io::FileSystem& files, const Options& options,
                                            const CompileRequest& request) {
  LARDER_ASSIGN(const auto builder,
                snapshot::Builder::Create(files, request.path, BuildOptionsFor(options, request)));
  importer::ImportOptions import;
  import.source = options.import;
  import.threads = options.threads;
  import.progress = [&options, &request](uint64_t done, uint64_t total) {
    const double share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
    return Goes(options, request, "read", share);
  };
  LARDER_TRY(importer::ImportSource(files, options.source, *builder, import));
  LARDER_ASSIGN(const io::FileInfo after, files.Stat(options.source));
  if (after != request.identity.info) {
    return Fail(ErrorCode::kRefused,
                fmt::format("{} changed while it was compiled", options.source));
  }
  return builder->Finish();
}

std::string ImportOptionsText(const Options& options) {
  const std::string separator =
      options.separator ? fmt::format("{:02x}", static_cast<unsigned char>(*options.separator))
                        : "none";
  return fmt::format("{} duplicates={} separator={}", importer::SourceOptionsText(options.import),
                     DuplicatesName(options.duplicates), separator);
}

}  // namespace larder::dataset
