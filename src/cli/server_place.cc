#include "cli/server_place.h"

#include <cstdlib>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "io/file_system.h"
#include "server/address.h"

namespace larder::cli {

namespace {

// Larder, as Redis, takes no longer one in a request's argument that means a password.
constexpr uint64_t kMaxPasswordBytes = 4096;

// The file's first line.
Result<std::string> ReadPassword(const std::string& file) {
  LARDER_ASSIGN(std::string text, io::ReadWholeFile(io::RealFileSystem(), file, kMaxPasswordBytes));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  if (text.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--password-file {}: its first line is empty", file));
  }
  return text;
}

Result<std::string> FindPassword(const AccessArguments& arguments) {
  if (!arguments.password_file.empty()) return ReadPassword(arguments.password_file);
  // The program changes no variable. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* const variable = std::getenv(kPasswordVariable);
  std::string password = variable == nullptr ? "" : variable;
  if (password.empty() && !arguments.user.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--user {} needs a password: in the environment variable {}, or in a "
                            "file that --password-file names",
                            arguments.user, kPasswordVariable));
  }
  return password;
}

// "localhost" of "localhost:6380", "::1" of "[::1]:6380".
std::string HostOf(const std::string& address) {
  if (address.starts_with("unix:")) return "localhost";
  const std::string host = address.substr(0, address.rfind(':'));
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

void AddAccessOptions(CLI::App& command, AccessArguments& arguments) {
  command.add_option("--user", arguments.user,
                     "Who asks (default: the user default). The password: environment variable "
                     "LARDER_PASSWORD");
  command.add_option("--password-file", arguments.password_file,
                     "A file whose first line is the password");
  command.add_flag("--tls", arguments.tls, "Speak TLS");
  command.add_option("--tls-ca", arguments.tls_ca,
                     "PEM file: whose certificates to trust (default: that of --config, else the "
                     "system's authorities)");
  command.add_option("--tls-name", arguments.tls_name,
                     "The name that the certificate must be for (default: the address's host)");
  command.add_option("--tls-cert", arguments.tls_certificate,
                     "PEM file: the certificate to show where one is asked for");
  command.add_option("--tls-key", arguments.tls_key, "PEM file: the key of --tls-cert");
}

Result<ServerPlace> PlaceOf(const server::ListenerOptions& listener,
                            const AccessArguments& arguments) {
  if (arguments.tls_certificate.empty() != arguments.tls_key.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "--tls-cert and --tls-key go together: a certificate and its key");
  }
  ServerPlace place;
  place.address = listener.address;
  place.user = arguments.user;
  LARDER_ASSIGN(place.password, FindPassword(arguments));
  place.tls = arguments.tls || listener.tls.enabled() || !arguments.tls_ca.empty() ||
              !arguments.tls_name.empty() || !arguments.tls_certificate.empty();
  place.tls_files.ca = arguments.tls_ca;
  place.tls_files.certificate = arguments.tls_certificate;
  place.tls_files.key = arguments.tls_key;
  const bool knows_certificate = arguments.tls_ca.empty() && listener.tls.enabled();
  if (knows_certificate) place.tls_files.pinned = listener.tls.certificate;
  place.tls_name = arguments.tls_name;
  if (place.tls_name.empty() && !knows_certificate) place.tls_name = HostOf(listener.address);
  return place;
}

}  // namespace larder::cli
