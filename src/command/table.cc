#include "command/table.h"

#include <algorithm>

#include "command/data_commands.h"
#include "command/name_index.h"
#include "command/refused_commands.h"
#include "command/server_commands.h"

namespace larder::command {
namespace {

// Requests of another protocol that a browser was tricked into sending: Redis closes the connection
// without a word, and so does the dispatcher for a spec of arity 0.
constexpr CommandSpec kForeignCommands[] = {{.name = "host:"}, {.name = "post"}};

constexpr std::span<const CommandSpec> kFamilies[] = {
    kKeyCommands,       kStringCommands,     kHashCommands,   kListCommands,  kSetCommands,
    kSortedSetCommands, kConnectionCommands, kServerCommands, kLarderCommands};

constexpr size_t CountSupported() {
  size_t count = 0;
  for (const auto& family : kFamilies) count += family.size();
  return count;
}
constexpr size_t kSupported = CountSupported();
constexpr size_t kAll = kSupported + std::size(kRefusedCommands) + std::size(kForeignCommands);

consteval std::array<const CommandSpec*, kAll> CollectSpecs() {
  std::array<const CommandSpec*, kAll> specs{};
  size_t count = 0;
  for (const auto& family : kFamilies) {
    for (const CommandSpec& spec : family) specs[count++] = &spec;
  }
  for (const CommandSpec& spec : kRefusedCommands) specs[count++] = &spec;
  for (const CommandSpec& spec : kForeignCommands) specs[count++] = &spec;
  return specs;
}
constexpr std::array<const CommandSpec*, kAll> kSpecs = CollectSpecs();

consteval std::array<FoldedName, kAll> FoldNames() {
  std::array<FoldedName, kAll> names;
  for (size_t i = 0; i < kAll; ++i) names[i] = FoldedName(kSpecs[i]->name);
  return names;
}
constexpr std::array<FoldedName, kAll> kNames = FoldNames();
constexpr NameIndex<kAll> kIndex(kNames);

uint16_t FindNumber(std::string_view name) {
  if (name.size() > FoldedName::kMaxBytes) return NameIndex<kAll>::kNobody;
  const FoldedName folded(name);
  const uint16_t number = kIndex.Candidate(folded.Hash());
  if (number == NameIndex<kAll>::kNobody || kNames[number] != folded) {
    return NameIndex<kAll>::kNobody;
  }
  return number;
}

}  // namespace

std::span<const std::span<const CommandSpec>> CommandFamilies() { return kFamilies; }

std::span<const CommandSpec> RefusedCommands() { return kRefusedCommands; }

const CommandSpec* FindCommand(std::string_view name) {
  const uint16_t number = FindNumber(name);
  return number == NameIndex<kAll>::kNobody ? nullptr : kSpecs[number];
}

const CommandSpec* FindSubcommand(const CommandSpec& container, std::string_view name) {
  if (name.size() > FoldedName::kMaxBytes) return nullptr;
  const FoldedName folded(name);
  for (const CommandSpec& spec : container.subcommands) {
    if (folded == FoldedName(spec.own_name())) return &spec;
  }
  return nullptr;
}

const CommandSpec* FindSupported(std::string_view name) {
  const uint16_t number = FindNumber(name);
  return number < kSupported ? kSpecs[number] : nullptr;
}

size_t SupportedCount() { return kSupported; }

}  // namespace larder::command
