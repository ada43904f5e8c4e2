#include "cli/command_tree.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace larder::cli {

namespace {

constexpr std::string_view kExampleIndent = "  ";

// "TEXT:{last,first}" names its choices.
std::vector<std::string> ChoicesOf(const std::string& type) {
  const size_t begin = type.find('{');
  const size_t end = type.rfind('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  std::vector<std::string> choices;
  std::istringstream list(type.substr(begin + 1, end - begin - 1));
  for (std::string choice; std::getline(list, choice, ',');) choices.push_back(choice);
  return choices;
}

std::string ValueNameOf(const std::string& long_name, const std::string& type) {
  for (const std::string_view file :
       {"--output", "--config", "--password-file", "--tls-ca", "--tls-cert", "--tls-key"}) {
    if (long_name == file) return "FILE";
  }
  if (long_name == "--user" || long_name == "--tls-name") return "NAME";
  if (long_name == "--to" && type.starts_with("TEXT")) return "DIR";
  if (long_name == "--dir") return "DIR";
  if (long_name == "--server" || long_name == "--resp") return "ADDRESS";
  if (type.starts_with("UINT") || type.starts_with("INT")) return "N";
  if (type.starts_with("FLOAT")) return "NUMBER";
  return "TEXT";
}

OptionInfo DescribeOption(const CLI::Option& option) {
  OptionInfo info;
  if (!option.get_snames().empty()) info.short_name = "-" + option.get_snames()[0];
  if (!option.get_lnames().empty()) info.long_name = "--" + option.get_lnames()[0];
  info.description = option.get_description();
  if (option.get_items_expected_max() == 0) return info;
  info.choices = ChoicesOf(option.get_type_name());
  info.value = ValueNameOf(info.long_name, option.get_type_name());
  return info;
}

void DescribeFooter(const std::string& footer, CommandInfo& info) {
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kExampleIndent)) {
      info.examples.push_back(line.substr(kExampleIndent.size()));
    } else if (!line.empty() && line != "Example:" && line != "Examples:") {
      info.notes.push_back(line);
    }
  }
}

CommandInfo DescribeCommand(const CLI::App& app) {
  CommandInfo info;
  info.name = app.get_name();
  info.description = app.get_description();
  DescribeFooter(app.get_footer(), info);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) {
      info.arguments.push_back({.name = option->get_name(true),
                                .description = option->get_description(),
                                .required = option->get_required(),
                                .many = option->get_items_expected_max() > 1});
    } else {
      info.options.push_back(DescribeOption(*option));
    }
  }
  return info;
}

std::vector<const CLI::App*> SubcommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void DescribeGroup(const CLI::App& group, CommandTree& tree) {
  std::string names;
  const size_t place = tree.commands.size();
  tree.commands.push_back(DescribeCommand(group));
  for (const CLI::App* command : SubcommandsOf(group)) {
    if (!names.empty()) names += ", ";
    names += command->get_name();
    tree.commands.push_back(DescribeCommand(*command));
    tree.commands.back().group = group.get_name();
    tree.commands.back().name = fmt::format("{} {}", group.get_name(), command->get_name());
  }
  tree.commands[place].arguments.push_back(
      {.name = "COMMAND", .description = "One of " + names, .required = true, .many = false});
}

}  // namespace

CommandTree DescribeCommands(const CLI::App& app) {
  CommandTree tree;
  tree.program = DescribeCommand(app);
  for (const CLI::App* command : SubcommandsOf(app)) {
    if (SubcommandsOf(*command).empty()) {
      tree.commands.push_back(DescribeCommand(*command));
    } else {
      DescribeGroup(*command, tree);
    }
  }
  return tree;
}

std::string PageName(const CommandInfo& command) {
  std::string name = command.name;
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::vector<const CommandInfo*> CommandsOf(const CommandTree& tree, std::string_view group) {
  std::vector<const CommandInfo*> commands;
  for (const CommandInfo& command : tree.commands) {
    if (command.group == group) commands.push_back(&command);
  }
  return commands;
}

std::string Synopsis(const CommandInfo& command) {
  std::string text = "[OPTIONS]";
  for (const ArgumentInfo& argument : command.arguments) {
    const std::string name = argument.name + (argument.many ? "..." : "");
    text += argument.required ? fmt::format(" {}", name) : fmt::format(" [{}]", name);
  }
  return text;
}

}  // namespace larder::cli
