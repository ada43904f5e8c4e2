#include "reply_check.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/hash.h"

namespace larder::bench {
namespace {

constexpr size_t kLargeBytes = 512;

void Fail(Findings& findings, uint64_t& counter, std::string_view what) {
  ++counter;
  if (findings.first_failure.empty()) findings.first_failure = what;
}

// The version that a value begins with; -1 when it does not.
int64_t VersionOf(const ReplyItem& item) {
  const std::string_view bytes = item.bytes;
  if (item.null || bytes.size() < kVersionBytes || bytes[0] != 'v' || bytes[6] != ' ') return -1;
  int64_t version = 0;
  for (size_t i = 1; i < 6; ++i) {
    if (bytes[i] < '0' || bytes[i] > '9') return -1;
    version = version * 10 + (bytes[i] - '0');
  }
  return version;
}

bool IsWhole(Content content) {
  switch (content) {
    case Content::kPairs:
    case Content::kFields:
    case Content::kFieldValues:
    case Content::kElements:
    case Content::kMembers:
    case Content::kRanked:
    case Content::kScored:
      return true;
    default:
      return false;
  }
}

bool OfAnyOrder(Content content) {
  return content == Content::kPairs || content == Content::kFields ||
         content == Content::kFieldValues || content == Content::kMembers;
}

std::string_view Shown(std::string_view bytes) { return bytes.substr(0, 80); }

}  // namespace

ReplyChecker::ReplyChecker(const Workload& workload, const RecordSet& set, Protocol protocol)
    : workload_(workload),
      set_(set),
      memcached_(protocol == Protocol::kMemcachedText || protocol == Protocol::kMemcachedMeta) {
  const bool large = IsWhole(workload.content)
                         ? set.ElementsOf(workload.type) * kElementBytes > kLargeBytes
                         : workload.name == "get" && set.StringBytes() > kLargeBytes;
  if (large && !memcached_) known_.resize(set.records);
}

ReplyChecker::Recognized ReplyChecker::Recognize(std::string_view data, const Asked& asked,
                                                 Seen& seen, Findings& findings) {
  if (known_.empty() || asked.missing || data.empty()) return {};
  const Known& known = known_[asked.record];
  const size_t compared = std::min(data.size(), sizeof(known.start));
  if (known.bytes == 0 || std::memcmp(data.data(), known.start, compared) != 0) return {};
  if (data.size() < known.bytes) return {Look::kWaiting, 0};
  if (Checksum64(data.substr(0, known.bytes)) != known.checksum) return {};
  ++findings.requests;
  See(known.version, seen, findings);
  return {Look::kKnown, known.bytes};
}

void ReplyChecker::Check(std::string_view reply, std::span<const Asked> asked,
                         std::span<const ReplyItem> items, std::string_view error, Seen& seen,
                         Findings& findings) {
  ++findings.requests;
  if (!error.empty()) return Fail(findings, findings.errors, Shown(error));
  if (workload_.content == Content::kPageOfFields) {
    return CheckPage(asked, items, seen, findings);
  }
  const int64_t version = VersionIn(items);
  Expect(asked, static_cast<uint64_t>(std::max<int64_t>(version, 0)));
  if (items.size() != expected_.size()) {
    return Fail(findings, findings.wrong,
                fmt::format("{} strings for {}", items.size(), expected_.size()));
  }
  if (!CheckItems(items, findings)) return;
  See(version, seen, findings);
  if (known_.empty() || asked[0].missing || reply.size() < sizeof(Known::start)) return;
  Known& known = known_[asked[0].record];
  known = {.checksum = Checksum64(reply),
           .bytes = static_cast<uint32_t>(reply.size()),
           .version = static_cast<int32_t>(version)};
  std::memcpy(known.start, reply.data(), sizeof(known.start));
}

void ReplyChecker::See(int64_t version, Seen& seen, Findings& findings) {
  if (version < 0) return;
  if (version < seen.version) {
    Fail(findings, findings.backwards, "a connection went back a version");
  }
  if (version != seen.version) ++findings.versions;
  seen.version = version;
}

int64_t ReplyChecker::VersionIn(std::span<const ReplyItem> items) const {
  switch (workload_.content) {
    case Content::kFields:
    case Content::kMembers:
    case Content::kRanked:
    case Content::kScored:
    case Content::kIsMember:
    case Content::kScore:
    case Content::kRank:
      return -1;
    case Content::kPairs:
      return items.size() < 2 ? -1 : VersionOf(items[1]);
    case Content::kPageOfFields:
      return items.size() < 3 ? -1 : VersionOf(items[2]);
    default:
      break;
  }
  for (size_t i = memcached_ ? 1 : 0; i < items.size(); i += memcached_ ? 2 : 1) {
    if (!items[i].null) return VersionOf(items[i]);
  }
  return -1;
}

void ReplyChecker::Expect(std::span<const Asked> asked, uint64_t version) {
  text_.clear();
  expected_.clear();
  if (workload_.content == Content::kValues) return ExpectValues(asked, version);
  if (!IsWhole(workload_.content)) return ExpectElement(asked[0], version);
  if (!asked[0].missing) ExpectCollection(asked[0].record, version);
}

void ReplyChecker::ExpectValues(std::span<const Asked> asked, uint64_t version) {
  for (const Asked& one : asked) {
    if (memcached_ && one.missing) continue;
    if (memcached_) {
      text_ += KeyOf(one.record).view();
      Close();
    }
    if (!one.missing) AppendValue(text_, set_.StringBytes(), one.record, 0, version);
    Close(one.missing);
  }
}

void ReplyChecker::ExpectCollection(uint64_t record, uint64_t version) {
  const Content content = workload_.content;
  const uint64_t elements = set_.ElementsOf(workload_.type);
  for (uint64_t i = 0; i < elements; ++i) {
    if (content == Content::kPairs || content == Content::kFields) {
      AppendField(text_, elements, i);
      Close();
    }
    if (content == Content::kPairs || content == Content::kFieldValues ||
        content == Content::kElements) {
      AppendValue(text_, kElementBytes, record, i, version);
      Close();
    }
    if (content == Content::kMembers) {
      AppendMember(text_, record, i);
      Close();
    }
    if (content == Content::kRanked || content == Content::kScored) {
      AppendMember(text_, record, elements - 1 - i);
      Close();
    }
    if (content == Content::kScored) {
      AppendScore(text_, elements, elements - 1 - i);
      Close();
    }
  }
}

void ReplyChecker::ExpectElement(const Asked& asked, uint64_t version) {
  const uint64_t elements = set_.ElementsOf(workload_.type);
  if (workload_.content == Content::kIsMember) {
    text_ += asked.missing ? '0' : '1';
    return Close();
  }
  if (asked.missing) return Close(true);
  if (workload_.content == Content::kScore) {
    AppendScore(text_, elements, asked.element);
  } else if (workload_.content == Content::kRank) {
    text_ += std::to_string(elements - 1 - asked.element);
  } else {
    AppendValue(text_, kElementBytes, asked.record, asked.element, version);
  }
  Close();
}

std::string_view ReplyChecker::ExpectedText(size_t i) const {
  const size_t start = i == 0 ? 0 : expected_[i - 1].end;
  return std::string_view(text_).substr(start, expected_[i].end - start);
}

bool ReplyChecker::CheckItems(std::span<const ReplyItem> items, Findings& findings) {
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string_view expected = ExpectedText(i);
    if (items[i].bytes == expected && items[i].null == expected_[i].null) continue;
    if (OfAnyOrder(workload_.content) && SameInAnyOrder(items)) return true;
    const bool only_version =
        items[i].bytes.size() == expected.size() && VersionOf(items[i]) >= 0 &&
        !expected_[i].null &&
        items[i].bytes.substr(kVersionBytes) == expected.substr(kVersionBytes);
    if (only_version) {
      Fail(findings, findings.mixtures, "two versions in one reply");
    } else {
      Fail(findings, findings.wrong,
           fmt::format("'{}' for '{}'", Shown(items[i].bytes), Shown(expected)));
    }
    return false;
  }
  return true;
}

