#include "snapshot/difference.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

namespace larder::snapshot {

namespace {

// Records that are walked over, hashed, prefetched and compared together.
constexpr size_t kBatch = 64;
constexpr uint64_t kRecordsPerProgress = 1 << 16;

struct Pending {
  Entry entry;
  Snapshot::Lookup lookup;  // in the other Snapshot
};

std::string Shown(std::string_view text) {
  if (text.size() <= kShownBytes) return std::string(text);
  return std::string(text.substr(0, CutAtCharacter(text, kShownBytes))) + "...";
}

// Walks through `from` and hands each record with its counterpart in `other` to `pair`.
template <typename Pair>
class PairedWalk {
 public:
  PairedWalk(const Snapshot& from, const Snapshot& other, Pair pair)
      : from_(from), other_(other), pair_(pair) {}

  Result<void> Run(const std::function<bool(uint64_t done)>& goes_on) {
    bool cancelled = false;
    uint64_t done = 0;
    LARDER_TRY(from_.ForEach([&](const Entry& entry) {
      Take(entry);
      ++done;
      cancelled = done % kRecordsPerProgress == 0 && !goes_on(done);
      return !cancelled;
    }));
    if (cancelled) return Fail(ErrorCode::kCancelled, "diff: cancelled");
    Flush();
    if (!other_.damaged()) return {};
    return Fail(ErrorCode::kCorrupt,
                fmt::format("{}: a part of it could not be read", other_.path()));
  }

 private:
  void Take(const Entry& entry) {
    Pending& pending = batch_[taken_++];
    pending.entry = entry;
    pending.lookup = other_.StartLookup(entry.key);
    other_.PrefetchBucket(pending.lookup.hash);
    if (taken_ == batch_.size()) Flush();
  }
  void Flush() {
    const auto batch = std::span(batch_).first(taken_);
    for (Pending& pending : batch) other_.PrefetchRecord(pending.lookup);
    for (const Pending& pending : batch) {
      pair_(pending.entry, other_.Find(pending.entry.key, pending.lookup));
    }
    taken_ = 0;
  }

  const Snapshot& from_;
  const Snapshot& other_;
  Pair pair_;
  std::array<Pending, kBatch> batch_;
  size_t taken_ = 0;
};

// What is said of two collections, element by element. `Sink` takes (kind, name, before, after).
using OptionalText = std::optional<std::string_view>;

class Describer {
 public:
  Describer(size_t most, std::vector<Change>& changes) : most_(most), changes_(changes) {}

  void Add(Change::Kind kind, std::string_view name, OptionalText before, OptionalText after) {
    ++count_;
    if (changes_.size() >= most_) return;
    Change& change = changes_.emplace_back();
    change.kind = kind;
    change.name = Shown(name);
    if (before) change.before = Shown(*before);
    if (after) change.after = Shown(*after);
  }
  template <typename Number>
  void AddNumber(Change::Kind kind, const std::optional<Number>& before,
                 const std::optional<Number>& after) {
    if (before == after) return;
    const auto text = [](const std::optional<Number>& number) {
      return number ? fmt::format("{}", *number) : std::string();
    };
    const std::string old_text = text(before);
    const std::string new_text = text(after);
    Add(kind, {}, before ? OptionalText(old_text) : std::nullopt,
        after ? OptionalText(new_text) : std::nullopt);
  }

  uint64_t count() const { return count_; }
  // Nothing more is described, and what is counted tells nobody anything.
  bool only_whether() const { return most_ == 0 && count_ > 0; }

