// The commands of `larder log`, and what they share.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/json.h"
#include "cli/subcommands.h"
#include "log/examine.h"
#include "log/read_through.h"

namespace larder::cli {

void AddLogInspect(CLI::App& log, Run& chosen);
void AddLogVerify(CLI::App& log, Run& chosen);
void AddLogCat(CLI::App& log, Run& chosen);
void AddLogRepair(CLI::App& log, Run& chosen);

// DIRECTORY and --prefix.
void AddLogPlace(CLI::App& command, log::LogPlace& place);

// Bytes of ids, as digits.
std::string HexText(const log::LogId& id);
Json DescribeFinding(const log::Finding& finding);
// "larder: FILE: byte N: what is wrong" on stderr.
void PrintFinding(const log::Finding& finding);

}  // namespace larder::cli
