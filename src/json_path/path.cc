#include "json_path/path.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

namespace larder::json_path {
namespace {

constexpr int64_t kMaxPatternMemory = int64_t{1} << 20;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// What a name may consist of when it stands behind a dot.
bool IsNameByte(char c) {
  constexpr std::string_view kSigns = "-_`~+#%$^/:";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || IsDigit(c) ||
         kSigns.find(c) != std::string_view::npos;
}

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  Result<std::vector<Step>> Parse();

 private:
  // The rest of a path behind "$" or "@".
  bool ReadSteps(std::vector<Step>& steps);
  bool ReadStep(Step& step, bool& ended);
  bool ReadBareStep(Step& step);
  bool ReadBracket(Step& step);
  bool ReadInBracket(Step& step);
  bool ReadNames(Step& step);
  bool ReadNumbers(Step& step);
  bool ReadSlice(Step& step);
  bool ReadFilter(Step& step);

  bool ReadAny(Condition& condition);
  bool ReadAll(Condition& condition);
  bool ReadOperand(Condition& condition);
  bool ReadParenthesized(Condition& condition);
  bool ReadComparison(Condition& condition);
  bool ReadOperator(Operator& op, bool& found);
  bool ReadTerm(Term& term);
  bool ReadConstant(Term& term);
  bool ReadDecimal(Term& term);

  bool ReadQuoted(std::string& text);
  bool ReadInteger(int64_t& number);

  // Blanks between tokens mean nothing.
  char Peek() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(std::string_view token) {
    Peek();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool AtEnd() {
    Peek();
    return at_ == text_.size();
  }
  bool Expected(std::string_view what) {
    wanted_ = what;
    return false;
  }
  Error ErrorHere() const;

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string_view wanted_;
};

Result<std::vector<Step>> PathParser::Parse() {
  std::vector<Step> steps;
  if (text_.size() > kMaxPathBytes) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("ERR the path has {} bytes, more than {}",
                                                         text_.size(), kMaxPathBytes));
  }
  if (!Take("$")) {
    Expected("'$'");
    return std::unexpected(ErrorHere());
  }
  if (!ReadSteps(steps)) return std::unexpected(ErrorHere());
  if (!AtEnd()) {
    Expected("'.', '..', '[' or the end of the path");
    return std::unexpected(ErrorHere());
  }
  return steps;
}

Error PathParser::ErrorHere() const {
  const std::string_view before = text_.substr(0, at_);
  const std::string_view rest = text_.substr(at_);
  std::string marked = rest.empty() ? fmt::format("\"{} <<<<----\"", before)
                                    : fmt::format("\"{} ---->>>> {}\"", before, rest);
  return {ErrorCode::kInvalidArgument,
          fmt::format("Error occurred on position {}, {}, expected one of the following: {}.", at_,
                      marked, wanted_)};
}

bool PathParser::ReadSteps(std::vector<Step>& steps) {
  bool ended = false;
  // The first one needs no dot: "@price".
  if (IsNameByte(Peek()) || Peek() == '*') {
    if (!ReadBareStep(steps.emplace_back())) return false;
  }
  while (!ended) {
    Step step;
    if (!ReadStep(step, ended)) return false;
    if (ended) break;
    if (steps.size() == kMaxSteps) return Expected("the end of the path, which has too many steps");
    steps.push_back(std::move(step));
  }
  return true;
}

bool PathParser::ReadStep(Step& step, bool& ended) {
  if (Take("..")) {
    step.descends = true;
    return Peek() == '[' ? ReadBracket(step) : ReadBareStep(step);
  }
  if (Take(".")) return Peek() == '[' ? ReadBracket(step) : ReadBareStep(step);
  if (Peek() == '[') return ReadBracket(step);
  ended = true;
  return true;
}

bool PathParser::ReadBareStep(Step& step) {
  if (Take("*")) {
    step.kind = Step::Kind::kEvery;
    return true;
  }
  Peek();
  const size_t first = at_;
  while (at_ < text_.size() && IsNameByte(text_[at_])) ++at_;
  if (at_ == first) return Expected("a name, '*' or '['");
  step.kind = Step::Kind::kNames;
  step.names.emplace_back(text_.substr(first, at_ - first));
  return true;
}

