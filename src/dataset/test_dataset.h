// TestDataset: a Dataset on a file system in memory, fed with sources whose records all say the
// same word, so that a mixture of two versions shows.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/epoch.h"
#include "base/log.h"
#include "dataset/dataset.h"
#include "dataset/state_file.h"
#include "io/faulty_file_system.h"
#include "snapshot/value.h"

namespace larder::dataset {

inline constexpr int kTestRecords = 5;

// A JSONL file of kTestRecords strings, each of them `word`.
inline std::string SourceOf(const std::string& word) {
  std::string text;
  for (int i = 0; i < kTestRecords; ++i) {
    text += fmt::format(R"({{"key":"key/{}","type":"string","string_record":{{"value":"{}"}}}})"
                        "\n",
                        i, word);
  }
  return text;
}

// The same with as many records more: twice as many are refused (StrictGates).
inline std::string DoubledSourceOf(const std::string& word) {
  std::string text = SourceOf(word);
  for (int i = 0; i < kTestRecords; ++i) {
    text += fmt::format(R"({{"key":"more/{}","type":"string","string_record":{{"value":"x"}}}})"
                        "\n",
                        i);
  }
  return text;
}

// Of the small test sources, those that double are refused and all others pass.
inline GateOptions StrictGates() {
  GateOptions gates;
  gates.free_records = 0;
  gates.max_record_shrink = std::nullopt;
  return gates;
}

// The word that all records of the version say; "none" when there is no version.
inline std::string WordOf(const Version* version) {
  if (version == nullptr) return "none";
  std::string word;
  for (int i = 0; i < kTestRecords; ++i) {
    const auto value = version->snapshot->Find(fmt::format("key/{}", i));
    const std::string found = value ? std::string(snapshot::TextView(*value).text()) : "missing";
    if (i > 0 && found != word) return fmt::format("a mixture of {} and {}", word, found);
    word = found;
  }
  return word;
}

inline Options TestOptions() {
  Options options;
  options.name = "features";
  options.source = "/in/features.jsonl";
  options.directory = "/var/features";
  options.threads = 1;
  options.watch = std::chrono::hours(1);
  return options;
}

class TestDataset {
 public:
  explicit TestDataset(uint64_t seed = 1) : files_(seed) { SetLogLevel(LogLevel::kOff); }

  io::FaultyFileSystem& files() { return files_; }
  EpochDomain& epochs() { return epochs_; }
  Options& options() { return options_; }

  void PutSource(const std::string& word) { files_.PutFile(options_.source, SourceOf(word)); }

  void PutDoubled(const std::string& word) {
    files_.PutFile(options_.source, DoubledSourceOf(word));
  }

  // Opens it (anew). Errors fail the test.
  Dataset& Open() {
    dataset_.reset();
    auto opened = Dataset::Open(files_, epochs_, options_);
    EXPECT_TRUE(opened) << opened.error().message();
    if (opened) dataset_ = *std::move(opened);
    return *dataset_;
  }
  void Close() { dataset_.reset(); }
  Dataset& operator*() { return *dataset_; }
  Dataset* operator->() { return dataset_.get(); }

  // Publishes a source and takes it at once.
  SwitchReport Load(const std::string& word) {
    PutSource(word);
    const auto report = dataset_->Refresh(true);
    EXPECT_TRUE(report) << report.error().message();
    return report.value_or(SwitchReport{});
  }

  std::string Word() const { return WordOf(dataset_->Current()); }
  uint64_t Number() const { return dataset_->status().current; }
  std::string PathOf(uint64_t number) const {
    return options_.directory + "/" + VersionFileName(number);
  }
  bool HasVersionFile(uint64_t number) const { return files_.Contents(PathOf(number)).has_value(); }
  std::string VerdictPathOf(uint64_t number) const {
    return options_.directory + "/" + VerdictFileName(number);
  }
  bool HasVerdictFile(uint64_t number) const {
    return files_.Contents(VerdictPathOf(number)).has_value();
  }

 private:
  io::FaultyFileSystem files_;
  EpochDomain epochs_;
  Options options_ = TestOptions();
  std::unique_ptr<Dataset> dataset_;
};

}  // namespace larder::dataset
