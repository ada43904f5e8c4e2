#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/store_access.h"
#include "cli/time_text.h"
#include "io/file_system.h"
#include "snapshot/value.h"

namespace larder::cli {

namespace {

class StoreInDirectory : public StoreAccess {
 public:
  explicit StoreInDirectory(std::unique_ptr<EpochDomain> epochs,
                            std::unique_ptr<dataset::Dataset> dataset)
      : epochs_(std::move(epochs)),
        dataset_(std::move(dataset)),
        name_(dataset_->options()->name),
        directory_(dataset_->options()->directory) {}

  const std::string& name() const override { return name_; }
  const std::string& directory() const override { return directory_; }
  Result<std::vector<dataset::VersionInfo>> Versions() override { return dataset_->Versions(); }
  Result<dataset::SwitchReport> Rollback(std::optional<uint64_t> version) override {
    return dataset_->Rollback(version);
  }
  Result<dataset::SwitchReport> Pin(uint64_t version) override { return dataset_->Pin(version); }
  Result<dataset::SwitchReport> Unpin() override { return dataset_->Unpin(); }
  Result<dataset::SwitchReport> Accept() override { return dataset_->Accept(); }
  Result<std::optional<PlainValue>> Get(const std::string& key) override;

 private:
  std::unique_ptr<EpochDomain> epochs_;  // nobody reads: every switch is immediate
  std::unique_ptr<dataset::Dataset> dataset_;
  std::string name_;
  std::string directory_;
};

Result<std::optional<PlainValue>> StoreInDirectory::Get(const std::string& key) {
  const auto version = dataset_->PinCurrent();
  if (version == nullptr) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("{} has no version yet", dataset_->options()->directory));
  }
  const std::optional<snapshot::Value> value = version->snapshot->Find(key);
  if (!value || value->Expired(NowMs())) return std::nullopt;
  return PlainValueOf(*value);
}

}  // namespace

Result<std::unique_ptr<StoreAccess>> OpenStoreInDirectory(dataset::Options options) {
  // What a server would log of a switch, the command itself tells.
  SetLogLevel(LogLevel::kWarning);
  // Opening would make the directory: a mistyped name must not.
  LARDER_TRY(io::RealFileSystem().Stat(options.directory));
  auto epochs = std::make_unique<EpochDomain>();
  LARDER_ASSIGN(auto dataset,
                dataset::Dataset::Open(io::RealFileSystem(), *epochs, std::move(options)));
  return std::make_unique<StoreInDirectory>(std::move(epochs), std::move(dataset));
}

PlainValue PlainValueOf(const snapshot::Value& value) {
  PlainValue plain;
  plain.type = value.type;
  if (value.type == ValueType::kString || value.type == ValueType::kJson) {
    plain.texts.emplace_back(snapshot::TextView(value).text());
    return plain;
  }
  const snapshot::CollectionView view(value);
  const uint64_t bulks = view.count() * (value.type == ValueType::kHash ? 2 : 1);
  for (uint64_t i = 0; i < bulks; ++i) plain.texts.emplace_back(view.Text(i));
  if (value.type != ValueType::kZset) return plain;
  for (uint64_t i = 0; i < view.count(); ++i)
    plain.scores.emplace_back(snapshot::BulkText(view.ScoreBulk(i)));
  return plain;
}

}  // namespace larder::cli
