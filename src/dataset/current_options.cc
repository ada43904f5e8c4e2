#include "dataset/current_options.h"

#include <tuple>
#include <utility>

namespace larder::dataset {

CurrentOptions::CurrentOptions(Options options)
    : options_(std::make_shared<const Options>(std::move(options))) {}

std::shared_ptr<const Options> CurrentOptions::Get() const {
  MutexLock lock(mutex_);
  return options_;
}

void CurrentOptions::Set(Options options) {
  auto wanted = std::make_shared<const Options>(std::move(options));
  MutexLock lock(mutex_);
  options_.swap(wanted);
}

bool SameSettings(const Options& a, const Options& b) {
  const auto settings = [](const Options& options) {
    return std::tie(options.name, options.source, options.directory, options.keep, options.watch,
                    options.residency, options.import, options.gate, options.probation,
                    options.duplicates, options.separator, options.build_memory_bytes,
                    options.threads);
  };
  return settings(a) == settings(b);
}

}  // namespace larder::dataset
