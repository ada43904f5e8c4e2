#include "import/jsonl/jsonl_importer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/mutex.h"
#include "import/jsonl/chunk_parser.h"
#include "import/line_chunks.h"
#include "import/source_stream.h"

namespace larder::importer {
namespace {

struct NumberedChunk {
  uint64_t number = 0;
  LineChunk chunk;
};

// What became of a chunk; an Error when the source could not be read on.
using Outcome = std::variant<ParsedChunk, Error>;

// The chunks between the three kinds of threads.
class Pipeline {
 public:
  Pipeline(size_t most_chunks, uint64_t most_bytes)
      : most_chunks_(most_chunks), most_bytes_(most_bytes) {}

  // Reader: waits for room; none when stopped.
  std::optional<LineChunk> TakeFree();
  void PutRead(NumberedChunk chunk);
  void EndReading(uint64_t chunks);

  // Parsers: wait for work; none when there is no more.
  std::optional<NumberedChunk> TakeRead();
  void PutOutcome(uint64_t number, Outcome outcome);
  void PutFree(LineChunk chunk);

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
  std::vector<LineChunk> free_ LARDER_GUARDED_BY(mutex_);
  std::deque<NumberedChunk> read_ LARDER_GUARDED_BY(mutex_);
  std::map<uint64_t, Outcome> outcomes_ LARDER_GUARDED_BY(mutex_);
  size_t in_flight_chunks_ LARDER_GUARDED_BY(mutex_) = 0;
  uint64_t in_flight_bytes_ LARDER_GUARDED_BY(mutex_) = 0;
  std::optional<uint64_t> chunk_count_ LARDER_GUARDED_BY(mutex_);  // known at the end
  bool stopped_ LARDER_GUARDED_BY(mutex_) = false;
};

std::optional<LineChunk> Pipeline::TakeFree() {
  MutexLock lock(mutex_);
  while (!stopped_ && !HasRoom()) room_.Wait(mutex_);
  if (stopped_) return std::nullopt;
  if (free_.empty()) return LineChunk();
  LineChunk chunk = std::move(free_.back());
  free_.pop_back();
  return chunk;
}

void Pipeline::PutRead(NumberedChunk chunk) {
  MutexLock lock(mutex_);
  ++in_flight_chunks_;
  in_flight_bytes_ += chunk.chunk.text().size();
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

void Pipeline::PutFree(LineChunk chunk) {
  // One that grew for a long line is given back to the system, not kept for every short one.
  if (chunk.capacity() > 4 * kJsonlChunkBytes) return;
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

class JsonlImport {
 public:
  JsonlImport(SourceStream& stream, RecordSink& sink, const ImportOptions& options,
              unsigned parsers, size_t chunk_bytes)
      : stream_(stream),
        sink_(sink),
        options_(options),
        parsers_(parsers),
        chunk_bytes_(chunk_bytes),
        pipeline_(2 * parsers + 2, (2 * parsers + 2) * uint64_t{chunk_bytes} * 2) {}

  Result<ImportOutcome> Run();

 private:
  Result<void> StartThreads(std::vector<std::thread>& threads);
  void ReadChunks();
  void ParseChunks();
  Result<ImportOutcome> AppendChunks();
  Result<void> Append(ParsedChunk chunk, ImportOutcome& report);

  SourceStream& stream_;
  RecordSink& sink_;
  const ImportOptions& options_;
  const unsigned parsers_;
  const size_t chunk_bytes_;
  Pipeline pipeline_;
  uint64_t lines_before_ = 0;  // the appending thread's
};

Result<ImportOutcome> JsonlImport::Run() {
  std::vector<std::thread> threads;
  auto started = StartThreads(threads);
  auto report = started ? AppendChunks() : std::unexpected(std::move(started).error());
  pipeline_.Stop();
  for (std::thread& thread : threads) thread.join();
  return report;
}

Result<void> JsonlImport::StartThreads(std::vector<std::thread>& threads) {
  try {
    threads.reserve(parsers_ + 1);
    threads.emplace_back([this] { ReadChunks(); });
    for (unsigned i = 0; i < parsers_; ++i) threads.emplace_back([this] { ParseChunks(); });
  } catch (const std::system_error& error) {
    return Fail(ErrorCode::kLimit, stream_.path() + ": cannot start a thread: " + error.what());
  }
  return {};
}

void JsonlImport::ReadChunks() {
  LineChunkReader reader(stream_, chunk_bytes_, options_.max_line_bytes);
  uint64_t number = 0;
  while (auto chunk = pipeline_.TakeFree()) {
    auto read = reader.Next(*chunk);
    if (!read) {
      pipeline_.PutOutcome(number++, std::move(read).error());
      break;
    }
    if (chunk->text().empty()) break;
    pipeline_.PutRead({number++, *std::move(chunk)});
  }
  pipeline_.EndReading(number);
}

void JsonlImport::ParseChunks() {
  RecordParser parser;
  while (auto work = pipeline_.TakeRead()) {
    pipeline_.PutOutcome(work->number, ParseChunk(parser, work->chunk.text(), work->number == 0,
                                                  options_.max_line_bytes, sink_.NewBatch()));
    pipeline_.PutFree(std::move(work->chunk));
  }
}

Result<ImportOutcome> JsonlImport::AppendChunks() {
  ImportOutcome report;
  uint64_t number = 0;
  while (auto outcome = pipeline_.TakeOutcome(number++)) {
    if (auto* error = std::get_if<Error>(&*outcome)) return std::unexpected(std::move(*error));
    auto& chunk = std::get<ParsedChunk>(*outcome);
    const uint64_t text_bytes = chunk.text_bytes;
    LARDER_TRY(Append(std::move(chunk), report));
    pipeline_.Release(text_bytes);
    if (options_.progress && !options_.progress(stream_.raw_bytes_read(), stream_.raw_bytes())) {
      return Fail(ErrorCode::kCancelled, stream_.path() + ": the import was cancelled");
    }
  }
  report.raw_bytes = stream_.raw_bytes_read();
  return report;
}

Result<void> JsonlImport::Append(ParsedChunk chunk, ImportOutcome& report) {
  if (chunk.bad_line) {
    LARDER_TRY(stream_.CheckUnchanged());
    return std::unexpected(ErrorAt(stream_.path(), lines_before_ + chunk.lines, *chunk.bad_line));
  }
  LARDER_TRY(sink_.Append(std::move(chunk.batch)));
  lines_before_ += chunk.lines;
  report.records += chunk.records;
  report.empty_collections += chunk.empty_collections;
  report.blank_lines += chunk.blank_lines;
  report.text_bytes += chunk.text_bytes;
  return {};
}

}  // namespace

Result<ImportOutcome> ImportJsonlInChunks(io::FileSystem& files, const std::string& path,
                                          RecordSink& sink, const ImportOptions& options,
                                          size_t chunk_bytes) {
  LARDER_ASSIGN(auto stream, SourceStream::Open(files, path));
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned parsers = options.threads > 0 ? options.threads : cores;
  return JsonlImport(*stream, sink, options, parsers, chunk_bytes).Run();
}

Result<ImportOutcome> ImportJsonl(io::FileSystem& files, const std::string& path, RecordSink& sink,
                                  const ImportOptions& options) {
  return ImportJsonlInChunks(files, path, sink, options, kJsonlChunkBytes);
}

}  // namespace larder::importer
