#include "json_path/select.h"

#include <algorithm>
#include <charconv>
#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <re2/re2.h>

namespace larder::json_path {
namespace {

// What compiling a regular expression that stands in the document counts.
constexpr uint64_t kPatternVisits = 1000;

// As much as looking at one value: so many bytes compared, or so many instructions of a regular
// expression gone through (RE2 is linear in the text, but at worst times those).
constexpr uint64_t kBytesPerVisit = 64;
constexpr uint64_t kInstructionsPerVisit = 16;

// What a term of a filter stands for.
struct Operand {
  enum class Kind : uint8_t { kNothing, kNull, kBoolean, kInteger, kNumber, kText, kContainer };

  Kind kind = Kind::kNothing;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string_view text = {};
  std::optional<uint32_t> node = {};  // of the document
};

void ReadNumber(std::string_view raw, JsonType type, Operand& operand) {
  operand.kind = Operand::Kind::kInteger;
  const char* end = raw.data() + raw.size();
  if (type == JsonType::kInteger &&
      std::from_chars(raw.data(), end, operand.integer).ec == std::errc()) {
    return;
  }
  operand.kind = Operand::Kind::kNumber;
  std::from_chars(raw.data(), end, operand.number);
}

Operand OperandOf(std::span<const Node> nodes, uint32_t number) {
  const Node& node = nodes[number];
  Operand operand{.node = number};
  switch (node.type) {
    case JsonType::kNull:
      operand.kind = Operand::Kind::kNull;
      break;
    case JsonType::kBoolean:
      operand.kind = Operand::Kind::kBoolean;
      operand.boolean = node.raw == "true";
      break;
    case JsonType::kInteger:
    case JsonType::kNumber:
      ReadNumber(node.raw, node.type, operand);
      break;
    case JsonType::kString:
      operand.kind = Operand::Kind::kText;
      operand.text = node.text;
      break;
    case JsonType::kArray:
    case JsonType::kObject:
      operand.kind = Operand::Kind::kContainer;
      break;
  }
  return operand;
}

Operand OperandOf(const Term& term) {
  switch (term.kind) {
    case Term::Kind::kNull:
      return {.kind = Operand::Kind::kNull};
    case Term::Kind::kBoolean:
      return {.kind = Operand::Kind::kBoolean, .boolean = term.boolean};
    case Term::Kind::kInteger:
      return {.kind = Operand::Kind::kInteger, .integer = term.integer};
    case Term::Kind::kNumber:
      return {.kind = Operand::Kind::kNumber, .number = term.number};
    case Term::Kind::kString:
      return {.kind = Operand::Kind::kText, .text = term.text};
    case Term::Kind::kFromCurrent:
    case Term::Kind::kFromRoot:
      break;
  }
  return {};
}

bool IsNumber(const Operand& operand) {
  return operand.kind == Operand::Kind::kInteger || operand.kind == Operand::Kind::kNumber;
}

double AsDouble(const Operand& operand) {
  return operand.kind == Operand::Kind::kInteger ? static_cast<double>(operand.integer)
                                                 : operand.number;
}

// Unordered: the two cannot be compared.
std::partial_ordering Compare(const Operand& left, const Operand& right) {
  if (IsNumber(left) && IsNumber(right)) {
    if (left.kind == right.kind && left.kind == Operand::Kind::kInteger) {
      return left.integer <=> right.integer;
    }
    return AsDouble(left) <=> AsDouble(right);
  }
  if (left.kind != right.kind) return std::partial_ordering::unordered;
  switch (left.kind) {
    case Operand::Kind::kNull:
      return std::partial_ordering::equivalent;
    case Operand::Kind::kBoolean:
      return left.boolean <=> right.boolean;
    case Operand::Kind::kText:
      return left.text <=> right.text;
    default:
      return std::partial_ordering::unordered;
  }
}

std::optional<uint32_t> MemberOf(std::span<const Node> nodes, uint32_t object,
                                 std::string_view name) {
  for (uint32_t child = object + 1; child < nodes[object].end; child = nodes[child].end) {
    if (nodes[child].name == name) return child;
  }
  return std::nullopt;
}

class Selector {
 public:
  Selector(std::span<const Node> nodes, uint64_t& visits) : nodes_(nodes), visits_(visits) {}

  void Apply(std::span<const Step> steps, uint32_t node, std::vector<uint32_t>& matches);
  bool exhausted() const { return visits_ > kMaxVisits; }

 private:
  using Steps = std::span<const Step>;

