#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/mutex.h"
#include "import/jsonl/chunk_parser.h"
#include "import/jsonl/chunk_source.h"
#include "import/jsonl/record_parser.h"

namespace larder::importer {
namespace {

// How many bad lines an error names when too many were found.
constexpr size_t kBadLinesInError = 3;

struct NumberedChunk {
  uint64_t number = 0;
  SourceChunk chunk;
};

// What became of a chunk; an Error when the source could not be read on.
using Outcome = std::variant<ParsedChunk, Error>;

// The chunks between the three kinds of threads.
class Pipeline {
 public:
  Pipeline(size_t most_chunks, uint64_t most_bytes)
      : most_chunks_(most_chunks), most_bytes_(most_bytes) {}

  // Reader: waits for room; none when stopped.
  std::optional<SourceChunk> TakeFree();
  void PutRead(NumberedChunk chunk);
  void EndReading(uint64_t chunks);

  // Parsers: wait for work; none when there is no more.
  std::optional<NumberedChunk> TakeRead();
  void PutOutcome(uint64_t number, Outcome outcome);
  void PutFree(SourceChunk chunk);

  // Appender: waits for the outcome of chunk `number`; none after the last. Released when done
  // with it.
  std::optional<Outcome> TakeOutcome(uint64_t number);
  void Release(uint64_t text_bytes);

  void Stop();

 private:
  bool HasRoom() const LARDER_REQUIRES(mutex_) {
    return in_flight_chunks_ < most_chunks_ && in_flight_bytes_ < most_bytes_;
  }

  const size_t most_chunks_;
  const uint64_t most_bytes_;
  Mutex mutex_;
  CondVar room_;
  CondVar work_;
  CondVar outcome_;
  std::vector<SourceChunk> free_ LARDER_GUARDED_BY(mutex_);
  std::deque<NumberedChunk> read_ LARDER_GUARDED_BY(mutex_);
  std::map<uint64_t, Outcome> outcomes_ LARDER_GUARDED_BY(mutex_);
  size_t in_flight_chunks_ LARDER_GUARDED_BY(mutex_) = 0;
  uint64_t in_flight_bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> chunk_count_ LARDER_GUARDED_BY(mutex_);  // known at the end
  bool stopped_ LARDER_GUARDED_BY(mutex_) = false;
};

std::optional<SourceChunk> Pipeline::TakeFree() {
  MutexLock lock(mutex_);
  while (!stopped_ && !HasRoom()) room_.Wait(mutex_);
  if (stopped_) return std::nullopt;
  if (free_.empty()) return SourceChunk();
  SourceChunk chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void Pipeline::PutRead(NumberedChunk chunk) {
  MutexLock lock(mutex_);
  ++in_flight_chunks_;
  in_flight_bytes_ += chunk.chunk.lines.text().size();
  read_.push_back(std::move(chunk));
  work_.NotifyOne();
}

void Pipeline::EndReading(uint64_t chunks) {
  MutexLock lock(mutex_);
  chunk_count_ = chunks;
  work_.NotifyAll();
  outcome_.NotifyAll();
}

std::optional<NumberedChunk> Pipeline::TakeRead() {
  MutexLock lock(mutex_);
  while (!stopped_ && read_.empty() && !chunk_count_) work_.Wait(mutex_);
  if (stopped_ || read_.empty()) return std::nullopt;
  NumberedChunk chunk = std::move(read_.front());
  read_.pop_front();
  return chunk;
}

void Pipeline::PutOutcome(uint64_t number, Outcome outcome) {
  MutexLock lock(mutex_);
  outcomes_.emplace(number, std::move(outcome));
  outcome_.NotifyOne();
}

void Pipeline::PutFree(SourceChunk chunk) {
  // One that grew for a long line is given back to the system, not kept for every short one.
  if (chunk.lines.capacity() > 4 * kChunkBytes) return;
  MutexLock lock(mutex_);
  free_.push_back(std::move(chunk));
}

std::optional<Outcome> Pipeline::TakeOutcome(uint64_t number) {
  MutexLock lock(mutex_);
  while (outcomes_.empty() || outcomes_.begin()->first != number) {
    if (chunk_count_ && number >= *chunk_count_) return std::nullopt;
    outcome_.Wait(mutex_);
  }
  Outcome outcome = std::move(outcomes_.begin()->second);
  outcomes_.erase(outcomes_.begin());
  return outcome;
}

void Pipeline::Release(uint64_t text_bytes) {
  MutexLock lock(mutex_);
  --in_flight_chunks_;
  in_flight_bytes_ -= text_bytes;
  room_.NotifyOne();
}

void Pipeline::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  room_.NotifyAll();
  work_.NotifyAll();
}

LineOptions LinesOf(const SourceOptions& source, const SourceStream& stream,
                    const std::string& key_namespace) {
  constexpr int64_t kNsPerMs = 1'000'000;
  return {.shape = source.shape,
          .key_field = source.key_field,
          .key_prefix = source.key_prefix + key_namespace,
          .mtime_ms = stream.mtime_ns() / kNsPerMs};
}

class ChunkImport {
 public:
  ChunkImport(const SourceStream& stream, ChunkSource& source, RecordSink& sink,
              const ImportOptions& options, unsigned parsers, size_t chunk_bytes)
      : stream_(stream),
        source_(source),
        sink_(sink),
        options_(options),
        parsers_(parsers),
        pipeline_(2 * parsers + 2, (2 * parsers + 2) * uint64_t{chunk_bytes} * 2) {}

