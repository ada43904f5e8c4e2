#include "store/catalogue.h"

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_scale.h"
#include "io/faulty_file_system.h"

namespace larder::store {
namespace {

using ::testing::HasSubstr;

dataset::Options NamedOptions(std::string name, std::string directory) {
  dataset::Options options;
  options.name = std::move(name);
  options.directory = std::move(directory);
  return options;
}

class CatalogueTest : public ::testing::Test {
 protected:
  // Adds a store; returns the code of the error, or kInternal when it went well.
  Result<std::shared_ptr<dataset::Dataset>> Add(uint32_t database, const std::string& name,
                                                const std::string& directory) {
    return catalogue_.AddDataset(database, NamedOptions(name, directory));
  }

  io::FaultyFileSystem files_;
  Catalogue catalogue_{files_};
};

TEST_F(CatalogueTest, StoresAreFoundByNumberAndByName) {
  const auto features = Add(0, "features", "/var/features");
  const auto artists = Add(15, "artists", "/var/artists");
  ASSERT_TRUE(features) << features.error().message();
  ASSERT_TRUE(artists) << artists.error().message();
  EXPECT_EQ(catalogue_.view().ByDatabase(0), features->get());
  EXPECT_EQ(catalogue_.view().ByDatabase(15), artists->get());
  EXPECT_EQ(catalogue_.view().ByDatabase(1), nullptr);
  EXPECT_EQ(catalogue_.view().ByName("artists"), *artists);
  EXPECT_EQ(catalogue_.view().ByName("albums"), nullptr);
  EXPECT_EQ(catalogue_.view().entries().size(), 2U);
}

class CountingListener : public dataset::EventListener {
 public:
  void Happened(const dataset::Event& event) override { stores.push_back(event.store); }
  void StoresChanged() override { ++changes; }

  std::vector<std::string> stores;
  int changes = 0;
};

TEST_F(CatalogueTest, AListenerIsToldOfEveryStoreOnceAndOfOtherStores) {
  CountingListener listener;
  catalogue_.listeners().Add(listener);
  dataset::Options options = NamedOptions("features", "/var/features");
  options.source = "/features.jsonl";
  files_.PutFile(options.source, R"({"key":"a","type":"string","string_record":{"value":"1"}})");
  const auto features = catalogue_.AddDataset(0, options);
  ASSERT_TRUE(features);
  ASSERT_TRUE(Add(1, "artists", "/var/artists"));  // with the options that features has by now
  EXPECT_EQ(listener.changes, 2);
  ASSERT_TRUE((*features)->Refresh(true));
  EXPECT_EQ(listener.stores, std::vector<std::string>{"features"});

  catalogue_.listeners().Remove(listener);
  ASSERT_TRUE(catalogue_.RemoveDataset("artists"));
  EXPECT_EQ(listener.changes, 2);
}

TEST_F(CatalogueTest, ANumberOutOfRangeIsRefused) {
  const auto added = Add(kMaxDatabases, "features", "/var/features");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kInvalidArgument);
}

TEST_F(CatalogueTest, ATakenNumberIsRefused) {
  ASSERT_TRUE(Add(3, "features", "/var/features"));
  const auto added = Add(3, "artists", "/var/artists");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_THAT(added.error().message(), HasSubstr("features"));
}

TEST_F(CatalogueTest, ATakenNameIsRefused) {
  ASSERT_TRUE(Add(0, "features", "/var/features"));
  const auto added = Add(1, "features", "/var/other");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kAlreadyExists);
}

TEST_F(CatalogueTest, ATakenDirectoryIsRefusedHoweverItIsWritten) {
  ASSERT_TRUE(Add(0, "features", "/var/features"));
  const auto added = Add(1, "artists", "/var/features/");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(catalogue_.view().ByDatabase(1), nullptr);
}

// ---- Changes of all stores at once.

class CatalogueChangeTest : public CatalogueTest {
 protected:
  static StoreOptions Wanted(uint32_t database, const std::string& name,
                             const std::string& directory) {
    return {database, NamedOptions(name, directory)};
  }
  // Prepares and commits; the message of the error, empty when it went well.
  std::string Change(std::vector<StoreOptions> wanted) {
    auto change = catalogue_.Prepare(std::move(wanted));
    if (!change) return change.error().message();
    catalogue_.Commit(*std::move(change));
    return "";
  }
  std::shared_ptr<dataset::Dataset> Find(const std::string& name) {
    return catalogue_.PinView()->ByName(name);
  }
};

TEST_F(CatalogueChangeTest, AddsRemovesAndKeepsInOneStep) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a"), Wanted(1, "b", "/b")}), "");
  const auto kept = Find("b");
  ASSERT_EQ(Change({Wanted(1, "b", "/b"), Wanted(2, "c", "/c")}), "");
  EXPECT_EQ(Find("a"), nullptr);
  EXPECT_EQ(Find("b"), kept);
  EXPECT_EQ(catalogue_.view().ByDatabase(0), nullptr);
  EXPECT_EQ(catalogue_.view().ByDatabase(2), Find("c").get());
}

