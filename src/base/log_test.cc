#include "base/log.h"

#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace larder {
namespace {

using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class LogTest : public testing::Test {
 protected:
  ~LogTest() override {
    SetLogFormat(LogFormat::kText);
    SetLogLevel(LogLevel::kInfo);
  }

  static std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
      const size_t end = text.find('\n', at);
      lines.push_back(text.substr(at, end - at));
      at = end == std::string::npos ? text.size() : end + 1;
    }
    return lines;
  }
};

TEST_F(LogTest, ALineOfTextHasTimeLevelAndMessage) {
  CaptureStderr();
  LogWarning("the disk is full");
  const std::string text = GetCapturedStderr();
  EXPECT_THAT(text, testing::ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T"));
  EXPECT_THAT(text, HasSubstr(" warning the disk is full\n"));
}

TEST_F(LogTest, ALineOfJsonIsAnObject) {
  SetLogFormat(LogFormat::kJson);
  CaptureStderr();
  LogError("store \"a\": C:\\temp");
  const auto line = nlohmann::json::parse(GetCapturedStderr());
  EXPECT_EQ(line.at("level"), "error");
  EXPECT_EQ(line.at("message"), "store \"a\": C:\\temp");
  EXPECT_EQ(line.at("time").get<std::string>().size(),
            std::string("2026-01-01T00:00:00.000+00:00").size());
  EXPECT_EQ(line.size(), 3U);
}

TEST_F(LogTest, EveryByteGivesOneValidLine) {
  SetLogFormat(LogFormat::kJson);
  CaptureStderr();
  for (int byte = 0; byte < 256; ++byte) LogInfo(std::string("a") + static_cast<char>(byte) + "b");
  LogInfo("\xC3");                   // cut in the middle
  LogInfo("\xED\xA0\x80 \xC0\x80");  // a surrogate, an overlong zero
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  ASSERT_EQ(lines.size(), 258U);
  for (const std::string& line : lines) EXPECT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_EQ(nlohmann::json::parse(lines[0xFF]).at("message"),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(nlohmann::json::parse(lines['\n']).at("message"), "a\nb");
}

TEST_F(LogTest, TheLevelChangesWhileItRuns) {
  CaptureStderr();
  LogDebug("one");
  SetLogLevel(LogLevel::kDebug);
  LogDebug("two");
  SetLogLevel(LogLevel::kError);
  LogWarning("three");
  const std::string text = GetCapturedStderr();
  EXPECT_EQ(Lines(text).size(), 1U) << text;
  EXPECT_THAT(text, HasSubstr("two"));
  EXPECT_EQ(CurrentLogLevel(), LogLevel::kError);
}

TEST_F(LogTest, LevelsHaveNames) {
  EXPECT_EQ(ParseLogLevel("warning"), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("off"), std::nullopt);
  EXPECT_EQ(ParseLogLevel("WARNING"), std::nullopt);
}

TEST_F(LogTest, AChangeOfFormatLeavesEveryLineWhole) {
  CaptureStderr();
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([] {
      for (int i = 0; i < 500; ++i) LogInfo("a \"quoted\" word");
    });
  }
  for (int i = 0; i < 50; ++i) SetLogFormat(i % 2 == 0 ? LogFormat::kJson : LogFormat::kText);
  writers.clear();
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  EXPECT_EQ(lines.size(), 1000U);
  for (const std::string& line : lines) {
    const bool whole = line.starts_with('{') ? nlohmann::json::accept(line)
                                             : line.ends_with(" info a \"quoted\" word");
    EXPECT_TRUE(whole) << line;
  }
}

}  // namespace
}  // namespace larder