bool PathParser::ReadBracket(Step& step) {
  Take("[");
  if (!ReadInBracket(step)) return false;
  return Take("]") || Expected("']'");
}

bool PathParser::ReadInBracket(Step& step) {
  const char next = Peek();
  if (next == '?') return ReadFilter(step);
  if (next == '*') {
    step.kind = Step::Kind::kEvery;
    return Take("*");
  }
  if (next == '"' || next == '\'') return ReadNames(step);
  if (next == ':' || next == '-' || IsDigit(next)) return ReadNumbers(step);
  return Expected("a quoted name, a number, a slice, '*' or '?'");
}

bool PathParser::ReadNames(Step& step) {
  step.kind = Step::Kind::kNames;
  do {
    if (!ReadQuoted(step.names.emplace_back())) return false;
  } while (Take(","));
  return true;
}

bool PathParser::ReadNumbers(Step& step) {
  if (Peek() == ':') return ReadSlice(step);
  step.kind = Step::Kind::kIndices;
  if (!ReadInteger(step.indices.emplace_back())) return false;
  if (Peek() == ':') {
    step.first = step.indices.back();
    step.indices.clear();
    return ReadSlice(step);
  }
  while (Take(",")) {
    if (!ReadInteger(step.indices.emplace_back())) return false;
  }
  return true;
}

bool PathParser::ReadSlice(Step& step) {
  step.kind = Step::Kind::kSlice;
  Take(":");
  if (Peek() == '-' || IsDigit(Peek())) {
    if (!ReadInteger(step.end.emplace())) return false;
  }
  if (!Take(":") || Peek() == ']') return true;
  const size_t first = at_;
  if (!ReadInteger(step.stride)) return false;
  if (step.stride > 0) return true;
  at_ = first;
  return Expected("a step of at least 1");
}

bool PathParser::ReadFilter(Step& step) {
  Take("?");
  step.kind = Step::Kind::kFilter;
  return ReadAny(step.filter.emplace_back());
}

// A && B || C: what && joins belongs together.
bool PathParser::ReadAny(Condition& condition) {
  if (depth_ == kMaxFilterDepth) return Expected("a filter that is nested less deeply");
  ++depth_;
  Condition any{.kind = Condition::Kind::kAny};
  do {
    if (!ReadAll(any.operands.emplace_back())) return false;
  } while (Take("||"));
  --depth_;
  condition = any.operands.size() == 1 ? std::move(any.operands[0]) : std::move(any);
  return true;
}

bool PathParser::ReadAll(Condition& condition) {
  Condition all{.kind = Condition::Kind::kAll};
  do {
    if (!ReadOperand(all.operands.emplace_back())) return false;
  } while (Take("&&"));
  condition = all.operands.size() == 1 ? std::move(all.operands[0]) : std::move(all);
  return true;
}

bool PathParser::ReadOperand(Condition& condition) {
  return Peek() == '(' ? ReadParenthesized(condition) : ReadComparison(condition);
}

bool PathParser::ReadParenthesized(Condition& condition) {
  Take("(");
  if (!ReadAny(condition)) return false;
  return Take(")") || Expected("an operator, '&&', '||' or ')'");
}

bool PathParser::ReadComparison(Condition& condition) {
  if (!ReadTerm(condition.left)) return false;
  bool found = false;
  if (!ReadOperator(condition.op, found)) return false;
  if (!found) return true;
  condition.kind = Condition::Kind::kCompare;
  if (!ReadTerm(condition.right)) return false;
  if (condition.op == Operator::kMatches && condition.right.kind == Term::Kind::kString) {
    condition.pattern = CompilePattern(condition.right.text);
  }
  return true;
}

bool PathParser::ReadOperator(Operator& op, bool& found) {
  static constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {">=", Operator::kGreaterEqual}, {">", Operator::kGreater}, {"<=", Operator::kLessEqual},
      {"<", Operator::kLess},          {"==", Operator::kEqual},  {"!=", Operator::kNotEqual},
      {"=~", Operator::kMatches},
  };
  for (const auto& [token, meaning] : kOperators) {
    if (!Take(token)) continue;
    op = meaning;
    found = true;
    return true;
  }
  const char next = Peek();
  return (next != '=' && next != '!') || Expected("'==', '!=', '=~', '<', '<=', '>' or '>='");
}

