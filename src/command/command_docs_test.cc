// Guards: docs/commands.md is what the tables say, and every command has a fuzz seed and
// conformance cases.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "command/command_reference.h"
#include "command/table.h"

namespace larder::command {
namespace {

// The test runs in its own folder.
constexpr char kReference[] = "../../docs/commands.md";
constexpr char kConformanceCases[] = "../../tests/conformance/cases";
constexpr char kConversations[] = "../../tests/conformance/pubsub_cases.py";
constexpr char kSeeds[] = "corpus/command";

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename Visit>
void ForEachWithHandler(std::span<const CommandSpec> specs, Visit&& visit) {
  for (const CommandSpec& spec : specs) {
    if (spec.handler != nullptr) visit(spec);
    ForEachWithHandler(spec.subcommands, visit);
  }
}

TEST(CommandReference, IsWhatTheTablesSay) {
  // Nothing else runs yet. NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (std::getenv("LARDER_REWRITE_DOCS") != nullptr) {
    std::ofstream(kReference, std::ios::binary) << CommandReference();
  }
  EXPECT_EQ(Contents(kReference), CommandReference())
      << "docs/commands.md is stale; its head says how to make it anew";
}

TEST(EveryCommand, HasADocLine) {
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) {
      EXPECT_FALSE(spec.since.empty()) << spec.name;
      EXPECT_FALSE(spec.group.empty()) << spec.name;
    }
    ForEachWithHandler(family, [](const CommandSpec& spec) {
      EXPECT_FALSE(spec.summary.empty()) << spec.name;
      EXPECT_FALSE(spec.complexity.empty()) << spec.name;
      const int own_words = spec.name.contains('|') ? 2 : 1;
      if (spec.arity != own_words && spec.arity != -own_words) {
        EXPECT_FALSE(spec.syntax.empty()) << spec.name;
      }
    });
  }
}

template <typename Visit>
void ForEachSpec(std::span<const CommandSpec> specs, Visit&& visit) {
  for (const CommandSpec& spec : specs) {
    visit(spec);
    ForEachSpec(spec.subcommands, visit);
  }
}

TEST(EveryCommand, IsServedOrRefusedInWords) {
  for (const auto& family : CommandFamilies()) {
    ForEachSpec(family, [](const CommandSpec& spec) {
      const bool is_container = !spec.subcommands.empty();
      const bool writes = (spec.flags & kWrite) != 0;
      const bool has_words = spec.refusal.find(' ') != std::string_view::npos;
      EXPECT_TRUE(is_container || spec.handler != nullptr || writes || has_words) << spec.name;
      // One answer each.
      EXPECT_FALSE(spec.handler != nullptr && !spec.refusal.empty()) << spec.name;
      EXPECT_FALSE(spec.summary.empty()) << spec.name;
    });
  }
}

TEST(EveryCommand, HasAFuzzSeed) {
  for (const auto& family : CommandFamilies()) {
    ForEachWithHandler(family, [](const CommandSpec& spec) {
      std::string name(spec.name);
      for (char& c : name) c = c == '|' ? '-' : c;
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(kSeeds) / name)) << name;
    });
  }
}

// A heading of a file of cases is a command's name in capitals on a line of its own. LARDER and the
// JSON commands are not here: Redis cannot be asked.
TEST(EveryCommand, HasConformanceCases) {
  std::set<std::string> headings;
  for (const auto& entry : std::filesystem::directory_iterator(kConformanceCases)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) headings.insert(line);
  }
  const std::string conversations = Contents(kConversations);
  for (const auto& family : CommandFamilies()) {
    for (const CommandSpec& spec : family) {
      const bool executed =
          spec.handler != nullptr || std::ranges::any_of(spec.subcommands, [](const auto& sub) {
            return sub.handler != nullptr;
          });
      if (!executed || spec.name == "larder" || spec.group == "json") continue;
      std::string heading(spec.name);
      for (char& c : heading) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 0x20) : c;
      // What takes several connections stands in conversations: (A, "SUBSCRIBE x").
      const bool is_talked_of = conversations.contains("\"" + heading + "\"") ||
                                conversations.contains("\"" + heading + " ");
      EXPECT_TRUE(headings.contains(heading) || is_talked_of) << heading;
    }
  }
}

}  // namespace
}  // namespace larder::command
