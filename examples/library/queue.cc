// A durable queue, seen from two ends: queue DIRECTORY put TEXT... | queue DIRECTORY take
#include "larder/queue.h"

#include <cstdio>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const bool puts = std::string(argv[2]) == "put";
  // One process may append at a time, or many as kShared; who only takes is kNone.
  auto queue = larder::Queue::Open(
      {.directory = argv[1],
       .writers = puts ? larder::QueueWriters::kShared : larder::QueueWriters::kNone});
  if (!queue) return std::puts(queue.error().message().c_str()), 1;

  if (puts) {
    const std::vector<std::string_view> texts(argv + 3, argv + argc);
    const auto last = queue->Append(texts);
    if (!last) return std::puts(last.error().message().c_str()), 1;
    std::printf("up to number %llu\n", static_cast<unsigned long long>(*last));
    return 0;
  }
  for (auto record = queue->Pop(); record && *record; record = queue->Pop())
    std::printf("%s\n", std::string((*record)->data).c_str());
}
