#include "command/member_scan.h"

#include <vector>

#include <fmt/format.h>

#include "command/scan_options.h"

namespace larder::command {
namespace {

void AnswerElement(Context& context, const snapshot::CollectionView& view, ValueType type,
                   uint64_t element) {
  switch (type) {
    case ValueType::kHash:
      return context.Slice(view.Bulks(element * 2, element * 2 + 2));
    case ValueType::kZset:
      context.Slice(view.Bulk(element));
      return context.Slice(view.ScoreBulk(element));
    default:
      return context.Slice(view.Bulk(element));
  }
}

}  // namespace

void ScanMembers(Context& context, Arguments args, ValueType type) {
  const auto cursor = ReadCursor(context, args[2]);
  if (!cursor) return;
  bool missing = false;
  const auto value = context.FindOfType(args[1], type, &missing);
  if (!value) {
    if (missing) context.reply.Raw("*2\r\n$1\r\n0\r\n*0\r\n");
    return;
  }
  const auto options = ReadScanOptions(context, args.subspan(3), false);
  if (!options) return;
  const snapshot::CollectionView view(*value);
  const uint64_t bulks_per_member = type == ValueType::kHash ? 2 : 1;
  std::vector<uint64_t> elements;
  const uint64_t next = view.Scan(*cursor, options->count, [&](uint64_t element) {
    if (options->Matches(view.Text(element * bulks_per_member))) elements.push_back(element);
  });
  context.reply.Array(2);
  context.reply.Bulk(fmt::format_int(next).c_str());
  context.reply.Array(elements.size() * (type == ValueType::kSet ? 1 : 2));
  for (const uint64_t element : elements) AnswerElement(context, view, type, element);
}

}  // namespace larder::command
