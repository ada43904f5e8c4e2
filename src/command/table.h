// The tables of commands: those that Larder executes, those of Redis that it refuses because they
// write, and the look-up by name over both.
//
// Threads: constants; any.
// Cost:    FindCommand is one probe of a perfect hash made by the compiler, and one comparison of
//          24 bytes in registers; no loop over names.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "command/spec.h"

namespace larder::command {

// Supported commands, by family. Subcommands stand in their container's spec.
std::span<const std::span<const CommandSpec>> CommandFamilies();

// Redis's commands that write, by name and arity.
std::span<const CommandSpec> RefusedCommands();

// Null when neither table has it. ASCII letters of either case; a few names that Redis answers by
// closing the connection (cross-protocol attacks) are here too.
const CommandSpec* FindCommand(std::string_view name);

const CommandSpec* FindSubcommand(const CommandSpec& container, std::string_view name);

// What FindCommand finds, except those that Larder refuses: for COMMAND.
const CommandSpec* FindSupported(std::string_view name);
size_t SupportedCount();

}  // namespace larder::command
