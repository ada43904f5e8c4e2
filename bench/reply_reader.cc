#include "reply_reader.h"

#include <charconv>

namespace larder::bench {

namespace {

struct Line {
  char type;
  int64_t number;
  std::string_view text;
  size_t bytes;  // with CR LF; 0: not whole
};

Line ReadLine(std::string_view data) {
  const size_t end = data.find("\r\n");
  if (end == std::string_view::npos || end == 0) return {};
  Line line{data[0], 0, data.substr(1, end - 1), end + 2};
  std::from_chars(line.text.data(), line.text.data() + line.text.size(), line.number);
  return line;
}

}  // namespace

size_t ReadReply(std::string_view data, std::vector<Bulk>& bulks, std::string_view& error) {
  bulks.clear();
  size_t at = 0;
  for (int64_t wanted = 1; wanted > 0; --wanted) {
    const Line line = ReadLine(data.substr(at));
    if (line.bytes == 0) return 0;
    at += line.bytes;
    switch (line.type) {
      case '+':
      case ':':
      case ',':
      case '#':
        break;
      case '_':
        bulks.push_back({{}, true});
        break;
      case '-':
        error = line.text;
        break;
      case '$':
        if (line.number < 0) {
          bulks.push_back({{}, true});
          break;
        }
        if (data.size() < at + static_cast<size_t>(line.number) + 2) return 0;
        bulks.push_back({data.substr(at, static_cast<size_t>(line.number)), false});
        at += static_cast<size_t>(line.number) + 2;
        break;
      case '*':
      case '~':
      case '>':
        if (line.number > 0) wanted += line.number;
        break;
      case '%':
        wanted += 2 * line.number;
        break;
      default:
        error = "not a RESP reply";
        return data.size();
    }
  }
  return at;
}

}  // namespace larder::bench
