// rostore's pointer file as a source: naming other files switches, naming the old ones goes back.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "dataset/test_sources.h"

namespace larder::dataset {
namespace {

using ::testing::HasSubstr;

class PointerSource : public ::testing::Test {
 protected:
  PointerSource() { test_.options().source = "/in/current.json"; }

  static std::string RecordsPath(const std::string& word) { return "/data/" + word + ".records"; }
  static std::string IndexPath(const std::string& word) { return "/data/" + word + ".index"; }

  void PutData(const std::string& word) {
    test_.files().PutFile(RecordsPath(word), SourceOf(word));
    test_.files().PutFile(IndexPath(word), IndexOf(SourceOf(word)));
  }
  void PointTo(const std::string& word) {
    test_.files().PutFile(test_.options().source, PointerTo(RecordsPath(word), IndexPath(word)));
  }
  SwitchReport Take(bool at_once = true) {
    const auto report = test_->Refresh(at_once);
    EXPECT_TRUE(report) << report.error().message();
    return report.value_or(SwitchReport{});
  }
  Error Refused() {
    const auto report = test_->Refresh(true);
    EXPECT_FALSE(report);
    return report ? Error(ErrorCode::kInternal, "taken") : report.error();
  }
  // Serves "one", with the data of "two" beside it.
  void Begin() {
    PutData("one");
    PutData("two");
    PointTo("one");
    test_.Open();
    Take();
    EXPECT_EQ(test_.Word(), "one");
  }

