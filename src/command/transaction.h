// Transaction: what a connection has said since MULTI, and the keys that it watches.
//
// A Dataset's keys change only by a switch, so a watched key is remembered by a digest of its
// value: EXEC asks whether the key still has it.
//
// Threads:    the connection's worker.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace larder::command {

struct WatchedKey {
  uint32_t database = 0;
  std::string key;
  uint64_t digest = 0;  // of type, value and expiry; 0: there was none
};

struct Transaction {
  std::vector<std::vector<std::string>> queued;
  bool aborted = false;  // a queued command was refused: EXECABORT
  std::vector<WatchedKey> watched;
};

}  // namespace larder::command
