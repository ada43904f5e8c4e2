// larder_inprocess: random look-ups in the program's own process, by Larder and by what else there
// is for that (inprocess.py drives it).
//
//   larder_inprocess make DIR --records N              the files that the others map or open
//   larder_inprocess sizes DIR --records N             {"larder": bytes, ...} of each
//   larder_inprocess measure DIR --records N --engine cdb ... --rounds 5 --seconds 0.5
//                                                      a line of JSON for each round and engine
//   larder_inprocess cold DIR --records N              first look-ups after each mode of residency
//
// Keys of 17 bytes, values of 64. Every engine first answers a hundred thousand look-ups whose
// values are compared whole; while it is measured the first and the last word of every value are.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <cdb.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <lmdb.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io/file_system.h"
#include "io/resident_mapping.h"
#include "larder/snapshot.h"
#include "snapshot/builder.h"
#include "snapshot/snapshot.h"

namespace larder::bench {
namespace {

constexpr size_t kKeyBytes = 17;
constexpr size_t kValueWords = 8;
constexpr size_t kBatch = 16;
constexpr size_t kDrawn = size_t{1} << 21;  // far more than any cache holds
constexpr size_t kWholeChecks = 100'000;
constexpr uint64_t kInsertBatch = 5000;
constexpr size_t kColdLookUps = 20'000;
constexpr size_t kRocksCacheMegabytes = 4096;

void Require(bool good, std::string_view what) {
  if (!good) throw std::runtime_error(std::string(what));
}

// "item:000000000042"
struct Key {
  std::array<char, kKeyBytes> bytes;
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
};
Key KeyOf(uint64_t record) {
  Key key{{'i', 't', 'e', 'm', ':'}};
  for (size_t at = kKeyBytes; at > 5; record /= 10) {
    key.bytes[--at] = static_cast<char>('0' + record % 10);
  }
  return key;
}

uint64_t Mix(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ x >> 27) * 0x94D049BB133111EBULL;
  return x ^ x >> 31;
}
uint64_t WordOf(uint64_t record, size_t word) { return Mix(record * kValueWords + word + 1); }

struct ValueBytes {
  std::array<uint64_t, kValueWords> words;
  std::string_view view() const {
    return {reinterpret_cast<const char*>(words.data()), sizeof words};
  }
};
ValueBytes ValueOf(uint64_t record) {
  ValueBytes value{};
  for (size_t i = 0; i < kValueWords; ++i) value.words[i] = WordOf(record, i);
  return value;
}

// What is asked, and what is to be answered; side by side, so that reading them costs no miss.
struct Query {
  Key key;
  uint64_t first;
  uint64_t last;
};

bool IsRight(const Query& query, std::string_view value) {
  if (value.size() != sizeof(ValueBytes)) return false;
  uint64_t first = 0;
  uint64_t last = 0;
  std::memcpy(&first, value.data(), sizeof first);
  std::memcpy(&last, value.data() + value.size() - sizeof last, sizeof last);
  return first == query.first && last == query.last;
}

std::vector<Query> Draw(uint64_t from, uint64_t records, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Query> drawn;
  drawn.reserve(kDrawn);
  for (size_t i = 0; i < kDrawn; ++i) {
    const uint64_t record = from + random() % records;
    drawn.push_back({KeyOf(record), WordOf(record, 0), WordOf(record, kValueWords - 1)});
  }
  return drawn;
}

using Keys = std::span<const std::string_view, kBatch>;
using Values = std::span<std::string_view, kBatch>;  // without data: there is none

// For those that know no batches.
template <typename Engine>
void FindOneByOne(Engine& engine, Keys keys, Values values) {
  for (size_t i = 0; i < kBatch; ++i) values[i] = engine.Find(keys[i]);
}

class LarderEngine {
 public:
  explicit LarderEngine(const std::pair<std::string, Residency>& from) {
    const auto& [path, residency] = from;
    auto opened = Snapshot::Open(path, residency);
    Require(opened.has_value() && opened->residency() == residency, path);
    snapshot_ = *std::move(opened);
  }
  std::string_view Find(std::string_view key) const {
    const auto value = snapshot_.Find(key);
    return value ? value->text() : std::string_view();
  }
  void FindMany(Keys keys, Values values) {
    snapshot_.FindMany(keys, found_);
    for (size_t i = 0; i < kBatch; ++i) {
      values[i] = found_[i] ? found_[i]->text() : std::string_view();
    }
  }