 private:
  size_t most_;
  std::vector<Change>& changes_;
  uint64_t count_ = 0;
};

// What of an element is compared beside its name: a field's value, a score as it prints.
OptionalText ContentOf(const CollectionView& view, ValueType type, uint64_t element) {
  if (type == ValueType::kHash) return view.Text(2 * element + 1);
  if (type == ValueType::kZset) return BulkText(view.ScoreBulk(element));
  return std::string_view();
}

std::string_view NameOf(const CollectionView& view, ValueType type, uint64_t element) {
  return view.Text(type == ValueType::kHash ? 2 * element : element);
}

// The element of `view` that is called so. It stands where its counterpart does, most often.
std::optional<uint64_t> FindNamed(const CollectionView& view, ValueType type, std::string_view name,
                                  uint64_t guess) {
  if (guess < view.count() && NameOf(view, type, guess) == name) return guess;
  return view.FindMember(name);
}

void DescribeNamed(const Value& before, const Value& after, Describer& to) {
  const CollectionView old_view(before);
  const CollectionView new_view(after);
  const ValueType type = before.type;
  const auto kind = type == ValueType::kHash ? Change::Kind::kField : Change::Kind::kMember;
  for (uint64_t i = 0; i < old_view.count() && !to.only_whether(); ++i) {
    const std::string_view name = NameOf(old_view, type, i);
    const OptionalText old_content = ContentOf(old_view, type, i);
    const auto found = FindNamed(new_view, type, name, i);
    const OptionalText new_content =
        found ? ContentOf(new_view, type, *found) : OptionalText(std::nullopt);
    if (old_content != new_content) to.Add(kind, name, old_content, new_content);
  }
  for (uint64_t i = 0; i < new_view.count() && !to.only_whether(); ++i) {
    const std::string_view name = NameOf(new_view, type, i);
    if (FindNamed(old_view, type, name, i)) continue;
    to.Add(kind, name, std::nullopt, ContentOf(new_view, type, i));
  }
}

void DescribeList(const Value& before, const Value& after, Describer& to) {
  const CollectionView old_view(before);
  const CollectionView new_view(after);
  const uint64_t most = std::max(old_view.count(), new_view.count());
  const auto element = [](const CollectionView& view, uint64_t number) {
    return number < view.count() ? OptionalText(view.Text(number)) : std::nullopt;
  };
  for (uint64_t i = 0; i < most && !to.only_whether(); ++i) {
    const OptionalText old_text = element(old_view, i);
    const OptionalText new_text = element(new_view, i);
    if (old_text != new_text) {
      to.Add(Change::Kind::kElement, fmt::format("{}", i), old_text, new_text);
    }
  }
}

void DescribeContents(const Value& before, const Value& after, Describer& to) {
  // Equal bytes are equal values; of different ones a collection may be equal all the same.
  if (before.encoded == after.encoded) return;
  switch (before.type) {
    case ValueType::kString:
    case ValueType::kJson:
      if (TextView(before).text() == TextView(after).text()) return;
      return to.Add(Change::Kind::kValue, {}, TextView(before).text(), TextView(after).text());
    case ValueType::kList:
      return DescribeList(before, after, to);
    case ValueType::kHash:
    case ValueType::kSet:
    case ValueType::kZset:
      return DescribeNamed(before, after, to);
  }
}

void Describe(const Value& before, const Value& after, Describer& to) {
  if (before.type == after.type) {
    DescribeContents(before, after, to);
  } else {
    to.Add(Change::Kind::kType, {}, ValueTypeName(before.type), ValueTypeName(after.type));
  }
  to.AddNumber(Change::Kind::kExpiry, before.expires_at_ms, after.expires_at_ms);
  to.AddNumber(Change::Kind::kVersion, before.version, after.version);
  to.AddNumber(Change::Kind::kFlags, std::optional(before.flags), std::optional(after.flags));
}

class Comparison {
 public:
  Comparison(const Snapshot& before, const Snapshot& after, const DifferenceOptions& options)
      : before_(before), after_(after), options_(options) {}

  Result<Difference> Run() {
    const auto total = static_cast<double>(before_.record_count() + after_.record_count());
    const auto goes_on = [&](uint64_t done) {
      return !options_.progress || options_.progress(static_cast<double>(done) / total);
    };
    const auto see_old = [this](const Entry& entry, const std::optional<Value>& other) {
      SeeOld(entry, other);
    };
    LARDER_TRY(PairedWalk(before_, after_, see_old).Run(goes_on));
    const auto see_new = [this](const Entry& entry, const std::optional<Value>& other) {
      if (other) return;
      ++found_.added;
      Sample(found_.added_samples, entry);
    };
    const uint64_t passed = before_.record_count();
    LARDER_TRY(PairedWalk(after_, before_, see_new).Run([&](uint64_t done) {
      return goes_on(passed + done);
    }));
    return std::move(found_);
  }

 private:
  void SeeOld(const Entry& entry, const std::optional<Value>& other) {
    if (!other) {
      ++found_.removed;
      return Sample(found_.removed_samples, entry);
    }
    if (SameMeaning(entry.value, *other)) {
      ++found_.equal;
      return;
    }
    ++found_.changed;
    if (found_.changed_samples.size() >= options_.samples) return;
    Sample(found_.changed_samples, entry);
    KeySample& sample = found_.changed_samples.back();
    sample.change_count = DescribeChanges(entry.value, *other, kShownChanges, sample.changes);
  }
  void Sample(std::vector<KeySample>& samples, const Entry& entry) const {
    if (samples.size() >= options_.samples) return;
    KeySample& sample = samples.emplace_back();
    sample.key = entry.key;
    sample.type = entry.value.type;
  }

  const Snapshot& before_;
  const Snapshot& after_;
  const DifferenceOptions& options_;
  Difference found_;
};

}  // namespace

size_t CutAtCharacter(std::string_view text, size_t most) {
  if (text.size() <= most) return text.size();
  constexpr size_t kLongestCharacter = 4;
  for (size_t cut = most; cut + kLongestCharacter > most && cut > 0; --cut) {
    const bool continues = (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80;
    if (!continues) return cut;
  }
  return most;
}

bool SameMeaning(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  std::vector<Change> none;
  Describer whether(0, none);
  Describe(a, b, whether);
  return whether.count() == 0;
}

uint64_t DescribeChanges(const Value& before, const Value& after, size_t most,
                         std::vector<Change>& changes) {
  Describer describer(most, changes);
  Describe(before, after, describer);
  return describer.count();
}

Result<Difference> Compare(const Snapshot& before, const Snapshot& after,
                           const DifferenceOptions& options) {
  return Comparison(before, after, options).Run();
}

}  // namespace larder::snapshot
