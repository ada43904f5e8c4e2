// Any bytes as a Snapshot: whatever they are, reading ends, stays inside them and fails politely.
//
// The first byte chooses: even, the rest is the file; odd, the rest is a list of patches of
// (position, 4 bytes; value, 1 byte) to a small whole file whose checksums are then made right
// again, so that what lies behind the checksums is reached.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "io/faulty_file_system.h"
#include "snapshot/footer.h"
#include "snapshot/format.h"
#include "snapshot/snapshot.h"
#include "snapshot/test_snapshot.h"

namespace larder::snapshot {
namespace {

std::string WholeFile() {
  std::vector<std::string> members;
  for (int i = 0; i < 130; ++i) members.push_back("m" + std::to_string(i));
  io::FaultyFileSystem files;
  files.PutFile("/d/other", "");
  const auto report = Build(files, "/d/a.snap",
                            {StringRecord("s", "dead"), StringRecord("s", "text"),
                             ItemsRecord("c/h", ValueType::kHash, {"f", "v", "g", "w"}),
                             ItemsRecord("c/l", ValueType::kList, {"a", "b"}),
                             ItemsRecord("set", ValueType::kSet, members),
                             ItemsRecord("z", ValueType::kZset, {"a", "b"}, {1, 2.5})});
  if (!report) std::abort();
  return *files.Contents("/d/a.snap");
}

// Makes the checksums of header page, blocks and footer those of the bytes, where they can be
// found.
void Seal(std::string& file) {
  const auto sum = [&file](uint64_t begin, uint64_t bytes) {
    return Checksum64(std::string_view(file).substr(begin, bytes));
  };
  StoreLe(file.data() + kHeaderChecksumAt, sum(0, kHeaderChecksumAt));
  char* footer = file.data() + file.size() - kFooterBytes;
  const auto sums_at = LoadLe<uint64_t>(footer + footer_at::kChecksumsOffset);
  const uint64_t space = file.size() - kFooterBytes;
  if (sums_at <= space && BlockCount(sums_at) <= (space - sums_at) / 8) {
    for (uint64_t block = 0; block < BlockCount(sums_at); ++block) {
      const uint64_t begin = block * kBlockBytes;
      StoreLe(file.data() + sums_at + block * 8,
              sum(begin, std::min(kBlockBytes, sums_at - begin)));
    }
    StoreLe(footer + footer_at::kChecksumsChecksum, sum(sums_at, BlockCount(sums_at) * 8));
  }
  StoreLe(footer + footer_at::kChecksum,
          Checksum64({footer, static_cast<size_t>(footer_at::kChecksum)}));
}

std::string Patched(std::string_view patches) {
  static const std::string whole = WholeFile();
  std::string file = whole;
  constexpr size_t kPatchBytes = 5;
  for (; patches.size() >= kPatchBytes; patches.remove_prefix(kPatchBytes)) {
    // Counted from the end, where the numbers are that everything hangs on.
    const uint64_t back = LoadLe<uint32_t>(patches.data()) % file.size();
    file[file.size() - 1 - back] = patches[4];
  }
  Seal(file);
  return file;
}

uint64_t Touch(const Value& value) {
  const CollectionView view(value);
  uint64_t sum = view.Reply().size() + TextView(value).text().size();
  for (uint64_t n = 0; n < std::min<uint64_t>(view.count(), 200); ++n) {
    for (const char byte : view.Bulk(n)) sum += static_cast<unsigned char>(byte);
    for (const char byte : view.ScoreBulk(n)) sum += static_cast<unsigned char>(byte);
  }
  sum += view.FindMember("m7").value_or(0) + view.LowerBound(1) + view.UpperBound(1);
  return sum + view.Scan(view.Scan(0, 10, [](uint64_t) {}), 10, [](uint64_t) {});
}

void Read(const Snapshot& snapshot) {
  uint64_t sum = 0;
  for (const std::string_view key : {"s", "c/h", "c/l", "set", "z", "", "absent"}) {
    Snapshot::Lookup lookup = snapshot.StartLookup(key);
    snapshot.Prefetch({&lookup, 1});
    if (const auto value = snapshot.Find(key, lookup)) sum += Touch(*value);
  }
  const auto touch = [&sum](const Entry& entry) { sum += Touch(entry.value); };
  uint64_t before = 0;
  for (int call = 0; call < 100; ++call) {
    const uint64_t cursor = snapshot.Scan(before, 3, touch);
    if (cursor != 0 && cursor <= before) std::abort();  // a walk that would never end
    if (cursor == 0) break;
    before = cursor;
  }
  sum += snapshot.ScanCollection("c", 0, 10, touch) + snapshot.CollectionSize("c");
  for (uint64_t random = 0; random < 4; ++random) {
    if (const auto entry = snapshot.RandomEntry(random << 62)) sum += entry->key.size();
  }
  sum += snapshot.Metadata().size();
  sum += Verify(snapshot).has_value() ? 1 : 0;
  volatile uint64_t keep = sum;
  (void)keep;
}

}  // namespace
}  // namespace larder::snapshot

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view rest = input.substr(1);
  const auto snapshot = larder::snapshot::OpenBytes(
      (data[0] & 1) != 0 ? larder::snapshot::Patched(rest) : std::string(rest));
  if (snapshot) larder::snapshot::Read(**snapshot);
  return 0;
}
