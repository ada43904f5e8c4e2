// Format 1 is frozen: the files in golden/ were made once, are read for ever, and are made again to
// the byte.
//
// GOLDEN_WRITE=1 writes those that are missing; a file that is there is never written again.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "io/file_system.h"
#include "io/test_directory.h"
#include "snapshot/builder.h"
#include "snapshot/format.h"
#include "snapshot/snapshot.h"
#include "snapshot/test_snapshot.h"
#include "snapshot/value.h"

namespace larder::snapshot {
namespace {

std::vector<std::string> Numbered(std::string_view stem, int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) texts.push_back(std::string(stem) + std::to_string(i));
  return texts;
}

std::vector<TestRecord> EveryType() {
  const double infinity = std::numeric_limits<double>::infinity();
  TestRecord json = StringRecord("json", R"({"a":[1,2,{"b":null}]})");
  json.type = ValueType::kJson;
  return {StringRecord("string", "some text"),
          StringRecord("empty text", ""),
          StringRecord("", "of the empty key"),
          StringRecord(std::string("\0\r\n\xFF", 4), std::string("\0\xFF$1\r\n", 6)),
          StringRecord("long", std::string(70'000, 'x')),
          json,
          ItemsRecord("hash", ValueType::kHash, {"field", "1", "", "empty", "other", ""}),
          ItemsRecord("list", ValueType::kList, {"b", "a", "b", ""}),
          ItemsRecord("set", ValueType::kSet, {"y", "x", "z"}),
          ItemsRecord("zset", ValueType::kZset, {"c", "b", "a", "d", "e", "f"},
                      {1.5, -0.0, 0.0, infinity, -infinity, 0.1})};
}

std::vector<TestRecord> ExpiriesVersionsAndFlags() {
  std::vector<TestRecord> records;
  for (unsigned which = 0; which < 8; ++which) {
    TestRecord record = StringRecord("k" + std::to_string(which), "v" + std::to_string(which));
    if ((which & 1) != 0) record.expires_at_ms = 1'700'000'000'000 + which;
    if ((which & 2) != 0) record.version = uint64_t{1} << 63 | which;
    if ((which & 4) != 0) record.flags = 0xFFFFFFF0U + which;
    records.push_back(record);
  }
  records.push_back(ItemsRecord("hash", ValueType::kHash, {"f", "v"}));
  records.back().expires_at_ms = -1;
  return records;
}

// One element below, at and above where member tables begin, and offsets of two and four bytes.
std::vector<TestRecord> LargeCollections() {
  std::vector<TestRecord> records;
  for (const int count : {127, 128, 129, 300}) {
    const std::string number = std::to_string(count);
    records.push_back(ItemsRecord("hash " + number, ValueType::kHash, Numbered("f", 2 * count)));
    records.push_back(ItemsRecord("set " + number, ValueType::kSet, Numbered("m", count)));
    records.push_back(ItemsRecord("list " + number, ValueType::kList, Numbered("e", count)));
    std::vector<double> scores;
    for (int i = 0; i < count; ++i) scores.push_back(i * 0.25 - 10);
    records.push_back(
        ItemsRecord("zset " + number, ValueType::kZset, Numbered("z", count), scores));
  }
  std::vector<std::string> wide = Numbered("wide", 130);
  for (std::string& text : wide) text.append(600, 'w');
  records.push_back(ItemsRecord("wide", ValueType::kSet, wide));
  return records;
}

std::vector<TestRecord> Collections() {
  std::vector<TestRecord> records;
  for (int i = 0; i < 200; ++i) {
    const std::string number = std::to_string(i);
    records.push_back(StringRecord("artist:" + number, "a" + number));
    records.push_back(StringRecord("song:" + number + ":title", "s" + number));
    records.push_back(StringRecord("of none " + number, "n" + number));
  }
  records.push_back(StringRecord(":of the collection without a name", ""));
  return records;
}

std::vector<TestRecord> DeadRecords() {
  std::vector<TestRecord> records;
  for (int round = 0; round < 3; ++round) {
    for (int i = round; i < 50; i += round + 1) {
      records.push_back(StringRecord("k" + std::to_string(i), "of round " + std::to_string(round)));
    }
  }
  return records;
}

struct Golden {
  std::string name;
  std::vector<TestRecord> records;
  BuildOptions options;
};

BuildOptions Seeded(std::optional<char> separator = '/') {
  BuildOptions options;
  options.separator = separator;
  options.key_seed = 0x0123456789ABCDEF;
  options.member_seed = 0xFEDCBA9876543210;
  options.threads = 1;
  options.metadata = {{"source", "golden"}, {"unknown", std::string("\0 bytes", 7)}};
  return options;
}

std::vector<Golden> AllGolden() {
  return {{"empty", {}, Seeded()},
          {"every_type", EveryType(), Seeded()},
          {"extras", ExpiriesVersionsAndFlags(), Seeded(std::nullopt)},
          {"large_collections", LargeCollections(), Seeded(std::nullopt)},
          {"collections", Collections(), Seeded(':')},
          {"dead_records", DeadRecords(), Seeded()}};
}

std::string PathOf(const Golden& golden) { return "golden/" + golden.name + ".snap"; }

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string BuildAnew(const Golden& golden) {
  const io::TestDirectory directory;
  const auto built = Build(io::RealFileSystem(), directory / "a", golden.records, golden.options);
  EXPECT_TRUE(built) << built.error().message();
  return ReadAll(directory / "a");
}

// What a reader of the record is to get, made without the format.
void ExpectContent(const TestRecord& wanted, const std::optional<Value>& found) {
  ASSERT_TRUE(found) << wanted.key;
  EXPECT_EQ(found->type, wanted.type);
  EXPECT_EQ(found->expires_at_ms, wanted.expires_at_ms);
  EXPECT_EQ(found->version, wanted.version);
  EXPECT_EQ(found->flags, wanted.flags.value_or(0));
  if (wanted.type == ValueType::kString || wanted.type == ValueType::kJson) {
    EXPECT_EQ(TextView(*found).text(), wanted.text);
    return;
  }
  const CollectionView view(*found);
  const uint64_t bulks = wanted.items.size();
  ASSERT_EQ(view.count(), wanted.type == ValueType::kHash ? bulks / 2 : bulks) << wanted.key;
  if (wanted.type != ValueType::kZset) {
    for (uint64_t i = 0; i < bulks; ++i) EXPECT_EQ(view.Text(i), wanted.items[i]);
    if (wanted.type == ValueType::kSet) {
      for (uint64_t i = 0; i < bulks; ++i) EXPECT_EQ(view.FindMember(wanted.items[i]), i);
    }
    return;
  }
  for (uint64_t i = 0; i < bulks; ++i) {
    const auto element = view.FindMember(wanted.items[i]);
    ASSERT_TRUE(element) << wanted.items[i];
    EXPECT_EQ(view.Score(*element), wanted.scores[i]);
    EXPECT_EQ(BulkText(view.ScoreBulk(*element)), FormatScore(wanted.scores[i]));
  }
}

class GoldenFile : public ::testing::TestWithParam<Golden> {};

INSTANTIATE_TEST_SUITE_P(Format1, GoldenFile, ::testing::ValuesIn(AllGolden()),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(GoldenFile, HoldsWhatItWasMadeOf) {
  if (std::getenv("GOLDEN_WRITE") != nullptr && !std::filesystem::exists(PathOf(GetParam()))) {
    std::ofstream(PathOf(GetParam()), std::ios::binary) << BuildAnew(GetParam());
  }
  const auto snapshot = Snapshot::Open(io::RealFileSystem(), PathOf(GetParam()));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  std::map<std::string, TestRecord> last;
  for (const TestRecord& record : GetParam().records) last[record.key] = record;
  EXPECT_EQ((*snapshot)->record_count(), last.size());
  EXPECT_EQ((*snapshot)->header().dead_records, GetParam().records.size() - last.size());
  EXPECT_EQ((*snapshot)->header().separator, GetParam().options.separator);
  for (const auto& [key, record] : last) ExpectContent(record, (*snapshot)->Find(key));
  EXPECT_FALSE((*snapshot)->Find("absent"));
}

TEST_P(GoldenFile, IsSound) {
  const auto snapshot = Snapshot::Open(io::RealFileSystem(), PathOf(GetParam()));
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  const auto verified = Verify(**snapshot);
  EXPECT_TRUE(verified) << verified.error().message();
}

TEST_P(GoldenFile, IsMadeAgainToTheByte) {
  const std::string made = BuildAnew(GetParam());
  const std::string golden = ReadAll(PathOf(GetParam()));
  ASSERT_EQ(made.size(), golden.size());
  const auto [first, other] = std::ranges::mismatch(made, golden);
  EXPECT_EQ(first - made.begin(), static_cast<ptrdiff_t>(made.size()))
      << "the first byte that differs";
}

TEST(GoldenFiles, ListTheCollectionsOfTheirKeys) {
  const auto snapshot = Snapshot::Open(io::RealFileSystem(), "golden/collections.snap");
  ASSERT_TRUE(snapshot) << snapshot.error().message();
  EXPECT_EQ((*snapshot)->CollectionSize("artist"), 200U);
  EXPECT_EQ((*snapshot)->CollectionSize("song"), 200U);
  EXPECT_EQ((*snapshot)->CollectionSize(""), 1U);
  EXPECT_EQ((*snapshot)->CollectionSize("of none 1"), 0U);
}

// ---- What is reserved is refused, so that a later format may use it.

// The footer with `bits` set in its flags, and its checksum made right.
std::string WithFooterFlags(std::string file, uint32_t bits) {
  char* const footer = file.data() + file.size() - kFooterBytes;
  StoreLe(footer + footer_at::kFlags, LoadLe<uint32_t>(footer + footer_at::kFlags) | bits);
  StoreLe(footer + footer_at::kChecksum, Checksum64({footer, footer_at::kChecksum}));
  return file;
}

TEST(Reserved, AFileWithAnUnknownFooterFlagIsRefused) {
  const std::string file = ReadAll("golden/every_type.snap");
  for (const uint32_t bit :
       {uint32_t{1} << 1, uint32_t{1} << 7, uint32_t{1} << 16, uint32_t{1} << 31}) {
    const auto opened = OpenBytes(WithFooterFlags(file, bit));
    ASSERT_FALSE(opened) << bit;
    EXPECT_THAT(opened.error().code(),
                ::testing::AnyOf(ErrorCode::kUnsupported, ErrorCode::kCorrupt));
  }
}

// The record of the key "k" in a file of one record, its head changed and all checksums made right.
std::string WithRecordHead(uint64_t bits) {
  const io::TestDirectory directory;
  EXPECT_TRUE(Build(io::RealFileSystem(), directory / "a", {StringRecord("k", "v")}, Seeded()));
  std::string file = ReadAll(directory / "a");
  StoreLe(file.data() + kRecordsOffset, LoadLe<uint64_t>(file.data() + kRecordsOffset) | bits);
  char* const footer = file.data() + file.size() - kFooterBytes;
  const auto checksums = LoadLe<uint64_t>(footer + footer_at::kChecksumsOffset);
  StoreLe(file.data() + checksums, Checksum64({file.data(), checksums}));
  StoreLe(footer + footer_at::kChecksumsChecksum, Checksum64({file.data() + checksums, 8}));
  StoreLe(footer + footer_at::kChecksum, Checksum64({footer, footer_at::kChecksum}));
  return file;
}

TEST(Reserved, ARecordOfAnUnusedTypeOrFlagIsNotFoundAndVerifyRefusesIt) {
  EXPECT_TRUE((*OpenBytes(WithRecordHead(0)))->Find("k"));
  EXPECT_TRUE(Verify(**OpenBytes(WithRecordHead(0))));
  for (const uint64_t bits : {uint64_t{6} << kTypeShift, uint64_t{7} << kTypeShift,
                              uint64_t{kRecordUnusedFlag} << kFlagsShift}) {
    const auto opened = OpenBytes(WithRecordHead(bits));
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_FALSE((*opened)->Find("k"));
    const auto verified = Verify(**opened);
    ASSERT_FALSE(verified);
    EXPECT_EQ(verified.error().code(), ErrorCode::kCorrupt);
  }
}

}  // namespace
}  // namespace larder::snapshot
