#include "cli/named_records.h"

#include <algorithm>
#include <filesystem>
#include <tuple>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/interrupt.h"
#include "dataset/compile.h"
#include "dataset/snapshot_copy.h"
#include "dataset/source_files.h"
#include "dataset/state_file.h"
#include "io/file_system.h"
#include "snapshot/format.h"

namespace larder::cli {

namespace {

using snapshot::Snapshot;

Result<bool> IsSnapshotFile(const std::string& path) {
  LARDER_ASSIGN(const auto file, io::RealFileSystem().OpenForRead(path));
  std::string magic(snapshot::kHeaderMagic.size(), '\0');
  LARDER_ASSIGN(const size_t got, file->ReadAt(0, magic.data(), magic.size()));
  return got == magic.size() && magic == snapshot::kHeaderMagic;
}

std::string TemporaryPath() {
  std::error_code error;
  std::string directory = std::filesystem::temp_directory_path(error).string();
  if (error) directory = "/tmp";
  static int count = 0;
  return fmt::format("{}/larder-{}-{}.snap", directory, ::getpid(), ++count);
}

// Compiles the source, or unpacks a compressed Snapshot.
Result<void> MakeSnapshot(const dataset::Options& options, const std::string& path) {
  io::FileSystem& files = io::RealFileSystem();
  LARDER_ASSIGN(const importer::Format format, dataset::FindFormat(files, options));
  if (format != importer::Format::kSnapshot) {
    dataset::CompileRequest request;
    request.path = path;
    request.cancelled = &Interrupt::requested();
    LARDER_TRY(dataset::CompileSource(files, options, request));
    return {};
  }
  dataset::SnapshotCopy copy;
  copy.source = options.source;
  copy.path = path;
  copy.origin_path = path + ".origin";
  copy.cancelled = &Interrupt::requested();
  copy.progress = options.progress;
  const auto goes_on = [](uint64_t, uint64_t) { return !Interrupt::requested().load(); };
  LARDER_ASSIGN(copy.identity, dataset::IdentifyData(files, options.source, goes_on));
  const auto copied = dataset::CopySnapshot(files, copy);
  std::ignore = files.Remove(copy.origin_path);
  LARDER_TRY(copied);
  return {};
}

// The file goes as soon as it is mapped: nothing is left behind, however the program ends.
Result<std::shared_ptr<const Snapshot>> Compile(const std::string& source,
                                                const importer::SourceOptions& import,
                                                Progress& progress) {
  dataset::Options options;
  options.source = source;
  options.import = import;
  options.progress = [&](std::string_view step, double share) { progress.Show(step, share); };
  const std::string path = TemporaryPath();
  LARDER_TRY(MakeSnapshot(options, path));
  auto snapshot = Snapshot::Open(io::RealFileSystem(), path);
  std::ignore = io::RealFileSystem().Remove(path);
  return snapshot;
}

Result<NamedRecords> OpenFile(const std::string& path, const importer::SourceOptions& import,
                              Progress& progress) {
  LARDER_ASSIGN(const bool is_snapshot, IsSnapshotFile(path));
  NamedRecords records{.title = path, .snapshot = nullptr};
  if (is_snapshot) {
    LARDER_ASSIGN(records.snapshot, Snapshot::Open(io::RealFileSystem(), path));
  } else {
    LARDER_ASSIGN(records.snapshot, Compile(path, import, progress));
  }
  return records;
}

// A directory that a server names may be another one here: what it says of the version tells.
bool IsTheSame(const Snapshot& snapshot, const dataset::VersionInfo& version) {
  if (version.source_checksum.empty()) return true;  // read from the directory itself
  return std::ranges::any_of(snapshot.Metadata(), [&version](const auto& pair) {
    return pair.first == "source_checksum" && pair.second == version.source_checksum;
  });
}

}  // namespace

bool NamesAFile(const std::string& name) {
  const auto info = io::RealFileSystem().Stat(name);
  return info && info->kind == io::FileKind::kRegular;
}

Result<NamedRecords> OpenVersionFile(const StoreFiles& files, const dataset::VersionInfo& version) {
  const std::string path =
      fmt::format("{}/{}", files.directory, dataset::VersionFileName(version.number));
  auto snapshot = Snapshot::Open(io::RealFileSystem(), path);
  if (snapshot && IsTheSame(**snapshot, version)) {
    return NamedRecords{.title = fmt::format("{}@{}", files.store, version.number),
                        .snapshot = *std::move(snapshot)};
  }
  if (snapshot || snapshot.error().code() == ErrorCode::kNotFound) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("version {} of {} is not in {} here; on the server's machine and from "
                            "its working directory it is, or name the place with --dir",
                            version.number, files.store, files.directory));
  }
  return std::unexpected(snapshot.error());
}

Result<NamedRecords> OpenNamedRecords(const std::string& name, const NamedRecordsOptions& options,
                                      Progress& progress) {
  if (NamesAFile(name)) return OpenFile(name, options.import, progress);
  const size_t at = name.rfind('@');
  StoreArguments where = options.where;
  where.store = name.substr(0, at);
  const std::string which = at == std::string::npos ? "" : name.substr(at + 1);
  const auto files = FindStoreFiles(where);
  if (!files) return std::unexpected(files.error().Within(fmt::format("{} is no file", name)));
  LARDER_ASSIGN(const dataset::VersionInfo version, ChooseVersion(*files, which));
  return OpenVersionFile(*files, version);
}

Result<void> CheckOutputFile(const std::string& output, const std::vector<std::string>& inputs) {
  if (output.empty()) return Fail(ErrorCode::kInvalidArgument, "--output: no file named");
  std::error_code ignored;
  if (std::filesystem::is_symlink(output, ignored)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--output {}: is a symbolic link, and the file would take its place; "
                            "name the file that it leads to",
                            output));
  }
  const auto existing = io::RealFileSystem().Stat(output);
  if (!existing) return {};
  if (existing->kind != io::FileKind::kRegular) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--output {}: is there already and is no file, so no file can take its "
                            "place; name another",
                            output));
  }
  for (const std::string& input : inputs) {
    const auto info = io::RealFileSystem().Stat(input);
    if (!info || info->inode != existing->inode || info->device != existing->device) continue;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--output {}: is the source itself; name another", output));
  }
  return {};
}

}  // namespace larder::cli
