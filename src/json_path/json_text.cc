#include "json_path/json_text.h"

#include <simdjson.h>

namespace larder::json_path {
namespace {

class NodeWriter {
 public:
  NodeWriter(std::span<const Node> nodes, const Layout& layout, std::string& to)
      : nodes_(nodes), layout_(layout), to_(to) {}

  // Recursion as deep as the document, which is limited.
  void Append(uint32_t number, int level) {
    const Node& node = nodes_[number];
    const bool is_object = node.type == JsonType::kObject;
    if (node.type == JsonType::kString) return AppendString(node.text, to_);
    if (!is_object && node.type != JsonType::kArray) {
      to_ += node.raw;
      return;
    }
    if (layout_.compact() && HasNoEscapes(node.raw)) return AppendCompact(node.raw, to_);
    to_ += is_object ? '{' : '[';
    for (uint32_t child = number + 1; child < node.end; child = nodes_[child].end) {
      if (child != number + 1) to_ += ',';
      layout_.AppendLine(to_, level + 1);
      if (is_object) AppendName(nodes_[child].name);
      Append(child, level + 1);
    }
    if (node.count != 0) layout_.AppendLine(to_, level);
    to_ += is_object ? '}' : ']';
  }

 private:
  void AppendName(std::string_view name) {
    AppendString(name, to_);
    to_ += ':';
    to_ += layout_.space;
  }

  std::span<const Node> nodes_;
  const Layout& layout_;
  std::string& to_;
};

// Stops as soon as the sum is over the limit, so that no sum is too large for its type.
class LayoutCounter {
 public:
  LayoutCounter(std::span<const Node> nodes, const Layout& layout, uint64_t limit)
      : nodes_(nodes), layout_(layout), limit_(limit) {}

  uint64_t bytes() const { return bytes_; }

  // Recursion as deep as the document, which is limited.
  void Count(uint32_t number, int level) {
    const Node& node = nodes_[number];
    const bool is_object = node.type == JsonType::kObject;
    if (node.count == 0 || (!is_object && node.type != JsonType::kArray)) return;
    bytes_ += layout_.LineBytes(level);
    const uint64_t before_child =
        layout_.LineBytes(level + 1) + (is_object ? layout_.space.size() : 0);
    for (uint32_t child = number + 1; child < node.end; child = nodes_[child].end) {
      bytes_ += before_child;
      if (bytes_ > limit_) return;
      Count(child, level + 1);
    }
  }

 private:
  std::span<const Node> nodes_;
  const Layout& layout_;
  uint64_t limit_;
  uint64_t bytes_ = 0;
};

// The character behind the backslash; 0: the byte needs none; 'u': it has no short form.
char EscapeOf(char byte) {
  switch (byte) {
    case '"':
    case '\\':
      return byte;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return static_cast<unsigned char>(byte) < 0x20 ? 'u' : '\0';
  }
}

}  // namespace

void Layout::AppendLine(std::string& to, int level) const {
  to += newline;
  for (int i = 0; i < level; ++i) to += indent;
}

void AppendCompact(std::string_view raw, std::string& to) {
  const size_t before = to.size();
  // What simdjson writes at once may reach beyond what it writes in the end.
  to.resize(before + raw.size() + simdjson::SIMDJSON_PADDING);
  size_t written = 0;
  if (simdjson::minify(raw.data(), raw.size(), to.data() + before, written)) written = 0;
  to.resize(before + written);
}

uint64_t LayoutBytes(const Document& document, uint32_t node, const Layout& layout, int level,
                     uint64_t limit) {
  LayoutCounter counter(document.nodes(), layout, limit);
  counter.Count(node, level);
  return counter.bytes();
}

void AppendNode(const Document& document, uint32_t node, const Layout& layout, int level,
                std::string& to) {
  NodeWriter(document.nodes(), layout, to).Append(node, level);
}

void AppendString(std::string_view text, std::string& to) {
  to += '"';
  size_t copied = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char escape = EscapeOf(text[i]);
    if (escape == '\0') continue;
    to += text.substr(copied, i - copied);
    copied = i + 1;
    to += '\\';
    to += escape;
    if (escape != 'u') continue;
    constexpr std::string_view kDigits = "0123456789abcdef";
    to += "00";
    to += kDigits[static_cast<unsigned char>(text[i]) >> 4];
    to += kDigits[static_cast<unsigned char>(text[i]) & 15];
  }
  to += text.substr(copied);
  to += '"';
}

}  // namespace larder::json_path
