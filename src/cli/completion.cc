// Completion for bash, zsh and fish, made of the tree of commands.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command_tree.h"

namespace larder::cli {

namespace {

std::vector<std::string> NamesOf(const OptionInfo& option) {
  std::vector<std::string> names;
  if (!option.short_name.empty()) names.push_back(option.short_name);
  if (!option.long_name.empty()) names.push_back(option.long_name);
  return names;
}

std::string WordsOf(const CommandInfo& command) {
  std::vector<std::string> words;
  for (const OptionInfo& option : command.options) {
    for (std::string& name : NamesOf(option)) words.push_back(std::move(name));
  }
  return fmt::format("{}", fmt::join(words, " "));
}

// What is typed last of it.
std::string LastWord(const CommandInfo& command) {
  return command.group.empty() ? command.name : command.name.substr(command.group.size() + 1);
}

std::string CommandNames(const CommandTree& tree, std::string_view group = "") {
  std::vector<std::string> names;
  for (const CommandInfo* command : CommandsOf(tree, group)) names.push_back(LastWord(*command));
  return fmt::format("{}", fmt::join(names, " "));
}

bool IsGroup(const CommandTree& tree, const CommandInfo& command) {
  return !CommandsOf(tree, command.name).empty();
}

// Puts a backslash before each of the characters.
std::string Escaped(std::string_view text, std::string_view characters) {
  std::string escaped;
  for (const char byte : text) {
    if (characters.find(byte) != std::string_view::npos) escaped += '\\';
    escaped += byte;
  }
  return escaped;
}

// Between single quotes of a shell.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char byte : text) {
    if (byte == '\'') {
      quoted += "'\\''";
    } else {
      quoted += byte;
    }
  }
  return quoted + "'";
}

std::string ZshOption(const OptionInfo& option, const std::string& name) {
  std::string spec = fmt::format("{}[{}]", name, Escaped(option.description, "[]\\:"));
  if (!option.choices.empty()) {
    spec += fmt::format(":{}:({})", option.value, fmt::join(option.choices, " "));
  } else if (option.value == "DIR") {
    spec += ":DIR:_files -/";
  } else if (option.value == "FILE") {
    spec += ":FILE:_files";
  } else if (!option.value.empty()) {
    spec += fmt::format(":{}: ", option.value);
  }
  return Quoted(spec);
}

}  // namespace

std::string BashCompletion(const CommandTree& tree) {
  std::string text = fmt::format(
      "# bash completion for larder, made by `larder completion bash`.\n"
      "_larder() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  local command=${{COMP_WORDS[1]}}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '{} {}' -- \"$current\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"$command\" in\n",
      CommandNames(tree), WordsOf(tree.program));
  for (const CommandInfo& command : tree.commands) {
    if (!IsGroup(tree, command)) continue;
    text += fmt::format(
        "    {0})\n"
        "      if ((COMP_CWORD == 2)); then\n"
        "        COMPREPLY=($(compgen -W '{1} {2}' -- \"$current\"))\n"
        "        return\n"
        "      fi\n"
        "      command=\"{0} ${{COMP_WORDS[2]}}\" ;;\n",
        command.name, CommandNames(tree, command.name), WordsOf(command));
  }
  text += "  esac\n  case \"$command $before\" in\n";
  for (const CommandInfo& command : tree.commands) {
    for (const OptionInfo& option : command.options) {
      if (option.choices.empty()) continue;
      text +=
          fmt::format("    '{} {}') COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n",
                      command.name, option.long_name, fmt::join(option.choices, " "));
    }
  }
  text +=
      "  esac\n"
      "  # Everything else is a file, or a name that only its owner knows.\n"
      "  [[ $current == -* ]] || return\n"
      "  case \"$command\" in\n";
  for (const CommandInfo& command : tree.commands) {
    text += fmt::format("    '{}') COMPREPLY=($(compgen -W '{}' -- \"$current\")) ;;\n",
                        command.name, WordsOf(command));
  }
  return text +
         "  esac\n"
         "}\n"
         "complete -o default -F _larder larder\n";
}

