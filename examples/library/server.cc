// A program that serves its own dataset to Redis clients: server SOURCE DIRECTORY ADDRESS
// and looks up in the same store, meanwhile, each line of its input.
#include "larder/server.h"

#include <iostream>
#include <string>

int Fail(const larder::Error& error) {
  std::cerr << error.message() << '\n';
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  auto server = larder::Server::Create({.listeners = {argv[3]}});
  if (!server) return Fail(server.error());
  auto shop = server->AddDataset(0, {.name = "shop", .source = argv[1], .directory = argv[2]});
  if (!shop) return Fail(shop.error());
  if (auto started = server->Start(); !started) return Fail(started.error());
  std::cout << "listening on " << server->addresses().front() << std::endl;

  for (std::string key; std::getline(std::cin, key);) {
    const auto value = shop->Find(key);
    std::cout << key << ": " << (value ? value->text() : "not there") << std::endl;
  }
}
