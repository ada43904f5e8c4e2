#include "cli/import_options.h"

#include <array>
#include <charconv>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace larder::cli {

namespace {

using importer::Format;
using importer::Shape;

constexpr std::array kFormats = {Format::kAuto, Format::kJsonl, Format::kJson, Format::kPointer,
                                 Format::kSnapshot};
constexpr std::array kShapes = {Shape::kAuto, Shape::kTyped, Shape::kShort, Shape::kRows};

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

template <typename Values, typename Name>
std::string Listed(const Values& values, Name name) {
  std::vector<std::string_view> names;
  for (const auto value : values) names.push_back(name(value));
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

std::optional<Format> ParseFormat(std::string_view text) {
  for (const Format format : kFormats) {
    if (importer::FormatName(format) == text) return format;
  }
  return std::nullopt;
}

std::optional<Shape> ParseShape(std::string_view text) {
  for (const Shape shape : kShapes) {
    if (importer::ShapeName(shape) == text) return shape;
  }
  return std::nullopt;
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
  const auto name_of_format = [](Format format) { return importer::FormatName(format); };
  const auto name_of_shape = [](Shape shape) { return importer::ShapeName(shape); };
  const std::string formats = Listed(kFormats, name_of_format);
  const std::string shapes = Listed(kShapes, name_of_shape);
  const std::string group = "How the file is read";
  // The validator takes the value; the function only makes it an option that has one.
  const auto add = [&command, &group](const std::string& name, const std::string& what,
                                      const CLI::Validator& into) {
    command.add_option_function<std::string>(
               name, [](const std::string&) {}, what)
        ->check(into)
        ->group(group);
  };
  add("--format", fmt::format("{} (default: auto, told by the content)", formats),
      Into(options.format, &ParseFormat, fmt::format("one of {}", formats)));
  add("--shape", fmt::format("Of a record: {} (default: auto)", shapes),
      Into(options.shape, &ParseShape, fmt::format("one of {}", shapes)));
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
