// StoreAccess: one dataset store, reached through the server that holds it or, when none runs, on
// its directory.
//
// Which of the two: --server names one; otherwise the server of the configuration (or the default
// address) is asked first, and when nobody listens there, or it has no such store, the directory is
// opened. Its lock keeps out a second process, so a running server elsewhere is found out, not
// overruled. With --dir only the directory counts: a server's store of that name may be another
// one.
//
// Ownership: owns its connection, or the directory's lock while it lives. Threads: one.
// Errors:    kNotFound (no such store), kBusy (who holds the directory), kPermissionDenied (the
//            server wants a password or a certificate), those of the operation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/resp_client.h"
#include "dataset/dataset.h"
#include "larder/record.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace larder::cli {

struct StoreArguments {
  std::string store;  // empty: the only one
  std::string server;
  std::string config;
  std::string directory;
  AccessArguments access;
};

// Adds --server, --config and --dir, and how to be let in.
void AddStoreOptions(CLI::App& command, StoreArguments& arguments);
// The same without --dir.
void AddServerOptions(CLI::App& command, StoreArguments& arguments);

// A value as text, for `larder get`. Of a hash: field, value, field, value...
struct PlainValue {
  ValueType type = ValueType::kString;
  std::vector<std::string> texts;
  std::vector<std::string> scores;  // zset: one per text
};

class StoreAccess {
 public:
  virtual ~StoreAccess() = default;

  virtual const std::string& name() const = 0;
  // Of its versions, as the server sees it.
  virtual const std::string& directory() const = 0;
  virtual Result<std::vector<dataset::VersionInfo>> Versions() = 0;
  virtual Result<dataset::SwitchReport> Rollback(std::optional<uint64_t> version) = 0;
  virtual Result<dataset::SwitchReport> Pin(uint64_t version) = 0;
  virtual Result<dataset::SwitchReport> Unpin() = 0;
  virtual Result<dataset::SwitchReport> Accept() = 0;
  virtual Result<std::optional<PlainValue>> Get(const std::string& key) = 0;
};

Result<std::unique_ptr<StoreAccess>> OpenStore(const StoreArguments& arguments);

// The two ways. The first finds the store at a server (kNotFound: it has none of that name), the
// second opens its directory.
Result<std::unique_ptr<StoreAccess>> OpenStoreAtServer(const ServerPlace& place,
                                                       const std::string& store);
Result<std::unique_ptr<StoreAccess>> OpenStoreInDirectory(dataset::Options options);

// Where servers may be that are meant: never empty.
Result<std::vector<ServerPlace>> ServerPlaces(const StoreArguments& arguments);
// All stores of a server, by LARDER DATASETS. kUnsupported: it is no Larder.
Result<std::vector<dataset::Status>> AskDatasets(RespClient& client);

// A value of a Snapshot as text.
PlainValue PlainValueOf(const snapshot::Value& value);

}  // namespace larder::cli