  Result<ImportOutcome> Run();

 private:
  Result<void> StartThreads(std::vector<std::thread>& threads);
  void ReadChunks();
  void ParseChunks();
  ParsedChunk ParseOne(RecordParser& parser, const NumberedChunk& work);
  Result<ImportOutcome> AppendChunks();
  Result<void> Append(ParsedChunk chunk, ImportOutcome& outcome);
  Result<void> NoteBadLines(const ParsedChunk& chunk, ImportOutcome& outcome);
  std::unexpected<Error> TooManyBadLines(const ImportOutcome& outcome) const;
  Error ErrorOf(const BadLine& bad) const;

  const SourceStream& stream_;
  ChunkSource& source_;
  RecordSink& sink_;
  const ImportOptions& options_;
  const unsigned parsers_;
  Pipeline pipeline_;
  uint64_t lines_before_ = 0;  // the appending thread's
};

Result<ImportOutcome> ChunkImport::Run() {
  std::vector<std::thread> threads;
  auto started = StartThreads(threads);
  auto outcome = started ? AppendChunks() : std::unexpected(std::move(started).error());
  pipeline_.Stop();
  for (std::thread& thread : threads) thread.join();
  return outcome;
}

Result<void> ChunkImport::StartThreads(std::vector<std::thread>& threads) {
  try {
    threads.reserve(parsers_ + 1);
    threads.emplace_back([this] { ReadChunks(); });
    for (unsigned i = 0; i < parsers_; ++i) threads.emplace_back([this] { ParseChunks(); });
  } catch (const std::system_error& error) {
    return Fail(ErrorCode::kLimit, stream_.path() + ": cannot start a thread: " + error.what());
  }
  return {};
}

void ChunkImport::ReadChunks() {
  uint64_t number = 0;
  while (auto chunk = pipeline_.TakeFree()) {
    auto read = source_.Next(*chunk);
    if (!read) {
      pipeline_.PutOutcome(number++, std::move(read).error());
      break;
    }
    if (chunk->lines.text().empty()) break;
    pipeline_.PutRead({number++, *std::move(chunk)});
  }
  pipeline_.EndReading(number);
}

void ChunkImport::ParseChunks() {
  std::string key_namespace;
  auto parser = std::make_unique<RecordParser>(LinesOf(options_.source, stream_, key_namespace));
  while (auto work = pipeline_.TakeRead()) {
    if (work->chunk.key_namespace != key_namespace) {
      key_namespace = work->chunk.key_namespace;
      parser = std::make_unique<RecordParser>(LinesOf(options_.source, stream_, key_namespace));
    }
    pipeline_.PutOutcome(work->number, ParseOne(*parser, *work));
    pipeline_.PutFree(std::move(work->chunk));
  }
}

ParsedChunk ChunkImport::ParseOne(RecordParser& parser, const NumberedChunk& work) {
  const LineLimits limits{options_.max_line_bytes, options_.source.bad_lines};
  ParsedChunk parsed =
      ParseChunk(parser, work.chunk.lines.text(), work.number == 0, limits, sink_.NewBatch());
  const auto& positions = work.chunk.positions;
  const auto place = [&positions](BadLine& bad) {
    if (bad.line <= positions.size()) bad.position = positions[bad.line - 1];
  };
  for (BadLine& bad : parsed.bad_lines) place(bad);
  if (parsed.fatal_line) place(*parsed.fatal_line);
  return parsed;
}

Result<ImportOutcome> ChunkImport::AppendChunks() {
  ImportOutcome outcome;
  uint64_t number = 0;
  while (auto taken = pipeline_.TakeOutcome(number++)) {
    if (auto* error = std::get_if<Error>(&*taken)) return std::unexpected(std::move(*error));
    auto& chunk = std::get<ParsedChunk>(*taken);
    const uint64_t text_bytes = chunk.text_bytes;
    LARDER_TRY(Append(std::move(chunk), outcome));
    pipeline_.Release(text_bytes);
    if (options_.progress && !options_.progress(stream_.raw_bytes_read(), stream_.raw_bytes())) {
      return Fail(ErrorCode::kCancelled, stream_.path() + ": the import was cancelled");
    }
  }
  outcome.raw_bytes = stream_.raw_bytes_read();
  outcome.text_bytes = stream_.text_bytes_read();
  return outcome;
}

Result<void> ChunkImport::Append(ParsedChunk chunk, ImportOutcome& outcome) {
  if (chunk.bad_line_count > 0 || chunk.fatal_line) LARDER_TRY(NoteBadLines(chunk, outcome));
  LARDER_TRY(sink_.Append(std::move(chunk.batch)));
  lines_before_ += chunk.lines;
  outcome.records += chunk.records;
  outcome.empty_collections += chunk.empty_collections;
  outcome.blank_lines += chunk.blank_lines;
  outcome.depends_on_mtime = outcome.depends_on_mtime || chunk.depends_on_mtime;
  return {};
}

Result<void> ChunkImport::NoteBadLines(const ParsedChunk& chunk, ImportOutcome& outcome) {
  const uint64_t allowed = options_.source.bad_lines;
  // No more than would be found if the chunks were single lines.
  for (const BadLine& bad : chunk.bad_lines) {
    if (outcome.bad_lines.size() == kShownBadLines || outcome.bad_lines.size() > allowed) break;
    outcome.bad_lines.push_back(ErrorOf(bad).message());
  }
  outcome.skipped_lines += chunk.bad_line_count;
  if (outcome.skipped_lines <= allowed && !chunk.fatal_line) return {};
  LARDER_TRY(stream_.CheckUnchanged());
  if (outcome.skipped_lines <= allowed) return std::unexpected(ErrorOf(*chunk.fatal_line));
  if (allowed == 0) return std::unexpected(ErrorOf(chunk.bad_lines.front()));
  return TooManyBadLines(outcome);
}

std::unexpected<Error> ChunkImport::TooManyBadLines(const ImportOutcome& outcome) const {
  const uint64_t allowed = options_.source.bad_lines;
  std::string message = fmt::format("{}: {} bad lines, and at most {} may be skipped",
                                    stream_.path(), allowed + 1, allowed);
  const size_t named = std::min(outcome.bad_lines.size(), kBadLinesInError);
  for (size_t i = 0; i < named; ++i) {
    message += fmt::format("{} {}", i == 0 ? ':' : ';', outcome.bad_lines[i]);
  }
  if (named <= allowed) message += "; ...";
  return Fail(ErrorCode::kCorrupt, std::move(message));
}

Error ChunkImport::ErrorOf(const BadLine& bad) const {
  const LinePosition counted{lines_before_ + bad.line, bad.error.offset + 1};
  return ErrorAt(stream_.path(), bad.position.value_or(counted), bad.error);
}

}  // namespace

Result<ImportOutcome> ImportChunks(const SourceStream& stream, ChunkSource& source,
                                   RecordSink& sink, const ImportOptions& options,
                                   size_t chunk_bytes) {
  if (options.source.shape == Shape::kRows && options.source.key_field.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                stream.path() + ": rows need key_field, the name of the member that is the key");
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned parsers = options.threads > 0 ? options.threads : cores;
  return ChunkImport(stream, source, sink, options, parsers, chunk_bytes).Run();
}

}  // namespace larder::importer
