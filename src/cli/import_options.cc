#include "cli/import_options.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.h"

namespace larder::cli {

namespace {

// For CLI11: takes the text into `to`; what it says when it cannot is an option's error.
template <typename T, typename Parse>
CLI::Validator Into(T& to, Parse parse, std::string expected) {
  return {[&to, parse, expected](std::string& text) -> std::string {
            const auto value = parse(text);
            if (!value) return fmt::format("\"{}\" is not {}", text, expected);
            to = *value;
            return {};
          },
          ""};
}

std::optional<size_t> IndexOf(std::span<const std::string_view> names, std::string_view text) {
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<size_t>(found - names.begin());
}

}  // namespace

std::optional<importer::Format> ParseFormat(std::string_view text) {
  const auto index = IndexOf(kFormatNames, text);
  return index ? std::optional(static_cast<importer::Format>(*index)) : std::nullopt;
}

std::optional<importer::Shape> ParseShape(std::string_view text) {
  const auto index = IndexOf(kShapeNames, text);
  return index ? std::optional(static_cast<importer::Shape>(*index)) : std::nullopt;
}

std::optional<uint64_t> ParseBadLines(std::string_view text) {
  if (text == "fail") return 0;
  if (text == "skip") return importer::kSkipAllBadLines;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void AddImportOptions(CLI::App& command, importer::SourceOptions& options) {
  const std::string formats = fmt::format("{}", fmt::join(kFormatNames, ", "));
  const std::string shapes = fmt::format("{}", fmt::join(kShapeNames, ", "));
  const std::string group = "How the file is read";
  // The validator takes the value; the function only makes it an option that has one.
  const auto add = [&command, &group](const std::string& name, const std::string& what,
                                      const CLI::Validator& into) {
    command.add_option_function<std::string>(
               name, [](const std::string&) {}, what)
        ->check(into)
        ->group(group);
  };
  add("--format", "How the source is written (default: auto, told by the content)",
      Into(options.format, &ParseFormat, fmt::format("one of {}", formats))
          .description(fmt::format("{{{}}}", fmt::join(kFormatNames, ","))));
  add("--shape", "How a record is written (default: auto, told line by line)",
      Into(options.shape, &ParseShape, fmt::format("one of {}", shapes))
          .description(fmt::format("{{{}}}", fmt::join(kShapeNames, ","))));
  add("--bad-lines", "fail, skip, or how many may be skipped (default: fail)",
      Into(options.bad_lines, &ParseBadLines, "fail, skip or a number"));
  command
      .add_option("--key-field", options.key_field,
                  "Rows: the member of each object that is its key")
      ->group(group);
  command.add_option("--key-prefix", options.key_prefix, "Rows: stands in front of each key")
      ->group(group);
  command
      .add_option("--levels", options.levels,
                  "JSON: 2 for an object of objects, whose keys become NAMESPACE/KEY (default: 1)")
      ->check(CLI::Range(1U, 2U))
      ->group(group);
}

}  // namespace larder::cli
