#include "store/catalogue.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace larder::store {

namespace {

// Two directories that are one, by name or (when they exist) by inode.
bool SameDirectory(io::FileSystem& files, const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto info_a = files.Stat(a);
  const auto info_b = files.Stat(b);
  return info_a && info_b && info_a->device == info_b->device && info_a->inode == info_b->inode;
}

}  // namespace

Result<void> CheckStores(io::FileSystem& files, const std::vector<StoreOptions>& wanted) {
  for (size_t i = 0; i < wanted.size(); ++i) {
    const dataset::Options& options = wanted[i].options;
    if (wanted[i].database >= kMaxDatabases) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("store {}: there is no database {}, they are numbered from 0 to {}",
                              options.name, wanted[i].database, kMaxDatabases - 1));
    }
    for (size_t j = 0; j < i; ++j) {
      const dataset::Options& other = wanted[j].options;
      if (wanted[i].database == wanted[j].database) {
        return Fail(ErrorCode::kAlreadyExists,
                    fmt::format("store {}: database {} is taken by store {}", options.name,
                                wanted[i].database, other.name));
      }
      if (options.name == other.name) {
        return Fail(ErrorCode::kAlreadyExists,
                    fmt::format("there is a store {} already", options.name));
      }
      if (SameDirectory(files, options.directory, other.directory)) {
        return Fail(ErrorCode::kAlreadyExists,
                    fmt::format("store {}: its directory {} is that of store {}", options.name,
                                options.directory, other.name));
      }
    }
  }
  return {};
}

std::shared_ptr<dataset::Dataset> View::ByName(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return entry.dataset;
  }
  return nullptr;
}

struct Catalogue::Change::State {
  std::shared_ptr<View> view;
  std::vector<StoreOptions> wanted;  // one for each entry of the view
};

Catalogue::Change::Change(std::unique_ptr<State> state) : state_(std::move(state)) {}
Catalogue::Change::Change(Change&&) noexcept = default;
Catalogue::Change& Catalogue::Change::operator=(Change&&) noexcept = default;
Catalogue::Change::~Change() = default;

Catalogue::Catalogue(io::FileSystem& files)
    : files_(files), listeners_(std::make_shared<dataset::EventListeners>()) {
  auto empty = std::make_shared<View>();
  empty->by_database_.resize(kDefaultDatabases);
  pinned_ = std::move(empty);
  view_.store(pinned_.get());
}

Catalogue::~Catalogue() { StopWatching(); }

std::shared_ptr<const View> Catalogue::PinView() const {
  MutexLock lock(mutex_);
  return pinned_;
}

std::shared_ptr<dataset::Dataset> Catalogue::FindByDirectory(const std::string& directory) const {
  for (const Entry& entry : PinView()->entries()) {
    if (SameDirectory(files_, entry.dataset->options()->directory, directory)) return entry.dataset;
  }
  for (const auto& removed : removed_) {
    const auto dataset = removed.lock();
    if (dataset != nullptr && SameDirectory(files_, dataset->options()->directory, directory))
      return dataset;
  }
  return nullptr;
}

Result<Catalogue::Change> Catalogue::Prepare(std::vector<StoreOptions> wanted) {
  LARDER_TRY(CheckStores(files_, wanted));
  auto state = std::make_unique<Change::State>();
  state->view = std::make_shared<View>();
  View& view = *state->view;
  view.by_database_.resize(kDefaultDatabases);
  for (StoreOptions& store : wanted) {
    store.options.listeners = listeners_;
    Entry entry{store.database, store.options.name, FindByDirectory(store.options.directory)};
    if (entry.dataset == nullptr) {
      LARDER_ASSIGN(entry.dataset, dataset::Dataset::Open(files_, epochs_, store.options));
    }
    if (view.by_database_.size() <= store.database) view.by_database_.resize(store.database + 1);
    view.by_database_[store.database] = entry.dataset.get();
    view.entries_.push_back(std::move(entry));
  }
  state->wanted = std::move(wanted);
  return Change(std::move(state));
}

void Catalogue::Commit(Change change) {
  Change::State& state = *change.state_;
  const std::shared_ptr<const View> old = Replace(state.view);
  listeners_->TellStoresChanged();
  const auto stays = [&state](const Entry& entry) {
    return std::ranges::any_of(state.view->entries(), [&entry](const Entry& other) {
      return other.dataset == entry.dataset;
    });
  };
  std::erase_if(removed_, [](const auto& removed) { return removed.expired(); });
  for (const Entry& entry : old->entries()) {
    if (stays(entry)) continue;
    entry.dataset->StopWatching();
    removed_.push_back(entry.dataset);
  }
  for (size_t i = 0; i < state.wanted.size(); ++i) {
    dataset::Dataset& dataset = *state.view->entries()[i].dataset;
    dataset::Options& wanted = state.wanted[i].options;
    const auto current = dataset.options();
    wanted.directory = current->directory;  // the same one, however it is written
    if (!dataset::SameSettings(wanted, *current)) dataset.Reconfigure(std::move(wanted));
    if (watching_) dataset.StartWatching();  // nothing new for those that do
  }
}

std::shared_ptr<const View> Catalogue::Replace(std::shared_ptr<const View> view) {
  {
    MutexLock lock(mutex_);
    view_.store(view.get(), std::memory_order_seq_cst);
    pinned_.swap(view);
  }
  epochs_.WaitForReaders();
  return view;
}

std::vector<StoreOptions> Catalogue::Stores() const {
  std::vector<StoreOptions> stores;
  for (const Entry& entry : PinView()->entries()) {
    stores.push_back({entry.database, *entry.dataset->options()});
  }
  return stores;
}

Result<std::shared_ptr<dataset::Dataset>> Catalogue::AddDataset(uint32_t database,
                                                                dataset::Options options) {
  std::vector<StoreOptions> stores = Stores();
  stores.push_back({database, std::move(options)});
  LARDER_ASSIGN(Change change, Prepare(std::move(stores)));
  Commit(std::move(change));
  return PinView()->entries().back().dataset;
}

Result<void> Catalogue::RemoveDataset(std::string_view name) {
  std::vector<StoreOptions> stores = Stores();
  const auto removed = std::erase_if(
      stores, [name](const StoreOptions& store) { return store.options.name == name; });
  if (removed == 0) return Fail(ErrorCode::kNotFound, fmt::format("there is no store {}", name));
  LARDER_ASSIGN(Change change, Prepare(std::move(stores)));
  Commit(std::move(change));
  return {};
}

void Catalogue::StartWatching() {
  watching_ = true;
  for (const Entry& entry : PinView()->entries()) entry.dataset->StartWatching();
}

void Catalogue::StopWatching() {
  watching_ = false;
  for (const Entry& entry : PinView()->entries()) entry.dataset->StopWatching();
}

}  // namespace larder::store
