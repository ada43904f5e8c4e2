// The three descriptors that every program begins with.
#pragma once

namespace larder::io {

// Whoever starts a program may have closed some of them. The next file that is opened would get
// that number, and what is printed would be written into it; /dev/null takes the place. Call it
// first in main(), before there are threads and files.
void OccupyStandardStreams();

}  // namespace larder::io
