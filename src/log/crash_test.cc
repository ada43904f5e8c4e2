// A log that crashes at every operation of the file system, and what it holds when it is opened
// again: everything that was promised, nothing that was not written, no number twice.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "log/reader.h"
#include "log/segment_scan.h"
#include "log/small_files.h"
#include "log/writer.h"

namespace larder::log {
namespace {

using io::FaultyFileSystem;
using io::Survival;

// What a log was asked to do, and what it promised.
struct Model {
  std::map<uint64_t, std::string> written;  // also by appends that did not return
  std::vector<std::pair<uint64_t, uint64_t>> batches;
  uint64_t acknowledged = 0;  // the last number that Append returned
  uint64_t synced = 0;        // the last that was promised to survive a power cut
  uint64_t removed_before = 0;
};

// How a log is written: by one Writer, or by two in turns, as two processes do.
struct Way {
  SyncPolicy sync = SyncPolicy::kNever;
  Writers writers = Writers::kExclusive;
};

Options SmallOptions(const Way& way) {
  Options options;
  options.directory = "/log";
  options.sync = way.sync;
  options.writers = way.writers;
  options.sync_interval = std::chrono::hours(1000);
  options.segment_bytes = 12'000;
  return options;
}

// Appends a batch whose records tell their numbers, which are known in advance.
bool AppendBatch(Writer& writer, uint64_t first, size_t records, size_t bytes, bool always,
                 Model& model) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < records; ++i) {
    texts.push_back(std::to_string(first + i) + ":");
    texts.back().resize(texts.back().size() + bytes, static_cast<char>('a' + (first + i) % 26));
  }
  // An append that did not return may have been written: what a number holds is known all the same.
  for (size_t i = 0; i < records; ++i) model.written[first + i] = texts[i];
  model.batches.emplace_back(first, first + records - 1);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const auto last = writer.Append(views);
  if (!last) return false;
  EXPECT_EQ(*last, first + records - 1);
  model.acknowledged = *last;
  if (always) model.synced = *last;
  return true;
}

// Some of everything, until the file system fails; `first` is the next number.
void Work(FaultyFileSystem& files, const Options& options, uint64_t first, uint64_t seed,
          Model& model) {
  std::vector<std::unique_ptr<Writer>> writers;
  for (int i = 0; i < (options.writers == Writers::kShared ? 2 : 1); ++i) {
    auto opened = Writer::Open(files, options);
    if (!opened) return;
    writers.push_back(*std::move(opened));
  }
  // NOLINTNEXTLINE(bugprone-random-generator-seed): the same workload every time
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t limit) { return random() % limit; };
  uint64_t next = first;
  for (int step = 0; step < 12; ++step) {
    Writer* const writer = writers[below(writers.size())].get();
    const size_t records = 1 + below(3);
    if (!AppendBatch(*writer, next, records, below(2000), options.sync == SyncPolicy::kAlways,
                     model))
      return;
    next += records;
    if (below(4) == 0) {
      if (!writer->Sync()) return;
      model.synced = model.acknowledged;
    }
    if (below(8) == 0 && !writer->Rotate()) return;
    if (below(6) == 0) {
      const uint64_t number = model.acknowledged - below(std::min<uint64_t>(model.acknowledged, 5));
      model.removed_before = std::max(model.removed_before, number);
      if (!writer->RemoveBefore(number)) return;
    }
  }
  for (const auto& writer : writers) {
    if (!writer->Close()) return;
    model.synced = model.acknowledged;
  }
}

// All numbers that can be read, in order.
std::set<uint64_t> Readable(FaultyFileSystem& files, const Options& options, const Model& model) {
  std::set<uint64_t> numbers;
  const auto reader =
      Reader::Open(files, {.directory = options.directory, .prefix = options.prefix});
  EXPECT_TRUE(reader) << reader.error().message();
  if (!reader) return numbers;
  for (uint64_t number = 1;;) {
    const auto record = (*reader)->ReadFrom(number);
    if (!record) {
      EXPECT_EQ(record.error().code(), ErrorCode::kNotFound) << record.error().message();
      return numbers;
    }
    const auto written = model.written.find(record->number);
    EXPECT_TRUE(written != model.written.end() && written->second == record->data)
        << "record " << record->number;
    EXPECT_TRUE(numbers.insert(record->number).second);
    number = record->number + 1;
  }
}

