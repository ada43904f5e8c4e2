// Strings as arrays of bits: GETBIT, BITCOUNT, BITPOS, BITFIELD_RO. Bit 0 is the highest of byte 0.
#include <algorithm>
#include <bit>
#include <vector>

#include "base/bytes.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"

namespace larder::command {
namespace {

constexpr std::string_view kBadOffset = "ERR bit offset is not an integer or out of range";

// Beyond it no string has bits.
constexpr int64_t kMaxBits = static_cast<int64_t>(kMaxStringBytes) * 8;

// The text at a key; none: missing, or (`*missing` false) refused and answered.
std::optional<std::string_view> FindText(Context& context, std::string_view key, bool* missing) {
  const auto value = context.FindOfType(key, ValueType::kString, missing);
  if (!value) return std::nullopt;
  return snapshot::TextView(*value).text();
}

uint8_t ByteAt(std::string_view text, uint64_t at) {
  return at < text.size() ? static_cast<uint8_t>(text[at]) : 0;
}

// Bits first .. last, both inclusive; empty when first > last.
struct BitRange {
  int64_t first = 0;
  int64_t last = -1;
};

// Negative indexes count from the end; what stands outside is cut off. Unlike the ranges of lists
// a last index before the front is the first one.
BitRange BitsOf(int64_t first, int64_t last, bool in_bits, size_t bytes) {
  const int64_t size = static_cast<int64_t>(bytes) * (in_bits ? 8 : 1);
  if (first < 0) first += size;
  if (last < 0) last += size;
  first = std::max<int64_t>(first, 0);
  last = std::min(std::max<int64_t>(last, 0), size - 1);
  if (first > last) return {};
  return in_bits ? BitRange{first, last} : BitRange{first * 8, last * 8 + 7};
}

// What is left of byte `at` inside the range: a mask.
uint8_t MaskOf(const BitRange& range, int64_t at) {
  int mask = 0xff;
  if (at == range.first / 8) mask &= 0xff >> (range.first % 8);
  if (at == range.last / 8) mask &= 0xff << (7 - range.last % 8);
  return static_cast<uint8_t>(mask);
}

uint64_t CountWholeBytes(std::string_view bytes) {
  uint64_t count = 0;
  size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    count += static_cast<uint64_t>(std::popcount(LoadLe<uint64_t>(bytes.data() + at)));
  }
  for (; at < bytes.size(); ++at) {
    count += static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(bytes[at])));
  }
  return count;
}

uint64_t CountBits(std::string_view text, const BitRange& range) {
  if (range.first > range.last) return 0;
  const int64_t first = range.first / 8;
  const int64_t last = range.last / 8;
  const auto edge = [&](int64_t at) {
    const int byte = ByteAt(text, static_cast<uint64_t>(at)) & MaskOf(range, at);
    return static_cast<uint64_t>(std::popcount(static_cast<uint8_t>(byte)));
  };
  if (first == last) return edge(first);
  const std::string_view between =
      text.substr(static_cast<size_t>(first) + 1, static_cast<size_t>(last - first - 1));
  return edge(first) + CountWholeBytes(between) + edge(last);
}

// The first byte at or after `at`, before `end`, that is not `skipped`.
int64_t FirstOtherByte(std::string_view text, int64_t at, int64_t end, uint8_t skipped) {
  const uint64_t word = skipped == 0 ? 0 : ~uint64_t{0};
  while (at + 8 <= end && LoadLe<uint64_t>(text.data() + at) == word) at += 8;
  while (at < end && ByteAt(text, static_cast<uint64_t>(at)) == skipped) ++at;
  return at;
}

// The first bit of the range that is `bit`.
std::optional<int64_t> FindBit(std::string_view text, const BitRange& range, bool bit) {
  const uint8_t without = bit ? 0 : 0xff;
  const int64_t last = range.last / 8;
  for (int64_t at = range.first / 8; at <= last; ++at) {
    if (at > range.first / 8) at = FirstOtherByte(text, at, last, without);
    const int flipped = ByteAt(text, static_cast<uint64_t>(at)) ^ without;
    const auto found = static_cast<uint8_t>(flipped & MaskOf(range, at));
    if (found != 0) return at * 8 + std::countl_zero(found);
  }
  return std::nullopt;
}