  TestDataset test_;
};

TEST_F(PointerSource, NamingOtherFilesSwitches) {
  Begin();
  PointTo("two");
  Take(false);
  EXPECT_EQ(test_.Word(), "one") << "it has just changed";
  EXPECT_TRUE(Take(false).compiled);
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(PointerSource, NamingTheOldOnesAgainGoesBackWithoutReadingThem) {
  for (const bool at_once : {false, true}) {
    SCOPED_TRACE(at_once ? "told to" : "by looking");
    test_.Close();
    Begin();
    PointTo("two");
    Take();
    const uint64_t records = test_.files().bytes_read(RecordsPath("one"));
    const uint64_t index = test_.files().bytes_read(IndexPath("one"));
    ASSERT_GT(records, 0U);
    PointTo("one");
    if (!at_once) Take(false);
    const SwitchReport report = Take(at_once);
    EXPECT_FALSE(report.compiled);
    EXPECT_EQ(report.current, 1U);
    EXPECT_EQ(test_.Word(), "one");
    EXPECT_EQ(test_.files().bytes_read(RecordsPath("one")), records);
    EXPECT_EQ(test_.files().bytes_read(IndexPath("one")), index);
  }
}

TEST_F(PointerSource, ToldTwiceItReadsTheFilesAllTheSame) {
  Begin();
  const uint64_t records = test_.files().bytes_read(RecordsPath("one"));
  EXPECT_FALSE(Take(true).compiled);
  EXPECT_GT(test_.files().bytes_read(RecordsPath("one")), records);
}

TEST_F(PointerSource, AfterARestartOnePassDecides) {
  Begin();
  PointTo("two");
  Take();
  PointTo("one");
  test_.Open();
  const uint64_t records = test_.files().bytes_read(RecordsPath("one"));
  EXPECT_FALSE(Take(false).compiled);
  EXPECT_EQ(test_.files().bytes_read(RecordsPath("one")), records + SourceOf("one").size());
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(PointerSource, OtherRecordsUnderAnOldNameAreRead) {
  Begin();
  PointTo("two");
  Take();
  test_.files().PutFile(RecordsPath("one"), SourceOf("1.1"));
  PointTo("one");
  EXPECT_TRUE(Take().compiled);
  EXPECT_EQ(test_.Word(), "1.1");
}

TEST_F(PointerSource, RecordsThatChangeUnderThePointerAreTaken) {
  Begin();
  test_.files().PutFile(RecordsPath("one"), SourceOf("1.1"));
  Take(false);
  Take(false);
  EXPECT_EQ(test_.Word(), "1.1");
}

TEST_F(PointerSource, AnUnchangedOneReadsThePointerOnly) {
  Begin();
  const uint64_t records = test_.files().bytes_read(RecordsPath("one"));
  const uint64_t operations = test_.files().operations();
  for (int look = 0; look < 5; ++look) EXPECT_FALSE(Take(false).compiled);
  EXPECT_EQ(test_.files().bytes_read(RecordsPath("one")), records);
  EXPECT_EQ(test_.files().operations(), operations);
}

TEST_F(PointerSource, AVersionTellsPointerAndRecords) {
  Begin();
  std::string source, source_path, format, records_read;
  for (const auto& [name, value] : test_->Current()->snapshot->Metadata()) {
    if (name == "source") source = value;
    if (name == "source_path") source_path = value;
    if (name == "format") format = value;
    if (name == "records_read") records_read = value;
  }
  EXPECT_EQ(source, test_.options().source);
  EXPECT_EQ(source_path, RecordsPath("one"));
  EXPECT_EQ(format, "jsonl");
  EXPECT_EQ(records_read, fmt::format("{}", kTestRecords));
}

TEST_F(PointerSource, AnIndexThatDisagreesIsRefused) {
  Begin();
  std::string index = IndexOf(SourceOf("two"));
  index.replace(index.find("key/2"), 5, "key/9");
  test_.files().PutFile(IndexPath("two"), index);
  PointTo("two");
  const Error error = Refused();
  EXPECT_EQ(error.code(), ErrorCode::kRefused);
  EXPECT_THAT(error.message(), HasSubstr("key/9"));
  EXPECT_EQ(test_.Word(), "one");
  PutData("two");
  Take();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(PointerSource, OneThatNamesAMissingFileIsRefusedUntilItIsThere) {
  Begin();
  PointTo("three");
  const Error error = Refused();
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.message(), HasSubstr(test_.options().source));
  EXPECT_THAT(error.message(), HasSubstr(RecordsPath("three")));
  EXPECT_EQ(test_.Word(), "one");
  PutData("three");
  Take(false);
  Take(false);
  EXPECT_EQ(test_.Word(), "three");
}

TEST_F(PointerSource, OneThatNamesAMissingIndexIsRefused) {
  Begin();
  ASSERT_TRUE(test_.files().Remove(IndexPath("two")));
  PointTo("two");
  EXPECT_THAT(Refused().message(), HasSubstr(IndexPath("two")));
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(PointerSource, AHalfWrittenOneIsRefusedAndTheWholeOneTaken) {
  Begin();
  const std::string whole = PointerTo(RecordsPath("two"), IndexPath("two"));
  for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
    test_.files().PutFile(test_.options().source, whole.substr(0, bytes));
    EXPECT_NE(Refused().message(), "");
    ASSERT_EQ(test_.Word(), "one") << whole.substr(0, bytes);
  }
  test_.files().PutFile(test_.options().source, whole);
  Take();
  EXPECT_EQ(test_.Word(), "two");
}

TEST_F(PointerSource, ARefusedOneIsToldOnceAndNotTriedAgain) {
  Begin();
  test_.files().PutFile(test_.options().source, R"({"records_file_name":)");
  EXPECT_TRUE(test_->Refresh(false));
  EXPECT_FALSE(test_->Refresh(false));
  EXPECT_THAT(test_->status().last_error, HasSubstr(test_.options().source));
  EXPECT_EQ(test_->status().refused, 1U);
  for (int look = 0; look < 5; ++look) EXPECT_TRUE(test_->Refresh(false));
  EXPECT_EQ(test_->status().refused, 1U);
}

TEST_F(PointerSource, TheDigestFileBesideTheRecordsCounts) {
  Begin();
  test_.files().PutFile(RecordsPath("two") + ".md5", "00000000000000000000000000000000\n");
  PointTo("two");
  EXPECT_EQ(Refused().code(), ErrorCode::kRefused);
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(PointerSource, WithoutAnIndexTheRecordsDo) {
  PutData("one");
  test_.files().PutFile(test_.options().source, R"({"records_file_name":"../data/one.records"})");
  test_.Open();
  Take();
  EXPECT_EQ(test_.Word(), "one");
}

TEST_F(PointerSource, OnlySoManyAreRemembered) {
  test_.options().keep = 100;
  for (int i = 0; i < 20; ++i) PutData(fmt::format("word{}", i));
  PointTo("word0");
  test_.Open();
  Take();
  for (int i = 1; i < 20; ++i) {
    PointTo(fmt::format("word{}", i));
    Take();
  }
  for (const auto& [word, read] : {std::pair{"word10", false}, std::pair{"word0", true}}) {
    const uint64_t before = test_.files().bytes_read(RecordsPath(word));
    PointTo(word);
    EXPECT_FALSE(Take().compiled);
    EXPECT_EQ(test_.files().bytes_read(RecordsPath(word)) > before, read) << word;
  }
}

}  // namespace
}  // namespace larder::dataset
