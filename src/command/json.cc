// JSON values: the reading commands of RedisJSON 2, over the text that is stored (docs/json.md).
// Which reply has which form, and its error texts, are RedisJSON's, odd as they are
// (docs/decisions/0097-json-commands.md says where each is from).
#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "json_path/document.h"
#include "json_path/json_text.h"
#include "json_path/path.h"
#include "json_path/select.h"

namespace larder::command {
namespace {

using json_path::Document;
using Kind = json_path::JsonType;
using json_path::Layout;
using json_path::Node;
using json_path::PathText;
using json_path::Step;

// RedisJSON's own words; that they have no code is theirs, too.
constexpr std::string_view kOtherType = "Existing key has wrong Redis type";
constexpr std::string_view kNoKey =
    "ERR could not perform this operation on a key that doesn't exist";

constexpr size_t kKeptBytes = size_t{8} << 20;

// What a worker works with, kept from command to command.
struct Workspace {
  Document document;
  std::vector<uint32_t> matches;
  std::string text;

  // When a command has ended, however large its document was.
  void Shrink() {
    document.Shrink();
    if (matches.capacity() * sizeof(uint32_t) > kKeptBytes) matches = {};
    if (text.capacity() > kKeptBytes) text = {};
  }
};

class WorkspaceOfWorker {
 public:
  WorkspaceOfWorker() { Get().text.clear(); }
  ~WorkspaceOfWorker() { Get().Shrink(); }
  WorkspaceOfWorker(const WorkspaceOfWorker&) = delete;
  WorkspaceOfWorker& operator=(const WorkspaceOfWorker&) = delete;
  Workspace* operator->() const { return &Get(); }

 private:
  static Workspace& Get() {
    thread_local Workspace workspace;
    return workspace;
  }
};

std::string NotThere(std::string_view path) {
  return fmt::format("ERR Path '{}' does not exist", path);
}

std::string NotThereOr(std::string_view path, std::string_view otherwise) {
  return fmt::format("ERR Path '{}' does not exist or {}", path, otherwise);
}

std::string WrongJsonType(std::string_view expected, Kind found) {
  return fmt::format("WRONGTYPE wrong type of path value - expected {} but found {}", expected,
                     json_path::NameOf(found));
}

// The text of a JSON value. Nothing: missing, or refused (and answered) because of its type.
std::optional<std::string_view> FindJson(Context& context, std::string_view key, bool* missing) {
  const auto value = context.Find(key);
  *missing = !value;
  if (!value) return std::nullopt;
  if (value->type == ValueType::kJson) return snapshot::TextView(*value).text();
  context.reply.Error(kOtherType);
  return std::nullopt;
}

// Leaves in the workspace the document (or, where the path leads to one place at most, only what is
// there) and the matches.
Result<void> SelectIn(const WorkspaceOfWorker& work, std::string_view text,
                      const std::vector<Step>& steps) {
  if (!json_path::IsSingular(steps)) {
    LARDER_TRY(work->document.Parse(text));
    return json_path::Select(work->document, steps, work->matches);
  }
  LARDER_ASSIGN(const auto found, work->document.Find(text, steps));
  work->matches.clear();
  if (!found) return {};
  work->matches.push_back(0);
  return work->document.Parse(*found);
}

Result<void> SelectPath(const WorkspaceOfWorker& work, std::string_view text,
                        const PathText& path) {
  LARDER_ASSIGN(const auto steps, json_path::Compile(path.dollar));
  return SelectIn(work, text, steps);
}

const Node& FirstMatch(const WorkspaceOfWorker& work) {
  return work->document.nodes()[work->matches[0]];
}

// What one request may write anew. A connection with more unsent bytes would be closed.
uint64_t MaxReplyBytes(const Context& context) {
  return std::min<uint64_t>(kMaxStringBytes, context.session.max_reply_bytes);
}

std::string TooLong(uint64_t max_bytes) {
  return fmt::format("ERR the reply would have more than {} bytes", max_bytes);
}

// A reply of many parts, whose sum is known only in the end: drops it for an error when it grows
// too long. Bytes that are sent from where they are stored take no memory and do not count.
class BoundedReply {
 public:
  explicit BoundedReply(Context& context)
      : context_(context), start_(context.reply.buffer().mark()) {}