TEST_F(CatalogueChangeTest, APartThatFailsLeavesEverythingAsItWas) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  const auto before = catalogue_.PinView();
  // Somebody else holds the directory of the second.
  auto other = dataset::Dataset::Open(files_, catalogue_.epochs(), NamedOptions("x", "/taken"));
  ASSERT_TRUE(other);
  EXPECT_THAT(Change({Wanted(0, "new", "/new"), Wanted(1, "b", "/taken")}), HasSubstr("/taken"));
  EXPECT_EQ(catalogue_.PinView(), before);
  // What was opened for the refused change is closed again.
  EXPECT_EQ(Change({Wanted(0, "new", "/new")}), "");
}

TEST_F(CatalogueChangeTest, AChangeThatIsNotCommittedHoldsNothing) {
  {
    const auto change = catalogue_.Prepare({Wanted(0, "a", "/a")});
    ASSERT_TRUE(change);
    EXPECT_TRUE(catalogue_.view().entries().empty());
  }
  EXPECT_TRUE(dataset::Dataset::Open(files_, catalogue_.epochs(), NamedOptions("a", "/a")));
}

TEST_F(CatalogueChangeTest, StoresSwapTheirNumbers) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a"), Wanted(1, "b", "/b")}), "");
  const auto a = Find("a");
  const auto b = Find("b");
  ASSERT_EQ(Change({Wanted(1, "a", "/a"), Wanted(0, "b", "/b")}), "");
  EXPECT_EQ(catalogue_.view().ByDatabase(0), b.get());
  EXPECT_EQ(catalogue_.view().ByDatabase(1), a.get());
}

TEST_F(CatalogueChangeTest, ARenamedStoreIsTheSameAsLongAsItsDirectoryIs) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  const auto dataset = Find("a");
  ASSERT_EQ(Change({Wanted(0, "z", "/a/")}), "");
  EXPECT_EQ(Find("z"), dataset);
  EXPECT_EQ(Find("a"), nullptr);
  EXPECT_EQ(dataset->status().name, "z");
}

TEST_F(CatalogueChangeTest, AStoreWhoseOptionsAreTheSameIsLeftAlone) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a"), Wanted(1, "b", "/b")}), "");
  const auto options = Find("a")->options();
  StoreOptions other = Wanted(1, "b", "/b");
  other.options.keep = 7;
  ASSERT_EQ(Change({Wanted(0, "a", "/a"), other}), "");
  EXPECT_EQ(Find("a")->options(), options);
  EXPECT_EQ(Find("b")->options()->keep, 7U);
}

TEST_F(CatalogueChangeTest, ARemovedStoreGivesItsDirectoryBack) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  ASSERT_EQ(Change({}), "");
  EXPECT_TRUE(dataset::Dataset::Open(files_, catalogue_.epochs(), NamedOptions("a", "/a")));
}

TEST_F(CatalogueChangeTest, ARemovedStoreThatIsStillHeldComesBackAsTheSame) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  const auto held = Find("a");
  ASSERT_EQ(Change({}), "");
  ASSERT_EQ(Change({Wanted(3, "again", "/a")}), "");
  EXPECT_EQ(Find("again"), held);
  EXPECT_EQ(catalogue_.view().ByDatabase(3), held.get());
}

TEST_F(CatalogueChangeTest, StoresThatAreAddedWatchIfTheOthersDo) {
  catalogue_.StartWatching();
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  const auto looked = [](const dataset::Status& status) { return status.last_check_ms != 0; };
  EXPECT_TRUE(Find("a")->WaitFor(looked, std::chrono::seconds(60)));
}

TEST_F(CatalogueChangeTest, ManyDatabasesCanBeSelected) {
  ASSERT_EQ(Change({Wanted(0, "a", "/a")}), "");
  EXPECT_EQ(catalogue_.view().databases(), kDefaultDatabases);
  ASSERT_EQ(Change({Wanted(kMaxDatabases - 1, "a", "/a")}), "");
  EXPECT_EQ(catalogue_.view().databases(), kMaxDatabases);
  EXPECT_EQ(catalogue_.view().ByDatabase(kMaxDatabases), nullptr);
  EXPECT_EQ(catalogue_.view().ByDatabase(UINT32_MAX), nullptr);
}

TEST_F(CatalogueChangeTest, ReadersGoOnWhileTheViewChanges) {
  ASSERT_EQ(Change({Wanted(0, "stays", "/stays"), Wanted(1, "comes", "/comes")}), "");
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> reads{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([this, &stop, &reads] {
      EpochDomain::Reader epoch = catalogue_.epochs().Register();
      while (!stop.load()) {
        epoch.Enter();
        const View& view = catalogue_.view();
        const dataset::Dataset* const stays = view.ByDatabase(0);
        EXPECT_NE(stays, nullptr);

        // Whatever is in the view lives until the reader leaves.
        for (const Entry& entry : view.entries()) EXPECT_FALSE(entry.dataset->status().pinned);
        epoch.Leave();
        ++reads;
        reads.notify_all();
      }
    });
  }
  reads.wait(0);
  for (uint64_t i = 0; i < ScaledCount(200); ++i) {
    std::vector<StoreOptions> wanted = {Wanted(0, "stays", "/stays")};
    if (i % 3 != 0) wanted.push_back(Wanted(1 + static_cast<uint32_t>(i % 2), "comes", "/comes"));
    if (i % 5 == 0) wanted.push_back(Wanted(20, "more", "/more"));
    ASSERT_EQ(Change(std::move(wanted)), "");
  }
  stop.store(true);
  readers.clear();
}

}  // namespace
}  // namespace larder::store
