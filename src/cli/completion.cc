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

std::string CommandNames(const CommandTree& tree) {
  std::vector<std::string_view> names;
  for (const CommandInfo& command : tree.commands) names.emplace_back(command.name);
  return fmt::format("{}", fmt::join(names, " "));
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
      "  case \"$command $before\" in\n",
      CommandNames(tree), WordsOf(tree.program));
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
    text += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")) ;;\n", command.name,
                        WordsOf(command));
  }
  return text +
         "  esac\n"
         "}\n"
         "complete -o default -F _larder larder\n";
}

std::string ZshCompletion(const CommandTree& tree) {
  std::string text =
      "#compdef larder\n"
      "# zsh completion for larder, made by `larder completion zsh`.\n"
      "_larder() {\n"
      "  local -a commands\n"
      "  commands=(\n";
  for (const CommandInfo& command : tree.commands) {
    text += fmt::format("    {}\n", Quoted(fmt::format("{}:{}", command.name,
                                                       Escaped(command.description, ":\\"))));
  }
  text +=
      "  )\n"
      "  if (( CURRENT == 2 )); then\n"
      "    _describe -t commands command commands\n"
      "    return\n"
      "  fi\n"
      "  local chosen=$words[2]\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $chosen in\n";
  for (const CommandInfo& command : tree.commands) {
    text += fmt::format("    {})\n      _arguments", command.name);
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

std::string FishCompletion(const CommandTree& tree) {
  std::string text =
      "# fish completion for larder, made by `larder completion fish`.\n"
      "complete -c larder -f -n __fish_use_subcommand\n";
  for (const CommandInfo& command : tree.commands) {
    text += fmt::format("complete -c larder -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        Quoted(Escaped(command.description, "\\")));
  }
  for (const CommandInfo& command : tree.commands) {
    for (const OptionInfo& option : command.options) {
      text += fmt::format("complete -c larder -n '__fish_seen_subcommand_from {}'", command.name);
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
