// What the load generator asks: the named workloads, the keys and elements they choose, the bytes
// of their requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "record_shape.h"
#include "reply_reader.h"

namespace larder::bench {

// What stands in a reply.
enum class Content : uint8_t {
  kValues,        // the strings of the keys, in their order
  kPairs,         // fields and values, in any order
  kFields,        // in any order
  kFieldValues,   // in any order
  kElements,      // in order
  kMembers,       // in any order
  kRanked,        // members in the order of their scores
  kScored,        // the same, each with its score
  kFieldValue,    // of one field
  kIsMember,      // 1 or 0
  kScore,         // of one member
  kRank,          // of one member
  kElement,       // at one place
  kPageOfFields,  // a cursor, fields and values
};

// What stands between the key and the rest of a request.
enum class Argument : uint8_t { kNone, kField, kMember, kPlace, kCursor };

struct Workload {
  std::string_view name;
  std::string_view command;
  RecordType type;
  Content content;
  Argument argument = Argument::kNone;
  std::vector<std::string_view> rest = {};  // behind key and argument
};

std::span<const Workload> Workloads();
const Workload& WorkloadNamed(std::string_view name);  // throws for another name

// What one key of a request asks for.
struct Asked {
  uint64_t record = 0;
  uint64_t element = 0;
  bool missing = false;  // no such key; where an argument chooses, no such element
};

// How keys (or the elements of a collection) are chosen.
struct ChoiceOptions {
  double zipf = 0;       // the exponent; 0: all equally often
  double hit_ratio = 1;  // the share that exists
};

// Chooses what to ask.
//
// Ownership:  what was drawn ahead is shared by copies; the generator's state is each copy's own.
class Choice {
 public:
  Choice(const Workload& workload, const RecordSet& set, const ChoiceOptions& options);
  void Seed(uint64_t seed);
  Asked Next();
  // Another record of the workload's type, for a walk over all of it.
  uint64_t NextRecord() { return set_.Nth(type_, random_() % count_); }

 private:
  uint64_t Number();

  RecordSet set_;
  RecordType type_;
  bool elements_;        // chooses elements of any record, not records
  uint64_t count_;       // of records of the type
  uint64_t range_;       // of what is chosen
  uint64_t miss_below_;  // of 2^64: how often what is asked is missing
  std::mt19937_64 random_;
  std::shared_ptr<const std::vector<uint32_t>> drawn_;  // by Zipf's law; none: uniform
  size_t next_drawn_ = 0;
};

// Writes requests.
class RequestWriter {
 public:
  RequestWriter(const Workload& workload, const RecordSet& set, Protocol protocol, size_t keys);
  // One request for all of `asked`; `cursor` is that of a walk.
  void Append(std::string& to, std::span<const Asked> asked, std::string_view cursor);

 private:
  void AppendResp(std::string& to, std::span<const Asked> asked, std::string_view cursor);
  void AppendMemcached(std::string& to, std::span<const Asked> asked) const;
  std::string_view ArgumentFor(const Asked& asked, std::string_view cursor);

  const Workload& workload_;
  RecordSet set_;
  Protocol protocol_;
  std::string before_key_;
  std::string after_;
  std::string argument_;
};

}  // namespace larder::bench
