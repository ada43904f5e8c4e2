// Error and Result: how Larder reports what went wrong.
//
// An Error is a value: a code for the program, a sentence for the person. The sentence says what
// was tried, on which file, line or key, what was found, and what to do. A miss is not an error
// (std::optional). No function of Larder throws.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "larder/api.h"

namespace larder {

enum class ErrorCode : uint8_t {
  kInvalidArgument,   // a caller's or an operator's mistake: bad option, bad configuration
  kNotFound,          // a file, store or version that does not exist
  kAlreadyExists,     // a file or name that is taken
  kBusy,              // held by another process or another operation
  kPermissionDenied,  // the operating system refused
  kNoSpace,           // the disk or a quota is full
  kIoError,           // reading or writing failed
  kCorrupt,           // bytes that are not what their format says
  kUnsupported,       // well-formed, but newer or other than this program understands
  kRefused,           // a version that did not pass a check (checksum file, duplicate, limit)
  kLimit,             // a named limit was exceeded
  kCancelled,         // stopped on request
  kInternal,          // a defect in Larder
};

// The code's name as it stands in logs and JSON, for instance "not_found".
LARDER_API std::string_view ErrorCodeName(ErrorCode code);

class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // The same error with what was being done in front: "context: message".
  LARDER_API Error Within(std::string_view context) const;

 private:
  ErrorCode code_;
  std::string message_;
};

template <typename T>
using Result = std::expected<T, Error>;

}  // namespace larder
