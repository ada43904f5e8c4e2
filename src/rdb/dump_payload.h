// A value in the form of Redis's RDB files, version 10 (Redis 7.0), as DUMP answers and RESTORE
// takes it: the type's byte, the value, the version (2 bytes little-endian) and a CRC-64 of all
// before it (8 bytes little-endian).
//
// Values are written in the plain encodings (a count, then the elements), which every Redis since
// 5 loads into whatever encoding it holds such a value in; so the bytes are not those that Redis's
// own DUMP would give (docs/decisions/0093).
//
// Threads:    any.
// Cost:       one pass over the value, one copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/record.h"

namespace larder::rdb {

inline constexpr uint16_t kRdbVersion = 10;

// The CRC-64 of RDB files: Jones's polynomial, reflected, beginning with 0, not inverted.
uint64_t Crc64(std::string_view bytes);

// The record's value; key and expiry are no part of it. Not for kJson, whose form belongs to a
// module of Redis.
std::string EncodeDumpPayload(const RecordView& record);

}  // namespace larder::rdb
