// Sorted sets together: intersections, unions, differences. Sets may take part: their members score
// 1 each.
#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_lookup.h"
#include "command/member_sets.h"
#include "command/scored_members.h"
#include "command/zset_reply.h"

namespace larder::command {
namespace {

using snapshot::CollectionView;

enum class Operation : uint8_t { kUnion, kInter, kInterCard, kDiff };
enum class Aggregate : uint8_t { kSum, kMin, kMax };

struct Input {
  CollectionView view;
  bool is_set = false;
  double weight = 1;
  size_t place = 0;  // among the arguments

  uint64_t count() const { return view.count(); }
  double Score(uint64_t element) const { return weight * (is_set ? 1 : view.Score(element)); }
};

struct Request {
  std::vector<Input> inputs;
  Aggregate aggregate = Aggregate::kSum;
  bool with_scores = false;
  uint64_t limit = kNoLimit;
};

// As Redis adds infinities of both signs: to 0. A comparison with what is no number changes
// nothing.
void Add(Aggregate how, double value, double& to) {
  switch (how) {
    case Aggregate::kSum:
      to += value;
      if (std::isnan(to)) to = 0;
      return;
    case Aggregate::kMin:
      if (value < to) to = value;
      return;
    case Aggregate::kMax:
      if (value > to) to = value;
      return;
  }
}

double OrZero(double score) { return std::isnan(score) ? 0 : score; }

// False: refused and answered.
bool FindInputs(Context& context, Arguments keys, std::vector<Input>& inputs) {
  inputs.reserve(keys.size());
  bool right_types = true;
  FindEach(context, keys, [&](size_t, const std::optional<snapshot::Value>& value) {
    const bool is_set = value && value->type == ValueType::kSet;
    if (value && !is_set && value->type != ValueType::kZset) right_types = false;
    inputs.push_back({.view = CollectionView(value.value_or(snapshot::Value{})), .is_set = is_set});
  });
  if (!right_types) context.reply.Error(kWrongType);
  return right_types;
}

// How many words the option at `options[0]` takes; 0: it is none, or not here; none: refused and
// answered.
std::optional<size_t> ReadOption(Context& context, Operation operation, Arguments options,
                                 Request& request) {
  const bool scored = operation == Operation::kUnion || operation == Operation::kInter;
  const size_t left = options.size() - 1;
  if (scored && left >= request.inputs.size() && IsOption(options[0], "weights")) {
    for (size_t i = 0; i < request.inputs.size(); ++i) {
      const auto weight = ParseDouble(options[1 + i]);
      if (!weight) {
        context.reply.Error("ERR weight value is not a float");
        return std::nullopt;
      }
      request.inputs[i].weight = *weight;
    }
    return 1 + request.inputs.size();
  }
  if (scored && left >= 1 && IsOption(options[0], "aggregate")) {
    if (IsOption(options[1], "sum")) {
      request.aggregate = Aggregate::kSum;
    } else if (IsOption(options[1], "min")) {
      request.aggregate = Aggregate::kMin;
    } else if (IsOption(options[1], "max")) {
      request.aggregate = Aggregate::kMax;
    } else {
      return 0;
    }
    return 2;
  }
  if (operation != Operation::kInterCard && IsOption(options[0], "withscores")) {
    request.with_scores = true;
    return 1;
  }
  if (operation == Operation::kInterCard && left >= 1 && IsOption(options[0], "limit")) {
    const auto limit = ParseInteger(options[1]);
    if (!limit || *limit < 0) {
      context.reply.Error("ERR LIMIT can't be negative");
      return std::nullopt;
    }
    request.limit = *limit == 0 ? kNoLimit : static_cast<uint64_t>(*limit);
    return 2;
  }
  return 0;
}

// None: refused and answered. As in Redis, types are looked at before the options.
std::optional<Request> ReadRequest(Context& context, Operation operation, Arguments args) {
  const auto count = ParseInteger(args[1]);
  if (!count) {
    context.reply.Error(kNotAnInteger);
    return std::nullopt;
  }
  if (*count < 1) {
    context.reply.Error("ERR at least 1 input key is needed for '" +
                        std::string(context.spec->name) + "' command");
    return std::nullopt;
  }
  const Arguments rest = args.subspan(2);
  if (static_cast<uint64_t>(*count) > rest.size()) {
    context.reply.Error(kSyntaxError);
    return std::nullopt;
  }
  const auto keys = static_cast<size_t>(*count);
  Request request;
  if (!FindInputs(context, rest.first(keys), request.inputs)) return std::nullopt;
  for (Arguments options = rest.subspan(keys); !options.empty();) {
    const auto taken = ReadOption(context, operation, options, request);
    if (!taken) return std::nullopt;
    if (*taken == 0) {
      context.reply.Error(kSyntaxError);
      return std::nullopt;
    }
    options = options.subspan(*taken);
  }
  return request;
}

// The smallest first. Also because sums of floating point depend on their order: those of equal
// size stay as they were given.
void SortBySize(std::vector<Input>& inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i].place = i;
  std::ranges::sort(inputs, [](const Input& left, const Input& right) {
    return std::pair(left.count(), left.place) < std::pair(right.count(), right.place);
  });
}

ScoredMembers Intersect(const Request& request) {
  const Input& first = request.inputs.front();
  const auto others = std::span(request.inputs).subspan(1);
  std::deque<MemberLookup> lookups;
  for (const Input& other : others) lookups.emplace_back(other.view, first.count());
  // The element's score with those that it has in the others; none: one of them lacks it.
  const auto combined = [&](uint64_t element, std::string_view member) -> std::optional<double> {
    double score = OrZero(first.Score(element));
    for (size_t i = 0; i < others.size(); ++i) {
      const auto found =
          IsSame(others[i].view, first.view) ? std::optional(element) : lookups[i].Find(member);
      if (!found) return std::nullopt;
      Add(request.aggregate, others[i].Score(*found), score);
    }
    return score;
  };
  ScoredMembers result;
  for (uint64_t element = 0; element < first.count(); ++element) {
    const std::string_view bulk = first.view.Bulk(element);
    const std::string_view member = snapshot::BulkText(bulk);
    const auto score = combined(element, member);
    if (score) result.Add(bulk, member, *score);
  }
  return result;
}

// Members are met input by input, the smallest first, and their scores added up in that order.
// Those of the largest input stand at their numbers there, found by its table; only the others need
// one.
class Union {
 public:
  explicit Union(const Request& request) : request_(request), largest_(request.inputs.back()) {
    uint64_t others = 0;
    const auto inputs = std::span(request.inputs).first(request.inputs.size() - 1);
    for (const Input& input : inputs) others += input.count();
    in_largest_.resize(others == 0 ? 0 : largest_.count());
    if (inputs.size() > 1) numbers_.reserve(others);
    const MemberLookup lookup(largest_.view, others);
    for (const Input& input : inputs) Meet(input, lookup, inputs.size() > 1);
  }

