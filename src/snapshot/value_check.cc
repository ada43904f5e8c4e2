#include "snapshot/value_check.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "snapshot/format.h"

namespace larder::snapshot {
namespace {

bool IsBulk(std::string_view bulk) {
  const std::string_view text = BulkText(bulk);
  const fmt::format_int digits(text.size());
  const std::string_view size(digits.data(), digits.size());
  return bulk.size() == 1 + size.size() + 2 + text.size() + 2 && bulk.front() == '$' &&
         bulk.substr(1, size.size()) == size && bulk.substr(1 + size.size(), 2) == "\r\n" &&
         bulk.ends_with("\r\n");
}

class CollectionCheck {
 public:
  explicit CollectionCheck(const Value& value)
      : value_(value), view_(value), encoded_(value.encoded) {
    bulks_per_element_ = value.type == ValueType::kHash ? 2 : 1;
  }

  std::string Run() {
    if (view_.count() == 0) return "its sections do not fit its size";
    if (LoadLe<uint16_t>(encoded_.data() + kCollectionWireHeadBytesAt + 1) != 0) {
      return "its head is not ended by zeros";
    }
    if (std::string fault = CheckRuns(); !fault.empty()) return fault;
    if (value_.type == ValueType::kZset) {
      if (std::string fault = CheckScores(); !fault.empty()) return fault;
    }
    if (value_.type == ValueType::kList) return {};
    return CheckMembers();
  }

 private:
  uint64_t bulks() const { return view_.count() * bulks_per_element_; }

  // The wire head, the width, and that the bulks follow each other from end to end of the run.
  std::string CheckRuns() {
    const auto run_bytes = LoadLe<uint64_t>(encoded_.data() + kCollectionRunBytesAt);
    const auto score_run_bytes = LoadLe<uint64_t>(encoded_.data() + kCollectionScoreRunBytesAt);
    const uint64_t widest = std::max(run_bytes, score_run_bytes);
    const uint64_t width = widest < 1U << 16 ? 2 : widest >> 32 == 0 ? 4 : 8;
    if (LoadLe<uint8_t>(encoded_.data() + kCollectionWidthAt) != width) {
      return fmt::format("its offsets should be {} bytes wide", width);
    }
    if (value_.type != ValueType::kZset && score_run_bytes != 0) return "it has a run of scores";
    const std::string head = fmt::format("*{}\r\n", bulks());
    if (view_.Reply().size() != head.size() + run_bytes || !view_.Reply().starts_with(head)) {
      return "its wire head is not " + head.substr(0, head.size() - 2);
    }
    const char* next = view_.Reply().data() + head.size();
    for (uint64_t number = 0; number < bulks(); ++number) {
      const std::string_view bulk = view_.Bulk(number);
      if (bulk.data() != next || !IsBulk(bulk)) return fmt::format("bulk {} is wrong", number);
      next += bulk.size();
    }
    if (next != view_.Reply().data() + view_.Reply().size()) return "its run has bytes left over";
    return {};
  }

  std::string CheckScores() {
    const char* next = view_.ScoreBulk(0).data();
    uint64_t bytes = 0;
    for (uint64_t element = 0; element < view_.count(); ++element) {
      const double score = view_.Score(element);
      const std::string_view bulk = view_.ScoreBulk(element);
      if (std::isnan(score)) return fmt::format("score {} is not a number", element);
      if (bulk.data() != next || !IsBulk(bulk) || BulkText(bulk) != FormatScore(score)) {
        return fmt::format("the text of score {} is wrong", element);
      }
      next += bulk.size();
      bytes += bulk.size();
      if (element == 0) continue;
      const double before = view_.Score(element - 1);
      if (before > score || (before == score && view_.Text(element - 1) >= view_.Text(element))) {
        return fmt::format("element {} is out of order", element);
      }
    }
    if (bytes != LoadLe<uint64_t>(encoded_.data() + kCollectionScoreRunBytesAt)) {
      return "its run of scores has bytes left over";
    }
    return {};
  }

  // That each name leads to its element, and so stands once.
  std::string CheckMembers() {
    for (uint64_t element = 0; element < view_.count(); ++element) {
      if (view_.FindMember(view_.Text(element * bulks_per_element_)) != element) {
        return fmt::format("element {} is not found by its name", element);
      }
    }
    return view_.has_member_table() ? CheckTable() : std::string();
  }

  std::string CheckTable() {
    const BucketTable table = view_.MemberTable();
    PlacementCheck placement(table);
    bool placed = true;
    const auto visit = [&](uint64_t payload) {
      const std::string_view name = view_.Text((payload - 1) * bulks_per_element_);
      placed =
          payload <= view_.count() && placement.Add(HashBytes(name, value_.member_seed), payload);
      return placed;
    };
    table.WalkFrom(0, visit, [](uint64_t) {});
    if (!placed || !placement.Finish() || placement.entries() != view_.count()) {
      return "its member table is wrong";
    }
    return {};
  }

  const Value& value_;
  CollectionView view_;
  std::string_view encoded_;
  uint64_t bulks_per_element_;
};

}  // namespace

std::string FindFault(const Value& value) {
  if (value.type == ValueType::kString || value.type == ValueType::kJson) {
    return IsBulk(value.encoded) ? std::string() : "it is not a bulk string";
  }
  return CollectionCheck(value).Run();
}

}  // namespace larder::snapshot
