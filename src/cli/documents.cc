// larder completion, larder man: what a shell and a reader want to know of the program.
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/command_tree.h"
#include "cli/exit_code.h"
#include "cli/subcommands.h"

namespace larder::cli {

namespace {

constexpr std::string_view kConfigurationPage = "larder.toml";

int RunCompletion(const CommandTree& tree, const std::string& shell) {
  const std::string text = shell == "bash"  ? BashCompletion(tree)
                           : shell == "zsh" ? ZshCompletion(tree)
                                            : FishCompletion(tree);
  fmt::print("{}", text);
  return kExitOk;
}

int RunMan(const CommandTree& tree, const std::string& command) {
  const std::string page =
      command == kConfigurationPage ? ConfigurationManualPage() : ManualPage(tree, command);
  if (page.empty()) {
    return ReportError(Error(ErrorCode::kNotFound, fmt::format("no manual page of {}", command)));
  }
  fmt::print("{}", page);
  return kExitOk;
}

}  // namespace

void AddCompletion(CLI::App& app, Run& chosen) {
  auto shell = std::make_shared<std::string>();
  CLI::App* const command =
      app.add_subcommand("completion", "Print the completion of commands and options for a shell");
  command->add_option("SHELL", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer(
      "Examples:\n"
      "  source <(larder completion bash)\n"
      "  larder completion zsh > ~/.zfunc/_larder\n"
      "  larder completion fish > ~/.config/fish/completions/larder.fish");
  command->callback([&app, shell, &chosen] {
    chosen = [&app, shell] { return RunCompletion(DescribeCommands(app), *shell); };
  });
}

void AddMan(CLI::App& app, Run& chosen) {
  auto name = std::make_shared<std::string>();
  CLI::App* const command = app.add_subcommand("man", "Print a manual page");
  command->add_option("COMMAND", *name, "A command, or larder.toml (default: the program itself)");
  command->footer(
      "Examples:\n"
      "  larder man build | man -l -\n"
      "  larder man larder.toml | man -l -");
  command->callback([&app, name, &chosen] {
    chosen = [&app, name] { return RunMan(DescribeCommands(app), *name); };
  });
}

}  // namespace larder::cli