void ExpectPromisesKept(const std::set<uint64_t>& readable, uint64_t promised, const Model& model) {
  for (const auto& [number, text] : model.written) {
    if (number > promised || number < model.removed_before) continue;
    EXPECT_TRUE(readable.contains(number)) << "record " << number << " of " << promised;
  }
  for (const auto& [first, last] : model.batches) {
    if (first < model.removed_before) continue;
    for (uint64_t number = first; number <= last; ++number) {
      EXPECT_EQ(readable.contains(number), readable.contains(first))
          << "record " << number << " of a batch from " << first;
    }
  }
  // No hole: what is there is a beginning of what was written.
  bool missing = false;
  for (const auto& [number, text] : model.written) {
    if (number < model.removed_before) continue;
    EXPECT_FALSE(missing && readable.contains(number)) << "record " << number << " behind a hole";
    missing = missing || !readable.contains(number);
  }
}

class LogCrash : public testing::TestWithParam<Way> {};

TEST_P(LogCrash, AtEveryOperation) {
  const Options options = SmallOptions(GetParam());
  for (const Survival survival : io::kAllSurvivals) {
    for (uint64_t n = 1;; ++n) {
      FaultyFileSystem files(n);
      Model model;
      files.CrashAtOperation(n);
      Work(files, options, 1, 7, model);
      if (!files.crashed()) break;
      files.Reboot(survival);
      SCOPED_TRACE(testing::Message()
                   << "crash at " << n << ", survival " << static_cast<int>(survival));
      const uint64_t promised =
          survival == Survival::kEverything ? model.acknowledged : model.synced;
      auto writer = Writer::Open(files, options);
      ASSERT_TRUE(writer) << writer.error().message();
      const std::set<uint64_t> readable = Readable(files, options, model);
      ExpectPromisesKept(readable, promised, model);
      const auto next = (*writer)->Append("behind the crash");
      ASSERT_TRUE(next) << next.error().message();
      EXPECT_GT(*next, model.acknowledged);
      EXPECT_FALSE(readable.contains(*next));
      if (testing::Test::HasFailure()) return;
    }
  }
}

// Crash, recover, crash in the recovery or behind it, and recover.
TEST_P(LogCrash, AgainWhileItRecovers) {
  const Options options = SmallOptions(GetParam());
  for (uint64_t n = 5; n < 60; n += 6) {
    for (uint64_t m = 1; m < 20; ++m) {
      FaultyFileSystem files(n * 100 + m);
      Model model;
      files.CrashAtOperation(n);
      Work(files, options, 1, n, model);
      files.Reboot(Survival::kTorn);
      files.CrashAtOperation(m);
      const bool opened = Writer::Open(files, options).has_value();
      if (!files.crashed()) files.Crash();
      files.Reboot(Survival::kTorn);
      SCOPED_TRACE(testing::Message() << "crashes at " << n << " and " << m);
      auto writer = Writer::Open(files, options);
      ASSERT_TRUE(writer) << opened << writer.error().message();
      ExpectPromisesKept(Readable(files, options, model), model.synced, model);
      const auto next = (*writer)->Append("behind the crash");
      ASSERT_TRUE(next) << next.error().message();
      EXPECT_GT(*next, model.acknowledged);
      if (testing::Test::HasFailure()) return;
    }
  }
}

// The kernel drops what it could not write and calls it clean: only a copy makes it safe.
TEST_P(LogCrash, AFailedSyncIsNeverPretended) {
  const Options options = SmallOptions(GetParam());
  for (uint64_t n = 1;; ++n) {
    FaultyFileSystem files(n);
    Model model;
    files.FailSync(n);
    const uint64_t before = files.operations();
    Work(files, options, 1, 11, model);
    ASSERT_GT(files.operations(), before);
    const bool failed = model.synced < model.acknowledged || model.written.empty();
    files.ClearFaults();
    SCOPED_TRACE(testing::Message() << "sync " << n << " failed");
    std::set<uint64_t> readable;
    {
      auto writer = Writer::Open(files, options);
      ASSERT_TRUE(writer) << writer.error().message();
      if (!model.written.empty()) {
        readable = Readable(files, options, model);
        ExpectPromisesKept(readable, model.synced, model);
      }
      files.Crash();
    }
    files.Reboot(Survival::kSyncedOnly);
    // What was served after the failure was safe when it was served.
    auto writer = Writer::Open(files, options);
    ASSERT_TRUE(writer) << writer.error().message();
    if (!model.written.empty()) {
      const std::set<uint64_t> later = Readable(files, options, model);
      for (const uint64_t number : readable) EXPECT_TRUE(later.contains(number)) << number;
    }
    if (testing::Test::HasFailure()) return;
    if (!failed && n > 30) break;
    if (n > 200) break;
  }
}

