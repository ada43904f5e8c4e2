// Session: what a connection's commands remember from one to the next.
#pragma once

#include <cstdint>
#include <string>

namespace larder::command {

struct CommandSpec;

struct Session {
  uint64_t id = 0;
  int protocol = 2;
  uint32_t database = 0;
  std::string name;
  std::string library_name;
  std::string library_version;
  const CommandSpec* last_command = nullptr;
  const CommandSpec* last_subcommand = nullptr;
  bool close_after_reply = false;  // QUIT
  bool deferred = false;           // a handler called Host::Defer: stop the batch here
};

// Of one worker, added up for INFO; written by that worker only.
struct Counters {
  uint64_t commands = 0;
  uint64_t keyspace_hits = 0;
  uint64_t keyspace_misses = 0;
};

}  // namespace larder::command
