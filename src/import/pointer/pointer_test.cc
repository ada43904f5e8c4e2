#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "import/importer.h"
#include "import/memory_files.h"
#include "import/pointer/pointer_text.h"

namespace larder::importer {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Result<Pointer> Read(std::string text, const std::string& path = "dir/current.json") {
  MemoryFiles files;
  files.Put(path, std::move(text));
  return ReadPointer(files, path);
}

std::string Message(std::string text) {
  const auto pointer = Read(std::move(text));
  EXPECT_FALSE(pointer);
  if (pointer) return "";
  EXPECT_EQ(pointer.error().code(), ErrorCode::kCorrupt);
  return pointer.error().message();
}

TEST(PointerTest, NamesAreResolvedAgainstItsDirectory) {
  const auto pointer =
      Read("{\n \"records_file_name\" : \"a/r.jsonl\", \"index_file_name\":\"/i.jsonl\"\n}\n");
  ASSERT_TRUE(pointer);
  EXPECT_EQ(pointer->records_path, "dir/a/r.jsonl");
  EXPECT_EQ(pointer->index_path, "/i.jsonl");
  const auto beside = Read(R"({"records_file_name":"r"})", "current.json");
  ASSERT_TRUE(beside);
  EXPECT_EQ(beside->records_path, "r");
}

TEST(PointerTest, AnIndexNeedNotBeNamed) {
  for (const char* text :
       {R"({"records_file_name":"r"})", R"({"index_file_name":"","records_file_name":"r"})",
        R"({"index_file_name":null,"records_file_name":"r","comment":[1]})"}) {
    const auto pointer = Read(text);
    ASSERT_TRUE(pointer) << text;
    EXPECT_EQ(pointer->index_path, "") << text;
  }
}

TEST(PointerTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(Message("{\"records_file_name\":\n  x}"),
            "dir/current.json:2:3: not JSON; a pointer file is {\"records_file_name\":\"...\", "
            "\"index_file_name\":\"...\"}");
  EXPECT_THAT(Message(""), StartsWith("dir/current.json:1:1: it ends too early"));
  EXPECT_THAT(Message("{\"records_file_name\":\"r\""), HasSubstr("it ends too early"));
  EXPECT_THAT(Message("{\"records_file_name\":\"r\"} x"), HasSubstr("not JSON"));
  EXPECT_THAT(Message("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(Message("{}"), HasSubstr("no member \"records_file_name\""));
  EXPECT_THAT(Message(R"({"records_file_name":""})"), HasSubstr("is empty"));
  EXPECT_THAT(Message(R"({"records_file_name":1})"), HasSubstr("is not a string"));
  EXPECT_THAT(Message(R"({"records_file_name":"r","index_file_name":[]})"),
              HasSubstr("\"index_file_name\" is not a string"));
  EXPECT_THAT(Message(R"({"records_file_name":"r\u0000"})"), HasSubstr("holds a NUL"));
  EXPECT_THAT(Message(R"({"records_file_name":"r","records_file_name":"s"})"),
              HasSubstr("\"records_file_name\" stands twice"));
  EXPECT_THAT(Message("{\"records_file_name\":\"\xff\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(Message(std::string(10000, '[')), HasSubstr("it ends too early"));
  EXPECT_THAT(Message("{\"records_file_name\":\"r\",\"x\":" + std::string(100, '[') +
                      std::string(100, ']') + "}"),
              HasSubstr("nested too deeply"));
}

TEST(PointerTest, ALargeFileIsNone) {
  const std::string text = R"({"records_file_name":"r"})";
  EXPECT_TRUE(Read(text + std::string(kMaxPointerBytes - text.size(), ' ')));
  EXPECT_THAT(Message(text + std::string(kMaxPointerBytes, ' ')), HasSubstr("at most 65536 bytes"));
}

TEST(PointerTest, AMissingFileIsNotFound) {
  MemoryFiles files;
  const auto pointer = ReadPointer(files, "none");
  ASSERT_FALSE(pointer);
  EXPECT_EQ(pointer.error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace larder::importer