// "BIT" or "BYTE"; none: refused and answered.
std::optional<bool> ReadUnit(Context& context, std::string_view text) {
  if (IsOption(text, "bit")) return true;
  if (IsOption(text, "byte")) return false;
  context.reply.Error(kSyntaxError);
  return std::nullopt;
}

// The offset of a bit; of a field also "#5": the fifth field of this width.
std::optional<uint64_t> ReadBitOffset(Context& context, std::string_view text, int width) {
  const bool counts_fields = width > 0 && !text.empty() && text[0] == '#';
  auto offset = ParseInteger(counts_fields ? text.substr(1) : text);
  if (offset && counts_fields) {
    // Wraps as in Redis, which then sees whether what came out is a place.
    offset = static_cast<int64_t>(static_cast<uint64_t>(*offset) * static_cast<uint64_t>(width));
  }
  if (offset && *offset >= 0 && *offset < kMaxBits) return static_cast<uint64_t>(*offset);
  context.reply.Error(kBadOffset);
  return std::nullopt;
}

struct Field {
  bool is_signed = false;
  int width = 0;
  uint64_t offset = 0;
};

// "i64", "u63" and less.
std::optional<Field> ReadFieldType(Context& context, std::string_view text) {
  Field field;
  const char kind = text.empty() ? '\0' : text[0];
  const auto width = text.empty() ? std::nullopt : ParseInteger(CString(text.substr(1)));
  field.is_signed = kind == 'i';
  if ((kind != 'i' && kind != 'u') || !width || *width < 1 ||
      *width > (field.is_signed ? 64 : 63)) {
    context.reply.Error(
        "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
        "i64 is.");
    return std::nullopt;
  }
  field.width = static_cast<int>(*width);
  return field;
}

// The field's bits, zeros where the string has ended.
int64_t FieldValue(std::string_view text, const Field& field) {
  uint64_t bits = 0;
  const uint64_t at = field.offset / 8;
  for (uint64_t i = 0; i < 8; ++i) bits = bits << 8 | ByteAt(text, at + i);
  const int skipped = static_cast<int>(field.offset % 8);
  if (skipped > 0) {
    bits = bits << skipped | static_cast<uint64_t>(ByteAt(text, at + 8) >> (8 - skipped));
  }
  const int unused = 64 - field.width;
  return field.is_signed ? static_cast<int64_t>(bits) >> unused
                         : static_cast<int64_t>(bits >> unused);
}

enum class Overflow : uint8_t { kNo, kYes, kRefused };

// Overflow types mean nothing to GET, but a wrong one is refused.
Overflow ReadOverflow(Context& context, Arguments words) {
  if (words.size() < 2 || !IsOption(words[0], "overflow")) return Overflow::kNo;
  for (const std::string_view known : {"wrap", "sat", "fail"}) {
    if (IsOption(words[1], known)) return Overflow::kYes;
  }
  context.reply.Error("ERR Invalid OVERFLOW type specified");
  return Overflow::kRefused;
}

// How many arguments follow the word of an operation; none: it is no operation.
std::optional<size_t> OperandsOf(Arguments words) {
  const size_t left = words.size() - 1;
  if (left >= 2 && IsOption(words[0], "get")) return 2;
  if (left >= 3 && (IsOption(words[0], "set") || IsOption(words[0], "incrby"))) return 3;
  return std::nullopt;
}

struct FieldOperations {
  std::vector<Field> read;
  bool some_write = false;
};