bool ReplyChecker::SameInAnyOrder(std::span<const ReplyItem> items) const {
  using Element = std::pair<std::string_view, std::string_view>;
  std::vector<Element> expected;
  std::vector<Element> found;
  const size_t step = workload_.content == Content::kPairs ? 2 : 1;
  for (size_t i = 0; i < items.size(); i += step) {
    expected.emplace_back(ExpectedText(i), ExpectedText(i + step - 1));
    found.emplace_back(items[i].bytes, items[i + step - 1].bytes);
  }
  std::ranges::sort(expected);
  std::ranges::sort(found);
  return expected == found;
}

void ReplyChecker::CheckPage(std::span<const Asked> asked, std::span<const ReplyItem> items,
                             Seen& seen, Findings& findings) {
  const uint64_t elements = set_.ElementsOf(workload_.type);
  if (items.size() % 2 != 1) return Fail(findings, findings.wrong, "half a page of a walk");
  const int64_t version = VersionIn(items);
  seen.elements.resize(elements);
  for (size_t i = 1; i < items.size(); i += 2) {
    const uint64_t element = FieldNumber(items[i].bytes);
    text_.clear();
    AppendValue(text_, kElementBytes, asked[0].record, element,
                static_cast<uint64_t>(std::max<int64_t>(version, 0)));
    if (element >= elements || items[i + 1].bytes != text_) {
      return Fail(findings, findings.wrong,
                  fmt::format("'{}' of '{}'", Shown(items[i + 1].bytes), Shown(items[i].bytes)));
    }
    seen.elements[element] = true;
  }
  See(version, seen, findings);
  seen.cursor = items[0].bytes;
  if (seen.cursor != "0") return;
  const auto missed = std::ranges::count(seen.elements, false);
  seen.elements.clear();
  if (missed > 0) {
    Fail(findings, findings.wrong, fmt::format("a walk that left {} fields out", missed));
  }
}

}  // namespace larder::bench
