#include "io/absolute_path.h"

#include <filesystem>
#include <system_error>

namespace larder::io {

std::string AbsolutePath(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  return failed ? path : absolute.lexically_normal().string();
}

}  // namespace larder::io
