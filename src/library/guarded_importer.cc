#include "library/guarded_importer.h"

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace larder::library {

namespace {

class GuardedImporter : public Importer {
 public:
  explicit GuardedImporter(std::shared_ptr<const Importer> importer)
      : importer_(std::move(importer)) {}

  std::string_view name() const override { return importer_->name(); }
  std::string settings() const override { return importer_->settings(); }

  Result<ImportReport> Import(SourceText& text, RecordSink& sink) const override {
    try {
      return importer_->Import(text, sink);
    } catch (const std::exception& error) {
      return Threw(text, error.what());
    } catch (...) {
      return Threw(text, "something that is no std::exception");
    }
  }

 private:
  Result<ImportReport> Threw(const SourceText& text, std::string_view what) const {
    return Fail(ErrorCode::kInternal,
                fmt::format("{}: importer {} threw an exception: {}", text.path(), name(), what));
  }

  std::shared_ptr<const Importer> importer_;
};

}  // namespace

std::shared_ptr<const Importer> Guard(std::shared_ptr<const Importer> importer) {
  if (importer == nullptr) return nullptr;
  return std::make_shared<GuardedImporter>(std::move(importer));
}

}  // namespace larder::library
