// The kernel's mapping of a whole file; see io/mapping.h.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "io/mapping.h"

namespace larder::io {

Result<std::unique_ptr<Mapping>> MapDescriptor(int descriptor, uint64_t bytes,
                                               const std::string& path);

}  // namespace larder::io