TEST(LogRecovery, ACopyOfAWholeSegmentKeepsWhatStoodBeforeIt) {
  const Options options = SmallOptions({});
  FaultyFileSystem files(1);
  {
    const auto writer = *Writer::Open(files, options);
    ASSERT_EQ(writer->Append("one"), 1U);
    ASSERT_TRUE(writer->Sync());
    files.Crash();
  }
  files.Reboot(Survival::kSyncedOnly);
  uint64_t first = 0;
  {
    const auto writer = *Writer::Open(files, options);
    EXPECT_GT(writer->recovery().skipped_numbers, 0U);
    first = *writer->Append("behind the power cut");
    files.FailSync(1);
    EXPECT_FALSE(writer->Sync());
    files.ClearFaults();
  }
  const auto writer = *Writer::Open(files, options);
  EXPECT_EQ(writer->recovery().copied_batches, 1U);
  const std::string segment =
      files.Contents(options.directory + "/" + SegmentName(options.prefix, first)).value_or("");
  EXPECT_EQ(ReadSegmentHead(segment, "the copy")->last_before, 1U);
  EXPECT_EQ((*Reader::Open(files, {.directory = options.directory, .prefix = options.prefix}))
                ->Read(first)
                ->data,
            "behind the power cut");
}

TEST(LogRecovery, WhatWasCopiedIsNotThereTwice) {
  const Options options = SmallOptions({});
  FaultyFileSystem files(1);
  {
    const auto writer = *Writer::Open(files, options);
    ASSERT_EQ(writer->Append("one"), 1U);
    ASSERT_TRUE(writer->Sync());
    ASSERT_EQ(writer->Append("two"), 2U);
    files.FailSync(1);
    EXPECT_FALSE(writer->Sync());
    files.ClearFaults();
  }
  const auto writer = *Writer::Open(files, options);
  ASSERT_EQ(writer->recovery().copied_batches, 1U);
  ASSERT_TRUE(writer->Rotate());
  ASSERT_EQ(writer->Append("three"), 3U);
  const auto reader = *Reader::Open(files, {.directory = options.directory});
  EXPECT_EQ(reader->Read(2)->data, "two");
  EXPECT_EQ((*reader->Segments())[0].records, 1U);
  ASSERT_TRUE(reader->RemoveSegment(2));
  EXPECT_EQ(reader->Read(2).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(reader->ReadFrom(2)->number, 3U);
}

TEST(LogRecovery, ATornTailIsCutAndReported) {
  const Options options = SmallOptions({});
  FaultyFileSystem files(3);
  {
    const auto writer = *Writer::Open(files, options);
    ASSERT_EQ(writer->Append("one"), 1U);
    files.CrashAtOperation(1);  // in the middle of the write
    EXPECT_FALSE(writer->Append(std::string(3000, 'x')));
  }
  files.Reboot(Survival::kEverything);
  const std::string path = options.directory + "/" + SegmentName(options.prefix, 1);
  const uint64_t before = files.Contents(path).value_or("").find_last_not_of('\0');
  const auto writer = *Writer::Open(files, options);
  EXPECT_GT(writer->recovery().cut_bytes, 0U);
  EXPECT_LT(files.Contents(path).value_or("").size(), before);
  EXPECT_EQ(writer->committed(), 1U);
  EXPECT_EQ(writer->Append("two"), 2U);
}

INSTANTIATE_TEST_SUITE_P(Policies, LogCrash,
                         testing::Values(Way{SyncPolicy::kNever, Writers::kExclusive},
                                         Way{SyncPolicy::kAlways, Writers::kExclusive},
                                         Way{SyncPolicy::kNever, Writers::kShared},
                                         Way{SyncPolicy::kAlways, Writers::kShared}),
                         [](const auto& tested) {
                           return std::string(tested.param.sync == SyncPolicy::kNever ? "Never"
                                                                                      : "Always") +
                                  (tested.param.writers == Writers::kShared ? "Shared" : "");
                         });

}  // namespace
}  // namespace larder::log
