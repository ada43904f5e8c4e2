#include "dataset/compile.h"

#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_compression.h"
#include "io/faulty_file_system.h"
#include "snapshot/snapshot.h"

namespace larder::dataset {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

constexpr const char* kTarget = "/pub/made.snap";

// Records of several types, with duplicates and collections, in several chunks of text.
const std::string& Records() {
  static const std::string* const text = [] {
    auto* const lines = new std::string();
    for (int i = 0; i < 20'000; ++i) {
      const int key = i % 19'000;
      const std::string value(static_cast<size_t>(i % 240), 'v');
      if (i % 5 == 0) {
        *lines += fmt::format(R"({{"key":"h/{}","value":{{"a":"{}","b\n":"{}","c":"x"}}}})"
                              "\n",
                              key, i, value);
      } else if (i % 5 == 1) {
        *lines += fmt::format(R"({{"key":"l{}","type":"list","value":["{}","é","{}"]}})"
                              "\n",
                              key, i, value);
      } else {
        *lines += fmt::format(R"({{"key":"s/{}/x","value":"{} {}"}})"
                              "\n",
                              key, i, value);
      }
    }
    return lines;
  }();
  return *text;
}

struct Compiled {
  Result<CompileReport> report;
  std::string bytes;                // of the target
  std::vector<std::string> others;  // names beside source and target
};

Compiled Compile(const std::string& source, Options options,
                 const std::atomic<bool>* cancelled = nullptr) {
  io::FaultyFileSystem files;
  files.PutFile("/pub/data", source);
  options.source = "/pub/data";
  static const std::atomic<bool> never{false};
  const CompileRequest request{.path = kTarget,
                               .source = std::nullopt,
                               .key_seed = 1,
                               .member_seed = 2,
                               .cancelled = cancelled == nullptr ? &never : cancelled};
  Compiled compiled{CompileSource(files, options, request), {}, {}};
  compiled.bytes = files.Contents(kTarget).value_or("");
  const std::vector<std::string> names = files.List("/pub").value_or(std::vector<std::string>());
  for (const std::string& name : names) {
    if (name != "data" && name != "made.snap") compiled.others.push_back(name);
  }
  return compiled;
}

// Everything that does not tell when and from what it was made.
std::string Content(const std::string& bytes) {
  io::FaultyFileSystem files;
  files.PutFile(kTarget, bytes);
  const auto snapshot = snapshot::Snapshot::Open(files, kTarget);
  EXPECT_TRUE(snapshot) << snapshot.error().message();
  return snapshot ? bytes.substr(0, (*snapshot)->header().metadata_offset) : "";
}

TEST(CompileSource, GivesTheSameBytesForAnyFormAndNumberOfThreads) {
  ASSERT_GT(Records().size(), size_t{3} << 20);
  std::set<std::string> contents;
  for (const std::string& source : {Records(), GzipForTest(Records()), ZstdForTest(Records())}) {
    for (const unsigned threads : {1U, 2U, 5U}) {
      for (const uint64_t memory : {uint64_t{1} << 30, uint64_t{1} << 18}) {
        Options options;
        options.threads = threads;
        options.build_memory_bytes = memory;
        const Compiled compiled = Compile(source, options);
        ASSERT_TRUE(compiled.report) << compiled.report.error().message();
        EXPECT_GT(compiled.report->duplicates, 0U);
        EXPECT_EQ(compiled.report->spilled_runs > 0, memory < uint64_t{1} << 30);
        contents.insert(Content(compiled.bytes));
      }
    }
  }
  EXPECT_EQ(contents.size(), 1U);
}

TEST(CompileSource, DamageInTheMiddleOfACompressedSourceLeavesNothing) {
  for (const std::string& whole : {GzipForTest(Records()), ZstdForTest(Records())}) {
    std::string source = whole;
    // So much that no decoder takes it for anything.
    for (size_t at = 0; at < 64; ++at) source[source.size() / 2 + at] = '\xff';
    for (const unsigned threads : {1U, 4U}) {
      Options options;
      options.threads = threads;
      const Compiled compiled = Compile(source, options);
      ASSERT_FALSE(compiled.report);
      EXPECT_EQ(compiled.report.error().code(), ErrorCode::kCorrupt)
          << compiled.report.error().message();
      EXPECT_EQ(compiled.bytes, "");
      EXPECT_THAT(compiled.others, IsEmpty());
    }
  }
}

TEST(CompileSource, CanBeCancelledInEveryStep) {
  for (const unsigned threads : {1U, 3U}) {
    std::set<std::string> steps;
    Options options;
    options.threads = threads;
    options.build_memory_bytes = uint64_t{1} << 18;  // with runs on disk
    options.progress = [&](std::string_view step, double) { steps.emplace(step); };
    ASSERT_TRUE(Compile(Records(), options).report);
    for (const char* step : {"checksum", "read", "index", "check", "publish"}) {
      ASSERT_THAT(steps, Contains(step));
    }
    for (const std::string& last : steps) {
      std::atomic<bool> cancelled{false};
      options.progress = [&](std::string_view step, double) {
        if (step == last) cancelled.store(true);
      };
      const Compiled compiled = Compile(Records(), options, &cancelled);
      ASSERT_FALSE(compiled.report) << last;
      EXPECT_EQ(compiled.report.error().code(), ErrorCode::kCancelled) << last;
      EXPECT_EQ(compiled.bytes, "") << last;
      EXPECT_THAT(compiled.others, IsEmpty()) << last;
    }
  }
}

}  // namespace
}  // namespace larder::dataset
