// docs/cli.md is what the program's parser says, and everything in it is explained.
#include "cli/command_tree.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command_line.h"

namespace larder::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The test runs in its own folder.
constexpr char kReference[] = "../../docs/cli.md";

CommandTree Tree() {
  CLI::App app;
  Run chosen;
  AddCommands(app, chosen);
  return DescribeCommands(app);
}

OptionInfo Option(const CommandInfo& command, std::string_view long_name) {
  for (const OptionInfo& option : command.options) {
    if (option.long_name == long_name) return option;
  }
  ADD_FAILURE() << command.name << " has no " << long_name;
  return {};
}

std::string Contents(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CommandReference, IsWhatTheProgramParses) {
  const std::string reference = CommandReference(Tree());
  // Nothing else runs yet. NOLINTNEXTLINE(concurrency-mt-unsafe)
  if (std::getenv("LARDER_REWRITE_DOCS") != nullptr) {
    std::ofstream(kReference, std::ios::binary) << reference;
  }
  EXPECT_EQ(Contents(kReference), reference)
      << "docs/cli.md is stale; its head says how to make it anew";
}

TEST(CommandTree, EverythingIsExplained) {
  for (const CommandInfo& command : Tree().commands) {
    EXPECT_THAT(command.description, Not(IsEmpty())) << command.name;
    EXPECT_THAT(command.examples, Not(SizeIs(0))) << command.name;
    for (const ArgumentInfo& argument : command.arguments) {
      EXPECT_THAT(argument.description, Not(IsEmpty())) << command.name << " " << argument.name;
    }
    for (const OptionInfo& option : command.options) {
      EXPECT_THAT(option.long_name, Not(IsEmpty())) << command.name;
      EXPECT_THAT(option.description, Not(IsEmpty())) << command.name << " " << option.long_name;
    }
  }
}

TEST(CommandTree, KnowsArgumentsOptionsAndChoices) {
  for (const CommandInfo& command : Tree().commands) {
    if (command.name != "build") continue;
    EXPECT_EQ(Synopsis(command), "[OPTIONS] SRC");
    EXPECT_EQ(Option(command, "--output").short_name, "-o");
    EXPECT_THAT(Option(command, "--duplicates").choices, SizeIs(3));
    EXPECT_THAT(Option(command, "--json").value, IsEmpty());
    return;
  }
  FAIL() << "no build";
}

TEST(CommandTree, KnowsTheCommandsOfAGroup) {
  const CommandTree tree = Tree();
  std::vector<std::string> names;
  for (const CommandInfo* command : CommandsOf(tree, "log")) names.push_back(command->name);
  EXPECT_THAT(names, ElementsAre("log inspect", "log verify", "log cat", "log repair"));
  for (const CommandInfo* command : CommandsOf(tree, "")) {
    EXPECT_THAT(command->name, Not(HasSubstr(" ")));
    if (command->name == "log") {
      EXPECT_EQ(Synopsis(*command), "[OPTIONS] COMMAND");
    }
  }
  EXPECT_THAT(ManualPage(tree, "log-repair"), HasSubstr(".B larder log repair\n"));
  EXPECT_THAT(FishCompletion(tree), HasSubstr("'__fish_seen_subcommand_from verify; and not "
                                              "__fish_seen_subcommand_from log' -l json"));
}

TEST(ManualPage, NoTextIsTakenForAnOrderToRoff) {
  const CommandTree tree = Tree();
  EXPECT_THAT(ManualPage(tree, "dance"), IsEmpty());
  EXPECT_THAT(ManualPage(tree, ""), HasSubstr(".BR larder\\-export (1)"));
  CommandTree odd;
  odd.commands.push_back({.name = "odd",
                          .group = {},
                          .description = ".begins with a dot and a \\",
                          .examples = {"'quoted'"},
                          .notes = {},
                          .arguments = {},
                          .options = {}});
  EXPECT_THAT(ManualPage(odd, "odd"), HasSubstr("\n\\&.begins with a dot and a \\e"));
  EXPECT_THAT(ManualPage(odd, "odd"), HasSubstr("\n\\&\\(aqquoted\\(aq\n"));
}

}  // namespace
}  // namespace larder::cli