// None: refused and answered.
std::optional<FieldOperations> ReadFieldOperations(Context& context, Arguments words) {
  FieldOperations operations;
  while (!words.empty()) {
    const Overflow overflow = ReadOverflow(context, words);
    if (overflow == Overflow::kRefused) return std::nullopt;
    if (overflow == Overflow::kYes) {
      words = words.subspan(2);
      continue;
    }
    const auto operands = OperandsOf(words);
    if (!operands) {
      context.reply.Error(kSyntaxError);
      return std::nullopt;
    }
    auto field = ReadFieldType(context, words[1]);
    if (!field) return std::nullopt;
    const auto offset = ReadBitOffset(context, words[2], field->width);
    if (!offset) return std::nullopt;
    field->offset = *offset;
    operations.some_write |= *operands == 3;
    if (*operands == 3 && !ParseInteger(words[3])) {
      context.reply.Error(kNotAnInteger);
      return std::nullopt;
    }
    operations.read.push_back(*field);
    words = words.subspan(1 + *operands);
  }
  return operations;
}

}  // namespace

void GetBit(Context& context, Arguments args) {
  const auto offset = ReadBitOffset(context, args[2], 0);
  if (!offset) return;
  bool missing = false;
  const auto text = FindText(context, args[1], &missing);
  if (!text && !missing) return;
  const int byte = text ? ByteAt(*text, *offset / 8) : 0;
  context.reply.Integer((byte >> (7 - *offset % 8)) & 1);
}

void BitCount(Context& context, Arguments args) {
  bool missing = false;
  const auto text = FindText(context, args[1], &missing);
  if (!text) {
    if (missing) context.reply.Integer(0);
    return;
  }
  BitRange range = BitsOf(0, -1, false, text->size());
  if (args.size() == 4 || args.size() == 5) {
    const auto first = ParseInteger(args[2]);
    const auto last = ParseInteger(args[3]);
    if (!first || !last) return context.reply.Error(kNotAnInteger);
    if (*first < 0 && *last < 0 && *first > *last) return context.reply.Integer(0);
    const auto in_bits = args.size() == 5 ? ReadUnit(context, args[4]) : false;
    if (!in_bits) return;
    range = BitsOf(*first, *last, *in_bits, text->size());
  } else if (args.size() != 2) {
    return context.reply.Error(kSyntaxError);
  }
  context.reply.Integer(static_cast<int64_t>(CountBits(*text, range)));
}

void BitPos(Context& context, Arguments args) {
  const auto bit = ParseInteger(args[2]);
  if (!bit) return context.reply.Error(kNotAnInteger);
  if (*bit != 0 && *bit != 1) return context.reply.Error("ERR The bit argument must be 1 or 0.");
  bool missing = false;
  const auto text = FindText(context, args[1], &missing);
  if (!text) {
    // An array of zeros without end.
    if (missing) context.reply.Integer(*bit == 1 ? -1 : 0);
    return;
  }
  BitRange range = BitsOf(0, -1, false, text->size());
  if (args.size() > 6) return context.reply.Error(kSyntaxError);
  if (args.size() > 3) {
    const auto first = ParseInteger(args[3]);
    if (!first) return context.reply.Error(kNotAnInteger);
    const auto in_bits = args.size() == 6 ? ReadUnit(context, args[5]) : false;
    if (!in_bits) return;
    const auto last = args.size() > 4 ? ParseInteger(args[4]) : -1;
    if (!last) return context.reply.Error(kNotAnInteger);
    range = BitsOf(*first, *last, *in_bits, text->size());
  }
  if (range.first > range.last) return context.reply.Integer(-1);
  const auto found = FindBit(*text, range, *bit == 1);
  // Without an end of its own the range goes on behind the string, with zeros.
  const bool endless = *bit == 0 && args.size() < 5;
  context.reply.Integer(found.value_or(endless ? range.last + 1 : -1));
}

void BitFieldReadOnly(Context& context, Arguments args) {
  const auto operations = ReadFieldOperations(context, args.subspan(2));
  if (!operations) return;
  if (operations->some_write) {
    return context.reply.Error("ERR BITFIELD_RO only supports the GET subcommand");
  }
  bool missing = false;
  const auto text = FindText(context, args[1], &missing);
  if (!text && !missing) return;
  context.reply.Array(operations->read.size());
  for (const Field& field : operations->read) {
    context.reply.Integer(FieldValue(text.value_or(""), field));
  }
}

}  // namespace larder::command
