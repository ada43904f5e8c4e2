// DocumentLines: the records of one JSON document as lines of JSONL.
//
// RapidJSON's reader checks the grammar and says where values begin and end; a value is then cut
// out as it was written. What a record means, and whether it is one, is not decided here: a member
// becomes the line {"key":NAME,"value":VALUE}, an element of an array a line of its own.
//
// The reader wants to read a document from front to back in one call, but a chunk must be handed
// over when it is full. So it is stopped behind a record, and started again with a text in front
// that leads it to the same place of the grammar: `{"":""` inside an object, `[""` inside an array.
//
// Ownership:  borrows the stream.
// Threads:    one at a time.
// Errors:     kCorrupt "FILE:LINE:COLUMN: reason (key "K")", kLimit, those of the stream.
// Cost:       a chunk, and the longest record three times.
// Format:     docs/formats/json.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "import/importer.h"
#include "import/json/document_text.h"
#include "import/jsonl/chunk_source.h"
#include "import/source_stream.h"

namespace larder::importer {

// Brackets may nest this deep in a document.
inline constexpr size_t kMaxDocumentDepth = 256;

// Where the records of a document stand.
enum class DocumentForm : uint8_t {
  kMembers,    // {KEY: VALUE, ...}
  kSpaces,     // {NAMESPACE: {KEY: VALUE, ...}, ...}
  kElements,   // [RECORD, ...]
  kRowArrays,  // {NAME: [ROW, ...], ...}
};

class DocumentLines : public ChunkSource {
 public:
  DocumentLines(SourceStream& stream, const ImportOptions& options, size_t chunk_bytes);
  ~DocumentLines() override;

  // Looks at the start of the document, which decides its form. Once, before Next.
  Result<void> Start();
  // How the lines are to be read.
  Shape shape() const { return shape_; }

  Result<void> Next(SourceChunk& chunk) override;

 private:
  struct Events;
  struct Reader;

  Result<void> ChooseForm(char first);
  // Whether the document ended well.
  Result<void> Conclude();
  Error SyntaxError();
  Error ErrorAtOffset(size_t offset, std::string reason, ErrorCode code = ErrorCode::kCorrupt);

  SourceStream& stream_;
  const SourceOptions& options_;
  DocumentText text_;
  Shape shape_ = Shape::kAuto;
  std::unique_ptr<Events> events_;
  std::unique_ptr<Reader> reader_;
  bool ended_ = false;
  std::optional<Error> pending_error_;  // after what the last chunk held
};

}  // namespace larder::importer