 private:
  Snapshot snapshot_;
  std::array<std::optional<Value>, kBatch> found_;
};

class CdbEngine {
 public:
  explicit CdbEngine(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    Require(file_ >= 0 && cdb_init(&cdb_, file_) == 0, path);
  }
  CdbEngine(const CdbEngine&) = delete;
  CdbEngine& operator=(const CdbEngine&) = delete;
  ~CdbEngine() {
    cdb_free(&cdb_);
    ::close(file_);
  }
  std::string_view Find(std::string_view key) {
    if (cdb_find(&cdb_, key.data(), static_cast<unsigned>(key.size())) <= 0) return {};
    return {static_cast<const char*>(cdb_getdata(&cdb_)), cdb_datalen(&cdb_)};
  }
  void FindMany(Keys keys, Values values) { FindOneByOne(*this, keys, values); }

 private:
  int file_;
  cdb cdb_{};
};

class LmdbEngine {
 public:
  explicit LmdbEngine(const std::string& path) {
    Require(mdb_env_create(&environment_) == 0, path);
    constexpr unsigned kFlags = MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK | MDB_NORDAHEAD;
    Require(mdb_env_open(environment_, path.c_str(), kFlags, 0644) == 0, path);
    Require(mdb_txn_begin(environment_, nullptr, MDB_RDONLY, &transaction_) == 0, path);
    Require(mdb_dbi_open(transaction_, nullptr, 0, &database_) == 0, path);
  }
  LmdbEngine(const LmdbEngine&) = delete;
  LmdbEngine& operator=(const LmdbEngine&) = delete;
  ~LmdbEngine() {
    mdb_txn_abort(transaction_);
    mdb_env_close(environment_);
  }
  std::string_view Find(std::string_view key) {
    MDB_val wanted{key.size(), const_cast<char*>(key.data())};
    MDB_val found{};
    if (mdb_get(transaction_, database_, &wanted, &found) != 0) return {};
    return {static_cast<const char*>(found.mv_data), found.mv_size};
  }
  void FindMany(Keys keys, Values values) { FindOneByOne(*this, keys, values); }

 private:
  MDB_env* environment_ = nullptr;
  MDB_txn* transaction_ = nullptr;
  MDB_dbi database_ = 0;
};

rocksdb::Options RocksOptions() {
  rocksdb::Options options;
  options.OptimizeForPointLookup(kRocksCacheMegabytes);
  options.compression = rocksdb::kNoCompression;
  options.max_open_files = -1;
  options.create_if_missing = true;
  return options;
}

class RocksEngine {
 public:
  explicit RocksEngine(const std::string& path) {
    rocksdb::DB* opened = nullptr;
    Require(rocksdb::DB::OpenForReadOnly(RocksOptions(), path, &opened).ok(), path);
    database_.reset(opened);
    // All of it into the block cache.
    const std::unique_ptr<rocksdb::Iterator> all(database_->NewIterator({}));
    for (all->SeekToFirst(); all->Valid(); all->Next()) {
    }
  }
  std::string_view Find(std::string_view key) {
    slices_[0].Reset();
    const auto status = database_->Get(read_, database_->DefaultColumnFamily(),
                                       {key.data(), key.size()}, slices_.data());
    return status.ok() ? std::string_view(slices_[0].data(), slices_[0].size())
                       : std::string_view();
  }
  void FindMany(Keys keys, Values values) {
    for (size_t i = 0; i < kBatch; ++i) {
      keys_[i] = rocksdb::Slice(keys[i].data(), keys[i].size());
      slices_[i].Reset();
    }
    database_->MultiGet(read_, database_->DefaultColumnFamily(), kBatch, keys_.data(),
                        slices_.data(), statuses_.data());
    for (size_t i = 0; i < kBatch; ++i) {
      values[i] = statuses_[i].ok() ? std::string_view(slices_[i].data(), slices_[i].size())
                                    : std::string_view();
    }
  }