  // True: it has ended with an error, now or before.
  bool RefusedBecauseTooLong() {
    if (refused_) return true;
    const uint64_t max_bytes = MaxReplyBytes(context_);
    if (context_.reply.buffer().mark().copied - start_.copied <= max_bytes) return false;
    Refuse(TooLong(max_bytes));
    return true;
  }

  void Refuse(std::string_view error) {
    refused_ = true;
    context_.reply.buffer().TruncateTo(start_);
    context_.reply.Error(error);
  }

 private:
  Context& context_;
  resp::ReplyBuffer::Mark start_;
  bool refused_ = false;
};

// ---- JSON.GET and JSON.MGET

// A text that is written for a reply, and how it looks.
struct Output {
  const WorkspaceOfWorker& work;
  const Layout& layout;
  uint64_t max_bytes;

  std::string& text() const { return work->text; }

  Result<void> CheckFor(uint64_t more_bytes) const {
    if (text().size() + more_bytes <= max_bytes) return {};
    return Fail(ErrorCode::kLimit, TooLong(max_bytes));
  }

  Result<void> AppendLine(int level) const {
    LARDER_TRY(CheckFor(layout.LineBytes(level)));
    layout.AppendLine(text(), level);
    return {};
  }

  // What the layout adds may be any number of times the document: it is counted before.
  Result<void> AppendNode(uint32_t node, int level) const {
    if (!layout.compact()) {
      LARDER_TRY(CheckFor(json_path::LayoutBytes(work->document, node, layout, level, max_bytes)));
    }
    json_path::AppendNode(work->document, node, layout, level, text());
    return CheckFor(0);
  }

