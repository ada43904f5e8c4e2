// The kernel's AllocatedFile and SharedMemory; see io/file_system.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"
#include "io/descriptor.h"
#include "io/file_system.h"

namespace larder::io {

// The file, open for reading and writing, has `bytes`.
Result<std::unique_ptr<AllocatedFile>> MakeAllocatedFile(Descriptor descriptor, uint64_t bytes,
                                                         const std::string& path);

// The file has `bytes`, and is to have `wanted`.
Result<std::unique_ptr<SharedMemory>> MakeSharedMemory(int descriptor, uint64_t bytes,
                                                       uint64_t wanted, const std::string& path);

}  // namespace larder::io