// The commands with what they are, as a list of this name.
std::string ZshCommands(const CommandTree& tree, std::string_view group, std::string_view indent) {
  std::string text = fmt::format("{0}local -a commands\n{0}commands=(\n", indent);
  for (const CommandInfo* command : CommandsOf(tree, group)) {
    text += fmt::format(
        "{}  {}\n", indent,
        Quoted(fmt::format("{}:{}", LastWord(*command), Escaped(command->description, ":\\"))));
  }
  return text + fmt::format("{})\n", indent);
}

// Lets what is typed behind a group be a command of its own.
std::string ZshGroup(const CommandTree& tree, const CommandInfo& group) {
  return fmt::format("  if [[ $chosen == {0} ]]; then\n", group.name) +
         ZshCommands(tree, group.name, "    ") +
         fmt::format(
             "    if (( CURRENT == 2 )); then\n"
             "      _describe -t commands command commands\n"
             "      return\n"
             "    fi\n"
             "    chosen=\"{0} $words[2]\"\n"
             "    shift words\n"
             "    (( CURRENT-- ))\n"
             "  fi\n",
             group.name);
}

std::string ZshCompletion(const CommandTree& tree) {
  std::string text =
      "#compdef larder\n"
      "# zsh completion for larder, made by `larder completion zsh`.\n"
      "_larder() {\n";
  text += ZshCommands(tree, "", "  ");
  text +=
      "  if (( CURRENT == 2 )); then\n"
      "    _describe -t commands command commands\n"
      "    return\n"
      "  fi\n"
      "  local chosen=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n";
  for (const CommandInfo& command : tree.commands) {
    if (IsGroup(tree, command)) text += ZshGroup(tree, command);
  }
  text += "  case $chosen in\n";
  for (const CommandInfo& command : tree.commands) {
    if (IsGroup(tree, command)) continue;
    text += fmt::format("    {})\n      _arguments", Quoted(command.name));
    for (const OptionInfo& option : command.options) {
      for (const std::string& name : NamesOf(option)) {
        text += fmt::format(" \\\n        {}", ZshOption(option, name));
      }
    }
    text += " \\\n        '*:file:_files'\n      ;;\n";
  }
  return text +
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _larder ]]; then\n"
         "  _larder \"$@\"\n"
         "else\n"
         "  compdef _larder larder\n"
         "fi\n";
}

// That this command is being typed. A group has commands whose names others have, too.
std::string FishCondition(const CommandTree& tree, const CommandInfo& command) {
  if (!command.group.empty()) {
    return fmt::format("__fish_seen_subcommand_from {}; and __fish_seen_subcommand_from {}",
                       command.group, LastWord(command));
  }
  std::string condition = fmt::format("__fish_seen_subcommand_from {}", command.name);
  for (const CommandInfo& other : tree.commands) {
    if (!other.group.empty() && LastWord(other) == command.name) {
      condition += fmt::format("; and not __fish_seen_subcommand_from {}", other.group);
    }
  }
  return condition;
}

std::string FishCompletion(const CommandTree& tree) {
  std::string text =
      "# fish completion for larder, made by `larder completion fish`.\n"
      "complete -c larder -f -n __fish_use_subcommand\n";
  for (const CommandInfo& command : tree.commands) {
    std::string condition = "__fish_use_subcommand";
    if (!command.group.empty()) {
      condition =
          fmt::format("'__fish_seen_subcommand_from {}; and not __fish_seen_subcommand_from {}'",
                      command.group, CommandNames(tree, command.group));
    }
    text += fmt::format("complete -c larder -n {} -a {} -d {}\n", condition, LastWord(command),
                        Quoted(Escaped(command.description, "\\")));
  }
  for (const CommandInfo& command : tree.commands) {
    for (const OptionInfo& option : command.options) {
      text += fmt::format("complete -c larder -n '{}'", FishCondition(tree, command));
      if (!option.long_name.empty()) text += fmt::format(" -l {}", option.long_name.substr(2));
      if (!option.short_name.empty()) text += fmt::format(" -s {}", option.short_name.substr(1));
      if (!option.choices.empty()) {
        text += fmt::format(" -x -a '{}'", fmt::join(option.choices, " "));
      } else if (!option.value.empty()) {
        text += option.value == "FILE" || option.value == "DIR" ? " -r" : " -x";
      }
      text += fmt::format(" -d {}\n", Quoted(Escaped(option.description, "\\")));
    }
  }
  return text;
}

}  // namespace larder::cli