  // "[...]" around all matches.
  Result<void> AppendMatches(int level) const {
    text() += '[';
    for (size_t i = 0; i < work->matches.size(); ++i) {
      if (i != 0) text() += ',';
      LARDER_TRY(AppendLine(level + 1));
      LARDER_TRY(AppendNode(work->matches[i], level + 1));
    }
    if (!work->matches.empty()) LARDER_TRY(AppendLine(level));
    text() += ']';
    return {};
  }
};

// One value without escapes, in the compact form: nothing of it needs to be taken apart, and when
// it is stored without blanks, it is sent from where it lies.
Result<void> ReplyPiece(Context& context, const Output& output, std::string_view piece,
                        bool legacy) {
  std::string& text = output.text();
  if (!legacy) text += '[';
  json_path::AppendCompact(piece, text);
  if (legacy && text.size() == piece.size()) {
    context.BulkSlice(piece);
    return {};
  }
  if (!legacy) text += ']';
  LARDER_TRY(output.CheckFor(0));
  context.reply.Bulk(text);
  return {};
}

// What a single path leads to. Nothing was answered when it is an error.
Result<void> ReplyPath(Context& context, const WorkspaceOfWorker& work, std::string_view json,
                       const PathText& path, const Layout& layout) {
  const Output output = {.work = work, .layout = layout, .max_bytes = MaxReplyBytes(context)};
  LARDER_ASSIGN(const auto steps, json_path::Compile(path.dollar));
  if (layout.compact() && json_path::IsSingular(steps)) {
    LARDER_ASSIGN(const auto piece, work->document.Find(json, steps));
    if (piece && json_path::HasNoEscapes(*piece)) {
      return ReplyPiece(context, output, *piece, path.legacy);
    }
  }
  LARDER_TRY(SelectIn(work, json, steps));
  if (!path.legacy) {
    LARDER_TRY(output.AppendMatches(0));
  } else if (work->matches.empty()) {
    return Fail(ErrorCode::kNotFound, NotThere(path.dollar));
  } else {
    LARDER_TRY(output.AppendNode(work->matches[0], 0));
  }
  context.reply.Bulk(work->text);
  return {};
}

// An object of what each path leads to; a path that cannot be read is left out, as RedisJSON does.
Result<void> ReplyPaths(Context& context, const WorkspaceOfWorker& work, std::string_view json,
                        std::span<const PathText> paths, const Layout& layout) {
  const Output output = {.work = work, .layout = layout, .max_bytes = MaxReplyBytes(context)};
  LARDER_TRY(work->document.Parse(json));
  const bool legacy = std::ranges::all_of(paths, [](const PathText& path) { return path.legacy; });
  std::string& text = work->text;
  text += '{';
  bool first = true;
  uint64_t visits = 0;
  std::unordered_set<std::string_view> seen;
  for (const PathText& path : paths) {
    if (!seen.insert(path.original).second) continue;
    const auto steps = json_path::Compile(path.dollar);
    if (!steps) continue;
    LARDER_TRY(json_path::Select(work->document, *steps, work->matches, visits));
    if (legacy && work->matches.empty()) {
      return Fail(ErrorCode::kNotFound, NotThere(path.original));
    }
    if (!std::exchange(first, false)) text += ',';
    LARDER_TRY(output.AppendLine(1));
    LARDER_TRY(output.CheckFor(path.original.size() + layout.space.size()));
    json_path::AppendString(path.original, text);
    text += ':';
    text += layout.space;
    if (legacy) {
      LARDER_TRY(output.AppendNode(work->matches[0], 1));
    } else {
      LARDER_TRY(output.AppendMatches(1));
    }
  }
  if (!first) LARDER_TRY(output.AppendLine(0));
  text += '}';
  context.reply.Bulk(text);
  return {};
}

struct GetOptions {
  Layout layout;
  std::vector<PathText> paths;
};

// False: refused, and answered.
bool ReadGetOptions(Context& context, Arguments args, GetOptions& options) {
  for (size_t i = 2; i < args.size(); ++i) {
    const std::string_view name = args[i];
    std::string_view* text = nullptr;
    if (IsOption(name, "indent")) text = &options.layout.indent;
    if (IsOption(name, "newline")) text = &options.layout.newline;
    if (IsOption(name, "space")) text = &options.layout.space;
    const bool format = IsOption(name, "format");
    if (IsOption(name, "noescape")) continue;  // of RedisJSON 1, ignored
    if (text == nullptr && !format) {
      options.paths.emplace_back(name);
      continue;
    }
    if (++i == args.size()) {
      context.reply.Error("ERR wrong number of arguments for 'json.get' command");
      return false;
    }
    if (text != nullptr) {
      *text = args[i];
    } else if (!context.resp3()) {
      context.reply.Error("ERR FORMAT argument is not supported on RESP2");
      return false;
    } else if (!IsOption(args[i], "string")) {
      context.reply.Error("ERR wrong reply format");
      return false;
    }
  }
  if (options.paths.empty()) options.paths.emplace_back(".");
  return true;
}

// ---- Commands that answer something about each match

// How a command about one type of JSON value answers where it cannot.
struct Wording {
  Kind type;
  // For a legacy path, given the path as it was written and as it is read. Nothing: null.
  using Text = std::optional<std::string> (*)(const PathText& path, Kind found);
  Text missing;  // `found` means nothing
  Text other_type;
  bool null_for_unreadable = false;  // instead of the path's own error
  // For "$" paths, where the key is missing.
  std::string (*no_key)(const PathText& path);
};

void ReplyErrorOrNull(Context& context, const std::optional<std::string>& error) {
  error ? context.reply.Error(*error) : context.reply.Null();
}

template <typename Each>
void ReplyForLegacy(Context& context, const WorkspaceOfWorker& work, const PathText& path,
                    const Wording& wording, Each&& each) {
  if (work->matches.empty()) {
    return ReplyErrorOrNull(context, wording.missing(path, Kind::kNull));
  }
  const Node& node = FirstMatch(work);
  if (node.type != wording.type) {
    return ReplyErrorOrNull(context, wording.other_type(path, node.type));
  }
  each(work->matches[0]);
}

// Calls `each(number of node)` for every match of the type; for the others the answer is null.
template <typename Each>
void ReplyForEach(Context& context, Arguments args, const Wording& wording, Each&& each) {
  const PathText path(args.size() > 2 ? args[2] : ".");
  bool missing = false;
  const auto json = FindJson(context, args[1], &missing);
  if (missing) {
    return path.legacy ? context.reply.Null() : context.reply.Error(wording.no_key(path));
  }
  if (!json) return;
  const WorkspaceOfWorker work;
  const auto selected = SelectPath(work, *json, path);
  if (!selected) {
    const bool is_path = selected.error().code() == ErrorCode::kInvalidArgument;
    if (path.legacy && is_path && wording.null_for_unreadable) return context.reply.Null();
    return context.reply.Error(selected.error().message());
  }
  const auto each_of = [&](uint32_t number) { each(work->document.nodes(), number); };
  if (path.legacy) return ReplyForLegacy(context, work, path, wording, each_of);
  // The same large object may be met any number of times.
  BoundedReply bounded(context);
  context.reply.Array(work->matches.size());
  for (const uint32_t number : work->matches) {
    if (work->document.nodes()[number].type == wording.type) {
      each_of(number);
    } else {
      context.reply.Null();
    }
    if (bounded.RefusedBecauseTooLong()) return;
  }
}

std::optional<std::string> SayNull(const PathText& /*path*/, Kind /*found*/) {
  return std::nullopt;
}

std::string SayNoKey(const PathText& /*path*/) { return std::string(kNoKey); }

// ---- JSON.RESP

void ReplyAsResp(Context& context, std::span<const Node> nodes, uint32_t number);

void ReplyNumber(Context& context, const Node& node) {
  int64_t integer = 0;
  if (node.type == Kind::kInteger &&
      std::from_chars(node.raw.begin(), node.raw.end(), integer).ec == std::errc()) {
    return context.reply.Integer(integer);
  }
  double value = 0;
  std::from_chars(node.raw.begin(), node.raw.end(), value);
  context.reply.Double(value);
}

void ReplyContainer(Context& context, std::span<const Node> nodes, uint32_t number) {
  const Node& node = nodes[number];
  const bool is_object = node.type == Kind::kObject;
  context.reply.Array(1 + uint64_t{node.count} * (is_object ? 2 : 1));
  context.reply.Simple(is_object ? "{" : "[");
  for (uint32_t child = number + 1; child < node.end; child = nodes[child].end) {
    if (is_object) context.reply.Bulk(nodes[child].name);
    ReplyAsResp(context, nodes, child);
  }
}

void ReplyAsResp(Context& context, std::span<const Node> nodes, uint32_t number) {
  const Node& node = nodes[number];
  switch (node.type) {
    case Kind::kNull:
      return context.reply.Null();
    case Kind::kBoolean:
      return context.reply.Simple(node.raw);
    case Kind::kInteger:
    case Kind::kNumber:
      return ReplyNumber(context, node);
    case Kind::kString:
      return context.reply.Bulk(node.text);
    case Kind::kArray:
    case Kind::kObject:
      return ReplyContainer(context, nodes, number);
  }
}

}  // namespace

void JsonGet(Context& context, Arguments args) {
  GetOptions options;
  if (!ReadGetOptions(context, args, options)) return;
  bool missing = false;
  const auto json = FindJson(context, args[1], &missing);
  if (missing) return context.reply.Null();
  if (!json) return;
  const WorkspaceOfWorker work;
  const auto replied = options.paths.size() == 1
                           ? ReplyPath(context, work, *json, options.paths[0], options.layout)
                           : ReplyPaths(context, work, *json, options.paths, options.layout);
  if (!replied) context.reply.Error(replied.error().message());
}

void JsonMGet(Context& context, Arguments args) {
  const PathText path(args.back());
  const Arguments keys = args.subspan(1, args.size() - 2);
  BoundedReply bounded(context);
  context.reply.Array(keys.size());
  FindEach(context, keys, [&](size_t, const std::optional<snapshot::Value>& value) {
    if (bounded.RefusedBecauseTooLong()) return;
    if (!value || value->type != ValueType::kJson) return context.reply.Null();
    const WorkspaceOfWorker work;
    const auto replied = ReplyPath(context, work, snapshot::TextView(*value).text(), path, {});
    if (replied) return;
    // Null says that nothing is there. What was too much to look at may well be.
    if (replied.error().code() != ErrorCode::kLimit) return context.reply.Null();
    bounded.Refuse(replied.error().message());
  });
  bounded.RefusedBecauseTooLong();
}

void JsonType(Context& context, Arguments args) {
  const PathText path(args.size() > 2 ? args[2] : ".");
  bool missing = false;
  const auto json = FindJson(context, args[1], &missing);
  if (!missing && !json) return;
  const WorkspaceOfWorker work;
  work->matches.clear();
  if (json) {
    const auto selected = SelectPath(work, *json, path);
    const bool is_path = !selected && selected.error().code() == ErrorCode::kInvalidArgument;
    if (!selected && !(path.legacy && is_path)) {
      return context.reply.Error(selected.error().message());
    }
  }
  // RedisJSON wraps the whole answer once more in RESP3.
  if (context.resp3()) context.reply.Array(1);
  if (missing || (path.legacy && work->matches.empty())) return context.reply.Null();
  if (path.legacy) return context.reply.Bulk(json_path::NameOf(FirstMatch(work).type));
  context.reply.Array(work->matches.size());
  for (const uint32_t number : work->matches) {
    context.reply.Bulk(json_path::NameOf(work->document.nodes()[number].type));
  }
}

void JsonStrLen(Context& context, Arguments args) {
  static constexpr Wording kWording = {
      .type = Kind::kString,
      .missing = [](const PathText& path, Kind) -> std::optional<std::string> {
        return NotThere(path.dollar);
      },
      .other_type = [](const PathText&, Kind found) -> std::optional<std::string> {
        return WrongJsonType("string", found);
      },
      .no_key = &SayNoKey};
  ReplyForEach(context, args, kWording, [&](std::span<const Node> nodes, uint32_t number) {
    context.reply.Integer(static_cast<int64_t>(nodes[number].text.size()));
  });
}

void JsonArrLen(Context& context, Arguments args) {
  static constexpr Wording kWording = {
      .type = Kind::kArray,
      .missing = [](const PathText& path, Kind) -> std::optional<std::string> {
        return NotThere(path.original);
      },
      .other_type = [](const PathText& path, Kind) -> std::optional<std::string> {
        return NotThereOr(path.original, "not an array");
      },
      .no_key = &SayNoKey};
  ReplyForEach(context, args, kWording, [&](std::span<const Node> nodes, uint32_t number) {
    context.reply.Integer(nodes[number].count);
  });
}

void JsonObjKeys(Context& context, Arguments args) {
  static constexpr Wording kWording = {
      .type = Kind::kObject,
      .missing = &SayNull,
      .other_type = [](const PathText& path, Kind) -> std::optional<std::string> {
        return NotThereOr(path.dollar, "not an object");
      },
      .null_for_unreadable = true,
      .no_key = &SayNoKey};
  ReplyForEach(context, args, kWording, [&](std::span<const Node> nodes, uint32_t number) {
    context.reply.Array(nodes[number].count);
    for (uint32_t child = number + 1; child < nodes[number].end; child = nodes[child].end) {
      context.reply.Bulk(nodes[child].name);
    }
  });
}

void JsonObjLen(Context& context, Arguments args) {
  static constexpr Wording kWording = {
      .type = Kind::kObject,
      .missing = &SayNull,
      .other_type = [](const PathText&, Kind found) -> std::optional<std::string> {
        return WrongJsonType("object", found);
      },
      .null_for_unreadable = true,
      .no_key = [](const PathText& path) { return NotThereOr(path.dollar, "not an object"); }};
  ReplyForEach(context, args, kWording, [&](std::span<const Node> nodes, uint32_t number) {
    context.reply.Integer(nodes[number].count);
  });
}

void JsonResp(Context& context, Arguments args) {
  const PathText path(args.size() > 2 ? args[2] : ".");
  bool missing = false;
  const auto json = FindJson(context, args[1], &missing);
  if (missing) return context.reply.Null();
  if (!json) return;
  const WorkspaceOfWorker work;
  const auto selected = SelectPath(work, *json, path);
  if (!selected) return context.reply.Error(selected.error().message());
  const std::span<const Node> nodes = work->document.nodes();
  if (path.legacy) {
    if (work->matches.empty()) return context.reply.Error(NotThere(path.dollar));
    return ReplyAsResp(context, nodes, work->matches[0]);
  }
  BoundedReply bounded(context);
  context.reply.Array(work->matches.size());
  for (const uint32_t number : work->matches) {
    ReplyAsResp(context, nodes, number);
    if (bounded.RefusedBecauseTooLong()) return;
  }
}

}  // namespace larder::command
