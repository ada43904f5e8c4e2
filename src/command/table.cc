#include "command/table.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "command/name_index.h"
#include "command/table/bitmap.h"
#include "command/table/cluster.h"
#include "command/table/connection.h"
#include "command/table/generic.h"
#include "command/table/geo.h"
#include "command/table/hash.h"
#include "command/table/hyperloglog.h"
#include "command/table/json.h"
#include "command/table/larder.h"
#include "command/table/list.h"
#include "command/table/pubsub.h"
#include "command/table/scripting.h"
#include "command/table/server.h"
#include "command/table/set.h"
#include "command/table/sorted_set.h"
#include "command/table/stream.h"
#include "command/table/string.h"
#include "command/table/transactions.h"

namespace larder::command {
namespace {

// Requests of another protocol that a browser was tricked into sending: Redis closes the connection
// without a word, and so does the dispatcher for a spec of arity 0.
constexpr CommandSpec kForeignCommands[] = {{.name = "host:"}, {.name = "post"}};

// As they are written; the table below is made from them.
constexpr std::span<const CommandSpec> kWritten[] = {
    kGenericCommands,      kStringCommands,     kBitmapCommands, kHyperloglogCommands,
    kHashCommands,         kListCommands,       kSetCommands,    kSortedSetCommands,
    kGeoCommands,          kStreamCommands,     kJsonCommands,   kPubsubCommands,
    kTransactionsCommands, kConnectionCommands, kServerCommands, kClusterCommands,
    kScriptingCommands,    kLarderCommands,     kForeignCommands};
constexpr size_t kFamilyCount = std::size(kWritten) - 1;  // without the foreign ones

constexpr size_t CountCommands() {
  size_t count = 0;
  for (const auto& family : kWritten) count += family.size();
  return count;
}
constexpr size_t CountSubcommands() {
  size_t count = 0;
  for (const auto& family : kWritten) {
    for (const CommandSpec& spec : family) count += spec.subcommands.size();
  }
  return count;
}
constexpr size_t kAll = CountCommands();
constexpr size_t kListed = kAll - std::size(kForeignCommands);
constexpr size_t kSubcommands = CountSubcommands();

// Subcommands, container by container, numbered after the commands.
consteval std::array<CommandSpec, kSubcommands> NumberSubcommands() {
  std::array<CommandSpec, kSubcommands> specs;
  size_t count = 0;
  for (const auto& family : kWritten) {
    for (const CommandSpec& container : family) {
      for (const CommandSpec& spec : container.subcommands) {
        specs[count] = spec;
        specs[count].number = static_cast<uint16_t>(kAll + count);
        ++count;
      }
    }
  }
  return specs;
}
constexpr std::array<CommandSpec, kSubcommands> kSubs = NumberSubcommands();

consteval std::array<CommandSpec, kAll> NumberCommands() {
  std::array<CommandSpec, kAll> specs;
  size_t count = 0;
  size_t subs = 0;
  for (const auto& family : kWritten) {
    for (const CommandSpec& spec : family) {
      specs[count] = spec;
      specs[count].number = static_cast<uint16_t>(count);
      if (!spec.subcommands.empty()) {
        specs[count].subcommands = {kSubs.data() + subs, spec.subcommands.size()};
        subs += spec.subcommands.size();
      }
      ++count;
    }
  }
  return specs;
}
constexpr std::array<CommandSpec, kAll> kSpecs = NumberCommands();

consteval std::array<std::span<const CommandSpec>, kFamilyCount> MakeFamilies() {
  std::array<std::span<const CommandSpec>, kFamilyCount> families;
  size_t first = 0;
  for (size_t i = 0; i < kFamilyCount; ++i) {
    families[i] = {kSpecs.data() + first, kWritten[i].size()};
    first += kWritten[i].size();
  }
  return families;
}
constexpr std::array<std::span<const CommandSpec>, kFamilyCount> kFamilies = MakeFamilies();

consteval std::array<FoldedName, kAll> FoldNames() {
  std::array<FoldedName, kAll> names;
  for (size_t i = 0; i < kAll; ++i) names[i] = FoldedName(kSpecs[i].name);
  return names;
}
constexpr std::array<FoldedName, kAll> kNames = FoldNames();
constexpr NameIndex<kAll> kIndex(kNames);

}  // namespace

std::span<const std::span<const CommandSpec>> CommandFamilies() { return kFamilies; }

size_t CommandCount() { return kListed; }

size_t SpecCount() { return kAll + kSubcommands; }

const CommandSpec& SpecByNumber(size_t number) {
  return number < kAll ? kSpecs[number] : kSubs[number - kAll];
}

const CommandSpec* FindCommand(std::string_view name) {
  if (name.size() > FoldedName::kMaxBytes) return nullptr;
  const FoldedName folded(name);
  const uint16_t number = kIndex.Candidate(folded.Hash());
  if (number == NameIndex<kAll>::kNobody || kNames[number] != folded) return nullptr;
  return &kSpecs[number];
}

const CommandSpec* FindListed(std::string_view name) {
  const CommandSpec* spec = FindCommand(name);
  return spec == nullptr || spec->number >= kListed ? nullptr : spec;
}

const CommandSpec* FindSubcommand(const CommandSpec& container, std::string_view name) {
  if (name.size() > FoldedName::kMaxBytes) return nullptr;
  const FoldedName folded(name);
  for (const CommandSpec& spec : container.subcommands) {
    if (folded == FoldedName(spec.own_name())) return &spec;
  }
  return nullptr;
}

}  // namespace larder::command
