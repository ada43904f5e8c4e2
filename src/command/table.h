// The table of commands: all of Redis 7.0.15's, the JSON commands of its module, and LARDER; and
// the look-up by name.
//
// Threads: constants; any.
// Cost:    FindCommand is one probe of a perfect hash made by the compiler, and one comparison of
//          24 bytes in registers; no loop over names.
#pragma once

#include <span>
#include <string_view>

#include "command/spec.h"

namespace larder::command {

// All of them, by family, each family by name. Subcommands stand in their container's spec.
std::span<const std::span<const CommandSpec>> CommandFamilies();
size_t CommandCount();

// Every command and subcommand has a number below this (CommandSpec::number).
size_t SpecCount();
const CommandSpec& SpecByNumber(size_t number);

// Null: there is none. ASCII letters of either case; a few names that Redis answers by closing the
// connection (cross-protocol attacks) are here too, with arity 0, and in no family.
const CommandSpec* FindCommand(std::string_view name);

// Null: none, or one of those that close the connection.
const CommandSpec* FindListed(std::string_view name);

const CommandSpec* FindSubcommand(const CommandSpec& container, std::string_view name);

}  // namespace larder::command
