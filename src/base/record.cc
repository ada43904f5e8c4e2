#include "larder/record.h"

namespace larder {

std::string_view ValueTypeName(ValueType type) {
  switch (type) {
    case ValueType::kString:
      return "string";
    case ValueType::kHash:
      return "hash";
    case ValueType::kList:
      return "list";
    case ValueType::kSet:
      return "set";
    case ValueType::kZset:
      return "zset";
    case ValueType::kJson:
      return "ReJSON-RL";
  }
  return "unknown";
}

}  // namespace larder