  ScoredMembers Take() {
    ScoredMembers result;
    result.Reserve(largest_.count() + rest_.size());
    for (uint64_t element = 0; element < largest_.count(); ++element) {
      double score = OrZero(largest_.Score(element));
      if (!in_largest_.empty() && in_largest_[element].met) {
        const double own = score;
        score = in_largest_[element].score;
        Add(request_.aggregate, own, score);
      }
      const std::string_view bulk = largest_.view.Bulk(element);
      result.Add(bulk, snapshot::BulkText(bulk), score);
    }
    for (const Rest& member : rest_) result.Add(member.bulk, member.text, member.score);
    return result;
  }

 private:
  struct Met {
    double score = 0;
    bool met = false;
  };
  struct Rest {
    std::string_view bulk;
    std::string_view text;
    double score;
  };

  void Meet(const Input& input, const MemberLookup& largest, bool several) {
    const bool is_largest = IsSame(input.view, largest_.view);
    for (uint64_t element = 0; element < input.count(); ++element) {
      const double score = OrZero(input.Score(element));
      const std::string_view bulk = input.view.Bulk(element);
      const std::string_view text = snapshot::BulkText(bulk);
      const auto found = is_largest ? std::optional(element) : largest.Find(text);
      if (found && *found < in_largest_.size()) {
        Met& met = in_largest_[*found];
        if (met.met) Add(request_.aggregate, score, met.score);
        if (!met.met) met = {.score = score, .met = true};
        continue;
      }
      if (several) {
        const auto [at, is_new] = numbers_.try_emplace(text, rest_.size());
        if (!is_new) {
          Add(request_.aggregate, score, rest_[at->second].score);
          continue;
        }
      }
      rest_.push_back({.bulk = bulk, .text = text, .score = score});
    }
  }

  const Request& request_;
  const Input& largest_;
  std::vector<Met> in_largest_;
  std::vector<Rest> rest_;
  std::unordered_map<std::string_view, size_t>
      numbers_;  // in rest_; unless there is one input only
};

void AnswerSorted(Context& context, ScoredMembers result, bool with_scores) {
  result.Sort();
  result.Answer(context, with_scores);
}

}  // namespace

void ZInter(Context& context, Arguments args) {
  auto request = ReadRequest(context, Operation::kInter, args);
  if (!request) return;
  SortBySize(request->inputs);
  AnswerSorted(context, Intersect(*request), request->with_scores);
}

void ZInterCard(Context& context, Arguments args) {
  auto request = ReadRequest(context, Operation::kInterCard, args);
  if (!request) return;
  SortBySize(request->inputs);
  std::vector<CollectionView> views;
  for (const Input& input : request->inputs) views.push_back(input.view);
  const auto elements = InAll(views[0], std::span(views).subspan(1), request->limit);
  context.reply.Integer(static_cast<int64_t>(elements.size()));
}

void ZUnion(Context& context, Arguments args) {
  auto request = ReadRequest(context, Operation::kUnion, args);
  if (!request) return;
  SortBySize(request->inputs);
  AnswerSorted(context, Union(*request).Take(), request->with_scores);
}

void ZDiff(Context& context, Arguments args) {
  const auto request = ReadRequest(context, Operation::kDiff, args);
  if (!request) return;
  const Input& first = request->inputs.front();
  std::vector<CollectionView> others;
  for (const Input& input : std::span(request->inputs).subspan(1)) others.push_back(input.view);
  const std::vector<uint64_t> elements = InNone(first.view, others);
  if (first.is_set) {
    ScoredMembers result;
    for (const uint64_t element : elements) {
      const std::string_view bulk = first.view.Bulk(element);
      result.Add(bulk, snapshot::BulkText(bulk), 1);
    }
    return AnswerSorted(context, std::move(result), request->with_scores);
  }
  // A sorted set's elements stand in the order that is asked for.
  AnswerMemberCount(context, elements.size(), request->with_scores);
  if (!request->with_scores) return AnswerElements(context, first.view, elements);
  for (const uint64_t element : elements) AnswerMember(context, first.view, element, true);
}

}  // namespace larder::command
