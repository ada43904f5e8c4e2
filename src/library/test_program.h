// What the tests of this folder share: a program's directory, sources whose records all say one
// word, Snapshot files of given records.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "io/file_system.h"
#include "io/test_directory.h"
#include "larder/dataset.h"
#include "larder/snapshot.h"
#include "snapshot/builder.h"
#include "snapshot/test_snapshot.h"

namespace larder {

inline constexpr int kSourceRecords = 20;
inline constexpr std::chrono::milliseconds kLongEnough{60'000};

inline std::string KeyOf(int number) { return fmt::format("key/{}", number); }

// The word of every record; "mixed" when they differ, "none" when there is no version.
template <typename Place>
std::string WordIn(const Place& place) {
  std::string word = "none";
  for (int i = 0; i < kSourceRecords; ++i) {
    const auto value = place.Find(KeyOf(i));
    const std::string found = value ? std::string(value->text()) : "none";
    if (i > 0 && found != word) return "mixed";
    word = found;
  }
  return word;
}

class TestProgram {
 public:
  TestProgram() { SetLogLevel(LogLevel::kOff); }

  std::string operator/(const std::string& name) const { return directory_ / name; }

  // Replaces the file in one step, as a publisher does.
  void Publish(const std::string& name, const std::string& text) {
    const auto published =
        io::PublishFile(io::RealFileSystem(), std::string_view(text), directory_ / name);
    EXPECT_TRUE(published) << published.error().message();
  }
  void PublishWord(const std::string& word) {
    std::string text;
    for (int i = 0; i < kSourceRecords; ++i) {
      text += fmt::format(R"({{"key":"{}","type":"string","string_record":{{"value":"{}"}}}})"
                          "\n",
                          KeyOf(i), word);
    }
    Publish("words.jsonl", text);
  }

  DatasetOptions Options() const {
    DatasetOptions options;
    options.name = "words";
    options.source = directory_ / "words.jsonl";
    options.directory = directory_ / "words";
    options.threads = 1;
    options.watch = std::chrono::hours(1);
    return options;
  }

  // Of the word that was published, and current.
  Dataset Open() const {
    auto dataset = Dataset::Open(Options());
    EXPECT_TRUE(dataset) << dataset.error().message();
    const auto first = dataset->WaitForVersion(kLongEnough);
    EXPECT_TRUE(first) << first.error().message();
    return *std::move(dataset);
  }

  SwitchReport Load(const Dataset& dataset, const std::string& word) {
    PublishWord(word);
    const auto report = dataset.Refresh();
    EXPECT_TRUE(report) << report.error().message();
    return report.value_or(SwitchReport{});
  }

  // A file that holds these records.
  Snapshot OpenSnapshot(const std::vector<snapshot::TestRecord>& records,
                        std::optional<char> separator = '/') const {
    snapshot::BuildOptions build;
    build.separator = separator;
    build.threads = 1;
    const std::string path = directory_ / "records.snap";
    const auto built = snapshot::Build(io::RealFileSystem(), path, records, build);
    EXPECT_TRUE(built) << built.error().message();
    auto opened = Snapshot::Open(path);
    EXPECT_TRUE(opened) << opened.error().message();
    return *std::move(opened);
  }

 private:
  io::TestDirectory directory_;
};

}  // namespace larder
