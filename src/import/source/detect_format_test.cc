#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "base/file_magic.h"
#include "base/test_compression.h"
#include "import/importer.h"
#include "import/memory_files.h"

namespace larder::importer {
namespace {

Format Detect(std::string text, const std::string& name = "data.db") {
  MemoryFiles files;
  files.Put(name, std::move(text));
  const auto format = DetectFormat(files, name);
  EXPECT_TRUE(format) << format.error().message();
  return format.value_or(Format::kAuto);
}

TEST(DetectFormatTest, ASnapshotIsToldByItsMagicBehindCompressionToo) {
  const std::string text = std::string(kSnapshotMagic) + std::string(5000, 'x');
  EXPECT_EQ(Detect(text), Format::kSnapshot);
  EXPECT_EQ(Detect(ZstdForTest(text)), Format::kSnapshot);
  EXPECT_EQ(Detect(text, "a.jsonl"), Format::kSnapshot);
  EXPECT_NE(Detect("LARDSNA"), Format::kSnapshot);
}

TEST(DetectFormatTest, APointerIsASmallPlainObjectThatNamesARecordsFile) {
  const std::string text = R"({"records_file_name":"r.jsonl","index_file_name":"i.jsonl"})";
  EXPECT_EQ(Detect(text), Format::kPointer);
  EXPECT_EQ(Detect("\n{\n" + text.substr(1) + "\n", "current.json"), Format::kPointer);
  EXPECT_EQ(Detect(R"({"records_file_name":"","x":1})"), Format::kPointer);
  EXPECT_NE(Detect(R"({"records_file_name":1})"), Format::kPointer);
  EXPECT_NE(Detect(R"([{"records_file_name":"r"}])"), Format::kPointer);
  EXPECT_NE(Detect(text + "\n" + text), Format::kPointer);
  EXPECT_NE(Detect(GzipForTest(text)), Format::kPointer);
  EXPECT_NE(Detect(text + std::string(70000, ' ')), Format::kPointer);
}

TEST(DetectFormatTest, AnArrayIsADocumentWhateverItsName) {
  EXPECT_EQ(Detect("[]"), Format::kJson);
  EXPECT_EQ(Detect("\xef\xbb\xbf\r\n [{\"a\":1}]", "a.jsonl"), Format::kJson);
}

TEST(DetectFormatTest, AnObjectALineIsJsonlWhateverItsName) {
  EXPECT_EQ(Detect("{\"key\":\"a\",\"value\":{}}\n{\"key\":\"b\"", "a.json"), Format::kJsonl);
  EXPECT_EQ(Detect("\xef\xbb\xbf\n\r\n {\"a\":\"}\\\"{\"}\r\n\n{}", "a.json"), Format::kJsonl);
  EXPECT_EQ(Detect(GzipForTest("{\"a\":1}\n{\"b\":1}\n"), "a.json.gz"), Format::kJsonl);
  EXPECT_EQ(Detect("{\"a\":1} x\n{\"b\":1}\n", "a.json"), Format::kJsonl);
}

TEST(DetectFormatTest, AnObjectOverSeveralLinesIsADocumentUnlessItsNameSaysLines) {
  EXPECT_EQ(Detect("{\n\"a\":1\n}\n"), Format::kJson);
  EXPECT_EQ(Detect("{\"a\":{\"b\":1},\n\"c\":\"}\"}\n"), Format::kJson);
  EXPECT_EQ(Detect("{\"a\":\n", "a.jsonl"), Format::kJsonl);
  EXPECT_EQ(Detect("{\"a\":\n{\"b\":1}\n", "a.ndjson.zst"), Format::kJsonl);
}

TEST(DetectFormatTest, TheNameTellsWhatOneObjectOnOneLineIs) {
  for (const char* text : {"{\"a\":1}", "{\"a\":1}\r\n \n", "{", "", "\n", "hello"}) {
    EXPECT_EQ(Detect(text), Format::kJsonl) << text;
    EXPECT_EQ(Detect(text, "a.jsonl"), Format::kJsonl) << text;
    EXPECT_EQ(Detect(text, "a.json"), Format::kJson) << text;
  }
  EXPECT_EQ(Detect(GzipForTest("{\"a\":1}"), "a.json.gz"), Format::kJson);
  EXPECT_EQ(Detect(ZstdForTest("{\"a\":1}"), "a.json.zst"), Format::kJson);
  EXPECT_EQ(Detect("{\"a\":1}", "json"), Format::kJsonl);
}

TEST(DetectFormatTest, AVeryLongFirstLineIsADocumentUnlessItsNameSaysLines) {
  const std::string text = "{\"a\":\"" + std::string(size_t{2} << 20, 'x') + "\"}\n{\"b\":1}\n";
  EXPECT_EQ(Detect(text), Format::kJson);
  EXPECT_EQ(Detect(text, "a.jsonl"), Format::kJsonl);
  EXPECT_EQ(Detect(ZstdForTest(text), "a.jsonl.zst"), Format::kJsonl);
  const std::string shorter = "{\"a\":\"" + std::string(500000, 'x') + "\"}\n{\"b\":1}\n";
  EXPECT_EQ(Detect(shorter, "a.json"), Format::kJsonl);
}

TEST(DetectFormatTest, WhatCannotBeReadIsAnError) {
  MemoryFiles files;
  EXPECT_EQ(DetectFormat(files, "none").error().code(), ErrorCode::kNotFound);
  files.PutDirectory("dir");
  EXPECT_EQ(DetectFormat(files, "dir").error().code(), ErrorCode::kInvalidArgument);
  files.Put("cut.gz", GzipForTest("{\"a\":1}\n{\"b\":1}\n").substr(0, 20));
  EXPECT_EQ(DetectFormat(files, "cut.gz").error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace larder::importer
