// LARDER: the versions of datasets. What only looks answers at once; what changes something waits
// for every reader, so it runs on a thread that may wait (Host::Defer), outside of any epoch.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

// A map, field by field.
class FieldWriter {
 public:
  FieldWriter(resp::ReplyWriter& reply, uint64_t fields) : reply_(reply) { reply.Map(fields); }

  void Text(std::string_view name, std::string_view value) {
    reply_.Bulk(name);
    reply_.Bulk(value);
  }
  void Number(std::string_view name, uint64_t value) {
    reply_.Bulk(name);
    reply_.Integer(static_cast<int64_t>(value));
  }
  void Flag(std::string_view name, bool value) {
    reply_.Bulk(name);
    reply_.Boolean(value);
  }

 private:
  resp::ReplyWriter& reply_;
};

std::string StoreNames(const store::Catalogue& catalogue) {
  std::string names;
  for (const auto& entry : catalogue.view().entries()) {
    if (!names.empty()) names += ", ";
    names += entry.name;
  }
  return names.empty() ? "none" : names;
}

// Null: refused and answered.
std::shared_ptr<dataset::Dataset> FindDataset(Context& context, std::string_view name) {
  auto dataset = context.catalogue.view().ByName(name);
  if (dataset == nullptr) {
    context.reply.Error(fmt::format("ERR there is no dataset '{}'; there are: {}",
                                    CString(name).substr(0, 128), StoreNames(context.catalogue)));
  }
  return dataset;
}

// None: refused and answered.
std::optional<uint64_t> ReadVersion(Context& context, std::string_view text) {
  const auto number = ParseInteger(text);
  if (number && *number > 0) return static_cast<uint64_t>(*number);
  context.reply.Error(fmt::format("ERR '{}' is not a version number; LARDER VERSIONS lists them",
                                  CString(text).substr(0, 128)));
  return std::nullopt;
}

void AnswerReport(resp::ReplyWriter& reply, const Result<dataset::SwitchReport>& report) {
  if (!report) return reply.Error(fmt::format("ERR {}", report.error().message()));
  FieldWriter fields(reply, 4);
  fields.Number("previous", report->previous);
  fields.Number("current", report->current);
  fields.Flag("pinned", report->pinned);
  fields.Flag("compiled", report->compiled);
}

// Runs `change(dataset)` where it may wait.
template <typename Change>
void Defer(Context& context, std::string_view name, Host::WaitsFor waits_for, Change change) {
  const auto dataset = FindDataset(context, name);
  if (dataset == nullptr) return;
  context.host.Defer(context.session, waits_for, [dataset, change](resp::ReplyWriter& reply) {
    AnswerReport(reply, change(*dataset));
  });
}

}  // namespace

void LarderDatasets(Context& context, Arguments /*args*/) {
  const auto& entries = context.catalogue.view().entries();
  context.reply.Array(entries.size());
  for (const auto& [database, name, dataset] : entries) {
    const dataset::Status status = dataset->status();
    FieldWriter fields(context.reply, 20);
    fields.Text("name", status.name);
    fields.Number("database", database);
    fields.Text("source", status.source);
    fields.Text("directory", status.directory);
    fields.Number("current", status.current);
    fields.Flag("pinned", status.pinned);
    fields.Flag("compiling", status.compiling);
    fields.Number("records", status.records);
    fields.Number("bytes", status.file_bytes);
    fields.Number("switches", status.switches);
    fields.Number("refused", status.refused);
    fields.Number("damaged", status.damaged);
    fields.Number("last_switch_ms", static_cast<uint64_t>(status.last_switch_ms));
    fields.Text("last_error", status.last_error);
    fields.Number("last_error_ms", static_cast<uint64_t>(status.last_error_ms));
    fields.Number("last_check_ms", static_cast<uint64_t>(status.last_check_ms));
    fields.Number("refused_version", status.refused_version);
    fields.Text("verdict", status.verdict);
    fields.Number("skipped_lines", status.skipped_lines);
    fields.Number("probation_until_ms", static_cast<uint64_t>(status.probation_until_ms));
  }
}

void LarderVersions(Context& context, Arguments args) {
  const auto dataset = FindDataset(context, args[2]);
  if (dataset == nullptr) return;
  const std::vector<dataset::VersionInfo> versions = dataset->Versions();
  context.reply.Array(versions.size());
  for (const dataset::VersionInfo& version : versions) {
    FieldWriter fields(context.reply, 10);
    fields.Number("number", version.number);
    fields.Flag("current", version.current);
    fields.Flag("damaged", version.damaged);
    fields.Number("records", version.records);
    fields.Number("bytes", version.file_bytes);
    fields.Text("source", version.source);
    fields.Text("checksum", version.source_checksum);
    fields.Number("built_at_ms", static_cast<uint64_t>(version.built_at_ms));
    fields.Flag("refused", version.refused);
    fields.Text("verdict", version.verdict);
  }
}

void LarderRollback(Context& context, Arguments args) {
  if (args.size() > 4) {
    return context.reply.Error("ERR wrong number of arguments for 'larder|rollback' command");
  }
  std::optional<uint64_t> number;
  if (args.size() == 4) {
    number = ReadVersion(context, args[3]);
    if (!number) return;
  }
  Defer(context, args[2], Host::WaitsFor::kReaders,
        [number](dataset::Dataset& dataset) { return dataset.Rollback(number); });
}

void LarderPin(Context& context, Arguments args) {
  const auto number = ReadVersion(context, args[3]);
  if (!number) return;
  Defer(context, args[2], Host::WaitsFor::kReaders,
        [number = *number](dataset::Dataset& dataset) { return dataset.Pin(number); });
}

void LarderUnpin(Context& context, Arguments args) {
  Defer(context, args[2], Host::WaitsFor::kReaders,
        [](dataset::Dataset& dataset) { return dataset.Unpin(); });
}

void LarderAccept(Context& context, Arguments args) {
  Defer(context, args[2], Host::WaitsFor::kReaders,
        [](dataset::Dataset& dataset) { return dataset.Accept(); });
}

void LarderReload(Context& context, Arguments args) {
  Defer(context, args[2], Host::WaitsFor::kCompile,
        [](dataset::Dataset& dataset) { return dataset.Refresh(true); });
}

void LarderLogLevel(Context& context, Arguments args) {
  if (args.size() > 3) {
    return context.reply.Error("ERR wrong number of arguments for 'larder|loglevel' command");
  }
  if (args.size() == 2) {
    const auto level = static_cast<size_t>(CurrentLogLevel());
    return context.reply.Bulk(level < kLogLevelNames.size() ? kLogLevelNames[level] : "off");
  }
  std::string name(args[2]);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  const auto level = ParseLogLevel(name);
  if (!level) {
    return context.reply.Error(fmt::format("ERR '{}' is none of the levels {}",
                                           CString(args[2]).substr(0, 128),
                                           fmt::join(kLogLevelNames, ", ")));
  }
  SetLogLevel(*level);
  context.reply.Simple("OK");
}

void LarderHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "larder"); }

}  // namespace larder::command
