// COMMAND: the table, for client libraries.
#include <algorithm>
#include <bit>
#include <vector>

#include <fmt/format.h>

#include "base/glob.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"
#include "command/key_positions.h"
#include "command/table.h"

namespace larder::command {
namespace {

// A name that may be "container|sub".
const CommandSpec* FindByFullName(std::string_view name) {
  const size_t bar = name.find('|');
  const CommandSpec* spec = FindListed(name.substr(0, bar));
  if (spec == nullptr || bar == std::string_view::npos) return spec;
  return FindSubcommand(*spec, name.substr(bar + 1));
}

template <typename Visit>
void ForEachCommand(Visit&& visit) {
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) visit(spec);
  }
}

// The names whose bits are set, as simple strings.
template <size_t Count>
void AnswerBits(resp::ReplyWriter& reply, unsigned bits, const std::string_view (&names)[Count],
                std::string_view prefix) {
  reply.Set(static_cast<uint64_t>(std::popcount(bits)));
  for (size_t i = 0; i < Count; ++i) {
    if ((bits >> i & 1) == 0) continue;
    reply.Simple(fmt::format("{}{}", prefix, names[i]));
  }
}

void AnswerBeginSearch(resp::ReplyWriter& reply, const KeySpec& keys) {
  reply.Bulk("begin_search");
  reply.Map(2);
  reply.Bulk("type");
  switch (keys.begin) {
    case KeySpec::Begin::kIndex:
      reply.Bulk("index");
      reply.Bulk("spec");
      reply.Map(1);
      reply.Bulk("index");
      reply.Integer(keys.index);
      return;
    case KeySpec::Begin::kKeyword:
      reply.Bulk("keyword");
      reply.Bulk("spec");
      reply.Map(2);
      reply.Bulk("keyword");
      reply.Bulk(keys.keyword);
      reply.Bulk("startfrom");
      reply.Integer(keys.index);
      return;
    case KeySpec::Begin::kNone:
    case KeySpec::Begin::kUnknown:
      reply.Bulk("unknown");
      reply.Bulk("spec");
      reply.Map(0);
      return;
  }
}

void AnswerFindKeys(resp::ReplyWriter& reply, const KeySpec& keys) {
  reply.Bulk("find_keys");
  reply.Map(2);
  reply.Bulk("type");
  switch (keys.find) {
    case KeySpec::Find::kRange:
      reply.Bulk("range");
      reply.Bulk("spec");
      reply.Map(3);
      reply.Bulk("lastkey");
      reply.Integer(keys.last);
      reply.Bulk("keystep");
      reply.Integer(keys.step);
      reply.Bulk("limit");
      reply.Integer(keys.limit);
      return;
    case KeySpec::Find::kCount:
      reply.Bulk("keynum");
      reply.Bulk("spec");
      reply.Map(3);
      reply.Bulk("keynumidx");
      reply.Integer(0);
      reply.Bulk("firstkey");
      reply.Integer(1);
      reply.Bulk("keystep");
      reply.Integer(1);
      return;
    case KeySpec::Find::kUnknown:
      reply.Bulk("unknown");
      reply.Bulk("spec");
      reply.Map(0);
      return;
  }
}

void AnswerKeySpec(resp::ReplyWriter& reply, const KeySpec& keys) {
  reply.Map(keys.notes.empty() ? 3 : 4);
  if (!keys.notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(keys.notes);
  }
  reply.Bulk("flags");
  AnswerBits(reply, keys.flags, kKeyFlagNames, "");
  AnswerBeginSearch(reply, keys);
  AnswerFindKeys(reply, keys);
}

size_t CountKeySpecs(const CommandSpec& spec) {
  return static_cast<size_t>(std::ranges::count_if(
      spec.keys, [](const KeySpec& keys) { return keys.begin != KeySpec::Begin::kNone; }));
}

void AnswerInfo(resp::ReplyWriter& reply, const CommandSpec* spec) {
  if (spec == nullptr) return reply.Null();
  const KeyRangeOfOld range = OldKeyRange(*spec);
  reply.Array(10);
  reply.Bulk(spec->name);
  reply.Integer(spec->arity);
  AnswerBits(reply, spec->flags & ~kOwnFlags, kFlagNames, "");
  reply.Integer(range.first);
  reply.Integer(range.last);
  reply.Integer(range.step);
  AnswerBits(reply, spec->categories, kCategoryNames, "@");
  reply.Set(spec->tips.size());
  for (const std::string_view tip : spec->tips) reply.Bulk(tip);
  const size_t key_specs = CountKeySpecs(*spec);
  reply.Set(key_specs);
  for (size_t i = 0; i < key_specs; ++i) AnswerKeySpec(reply, spec->keys[i]);
  reply.Array(spec->subcommands.size());
  for (const CommandSpec& sub : spec->subcommands) AnswerInfo(reply, &sub);
}

