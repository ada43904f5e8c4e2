// For tests: a log of several segments in a faulty file system, damaged as one likes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/faulty_file_system.h"
#include "log/examine.h"
#include "log/read_through.h"
#include "log/small_files.h"
#include "log/test_segment.h"

namespace larder::log {

// Segments 1 (records 1 to 6, in batches of 2), 7 (7 to 10) and 11 (11 to 14), as a process leaves
// them that was killed: 10 is known to be on the disk.
struct TestLog {
  io::FaultyFileSystem files;
  LogPlace place{.directory = "/log"};
  std::vector<TestSegment> segments;
  Numbers numbers{.reserved = 1'000'000, .synced = 10, .boot = 7};

  TestLog() {
    numbers.id = TestSegment().head.id;
    for (const uint64_t first : {uint64_t{1}, uint64_t{7}, uint64_t{11}}) {
      TestSegment segment({.first_number = first});
      segment.head.last_before = first - 1;
      segment.bytes = MakeSegmentHead(segment.head);
      const uint64_t end = first == 1 ? 7 : first + 4;
      for (uint64_t number = first; number < end; number += 2)
        segment.Append({RecordText(number), RecordText(number + 1)}, number - 1);
      segments.push_back(segment);
    }
    Put();
  }

  static std::string RecordText(uint64_t number) {
    return std::to_string(number) + " " + std::string(40 + number, static_cast<char>('a' + number));
  }

  std::string Path(const std::string& name) const { return place.PathOf(name); }
  std::string SegmentPath(size_t i) const {
    return Path(SegmentName("log", segments[i].head.first_number));
  }
  std::string IndexPath(size_t i) const {
    return Path(IndexName("log", segments[i].head.first_number));
  }

  void Put() {
    for (size_t i = 0; i < segments.size(); ++i) PutSegment(i);
    files.PutFile(Path(NumbersName("log")), MakeNumbersFile(numbers));
  }
  void PutSegment(size_t i) {
    const TestSegment& segment = segments[i];
    files.PutFile(SegmentPath(i), segment.bytes);
    files.PutFile(IndexPath(i), MakeIndexHead({.id = segment.head.id,
                                               .first_number = segment.head.first_number}) +
                                    segment.index_entries);
  }

  // Closed: everything is on the disk.
  void Close() {
    numbers.synced = numbers.reserved = segments.back().next_number - 1;
    files.PutFile(Path(NumbersName("log")), MakeNumbersFile(numbers));
  }

  void PutControl(uint32_t state, uint64_t committed, std::string_view boot) {
    std::string page(kControlBytes, '\0');
    StoreLe(page.data(), LoadLe<uint64_t>(kControlMagic.data()));
    StoreLe(page.data() + control_at::kVersion, kFormatVersion);
    StoreLe(page.data() + control_at::kState, state);
    StoreLe(page.data() + control_at::kLogId, numbers.id);
    StoreLe(page.data() + control_at::kBoot, BootChecksum(boot));
    StoreLe(page.data() + control_at::kReserved, numbers.reserved);
    StoreLe(page.data() + control_at::kCommitted, committed);
    StoreLe(page.data() + control_at::kSynced, numbers.synced);
    files.PutFile(Path(ControlName("log")), page);
  }

  // Turns a bit in the middle of a batch's data; the head stays right.
  void DamageBatch(size_t segment, size_t batch) {
    std::string& bytes = segments[segment].bytes;
    bytes[segments[segment].batches[batch].offset + kBatchHeadBytes + kRecordHeadBytes] ^= 1;
    PutSegment(segment);
  }

  struct Read {
    ReadThroughTotals totals;
    std::map<uint64_t, std::string> records;
    std::vector<Finding> findings;

    std::vector<std::string> Texts(bool damage) const {
      std::vector<std::string> texts;
      for (const Finding& finding : findings) {
        if (finding.damage == damage) texts.push_back(finding.Text());
      }
      return texts;
    }
  };
  Read ReadAll(ReadThroughOptions options = {}) { return ReadAllOf(place, std::move(options)); }
  Read ReadAllOf(const LogPlace& where, ReadThroughOptions options = {}) {
    Read read;
    options.visit_finding = [&read](const Finding& finding) { read.findings.push_back(finding); };
    options.visit_record = [&read](const FoundRecord& record) -> Result<void> {
      read.records.emplace(record.number, record.data);
      return {};
    };
    if (const auto totals = ReadThrough(files, where, options)) read.totals = *totals;
    return read;
  }

  std::map<uint64_t, std::string> Records(uint64_t first, uint64_t last) const {
    std::map<uint64_t, std::string> records;
    for (uint64_t number = first; number <= last; ++number) records[number] = RecordText(number);
    return records;
  }
};

}  // namespace larder::log
