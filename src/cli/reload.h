// Reloader: takes a changed configuration while the server runs, whole or not at all.
//
// The file is read again, checked, everything that it adds is opened and bound, and only then the
// stores and the listeners are switched: what fails before that leaves everything as it was, and is
// logged with its line. What the command line said still wins.
//
// The file is known by its content: touching it does nothing, and one that is put back to what is
// served needs nothing done.
//
// Ownership:  borrows the catalogue and the server.
// Threads:    the one that owns them.
// Errors:     logged; the configuration before stays.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/config.h"
#include "cli/serve_options.h"
#include "server/server.h"
#include "store/catalogue.h"

namespace larder::cli {

// What is other in `after`, for the log: "store a added", "max_clients 10 -> 20". Listeners are
// told by the server, which knows their ports.
std::vector<std::string> DescribeChanges(const Config& before, const Config& after);

// Makes a store's compiles show how far they are.
std::vector<store::StoreOptions> WithProgress(std::vector<StoreConfig> stores);

class Reloader {
 public:
  // `active` is what the server and the catalogue were made of, read as `text` from `path` (empty:
  // there is no configuration file).
  Reloader(ServeOptions options, std::string path, std::string text, Config active,
           store::Catalogue& catalogue, server::Server& server)
      : options_(std::move(options)),
        path_(std::move(path)),
        handled_(std::move(text)),
        active_(std::move(active)),
        catalogue_(catalogue),
        server_(server) {}

  // Whether Look is to be called, once a second.
  bool looks() const { return !path_.empty() && active_.reload; }
  // Takes the file when it has changed and is as it was at the look before.
  void Look();
  // Takes the file now: an operator asks for it.
  void Reload();

 private:
  void Handle(std::string text, std::string_view why);
  Result<void> Take(const std::string& text, std::string_view why);
  void ApplyLog(const Config& config) const;
  void LogListeners(const std::vector<std::string>& before) const;

  const ServeOptions options_;
  const std::string path_;
  std::string handled_;              // the text that was taken or refused last
  std::optional<std::string> seen_;  // another one, at the look before
  bool unreadable_ = false;          // that was said in the log
  Config active_;
  store::Catalogue& catalogue_;
  server::Server& server_;
};

}  // namespace larder::cli
