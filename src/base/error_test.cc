#include "base/error.h"

#include <cerrno>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(Error, WithinPutsTheContextInFrontAndKeepsTheCode) {
  const Error inner(ErrorCode::kCorrupt, "footer: bad magic");
  const Error outer = inner.Within("open a.snap");
  EXPECT_EQ(outer.code(), ErrorCode::kCorrupt);
  EXPECT_EQ(outer.message(), "open a.snap: footer: bad magic");
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    names.insert(ErrorCodeName(static_cast<ErrorCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(ErrorCode::kInternal) + 1);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(ErrorCodeName(ErrorCode::kNotFound), "not_found");
}

TEST(Error, ErrnoTellsOperationPathAndReason) {
  const Error error = ErrnoError(ENOENT, "open", "/d/a");
  EXPECT_EQ(error.message(), "open /d/a: No such file or directory");
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(Error, ErrnosFindTheirCode) {
  EXPECT_EQ(ErrorCodeOfErrno(EEXIST), ErrorCode::kAlreadyExists);
  EXPECT_EQ(ErrorCodeOfErrno(EACCES), ErrorCode::kPermissionDenied);
  EXPECT_EQ(ErrorCodeOfErrno(EROFS), ErrorCode::kPermissionDenied);
  EXPECT_EQ(ErrorCodeOfErrno(ENOSPC), ErrorCode::kNoSpace);
  EXPECT_EQ(ErrorCodeOfErrno(EDQUOT), ErrorCode::kNoSpace);
  EXPECT_EQ(ErrorCodeOfErrno(EISDIR), ErrorCode::kInvalidArgument);
  EXPECT_EQ(ErrorCodeOfErrno(EADDRINUSE), ErrorCode::kBusy);
  EXPECT_EQ(ErrorCodeOfErrno(EIO), ErrorCode::kIoError);
}

Result<int> Half(int number) {
  if (number % 2 != 0) return Fail(ErrorCode::kInvalidArgument, "odd");
  return number / 2;
}

Result<int> Quarter(int number) {
  LARDER_ASSIGN(const int half, Half(number));
  LARDER_ASSIGN(const int quarter, Half(half));
  return quarter;
}

Result<void> CheckEven(int number) {
  LARDER_TRY(Half(number));
  return {};
}

TEST(Result, AssignGoesOnWithTheValueOrPassesTheErrorOn) {
  EXPECT_EQ(Quarter(12), 3);
  EXPECT_EQ(Quarter(6).error().message(), "odd");
  EXPECT_EQ(Quarter(5).error().code(), ErrorCode::kInvalidArgument);
}

TEST(Result, TryPassesTheErrorOn) {
  EXPECT_TRUE(CheckEven(2));
  EXPECT_EQ(CheckEven(3).error().message(), "odd");
}

Result<std::unique_ptr<int>> Boxed(int number) { return std::make_unique<int>(number); }

Result<int> Unboxed(int number) {
  LARDER_ASSIGN(const auto box, Boxed(number));
  return *box;
}

TEST(Result, AssignMovesWhatCannotBeCopied) { EXPECT_EQ(Unboxed(4), 4); }

}  // namespace
}  // namespace larder