bool PathParser::ReadTerm(Term& term) {
  const char next = Peek();
  if (next == '@' || next == '$') {
    term.kind = next == '@' ? Term::Kind::kFromCurrent : Term::Kind::kFromRoot;
    ++at_;
    return ReadSteps(term.steps);
  }
  if (next == '"' || next == '\'') {
    term.kind = Term::Kind::kString;
    return ReadQuoted(term.text);
  }
  if (next == '-' || IsDigit(next)) return ReadDecimal(term);
  return ReadConstant(term);
}

bool PathParser::ReadConstant(Term& term) {
  if (Take("null")) {
    term.kind = Term::Kind::kNull;
    return true;
  }
  term.kind = Term::Kind::kBoolean;
  term.boolean = Take("true");
  if (term.boolean || Take("false")) return true;
  return Expected("'@', '$', '(', a number, a quoted text, true, false or null");
}

bool PathParser::ReadDecimal(Term& term) {
  const size_t first = at_;
  int64_t whole = 0;
  if (!ReadInteger(whole)) return false;
  term.kind = Term::Kind::kInteger;
  term.integer = whole;
  if (at_ + 1 >= text_.size() || text_[at_] != '.' || !IsDigit(text_[at_ + 1])) return true;
  ++at_;
  while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
  term.kind = Term::Kind::kNumber;
  std::from_chars(text_.data() + first, text_.data() + at_, term.number);
  return true;
}

bool PathParser::ReadQuoted(std::string& text) {
  const char quote = Peek();
  if (quote != '"' && quote != '\'') return Expected("a quoted text");
  size_t at = at_ + 1;
  for (; at < text_.size() && text_[at] != quote; ++at) {
    if (text_[at] == '\\') {
      ++at;
      if (at == text_.size() || (text_[at] != quote && text_[at] != '\\')) {
        at_ = at;
        return Expected("a quote or a backslash behind the backslash");
      }
    }
    text += text_[at];
  }
  if (at >= text_.size()) {
    at_ = text_.size();
    return Expected("the quote that ends the text");
  }
  at_ = at + 1;
  return true;
}

bool PathParser::ReadInteger(int64_t& number) {
  Peek();
  const size_t first = at_;
  size_t at = at_ + (text_.substr(at_).starts_with('-') ? 1 : 0);
  const size_t digits = at;
  while (at < text_.size() && IsDigit(text_[at])) ++at;
  if (at == digits) return Expected("a number");
  if (text_[digits] == '0') at = digits + 1;  // what follows a zero is not of the number
  const auto [end, error] = std::from_chars(text_.data() + first, text_.data() + at, number);
  if (error != std::errc()) return Expected("a number of 64 bits");
  at_ = static_cast<size_t>(end - text_.data());
  return true;
}

}  // namespace

Result<std::vector<Step>> Compile(std::string_view path) { return PathParser(path).Parse(); }

PathText::PathText(std::string_view path) : original(path) {
  legacy = !path.starts_with('$') || (path.size() > 1 && path[1] != '.' && path[1] != '[');
  if (!legacy) {
    dollar = path;
  } else if (path == ".") {
    dollar = "$";
  } else {
    dollar = (path.starts_with('.') ? "$" : "$.") + std::string(path);
  }
}

bool IsSingular(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const bool one_name = step.kind == Step::Kind::kNames && step.names.size() == 1;
    const bool one_index =
        step.kind == Step::Kind::kIndices && step.indices.size() == 1 && step.indices[0] >= 0;
    if (step.descends || (!one_name && !one_index)) return false;
  }
  return true;
}

std::shared_ptr<const re2::RE2> CompilePattern(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxPatternMemory);
  auto compiled = std::make_shared<const re2::RE2>(pattern, options);
  return compiled->ok() ? compiled : nullptr;
}

}  // namespace larder::json_path
