#include "store/catalogue.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace larder::store
