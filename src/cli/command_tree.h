// CommandTree: every subcommand, argument and option of the program as data, read from what the
// command line is parsed with. Manual pages, completion and docs/cli.md are made of it, so that
// none of them can say anything else than --help.
//
// Threads: values, and pure functions of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace larder::cli {

struct OptionInfo {
  std::string short_name;            // "-o", or empty
  std::string long_name;             // "--output"
  std::string value;                 // "FILE"; empty: it takes none
  std::vector<std::string> choices;  // of its value; empty: anything
  std::string description;
};

struct ArgumentInfo {
  std::string name;
  std::string description;
  bool required = false;
  bool many = false;
};

struct CommandInfo {
  std::string name;   // as it is typed: "build", "log verify"
  std::string group;  // "log" of "log verify"
  std::string description;
  std::vector<std::string> examples;  // as they are typed, with what stands behind them
  std::vector<std::string> notes;     // lines of the footer that are no examples
  std::vector<ArgumentInfo> arguments;
  std::vector<OptionInfo> options;
};

struct CommandTree {
  CommandInfo program;                // its options stand before the subcommand
  std::vector<CommandInfo> commands;  // a group stands before its own
};

// The name of its manual page, without the program's: "log-verify".
std::string PageName(const CommandInfo& command);
// Those of a group, or for "" those that are typed first.
std::vector<const CommandInfo*> CommandsOf(const CommandTree& tree, std::string_view group);

CommandTree DescribeCommands(const CLI::App& app);
// "[OPTIONS] SRC [AFTER] FILES..."
std::string Synopsis(const CommandInfo& command);

// In roff's man macros. `command` empty: larder(1).
std::string ManualPage(const CommandTree& tree, std::string_view command);
// larder.toml(5), from the table of settings.
std::string ConfigurationManualPage();
// docs/cli.md.
std::string CommandReference(const CommandTree& tree);

std::string BashCompletion(const CommandTree& tree);
std::string ZshCompletion(const CommandTree& tree);
std::string FishCompletion(const CommandTree& tree);

}  // namespace larder::cli
