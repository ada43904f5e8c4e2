// What stands behind the public Dataset handle, wherever its dataset lives.
#pragma once

#include <memory>

#include "base/epoch.h"
#include "dataset/dataset.h"
#include "larder/dataset.h"
#include "library/switch_listeners.h"

namespace larder {

struct Dataset::State {
  std::shared_ptr<EpochDomain> epochs;  // its readers'; perhaps with the stores of a server behind
  std::shared_ptr<dataset::Dataset> dataset;
  std::shared_ptr<library::SwitchListeners> listeners;

  // The options as the dataset takes them: it tells `listeners` of its switches, and an importer of
  // the program is kept from throwing. Errors: kInvalidArgument (an option that means nothing),
  // kInternal (what the importer threw).
  static Result<dataset::Options> Complete(
      DatasetOptions options, const std::shared_ptr<library::SwitchListeners>& listeners);
  // Refuses what a callback of its own asks for: it would wait for the switch that waits for it.
  Result<void> MayChange() const;
  // A handle that keeps the version; empty for none.
  static Snapshot Hold(std::shared_ptr<const dataset::Version> version);
};

}  // namespace larder
