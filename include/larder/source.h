// SourceOptions: how a source file is read.
//
// Threads: a value. Formats: docs/formats/jsonl.md, docs/formats/json.md, docs/formats/pointer.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "larder/importer.h"

namespace larder {

enum class SourceFormat : uint8_t {
  kAuto,      // told by the content
  kJsonl,     // a record a line
  kJson,      // one document: an object of values, or an array of records
  kPointer,   // rostore's: names the files of records and index
  kSnapshot,  // compiled already
};

// How the object of one record is read (docs/formats/jsonl.md).
enum class SourceShape : uint8_t { kAuto, kTyped, kShort, kRows };

inline constexpr uint64_t kSkipAllBadLines = UINT64_MAX;

// What, besides its bytes, decides which records a source holds.
struct SourceOptions {
  SourceFormat format = SourceFormat::kAuto;
  SourceShape shape = SourceShape::kAuto;
  std::string key_field = {};   // rows: the member that is the key; empty: there are no rows
  std::string key_prefix = {};  // rows: stands in front of it
  unsigned levels = 1;          // JSON: 2: an object of objects, keys are NAMESPACE/KEY
  char level_separator = '/';
  uint64_t bad_lines = 0;  // how many may be skipped before the source is refused
  // Reads the source in place of all formats above; null: none.
  std::shared_ptr<const Importer> importer = {};

  bool operator==(const SourceOptions&) const = default;
};

}  // namespace larder
