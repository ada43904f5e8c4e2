// A dataset in the program's own process: dataset SOURCE DIRECTORY KEY
#include "larder/dataset.h"

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  // Versions stay in DIRECTORY; SOURCE is watched, and switched to when it changes.
  auto shop = larder::Dataset::Open({.name = "shop", .source = argv[1], .directory = argv[2]});
  if (!shop) return std::puts(shop.error().message().c_str()), 1;
  auto version = shop->WaitForVersion(std::chrono::seconds(60));
  if (!version) return std::puts(version.error().message().c_str()), 1;

  if (const auto found = version->Find(argv[3])) {
    for (const auto& [name, value] : found->hash()) {
      std::printf("%s = %s\n", std::string(name).c_str(), std::string(value).c_str());
    }
  }
  size_t flags = 0;
  for (const larder::Record& record : version->Collection("flag"))
    flags += record.value.hash().size();
  std::printf("%zu fields in all flags\n", flags);
}