void AnswerDocs(resp::ReplyWriter& reply, const CommandSpec& spec) {
  reply.Bulk(spec.name);
  reply.Map(spec.subcommands.empty() ? 4 : 5);
  reply.Bulk("summary");
  reply.Bulk(spec.summary);
  reply.Bulk("since");
  reply.Bulk(spec.since);
  reply.Bulk("group");
  reply.Bulk(spec.group);
  reply.Bulk("complexity");
  reply.Bulk(spec.complexity);
  if (spec.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.Map(spec.subcommands.size());
  for (const CommandSpec& sub : spec.subcommands) AnswerDocs(reply, sub);
}

// The command that stands after COMMAND GETKEYS, with what follows it. Null: refused and answered.
const CommandSpec* FindCallWithKeys(Context& context, Arguments call) {
  const CommandSpec* spec = FindListed(call[0]);
  if (spec != nullptr && call.size() > 1 && !spec->subcommands.empty()) {
    spec = FindSubcommand(*spec, call[1]);
  }
  if (spec == nullptr) {
    context.reply.Error("ERR Invalid command specified");
    return nullptr;
  }
  if (!TakesKeys(*spec)) {
    context.reply.Error("ERR The command has no key arguments");
    return nullptr;
  }
  if (!spec->ArityFits(call.size())) {
    context.reply.Error("ERR Invalid number of arguments specified for command");
    return nullptr;
  }
  return spec;
}

void AnswerKeys(Context& context, Arguments call, bool with_flags) {
  const CommandSpec* spec = FindCallWithKeys(context, call);
  if (spec == nullptr) return;
  resp::ReplyWriter& reply = context.reply;
  const std::vector<KeyPosition> keys = FindKeys(*spec, call);
  if (keys.empty() && (spec->flags & kNoMandatoryKeys) == 0) {
    return reply.Error("ERR Invalid arguments specified for command");
  }
  reply.Array(keys.size());
  for (const KeyPosition& key : keys) {
    if (with_flags) reply.Array(2);
    reply.Bulk(call[key.at]);
    if (with_flags) AnswerBits(reply, key.flags, kKeyFlagNames, "");
  }
}

enum class ListFilter : uint8_t { kNone, kModule, kCategory, kPattern };

bool Passes(const CommandSpec& spec, ListFilter filter, std::string_view text) {
  switch (filter) {
    case ListFilter::kNone:
      return true;
    case ListFilter::kModule:
      return false;
    case ListFilter::kCategory: {
      const auto* name = std::ranges::find_if(
          kCategoryNames, [text](std::string_view known) { return IsOption(text, known); });
      const auto bit = name - std::begin(kCategoryNames);
      return name != std::end(kCategoryNames) && (spec.categories >> bit & 1) != 0;
    }
    case ListFilter::kPattern:
      return GlobMatches(text, spec.name);
  }
  return false;
}

void ListInto(std::vector<std::string_view>& names, const CommandSpec& spec, ListFilter filter,
              std::string_view text) {
  if (Passes(spec, filter, text)) names.push_back(spec.name);
  for (const CommandSpec& sub : spec.subcommands) {
    if (filter != ListFilter::kNone && Passes(sub, filter, text)) names.push_back(sub.name);
  }
}

}  // namespace

void CommandAll(Context& context, Arguments /*args*/) {
  context.reply.Array(CommandCount());
  ForEachCommand([&context](const CommandSpec& spec) { AnswerInfo(context.reply, &spec); });
}

void CommandCount(Context& context, Arguments /*args*/) {
  context.reply.Integer(static_cast<int64_t>(CommandCount()));
}

void CommandInfo(Context& context, Arguments args) {
  if (args.size() == 2) return CommandAll(context, args);
  context.reply.Array(args.size() - 2);
  for (const std::string_view name : args.subspan(2)) {
    AnswerInfo(context.reply, FindByFullName(name));
  }
}

void CommandDocs(Context& context, Arguments args) {
  std::vector<const CommandSpec*> specs;
  if (args.size() == 2) {
    ForEachCommand([&specs](const CommandSpec& spec) { specs.push_back(&spec); });
  }
  for (const std::string_view name : args.subspan(2)) {
    const CommandSpec* spec = FindByFullName(name);
    if (spec != nullptr) specs.push_back(spec);
  }
  context.reply.Map(specs.size());
  for (const CommandSpec* spec : specs) AnswerDocs(context.reply, *spec);
}

void CommandList(Context& context, Arguments args) {
  auto filter = ListFilter::kNone;
  if (args.size() == 5 && IsOption(args[2], "filterby")) {
    if (IsOption(args[3], "module")) filter = ListFilter::kModule;
    if (IsOption(args[3], "aclcat")) filter = ListFilter::kCategory;
    if (IsOption(args[3], "pattern")) filter = ListFilter::kPattern;
  }
  if (args.size() > 2 && filter == ListFilter::kNone) return context.reply.Error(kSyntaxError);
  std::vector<std::string_view> names;
  const std::string_view text = args.size() == 5 ? args[4] : std::string_view();
  ForEachCommand([&](const CommandSpec& spec) { ListInto(names, spec, filter, text); });
  context.reply.Array(names.size());
  for (const std::string_view name : names) context.reply.Bulk(name);
}

void CommandGetKeys(Context& context, Arguments args) {
  AnswerKeys(context, args.subspan(2), false);
}

void CommandGetKeysAndFlags(Context& context, Arguments args) {
  AnswerKeys(context, args.subspan(2), true);
}

void CommandHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "command"); }

}  // namespace larder::command
