// JsonlWriter: records as lines of short JSONL, which importer and writer read alike: what is read
// back is equal to what was written, whatever bytes it has.
//
// Ownership:  owns its buffer; text() is good until the next call.
// Threads:    one at a time.
// Errors:     none: what is no UTF-8 goes out as base64, and so does JSON that no line can hold.
// Cost:       one pass to check UTF-8, one to write.
// Format:     docs/formats/jsonl.md
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "snapshot/snapshot.h"

namespace larder::exporter {

class JsonlWriter {
 public:
  JsonlWriter();
  ~JsonlWriter();
  JsonlWriter(const JsonlWriter&) = delete;
  JsonlWriter& operator=(const JsonlWriter&) = delete;

  // Appends one line, its newline included.
  void Append(const snapshot::Entry& entry);

  std::string_view text() const;
  void Clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace larder::exporter
