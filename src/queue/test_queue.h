// For tests: queues on a file system that can fail, with a clock that is set.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "queue/file_queue.h"

namespace larder::queue {

inline std::vector<std::string> TextsOf(const Result<std::vector<QueueRecord>>& records) {
  EXPECT_TRUE(records) << records.error().message();
  std::vector<std::string> texts;
  if (records)
    for (const QueueRecord& record : *records) texts.emplace_back(record.data);
  return texts;
}

inline std::vector<uint64_t> NumbersOf(const Result<std::vector<QueueRecord>>& records) {
  EXPECT_TRUE(records) << records.error().message();
  std::vector<uint64_t> numbers;
  if (records)
    for (const QueueRecord& record : *records) numbers.push_back(record.number);
  return numbers;
}

class QueueTest : public testing::Test {
 protected:
  QueueTest() {
    options_.directory = "/queue";
    options_.sync = QueueSync::kNever;
  }

  std::unique_ptr<FileQueue> Open(const QueueOptions& options) {
    auto queue = FileQueue::Open(files_, options, [this] { return now_ms_; });
    EXPECT_TRUE(queue) << queue.error().message();
    return queue ? *std::move(queue) : nullptr;
  }
  std::unique_ptr<FileQueue> Open() { return Open(options_); }
  // As another process, which does not append.
  std::unique_ptr<FileQueue> OpenConsumer() {
    QueueOptions options = options_;
    options.writers = QueueWriters::kNone;
    return Open(options);
  }
  static uint64_t Append(FileQueue& queue, const std::vector<std::string_view>& records) {
    const auto last = queue.Append(records);
    EXPECT_TRUE(last) << last.error().message();
    return last.value_or(0);
  }
  static std::string Pop(FileQueue& queue) {
    const auto texts = TextsOf(queue.PopMany(1));
    return texts.empty() ? "nothing" : texts[0];
  }
  std::vector<std::string> Segments() {
    std::vector<std::string> segments;
    const auto names = files_.List(options_.directory);
    EXPECT_TRUE(names) << names.error().message();
    for (const std::string& name : *names)
      if (name.starts_with("queue-") && name.ends_with(".seg")) segments.push_back(name);
    return segments;
  }

  io::FaultyFileSystem files_;
  QueueOptions options_;
  int64_t now_ms_ = 1'700'000'000'000;
};

}  // namespace larder::queue
