// Hashes: bulk 2i of a stored hash is field i, bulk 2i + 1 its value.
#include <functional>
#include <limits>

#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/member_scan.h"
#include "command/random.h"
#include "command/random_members.h"

namespace larder::command {
namespace {

std::optional<snapshot::CollectionView> FindHash(Context& context, std::string_view key,
                                                 bool* missing) {
  const auto value = context.FindOfType(key, ValueType::kHash, missing);
  if (!value) return std::nullopt;
  return snapshot::CollectionView(*value);
}

// The value of the field, as it is stored; null when there is none.
void AnswerField(Context& context, const snapshot::CollectionView& hash, std::string_view field) {
  const auto element = hash.FindMember(field);
  if (!element) return context.reply.Null();
  context.Slice(hash.Bulk(*element * 2 + 1));
}

// Every second bulk: the fields (from 0) or the values (from 1).
void AnswerEverySecond(Context& context, std::string_view key, uint64_t from) {
  bool missing = false;
  const auto hash = FindHash(context, key, &missing);
  if (!hash) {
    if (missing) context.reply.Array(0);
    return;
  }
  context.reply.Array(hash->count());
  for (uint64_t i = 0; i < hash->count(); ++i) context.Slice(hash->Bulk(i * 2 + from));
}

// Elements of the hash by their numbers: fields, or fields with their values, which RESP3 nests.
void AnswerElements(Context& context, const snapshot::CollectionView& hash, uint64_t count,
                    bool with_values, const std::function<uint64_t(uint64_t)>& element) {
  const bool nested = with_values && context.resp3();
  context.reply.Array(with_values && !nested ? count * 2 : count);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t number = element(i);
    if (nested) context.reply.Array(2);
    context.Slice(hash.Bulks(number * 2, number * 2 + (with_values ? 2 : 1)));
  }
}

struct RandomFieldOptions {
  int64_t count = 0;  // negative: so many, repeated ones among them
  bool with_values = false;
};

// None: refused and answered, in Redis's order.
std::optional<RandomFieldOptions> ReadRandomFieldOptions(Context& context, Arguments args) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  RandomFieldOptions read;
  const auto count = ParseInteger(args[2]);
  std::string_view error;
  if (!count) {
    error = kNotAnInteger;
  } else if (*count < -kMost) {
    error = kNotNegatable;
  } else if (args.size() > 4 || (args.size() == 4 && !IsOption(args[3], "withvalues"))) {
    error = kSyntaxError;
  } else if (args.size() == 4 && (*count < -kMost / 2 || *count > kMost / 2)) {
    error = kOutOfRange;
  } else if (*count < -kMaxRepeatedElements) {
    error = kOutOfRange;
  }
  if (!error.empty()) {
    context.reply.Error(error);
    return std::nullopt;
  }
  read.count = *count;
  read.with_values = args.size() == 4;
  return read;
}

}  // namespace

void HGet(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash) return AnswerField(context, *hash, args[2]);
  if (missing) context.reply.Null();
}

void HMGet(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash && !missing) return;
  context.reply.Array(args.size() - 2);
  for (const std::string_view field : args.subspan(2)) {
    if (hash) {
      AnswerField(context, *hash, field);
    } else {
      context.reply.Null();
    }
  }
}

void HGetAll(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash) {
    if (missing) context.reply.Map(0);
    return;
  }
  if (!context.resp3()) return context.Slice(hash->Reply());
  context.reply.Map(hash->count());
  context.Slice(hash->Bulks(0, hash->count() * 2));
}

void HKeys(Context& context, Arguments args) { AnswerEverySecond(context, args[1], 0); }

void HVals(Context& context, Arguments args) { AnswerEverySecond(context, args[1], 1); }

void HLen(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash || missing) context.reply.Integer(hash ? static_cast<int64_t>(hash->count()) : 0);
}

void HExists(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (hash || missing) context.reply.Integer(hash && hash->FindMember(args[2]) ? 1 : 0);
}

void HStrLen(Context& context, Arguments args) {
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash && !missing) return;
  const auto element = hash ? hash->FindMember(args[2]) : std::optional<uint64_t>();
  context.reply.Integer(element ? static_cast<int64_t>(hash->Text(*element * 2 + 1).size()) : 0);
}

void HRandField(Context& context, Arguments args) {
  RandomFieldOptions options;
  const bool counted = args.size() > 2;
  if (counted) {
    const auto read = ReadRandomFieldOptions(context, args);
    if (!read) return;
    options = *read;
  }
  bool missing = false;
  const auto hash = FindHash(context, args[1], &missing);
  if (!hash && !missing) return;
  const uint64_t size = hash ? hash->count() : 0;
  if (size == 0) return counted ? context.reply.Array(0) : context.reply.Null();
  RandomSource& random = WorkerRandom();
  if (!counted) return context.Slice(hash->Bulk(random.Below(size) * 2));
  const std::vector<uint64_t> chosen = ChooseElements(options.count, size);
  const auto bytes_of = [&](uint64_t i) {
    return hash->Bulks(chosen[i] * 2, chosen[i] * 2 + (options.with_values ? 2 : 1)).size();
  };
  if (options.count < 0 && RefuseLongReply(context, chosen.size(), bytes_of)) return;
  AnswerElements(context, *hash, chosen.size(), options.with_values,
                 [&](uint64_t i) { return chosen[i]; });
}

void HScan(Context& context, Arguments args) { ScanMembers(context, args, ValueType::kHash); }

}  // namespace larder::command
