// What `larder serve` was told on its command line, and the configuration that it makes of it and
// of the configuration file: at the start, and again whenever the file is taken anew.
//
// Threads: values. Errors: kInvalidArgument, kNotFound.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/config.h"
#include "import/importer.h"

namespace larder::cli {

struct ServeOptions {
  std::string config;
  std::string resp;
  std::string directory;
  unsigned threads = 0;
  std::vector<std::string> files;
  importer::SourceOptions import;  // of all files
  std::string residency;           // of all stores; empty: as configured
};

// The configuration file; empty: there is none, only files. Errors: nothing to serve, options that
// contradict each other, a FILE that is not there.
Result<std::string> ChooseConfigFile(const ServeOptions& options);

// What `text`, read from `path`, and the command line mean together; the command line wins. An
// empty path stands for no configuration file.
Result<Config> MakeServeConfig(const ServeOptions& options, const std::string& path,
                               std::string_view text);

}  // namespace larder::cli
