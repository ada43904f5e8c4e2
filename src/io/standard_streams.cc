#include "io/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace larder::io {

void OccupyStandardStreams() {
  int descriptor = 0;
  // Each open takes the lowest number that is free. Without /dev/null there is nothing to be done.
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

}  // namespace larder::io
