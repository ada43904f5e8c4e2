// The options that say how a source is read, for every subcommand that takes a source file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "import/importer.h"

namespace CLI {
class App;
}

namespace larder::cli {

// Adds --format, --shape, --key-field, --key-prefix, --levels and --bad-lines. What is given is in
// `options` once the command line has been parsed; `options` outlives the app.
void AddImportOptions(CLI::App& command, importer::SourceOptions& options);

// As they are written on the command line and in the configuration.
std::optional<importer::Format> ParseFormat(std::string_view text);
std::optional<importer::Shape> ParseShape(std::string_view text);
// "fail" is none, "skip" all of them.
std::optional<uint64_t> ParseBadLines(std::string_view text);

}  // namespace larder::cli
