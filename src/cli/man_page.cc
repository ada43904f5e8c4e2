// Manual pages in roff's man macros, and docs/cli.md, made of the tree of commands and the table of
// settings.
#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command_tree.h"
#include "cli/exit_code.h"
#include "cli/settings.h"

namespace larder::cli {

namespace {

// Of the pages' form; a build says no time, so that two builds are alike.
constexpr std::string_view kPagesDate = "2026-11-21";

// Text of a page: what roff would take for its own is made harmless.
std::string Roff(std::string_view text) {
  std::string roff;
  bool line_starts = true;
  for (const char byte : text) {
    if (line_starts && (byte == '.' || byte == '\'')) roff += "\\&";
    line_starts = byte == '\n';
    switch (byte) {
      case '\\':
        roff += "\\e";
        break;
      case '-':
        roff += "\\-";
        break;
      case '\'':
        roff += "\\(aq";
        break;
      case '`':
        roff += "\\(ga";
        break;
      default:
        roff += byte;
    }
  }
  return roff;
}

std::string Heading(std::string_view name, int section) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](unsigned char byte) { return static_cast<char>(std::toupper(byte)); });
  return fmt::format(".TH \"{}\" {} \"{}\" \"larder {}\" \"Larder\"\n", Roff(upper), section,
                     kPagesDate, LARDER_VERSION);
}

std::string Tagged(std::string_view tag, std::string_view text) {
  return fmt::format(".TP\n{}\n{}\n", tag, Roff(text));
}

std::string OptionTag(const OptionInfo& option) {
  std::string tag;
  if (!option.short_name.empty()) tag = fmt::format("\\fB{}\\fR", Roff(option.short_name));
  if (!option.long_name.empty()) {
    tag += fmt::format("{}\\fB{}\\fR", tag.empty() ? "" : ", ", Roff(option.long_name));
  }
  if (option.value.empty()) return tag;
  if (!option.choices.empty()) {
    return fmt::format("{} \\fB{}\\fR", tag, fmt::join(option.choices, "\\fR|\\fB"));
  }
  return fmt::format("{} \\fI{}\\fR", tag, option.value);
}

std::string Options(const CommandInfo& command) {
  std::string text;
  for (const ArgumentInfo& argument : command.arguments) {
    text += Tagged(fmt::format("\\fI{}\\fR", argument.name), argument.description);
  }
  for (const OptionInfo& option : command.options) {
    text += Tagged(OptionTag(option), option.description);
  }
  return ".SH OPTIONS\n" + text;
}

std::string Examples(const CommandInfo& command) {
  std::string text = ".SH EXAMPLES\n.nf\n";
  for (const std::string& example : command.examples) text += Roff(example) + "\n";
  return text + ".fi\n";
}

std::string ExitStatus() {
  std::string text = ".SH EXIT STATUS\n";
  for (const auto& [code, meaning] : kExitCodes) {
    text += Tagged(fmt::format("\\fB{}\\fR", static_cast<int>(code)), meaning);
  }
  return text;
}

std::string ProgramPage(const CommandTree& tree) {
  std::string text = Heading("larder", 1);
  text += fmt::format(".SH NAME\nlarder \\- {}\n", Roff(tree.program.description));
  text += ".SH SYNOPSIS\n.B larder\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  for (const CommandInfo& command : tree.commands) {
    text += Tagged(fmt::format("\\fB{}\\fR", Roff(command.name)), command.description);
  }
  text += Options(tree.program) + Examples(tree.program) + ExitStatus();
  text += ".SH SEE ALSO\n.BR larder.toml (5)";
  for (const CommandInfo& command : tree.commands) {
    text += fmt::format(",\n.BR {} (1)", Roff("larder-" + PageName(command)));
  }
  return text + "\n";
}

std::string CommandPage(const CommandInfo& command) {
  const std::string name = "larder-" + PageName(command);
  std::string text = Heading(name, 1);
  text += fmt::format(".SH NAME\n{} \\- {}\n", Roff(name), Roff(command.description));
  text +=
      fmt::format(".SH SYNOPSIS\n.B larder {}\n{}\n", Roff(command.name), Roff(Synopsis(command)));
  text += fmt::format(".SH DESCRIPTION\n{}.\n", Roff(command.description));
  for (const std::string& note : command.notes) text += Roff(note) + "\n";
  text += Options(command) + Examples(command) + ExitStatus();
  return text + ".SH SEE ALSO\n.BR larder (1),\n.BR larder.toml (5)\n";
}

