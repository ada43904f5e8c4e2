#include "snapshot/run_sorter.h"

#include <random>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "snapshot/encoded_batch.h"

namespace larder::snapshot {
namespace {

// Keys whose first bits are spread, all the same, of few kinds, or the same but for the last.
std::vector<uint64_t> Words(size_t count, unsigned kind) {
  std::mt19937_64 random(kind);
  std::vector<uint64_t> words(count);
  for (uint64_t& word : words) {
    const uint64_t any = random();
    word = kind == 0 ? any : kind == 1 ? 42 : kind == 2 ? (any % 3) << 62 : any % 5;
  }
  return words;
}

std::vector<CollectionEntry> Entries(size_t count, unsigned collections, unsigned hashes) {
  const std::vector<uint64_t> names = Words(count, collections);
  const std::vector<uint64_t> keys = Words(count, hashes);
  std::vector<CollectionEntry> entries(count);
  for (size_t i = 0; i < count; ++i) {
    // Payloads tell entries of one key apart; their upper bits belong to the name.
    entries[i] = {names[i], keys[i], names[i] % 2 << 48 | (i * 7919) % count};
  }
  return entries;
}

bool Same(const CollectionEntry& a, const CollectionEntry& b) {
  return a.collection == b.collection && a.hash == b.hash && a.payload == b.payload;
}

TEST(PartitionSort, SortsAsComparingDoes) {
  for (const size_t count : {0U, 1U, 2U, 24U, 25U, 100U, 5000U, 70'000U}) {
    for (unsigned collections = 0; collections < 4; ++collections) {
      for (unsigned hashes = 0; hashes < 4; ++hashes) {
        std::vector<CollectionEntry> sorted = Entries(count, collections, hashes);
        std::vector<CollectionEntry> compared = sorted;
        PartitionSort(std::span(sorted));
        std::sort(compared.begin(), compared.end());
        ASSERT_TRUE(std::ranges::equal(sorted, compared, Same))
            << count << " " << collections << " " << hashes;
      }
    }
  }
}

TEST(RunSorter, GivesTheSameForAnyNumberOfThreadsAndRuns) {
  for (unsigned collections = 0; collections < 4; ++collections) {
    const std::vector<CollectionEntry> entries = Entries(100'000, collections, 0);
    std::vector<CollectionEntry> compared = entries;
    std::sort(compared.begin(), compared.end());
    for (const unsigned threads : {1U, 2U, 9U}) {
      for (const size_t spill_every : {entries.size() + 1, size_t{30'000}}) {
        io::FaultyFileSystem files;
        RunSorter<CollectionEntry> sorter(files, "run-", 4096, threads);
        for (size_t i = 0; i < entries.size(); ++i) {
          sorter.Add(entries[i]);
          if ((i + 1) % spill_every == 0) {
            ASSERT_TRUE(sorter.Spill());
          }
        }
        EXPECT_EQ(sorter.count(), entries.size());
        ASSERT_TRUE(sorter.Finish());
        EXPECT_EQ(sorter.all_in_memory(), spill_every > entries.size());
        std::vector<CollectionEntry> sorted;
        for (CollectionEntry entry;;) {
          const auto more = sorter.Next(entry);
          ASSERT_TRUE(more);
          if (!*more) break;
          sorted.push_back(entry);
        }
        ASSERT_TRUE(std::ranges::equal(sorted, compared, Same)) << collections << " " << threads;
      }
    }
  }
}

}  // namespace
}  // namespace larder::snapshot
