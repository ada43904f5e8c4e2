// TestDirectory: a directory of its own for a test, removed with all that is in it.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace larder::io {

class TestDirectory {
 public:
  // In `parent`, which ends in a slash.
  explicit TestDirectory(const std::string& parent = ::testing::TempDir()) {
    std::string pattern = parent + "larder_XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace larder::io