  void ApplyStep(Steps steps, uint32_t node, std::vector<uint32_t>& matches);
  void ApplyNames(Steps steps, uint32_t node, std::vector<uint32_t>& matches);
  void ApplyIndices(Steps steps, uint32_t node, std::vector<uint32_t>& matches);
  void ApplySlice(Steps steps, uint32_t node, std::vector<uint32_t>& matches);
  void ApplyFilter(Steps steps, uint32_t node, std::vector<uint32_t>& matches);

  bool Holds(const Condition& condition, uint32_t node);
  bool HoldsComparison(const Condition& condition, uint32_t node);
  bool AreEqual(const Operand& left, const Operand& right);
  bool Matches(const Condition& condition, const Operand& left, const Operand& right);
  bool Search(std::string_view text, const re2::RE2& pattern);
  Operand Evaluate(const Term& term, uint32_t node);

  // Counted; true while there may be more.
  bool Visit(uint64_t values = 1) {
    visits_ += values;
    return visits_ <= kMaxVisits;
  }

  std::span<const Node> nodes_;
  uint64_t& visits_;
};

void Selector::Apply(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  if (!Visit()) return;
  if (steps.empty()) return matches.push_back(node);
  if (!steps[0].descends) return ApplyStep(steps, node, matches);
  // All that is in a node stands behind it.
  for (uint32_t each = node; each < nodes_[node].end && Visit(); ++each) {
    ApplyStep(steps, each, matches);
  }
}

void Selector::ApplyStep(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  switch (steps[0].kind) {
    case Step::Kind::kNames:
      return ApplyNames(steps, node, matches);
    case Step::Kind::kIndices:
      return ApplyIndices(steps, node, matches);
    case Step::Kind::kSlice:
      return ApplySlice(steps, node, matches);
    case Step::Kind::kFilter:
      return ApplyFilter(steps, node, matches);
    case Step::Kind::kEvery:
      for (uint32_t child = node + 1; child < nodes_[node].end; child = nodes_[child].end) {
        Apply(steps.subspan(1), child, matches);
      }
  }
}

void Selector::ApplyNames(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  if (nodes_[node].type != JsonType::kObject) return;
  for (const std::string& name : steps[0].names) {
    if (!Visit(nodes_[node].count)) return;
    const auto child = MemberOf(nodes_, node, name);
    if (child) Apply(steps.subspan(1), *child, matches);
  }
}

// As RedisJSON: one before the front is the first.
int64_t FromFront(int64_t index, int64_t count) {
  return index >= 0 ? std::min(index, count) : std::max(index + count, int64_t{0});
}

void Selector::ApplyIndices(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  if (nodes_[node].type != JsonType::kArray) return;
  for (const int64_t index : steps[0].indices) {
    const int64_t wanted = FromFront(index, nodes_[node].count);
    if (!Visit(static_cast<uint64_t>(wanted))) return;
    uint32_t child = node + 1;
    for (int64_t i = 0; i < wanted && child < nodes_[node].end; ++i) child = nodes_[child].end;
    if (child < nodes_[node].end) Apply(steps.subspan(1), child, matches);
  }
}

void Selector::ApplySlice(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  if (nodes_[node].type != JsonType::kArray) return;
  const Step& step = steps[0];
  const int64_t count = nodes_[node].count;
  const int64_t first = FromFront(step.first.value_or(0), count);
  const int64_t end = FromFront(step.end.value_or(count), count);
  uint32_t child = node + 1;
  for (int64_t i = 0; i < end && Visit(); ++i) {
    if (i >= first && (i - first) % step.stride == 0) Apply(steps.subspan(1), child, matches);
    child = nodes_[child].end;
  }
}

// What a filter asks of the children of a container, it asks of every other value itself.
void Selector::ApplyFilter(Steps steps, uint32_t node, std::vector<uint32_t>& matches) {
  const Condition& condition = steps[0].filter[0];
  const JsonType type = nodes_[node].type;
  if (type != JsonType::kArray && type != JsonType::kObject) {
    if (Holds(condition, node)) Apply(steps.subspan(1), node, matches);
    return;
  }
  for (uint32_t child = node + 1; child < nodes_[node].end; child = nodes_[child].end) {
    if (!Visit()) return;
    if (Holds(condition, child)) Apply(steps.subspan(1), child, matches);
  }
}

bool Selector::Holds(const Condition& condition, uint32_t node) {
  const auto holds = [this, node](const Condition& each) { return Holds(each, node); };
  switch (condition.kind) {
    case Condition::Kind::kAny:
      return std::any_of(condition.operands.begin(), condition.operands.end(), holds);
    case Condition::Kind::kAll:
      return std::all_of(condition.operands.begin(), condition.operands.end(), holds);
    case Condition::Kind::kExists:
      return Evaluate(condition.left, node).kind != Operand::Kind::kNothing;
    case Condition::Kind::kCompare:
      return HoldsComparison(condition, node);
  }
  return false;
}

bool Selector::HoldsComparison(const Condition& condition, uint32_t node) {
  const Operand left = Evaluate(condition.left, node);
  const Operand right = Evaluate(condition.right, node);
  if (!Visit(std::min(left.text.size(), right.text.size()) / kBytesPerVisit)) return false;
  const std::partial_ordering order = Compare(left, right);
  switch (condition.op) {
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    case Operator::kGreaterEqual:
      return order >= 0;
    case Operator::kEqual:
      return AreEqual(left, right);
    case Operator::kNotEqual:
      return !AreEqual(left, right);
    case Operator::kMatches:
      return Matches(condition, left, right);
  }
  return false;
}

bool Selector::AreEqual(const Operand& left, const Operand& right) {
  if (left.kind != Operand::Kind::kContainer || right.kind != Operand::Kind::kContainer) {
    return Compare(left, right) == 0;
  }
  // Members are looked for by name, at worst all of them for each.
  for (uint32_t node = *left.node; node < nodes_[*left.node].end; ++node) {
    const uint64_t count = nodes_[node].type == JsonType::kObject ? nodes_[node].count : 0;
    if (!Visit(1 + count * count + nodes_[node].text.size() / kBytesPerVisit)) return false;
  }
  return Equal(nodes_, *left.node, nodes_, *right.node);
}

// Only texts of the document are matched, and anywhere in them.
bool Selector::Matches(const Condition& condition, const Operand& left, const Operand& right) {
  if (left.kind != Operand::Kind::kText || right.kind != Operand::Kind::kText || !left.node) {
    return false;
  }
  if (!right.node) {
    return condition.pattern != nullptr && Search(left.text, *condition.pattern);
  }
  if (!Visit(kPatternVisits + right.text.size()) || right.text.size() > kMaxPathBytes) return false;
  const auto pattern = CompilePattern(std::string(right.text));
  return pattern != nullptr && Search(left.text, *pattern);
}

bool Selector::Search(std::string_view text, const re2::RE2& pattern) {
  const auto size = static_cast<uint64_t>(pattern.ProgramSize());
  return Visit(text.size() * size / kInstructionsPerVisit) && re2::RE2::PartialMatch(text, pattern);
}

Operand Selector::Evaluate(const Term& term, uint32_t node) {
  const bool from_root = term.kind == Term::Kind::kFromRoot;
  if (!from_root && term.kind != Term::Kind::kFromCurrent) return OperandOf(term);
  const uint32_t start = from_root ? 0 : node;
  if (term.steps.empty()) return OperandOf(nodes_, start);
  std::vector<uint32_t> found;
  Apply(term.steps, start, found);
  return found.size() == 1 ? OperandOf(nodes_, found[0]) : Operand{};
}

bool EqualObjects(std::span<const Node> left, uint32_t left_node, std::span<const Node> right,
                  uint32_t right_node) {
  for (uint32_t child = left_node + 1; child < left[left_node].end; child = left[child].end) {
    const auto other = MemberOf(right, right_node, left[child].name);
    if (!other || !Equal(left, child, right, *other)) return false;
  }
  return true;
}

}  // namespace

bool Equal(std::span<const Node> left, uint32_t left_node, std::span<const Node> right,
           uint32_t right_node) {
  const Node& a = left[left_node];
  const Node& b = right[right_node];
  const bool container = a.type == JsonType::kArray || a.type == JsonType::kObject;
  if (!container) return Compare(OperandOf(left, left_node), OperandOf(right, right_node)) == 0;
  if (a.type != b.type || a.count != b.count) return false;
  if (a.type == JsonType::kObject) return EqualObjects(left, left_node, right, right_node);
  uint32_t other = right_node + 1;
  for (uint32_t child = left_node + 1; child < a.end; child = left[child].end) {
    if (!Equal(left, child, right, other)) return false;
    other = right[other].end;
  }
  return true;
}

Result<void> Select(const Document& document, const std::vector<Step>& steps,
                    std::vector<uint32_t>& matches) {
  uint64_t visits = 0;
  return Select(document, steps, matches, visits);
}

Result<void> Select(const Document& document, const std::vector<Step>& steps,
                    std::vector<uint32_t>& matches, uint64_t& visits) {
  matches.clear();
  Selector selector(document.nodes(), visits);
  selector.Apply(steps, 0, matches);
  if (!selector.exhausted()) return {};
  return Fail(ErrorCode::kLimit,
              fmt::format("ERR the path looks at more than {} values", kMaxVisits));
}

}  // namespace larder::json_path
