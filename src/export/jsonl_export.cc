#include "export/jsonl_export.h"

#include <utility>

#include <fmt/format.h>

#include "export/jsonl_writer.h"

namespace larder::exporter {

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

class Export {
 public:
  Export(const TextSink& sink, const std::function<bool(uint64_t)>& progress)
      : sink_(sink), progress_(progress) {}

  Result<void> Add(const snapshot::Entry& entry) {
    writer_.Append(entry);
    ++report_.records;
    return writer_.text().size() < kPieceBytes ? Result<void>{} : Send();
  }
  Result<void> Send() {
    report_.text_bytes += writer_.text().size();
    if (!writer_.text().empty()) LARDER_TRY(sink_(writer_.text()));
    writer_.Clear();
    if (!progress_ || progress_(report_.records)) return {};
    return Fail(ErrorCode::kCancelled, "export: cancelled");
  }
  const ExportReport& report() const { return report_; }

 private:
  const TextSink& sink_;
  const std::function<bool(uint64_t)>& progress_;
  JsonlWriter writer_;
  ExportReport report_;
};

}  // namespace

Result<ExportReport> ExportJsonl(const snapshot::Snapshot& snapshot, const TextSink& sink,
                                 const std::function<bool(uint64_t records)>& progress) {
  Export lines(sink, progress);
  Result<void> added;
  LARDER_TRY(snapshot.ForEach([&](const snapshot::Entry& entry) {
    added = lines.Add(entry);
    return added.has_value();
  }));
  LARDER_TRY(std::move(added));
  LARDER_TRY(lines.Send());
  return lines.report();
}

}  // namespace larder::exporter
