#include "library/guarded_importer.h"

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"

namespace larder::library {

namespace {

// What `call` returns; what it throws as an error, behind `context`.
template <typename Call>
auto Calling(std::string_view context, Call&& call) -> Result<decltype(call())> {
  const auto threw = [context](std::string_view what) {
    return Fail(ErrorCode::kInternal, fmt::format("{} threw an exception: {}", context, what));
  };
  try {
    return call();
  } catch (const std::exception& error) {
    return threw(error.what());
  } catch (...) {
    return threw("something that is no std::exception");
  }
}

class GuardedImporter : public Importer {
 public:
  GuardedImporter(std::shared_ptr<const Importer> importer, std::string name, std::string settings)
      : importer_(std::move(importer)), name_(std::move(name)), settings_(std::move(settings)) {}

  std::string_view name() const override { return name_; }
  std::string settings() const override { return settings_; }

  Result<ImportReport> Import(SourceText& text, RecordSink& sink) const override {
    auto imported = Calling(fmt::format("{}: importer {}", text.path(), name_),
                            [&] { return importer_->Import(text, sink); });
    if (!imported) return std::unexpected(std::move(imported).error());
    return *std::move(imported);
  }

 private:
  std::shared_ptr<const Importer> importer_;
  std::string name_;
  std::string settings_;
};

}  // namespace

Result<std::shared_ptr<const Importer>> Guard(std::shared_ptr<const Importer> importer) {
  if (importer == nullptr) return nullptr;
  LARDER_ASSIGN(auto name, Calling("name() of an importer",
                                   [&importer] { return std::string(importer->name()); }));
  LARDER_ASSIGN(auto settings, Calling(fmt::format("settings() of importer {}", name),
                                       [&importer] { return importer->settings(); }));
  return std::make_shared<GuardedImporter>(std::move(importer), std::move(name),
                                           std::move(settings));
}

}  // namespace larder::library
