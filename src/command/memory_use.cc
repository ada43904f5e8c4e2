#include "command/memory_use.h"

#include <algorithm>

#include <malloc.h>
#include <unistd.h>

namespace larder::command {

MemoryUse MeasureMemory(const Context& context) {
  const ServerInfo server = context.host.server_info();
  MemoryUse use;
  use.resident = server.resident_bytes;
  use.peak = std::max(server.peak_resident_bytes, server.resident_bytes);
  use.at_start = server.resident_bytes_at_start;
  use.mapped = std::min(server.mapped_resident_bytes, server.resident_bytes);
  use.own = use.resident - use.mapped;
  use.clients = server.client_bytes;
  const struct mallinfo2 info = ::mallinfo2();
  use.allocated = info.uordblks + info.hblkhd;
  use.active = std::max(info.arena + info.hblkhd, use.allocated);
  use.machine = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  const store::View& view = context.catalogue.view();
  for (const store::Entry& entry : view.entries()) {
    const dataset::Version* version = entry.dataset->Current();
    if (version == nullptr) continue;
    use.keys += version->snapshot->record_count();
    use.file_bytes += version->snapshot->header().file_bytes;
  }
  return use;
}

double PercentOf(uint64_t part, uint64_t whole) { return 100 * Ratio(part, whole); }

double Ratio(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace larder::command
