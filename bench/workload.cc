#include "workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "die.h"

namespace larder::bench {
namespace {

// A number without a common factor with any number of keys that is smaller: times it, keys that
// follow each other come to lie far apart, so that the frequent ones are no neighbours.
constexpr uint64_t kScatter = 2654435761;

void AppendDecimal(std::string& to, uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
  to.append(digits, static_cast<size_t>(end - digits));
}

void AppendBulk(std::string& to, std::string_view bytes) {
  to += '$';
  AppendDecimal(to, bytes.size());
  to += "\r\n";
  to += bytes;
  to += "\r\n";
}

}  // namespace

std::span<const Workload> Workloads() {
  using enum RecordType;
  static const std::vector<Workload> all = {
      {"get", "GET", kString, Content::kValues},
      {"mget", "MGET", kString, Content::kValues},
      {"hgetall", "HGETALL", kHash, Content::kPairs},
      {"hkeys", "HKEYS", kHash, Content::kFields},
      {"hvals", "HVALS", kHash, Content::kFieldValues},
      {"lrange", "LRANGE", kList, Content::kElements, Argument::kNone, {"0", "-1"}},
      {"smembers", "SMEMBERS", kSet, Content::kMembers},
      {"zrange", "ZRANGE", kZset, Content::kRanked, Argument::kNone, {"0", "-1"}},
      {"zrange-withscores",
       "ZRANGE",
       kZset,
       Content::kScored,
       Argument::kNone,
       {"0", "-1", "WITHSCORES"}},
      {"hget", "HGET", kHash, Content::kFieldValue, Argument::kField},
      {"sismember", "SISMEMBER", kSet, Content::kIsMember, Argument::kMember},
      {"zscore", "ZSCORE", kZset, Content::kScore, Argument::kMember},
      {"zrank", "ZRANK", kZset, Content::kRank, Argument::kMember},
      {"lindex", "LINDEX", kList, Content::kElement, Argument::kPlace},
      {"hscan", "HSCAN", kHash, Content::kPageOfFields, Argument::kCursor, {"COUNT", "100"}},
  };
  return all;
}

const Workload& WorkloadNamed(std::string_view name) {
  for (const Workload& workload : Workloads()) {
    if (workload.name == name) return workload;
  }
  Die("no workload " + std::string(name));
}

Choice::Choice(const Workload& workload, const RecordSet& set, const ChoiceOptions& options)
    : set_(set),
      type_(workload.type),
      elements_(workload.argument != Argument::kNone && workload.argument != Argument::kCursor),
      count_(set.CountOf(workload.type)),
      range_(elements_ ? set.ElementsOf(workload.type) : count_),
      miss_below_(options.hit_ratio >= 1 ? 0
                                         : static_cast<uint64_t>(std::ldexp(
                                               1 - std::max(options.hit_ratio, 1e-9), 64))) {
  if (count_ == 0) Die("no record of these has the type that the workload reads");
  if (options.zipf <= 0) return;
  // A million of them are drawn ahead: drawing costs more than asking.
  std::vector<double> weights(range_);
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::pow(static_cast<double>(i + 1), -options.zipf);
  }
  std::discrete_distribution<uint32_t> zipf(weights.begin(), weights.end());
  std::mt19937_64 random(7);
  std::vector<uint32_t> drawn(1 << 20);
  for (uint32_t& number : drawn) {
    number = static_cast<uint32_t>(zipf(random) * kScatter % range_);
  }
  drawn_ = std::make_shared<const std::vector<uint32_t>>(std::move(drawn));
}

void Choice::Seed(uint64_t seed) {
  random_.seed(seed);
  if (drawn_) next_drawn_ = random_() % drawn_->size();
}

uint64_t Choice::Number() {
  if (!drawn_) return random_() % range_;
  next_drawn_ = (next_drawn_ + 1) % drawn_->size();
  return (*drawn_)[next_drawn_];
}

Asked Choice::Next() {
  Asked asked;
  const uint64_t number = Number();
  asked.missing = miss_below_ != 0 && random_() < miss_below_;
  if (elements_) {
    asked.record = NextRecord();
    asked.element = asked.missing ? number + range_ : number;
  } else {
    asked.record = asked.missing ? number + set_.records : set_.Nth(type_, number);
  }
  return asked;
}

RequestWriter::RequestWriter(const Workload& workload, const RecordSet& set, Protocol protocol,
                             size_t keys)
    : workload_(workload), set_(set), protocol_(protocol) {
  const bool argument = workload.argument != Argument::kNone;
  before_key_ = "*";
  AppendDecimal(before_key_, 1 + keys + (argument ? 1 : 0) + workload.rest.size());
  before_key_ += "\r\n";
  AppendBulk(before_key_, workload.command);
  for (const std::string_view word : workload.rest) AppendBulk(after_, word);
}

void RequestWriter::Append(std::string& to, std::span<const Asked> asked, std::string_view cursor) {
  if (protocol_ == Protocol::kResp2 || protocol_ == Protocol::kResp3) {
    AppendResp(to, asked, cursor);
  } else {
    AppendMemcached(to, asked);
  }
}

void RequestWriter::AppendResp(std::string& to, std::span<const Asked> asked,
                               std::string_view cursor) {
  to += before_key_;
  for (const Asked& one : asked) {
    to += "$17\r\n";
    to += KeyOf(one.record).view();
    to += "\r\n";
  }
  if (workload_.argument != Argument::kNone) AppendBulk(to, ArgumentFor(asked[0], cursor));
  to += after_;
}

void RequestWriter::AppendMemcached(std::string& to, std::span<const Asked> asked) const {
  const bool meta = protocol_ == Protocol::kMemcachedMeta;
  to += meta ? "mg" : "get";
  for (const Asked& one : asked) {
    to += ' ';
    to += KeyOf(one.record).view();
  }
  to += meta ? " k v\r\n" : "\r\n";
}

std::string_view RequestWriter::ArgumentFor(const Asked& asked, std::string_view cursor) {
  argument_.clear();
  switch (workload_.argument) {
    case Argument::kNone:
      break;
    case Argument::kCursor:
      return cursor;
    case Argument::kField:
      AppendField(argument_, set_.ElementsOf(RecordType::kHash), asked.element);
      if (asked.missing) argument_ += '+';  // its number may have more digits than there is room
      break;
    case Argument::kMember:
      AppendMember(argument_, asked.record, asked.element);
      break;
    case Argument::kPlace:
      AppendDecimal(argument_, asked.element);
      break;
  }
  return argument_;
}

}  // namespace larder::bench
