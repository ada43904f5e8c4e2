// BothFileSystems: the fixture of tests that the kernel's file system and its faulty twin must pass
// alike.
#pragma once

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/file_system.h"
#include "io/test_directory.h"

namespace larder::io {

enum class Which : uint8_t { kKernel, kTwin };

class BothFileSystems : public ::testing::TestWithParam<Which> {
 protected:
  BothFileSystems() { EXPECT_TRUE(files_.MakeDirectories(directory_.path())); }

  FileSystem& files() { return files_; }
  std::string In(const std::string& name) const { return directory_ / name; }
  std::string Contents(const std::string& name) {
    return ReadWholeFile(files_, In(name), uint64_t{64} << 20).value_or("(unreadable)");
  }

 private:
  TestDirectory directory_;
  FaultyFileSystem twin_;
  FileSystem& files_ = GetParam() == Which::kTwin ? twin_ : RealFileSystem();
};

inline std::string NameOfWhich(const ::testing::TestParamInfo<Which>& which) {
  return which.param == Which::kTwin ? "Twin" : "Kernel";
}

// NOLINTNEXTLINE(cppcoreguidelines-macro-usage)
#define LARDER_TEST_BOTH(fixture) \
  INSTANTIATE_TEST_SUITE_P(, fixture, ::testing::Values(Which::kKernel, Which::kTwin), NameOfWhich)

}  // namespace larder::io
