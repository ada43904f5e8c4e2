#include <string>
#include <string_view>

#include <fmt/format.h>

#include "import/importer.h"

namespace larder::importer {
namespace {

// One higher whenever the importer makes other records of the same bytes.
constexpr int kJsonlVersion = 2;
constexpr int kJsonVersion = 1;
constexpr int kPointerVersion = 1;
constexpr int kSnapshotVersion = 1;
constexpr int kDetectionVersion = 1;

// A value that cannot be taken for another option, or for the end of its own.
std::string Escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_-.:/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string FormatText(Format format) {
  switch (format) {
    case Format::kJsonl:
      return fmt::format("jsonl {}", kJsonlVersion);
    case Format::kJson:
      // Its records are read as lines.
      return fmt::format("json {} jsonl {}", kJsonVersion, kJsonlVersion);
    case Format::kPointer:
      return fmt::format("pointer {} jsonl {}", kPointerVersion, kJsonlVersion);
    case Format::kSnapshot:
      return fmt::format("snapshot {}", kSnapshotVersion);
    case Format::kAuto:
      // What is found depends on the rules of finding it and on all that can be found.
      return fmt::format("auto {} jsonl {} json {}", kDetectionVersion, kJsonlVersion,
                         kJsonVersion);
  }
  return "unknown";
}

std::string ReadingText(const SourceOptions& options) {
  const SourceOptions usual;
  std::string text;
  if (options.shape != usual.shape) text += fmt::format(" shape={}", ShapeName(options.shape));
  if (!options.key_field.empty()) text += " key_field=" + Escaped(options.key_field);
  if (!options.key_prefix.empty()) text += " key_prefix=" + Escaped(options.key_prefix);
  if (options.bad_lines == kSkipAllBadLines) {
    text += " bad_lines=skip";
  } else if (options.bad_lines != usual.bad_lines) {
    text += fmt::format(" bad_lines={}", options.bad_lines);
  }
  // JSONL has no levels.
  if (options.format != Format::kJsonl && options.levels != usual.levels) {
    text += fmt::format(" levels={}", options.levels);
    if (options.level_separator != usual.level_separator) {
      text += " level_separator=" + Escaped({&options.level_separator, 1});
    }
  }
  return text;
}

}  // namespace

std::string SourceOptionsText(const SourceOptions& options) {
  if (options.importer != nullptr) {
    // Of the other options an importer sees none.
    return fmt::format("importer {} settings={}", Escaped(options.importer->name()),
                       Escaped(options.importer->settings()));
  }
  if (options.format == Format::kSnapshot) return FormatText(options.format);
  return FormatText(options.format) + ReadingText(options);
}

std::string_view FormatName(Format format) {
  switch (format) {
    case Format::kAuto:
      return "auto";
    case Format::kJsonl:
      return "jsonl";
    case Format::kJson:
      return "json";
    case Format::kPointer:
      return "pointer";
    case Format::kSnapshot:
      return "snapshot";
  }
  return "unknown";
}

std::string_view ShapeName(Shape shape) {
  switch (shape) {
    case Shape::kAuto:
      return "auto";
    case Shape::kTyped:
      return "typed";
    case Shape::kShort:
      return "short";
    case Shape::kRows:
      return "rows";
  }
  return "unknown";
}

}  // namespace larder::importer