std::string WithoutMarkup(std::string_view markdown) {
  std::string text;
  std::ranges::copy_if(markdown, std::back_inserter(text), [](char byte) { return byte != '`'; });
  return text;
}

std::string DefaultText(const Setting& setting) {
  if (setting.required) return "must be given";
  const std::string_view shown =
      setting.fallback_shown.empty() ? setting.fallback : setting.fallback_shown;
  return shown.empty() ? "" : fmt::format("default: {}", WithoutMarkup(shown));
}

std::string MarkdownOption(const OptionInfo& option) {
  std::string text = option.short_name.empty() ? "" : fmt::format("`{}`, ", option.short_name);
  const std::string value =
      option.choices.empty() ? option.value : fmt::format("{}", fmt::join(option.choices, "\\|"));
  return fmt::format("{}`{}{}{}`", text, option.long_name, value.empty() ? "" : " ", value);
}

std::string MarkdownCommand(const CommandInfo& command) {
  std::string text = fmt::format("\n## larder {}\n\n{}.\n\n    larder {} {}\n", command.name,
                                 command.description, command.name, Synopsis(command));
  if (!command.examples.empty()) text += "\nFor example:\n\n";
  for (const std::string& example : command.examples) text += fmt::format("    {}\n", example);
  if (!command.notes.empty()) text += fmt::format("\n{}\n", fmt::join(command.notes, "\n"));
  text += "\n| argument or option | |\n|---|---|\n";
  for (const ArgumentInfo& argument : command.arguments) {
    text += fmt::format("| `{}` | {} |\n", argument.name, argument.description);
  }
  for (const OptionInfo& option : command.options) {
    if (option.long_name == "--help") continue;
    text += fmt::format("| {} | {} |\n", MarkdownOption(option), option.description);
  }
  return text;
}

constexpr std::string_view kReferenceIntroduction = R"(# The command line

Made from what the program parses its arguments with, by `cli_test`; do not edit by hand. To make it anew
after a change: `LARDER_REWRITE_DOCS=1 build/release/cli_test`, run in `src/cli/`. The same is in
`larder COMMAND --help` and in the manual pages (`larder man COMMAND`).

Errors are one line on standard error that begins with `larder: `. Progress is shown on a terminal only. What
a script wants is on standard output, as one JSON document with `--json` where there is that option (`watch`: one
a line). Text in JSON that is not UTF-8 stands as base64, and a member beside it says so.
)";

}  // namespace

std::string ManualPage(const CommandTree& tree, std::string_view command) {
  if (command.empty()) return ProgramPage(tree);
  const auto found = std::ranges::find(tree.commands, command, PageName);
  return found == tree.commands.end() ? "" : CommandPage(*found);
}

std::string ConfigurationManualPage() {
  std::string text = Heading("larder.toml", 5);
  text +=
      ".SH NAME\nlarder.toml \\- configuration of larder serve\n"
      ".SH DESCRIPTION\nA TOML file. Relative paths are relative to it. Durations are written as\n"
      "\"500ms\", \"5s\", \"2m\" or \"1h\", sizes as bytes or \"64KiB\", \"512MiB\", \"1GiB\", "
      "shares as\n\"30%\" or \"off\". \\fBlarder check\\-config\\fR tells what is wrong with "
      "one.\n";
  for (const SettingTable& table : SettingTables()) {
    if (table.name.empty()) continue;
    text += fmt::format(".SH \"{}\"\n", Roff(WithoutMarkup(table.title)));
    if (!table.meaning.empty()) text += Roff(WithoutMarkup(table.meaning)) + "\n";
    for (const Setting& setting : Settings()) {
      if (setting.table != table.name || setting.meaning.empty()) continue;
      const std::string fallback = DefaultText(setting);
      std::string meaning = WithoutMarkup(setting.meaning);
      if (!fallback.empty()) meaning += fmt::format(" ({})", fallback);
      text += Tagged(fmt::format("\\fB{}\\fR", Roff(setting.key)), meaning);
    }
  }
  return text + ".SH SEE ALSO\n.BR larder (1),\n.BR larder\\-serve (1)\n";
}

std::string CommandReference(const CommandTree& tree) {
  std::string text(kReferenceIntroduction);
  text += "\n## Exit codes\n\n| code | meaning |\n|---|---|\n";
  for (const auto& [code, meaning] : kExitCodes) {
    text += fmt::format("| {} | {} |\n", static_cast<int>(code), meaning);
  }
  for (const CommandInfo& command : tree.commands) text += MarkdownCommand(command);
  return text;
}

}  // namespace larder::cli
