// The name of a file for processes that may have another current directory.
#pragma once

#include <string>

namespace larder::io {

// Of an existing file or of one to be made; without "." and "..". What cannot be made absolute
// (there is no current directory) is as it was.
std::string AbsolutePath(const std::string& path);

}  // namespace larder::io