 private:
  std::unique_ptr<rocksdb::DB> database_;
  rocksdb::ReadOptions read_;
  std::array<rocksdb::Slice, kBatch> keys_;
  std::array<rocksdb::PinnableSlice, kBatch> slices_;
  std::array<rocksdb::Status, kBatch> statuses_;
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using StandardMap = std::unordered_map<std::string, std::string, TextHash, std::equal_to<>>;
using AbseilMap = absl::flat_hash_map<std::string, std::string>;

// `Text` is how the map's hash takes a key.
template <typename Map, typename Text>
class MapEngine {
 public:
  explicit MapEngine(uint64_t records) {
    map_.reserve(records);
    for (uint64_t record = 0; record < records; ++record) {
      map_.emplace(std::string(KeyOf(record).view()), std::string(ValueOf(record).view()));
    }
  }
  std::string_view Find(std::string_view key) const {
    const auto found = map_.find(Text(key.data(), key.size()));
    return found == map_.end() ? std::string_view() : std::string_view(found->second);
  }
  void FindMany(Keys keys, Values values) { FindOneByOne(*this, keys, values); }

 private:
  Map map_;
};

// ---- Measuring

struct Options {
  std::string command;
  std::filesystem::path directory;
  uint64_t records = 10'000'000;
  std::vector<std::string> engines;
  unsigned rounds = 5;
  double seconds = 0.5;
};

template <typename Engine>
void CheckWhole(Engine& engine, uint64_t records) {
  std::mt19937_64 random(7);
  for (size_t i = 0; i < kWholeChecks; ++i) {
    const uint64_t record = random() % records;
    Require(engine.Find(KeyOf(record).view()) == ValueOf(record).view(), "a wrong value");
    Require(engine.Find(KeyOf(records + record).view()).data() == nullptr, "a value of nobody");
  }
}

// The thread's own processor time, so that what else runs on the machine counts less.
double CpuSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Calls `step(first query)` for kBatch queries at a time; nanoseconds a query.
template <typename Step>
double Time(double seconds, Step&& step) {
  constexpr size_t kUntilClock = 256 * kBatch;
  const double begin = CpuSeconds();
  size_t done = 0;
  while (CpuSeconds() < begin + seconds) {
    for (size_t i = 0; i < kUntilClock; i += kBatch) step((done + i) % kDrawn);
    done += kUntilClock;
  }
  return (CpuSeconds() - begin) * 1e9 / static_cast<double>(done);
}

// Nanoseconds a look-up, one round.
template <typename Engine>
std::map<std::string, double> MeasureOnce(Engine& engine, const Options& options, uint64_t round) {
  const std::vector<Query> hits = Draw(0, options.records, 2 * round + 1);
  const std::vector<Query> misses = Draw(options.records, options.records, 2 * round + 2);
  bool right = true;
  std::map<std::string, double> found;
  found["hit"] = Time(options.seconds, [&](size_t at) {
    for (const Query& query : std::span(hits).subspan(at, kBatch)) {
      right &= IsRight(query, engine.Find(query.key.view()));
    }
  });
  found["miss"] = Time(options.seconds, [&](size_t at) {
    for (const Query& query : std::span(misses).subspan(at, kBatch)) {
      right &= engine.Find(query.key.view()).data() == nullptr;
    }
  });
  std::array<std::string_view, kBatch> keys;
  std::array<std::string_view, kBatch> values;
  const auto find_many = [&](std::span<const Query> queries) {
    for (size_t i = 0; i < kBatch; ++i) keys[i] = queries[i].key.view();
    engine.FindMany(keys, values);
  };
  found["batch"] = Time(options.seconds, [&](size_t at) {
    const auto queries = std::span(hits).subspan(at, kBatch);
    find_many(queries);
    for (size_t i = 0; i < kBatch; ++i) right &= IsRight(queries[i], values[i]);
  });
  found["batch_miss"] = Time(options.seconds, [&](size_t at) {
    find_many(std::span(misses).subspan(at, kBatch));
    for (size_t i = 0; i < kBatch; ++i) right &= values[i].data() == nullptr;
  });
  Require(right, "a wrong answer");
  return found;
}

using Measure = std::function<std::map<std::string, double>(uint64_t round)>;

template <typename Engine, typename From>
Measure Prepare(const Options& options, const From& from) {
  const auto engine = std::make_shared<Engine>(from);
  CheckWhole(*engine, options.records);
  return [engine, &options](uint64_t round) { return MeasureOnce(*engine, options, round); };
}

Measure PrepareNamed(const Options& options, const std::string& name) {
  const std::string path = options.directory / name;
  const std::string larder = options.directory / "larder";
  if (name == "larder") {
    return Prepare<LarderEngine>(options, std::pair(larder, Residency::kPopulated));
  }
  if (name == "larder-huge") {
    return Prepare<LarderEngine>(options, std::pair(larder, Residency::kHuge));
  }
  if (name == "cdb") return Prepare<CdbEngine>(options, path);
  if (name == "lmdb") return Prepare<LmdbEngine>(options, path);
  if (name == "rocksdb") return Prepare<RocksEngine>(options, path);
  if (name == "absl")
    return Prepare<MapEngine<AbseilMap, absl::string_view>>(options, options.records);
  if (name == "std")
    return Prepare<MapEngine<StandardMap, std::string_view>>(options, options.records);
  throw std::runtime_error("no engine " + name);
}

// One engine after the other in every round; all are in memory at the same time.
void MeasureAll(const Options& options) {
  std::vector<std::pair<std::string, Measure>> engines;
  for (const std::string& name : options.engines) {
    engines.emplace_back(name, PrepareNamed(options, name));
  }
  for (unsigned round = 0; round < options.rounds; ++round) {
    for (const auto& [name, measure] : engines) {
      auto figures = measure(round);
      fmt::print(
          R"({{"engine":"{}","hit":{:.1f},"miss":{:.1f},"batch":{:.1f},"batch_miss":{:.1f}}})"
          "\n",
          name, figures["hit"], figures["miss"], figures["batch"], figures["batch_miss"]);
      std::fflush(stdout);
    }
  }
}

// ---- Cold

// The file's pages leave the page cache; nobody has it mapped.
void DropFromCache(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Require(file >= 0 && ::fdatasync(file) == 0, path);
  Require(::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0 && ::close(file) == 0, path);
}

double WallSeconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Opens the file in a mode when nothing of it is in memory, and looks random records up once each.
void MeasureCold(const Options& options, Residency residency) {
  const std::string path = options.directory / "larder";
  DropFromCache(path);
  const std::vector<Query> queries = Draw(0, options.records, 1);
  const double begin = WallSeconds();
  auto snapshot = Snapshot::Open(path, residency);
  Require(snapshot.has_value(), path);
  const double opened = WallSeconds();
  rusage before{};
  ::getrusage(RUSAGE_THREAD, &before);
  for (size_t i = 0; i < kColdLookUps; ++i) {
    const auto value = snapshot->Find(queries[i].key.view());
    Require(value && IsRight(queries[i], value->text()), "a wrong answer");
  }
  const double done = WallSeconds();
  rusage after{};
  ::getrusage(RUSAGE_THREAD, &after);
  const auto each = static_cast<double>(kColdLookUps);
  fmt::print(
      R"({{"wanted":"{}","reached":"{}","open_ms":{:.1f},"us":{:.2f},"minor":{:.3f},"major":{:.3f}}})"
      "\n",
      io::ResidencyName(residency), io::ResidencyName(snapshot->residency()),
      (opened - begin) * 1e3, (done - opened) * 1e6 / each,
      static_cast<double>(after.ru_minflt - before.ru_minflt) / each,
      static_cast<double>(after.ru_majflt - before.ru_majflt) / each);
}

// ---- Making the files

void MakeLarder(const std::string& path, uint64_t records) {
  snapshot::BuildOptions build;
  build.key_seed = 1;
  build.member_seed = 2;
  auto builder = snapshot::Builder::Create(io::RealFileSystem(), path, build);
  Require(builder.has_value(), path);
  for (uint64_t first = 0; first < records; first += kInsertBatch) {
    auto batch = (*builder)->NewBatch();
    for (uint64_t i = first; i < std::min(records, first + kInsertBatch); ++i) {
      const Key key = KeyOf(i);
      const ValueBytes value = ValueOf(i);
      RecordView record;
      record.key = key.view();
      record.text = value.view();
      Require(batch->Add(record).has_value(), path);
    }
    Require((*builder)->Append(std::move(batch)).has_value(), path);
  }
  Require((*builder)->Finish().has_value(), path);
}

void MakeCdb(const std::string& path, uint64_t records) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  cdb_make made{};
  Require(file >= 0 && cdb_make_start(&made, file) == 0, path);
  for (uint64_t record = 0; record < records; ++record) {
    const Key key = KeyOf(record);
    const ValueBytes value = ValueOf(record);
    Require(
        cdb_make_add(&made, key.view().data(), kKeyBytes, value.view().data(), sizeof value) == 0,
        path);
  }
  Require(cdb_make_finish(&made) == 0 && ::close(file) == 0, path);
}

void MakeLmdb(const std::string& path, uint64_t records) {
  MDB_env* environment = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi database = 0;
  Require(mdb_env_create(&environment) == 0, path);
  Require(mdb_env_set_mapsize(environment, (records + 10'000) * 512) == 0, path);
  constexpr unsigned kFlags = MDB_NOSUBDIR | MDB_NOSYNC;
  Require(mdb_env_open(environment, path.c_str(), kFlags, 0644) == 0, path);
  Require(mdb_txn_begin(environment, nullptr, 0, &transaction) == 0, path);
  Require(mdb_dbi_open(transaction, nullptr, 0, &database) == 0, path);
  for (uint64_t record = 0; record < records; ++record) {
    Key key = KeyOf(record);
    ValueBytes value = ValueOf(record);
    MDB_val wanted{kKeyBytes, key.bytes.data()};
    MDB_val data{sizeof value, value.words.data()};
    Require(mdb_put(transaction, database, &wanted, &data, MDB_APPEND) == 0, path);
  }
  Require(mdb_txn_commit(transaction) == 0, path);
  mdb_env_close(environment);
}

void MakeRocks(const std::string& path, uint64_t records) {
  rocksdb::Options options = RocksOptions();
  options.PrepareForBulkLoad();
  rocksdb::DB* opened = nullptr;
  Require(rocksdb::DB::Open(options, path, &opened).ok(), path);
  const std::unique_ptr<rocksdb::DB> database(opened);
  rocksdb::WriteOptions write;
  write.disableWAL = true;
  for (uint64_t record = 0; record < records; ++record) {
    const Key key = KeyOf(record);
    const ValueBytes value = ValueOf(record);
    const rocksdb::Slice data(value.view().data(), sizeof value);
    Require(database->Put(write, {key.view().data(), kKeyBytes}, data).ok(), path);
  }
  Require(database->Flush({}).ok(), path);
  Require(database->CompactRange({}, nullptr, nullptr).ok(), path);
  Require(database->Close().ok(), path);
}

void Make(const Options& options) {
  using Maker = void (*)(const std::string&, uint64_t);
  static constexpr std::pair<std::string_view, Maker> kMakers[] = {
      {"larder", MakeLarder}, {"cdb", MakeCdb}, {"lmdb", MakeLmdb}, {"rocksdb", MakeRocks}};
  for (const auto& [name, make] : kMakers) make(options.directory / name, options.records);
}

uint64_t BytesOf(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return std::filesystem::file_size(path);
  uint64_t total = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path)) total += entry.file_size();
  return total;
}

void PrintSizes(const Options& options) {
  auto opened = snapshot::Snapshot::Open(io::RealFileSystem(), options.directory / "larder");
  Require(opened.has_value(), "larder");
  const snapshot::Header& header = (*opened)->header();
  const double index = static_cast<double>(header.directory_offset - header.index_offset);
  fmt::print(R"({{"index_bytes_per_key":{:.2f},"larder":{},"cdb":{},"lmdb":{},"rocksdb":{}}})"
             "\n",
             index / static_cast<double>(header.record_count),
             BytesOf(options.directory / "larder"), BytesOf(options.directory / "cdb"),
             BytesOf(options.directory / "lmdb"), BytesOf(options.directory / "rocksdb"));
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Random look-ups in this process, by Larder and others.");
  app.add_option("command", options.command)
      ->required()
      ->check(CLI::IsMember({"make", "sizes", "measure", "cold"}));
  app.add_option("directory", options.directory)->required()->check(CLI::ExistingDirectory);
  app.add_option("--records", options.records)->check(CLI::PositiveNumber);
  app.add_option("--engine", options.engines);
  app.add_option("--rounds", options.rounds);
  app.add_option("--seconds", options.seconds, "for each workload of a round");
  CLI11_PARSE(app, argc, argv);
  if (options.command == "make") Make(options);
  if (options.command == "sizes") PrintSizes(options);
  if (options.command == "measure") MeasureAll(options);
  if (options.command == "cold") {
    for (const Residency residency :
         {Residency::kMapped, Residency::kPopulated, Residency::kHuge, Residency::kLocked}) {
      MeasureCold(options, residency);
    }
  }
  return 0;
}

}  // namespace
}  // namespace larder::bench

int main(int argc, char** argv) {
  try {
    return larder::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fputs(fmt::format("larder_inprocess: {}\n", error.what()).c_str(), stderr);
    return 1;
  }
}
