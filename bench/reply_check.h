// Compares replies with the records that they must show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "record_shape.h"
#include "reply_reader.h"
#include "workload.h"

namespace larder::bench {

// What was found; only the first failure is kept in words.
struct Findings {
  uint64_t requests = 0;
  uint64_t errors = 0;
  uint64_t wrong = 0;      // not what the records say
  uint64_t mixtures = 0;   // values of several versions in one reply
  uint64_t backwards = 0;  // a version below the one the connection saw before
  uint64_t versions = 0;   // switches seen by connections
  std::string first_failure;
};

// What a connection has seen so far.
struct Seen {
  int64_t version = 0;
  // Of a walk over a collection:
  uint64_t record = 0;
  std::string cursor = "0";
  std::vector<bool> elements;
};

// Ownership:  one for all connections of a load; replies stay the caller's.
class ReplyChecker {
 public:
  ReplyChecker(const Workload& workload, const RecordSet& set, Protocol protocol);

  // Large replies that were compared before are known by their checksum from then on. kKnown: so
  // many `bytes` of `data` are such a reply; kWaiting: they may become one.
  enum class Look : uint8_t { kUnknown, kWaiting, kKnown };
  struct Recognized {
    Look look = Look::kUnknown;
    size_t bytes = 0;
  };
  Recognized Recognize(std::string_view data, const Asked& asked, Seen& seen, Findings& findings);

  // Compares a reply that has been read.
  void Check(std::string_view reply, std::span<const Asked> asked, std::span<const ReplyItem> items,
             std::string_view error, Seen& seen, Findings& findings);

 private:
  struct Known {
    uint64_t checksum = 0;
    uint32_t bytes = 0;  // 0: not known yet
    int32_t version = -1;
    char start[16] = {};
  };
  struct Expected {
    size_t end = 0;  // in text_
    bool null = false;
  };

  void Expect(std::span<const Asked> asked, uint64_t version);
  void ExpectCollection(uint64_t record, uint64_t version);
  void ExpectElement(const Asked& asked, uint64_t version);
  void ExpectValues(std::span<const Asked> asked, uint64_t version);
  void Close(bool null = false) { expected_.push_back({text_.size(), null}); }
  std::string_view ExpectedText(size_t i) const;

  bool CheckItems(std::span<const ReplyItem> items, Findings& findings);
  bool SameInAnyOrder(std::span<const ReplyItem> items) const;
  void CheckPage(std::span<const Asked> asked, std::span<const ReplyItem> items, Seen& seen,
                 Findings& findings);
  int64_t VersionIn(std::span<const ReplyItem> items) const;
  static void See(int64_t version, Seen& seen, Findings& findings);

  const Workload& workload_;
  RecordSet set_;
  bool memcached_;
  std::vector<Known> known_;  // by record; empty: replies are too small to be worth it
  std::string text_;
  std::vector<Expected> expected_;
};

}  // namespace larder::bench
