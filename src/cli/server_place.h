// ServerPlace: a server, and what one must show to be let in: password, certificate.
//
// A password never stands on a command line, where every process of the machine could read it.
//
// Threads: values. Errors: kInvalidArgument (options that contradict each other), those of files.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "server/server.h"
#include "server/tls.h"

namespace CLI {  // NOLINT(readability-identifier-naming): the library's
class App;
}

namespace larder::cli {

// The environment variable that a password may stand in.
inline constexpr char kPasswordVariable[] = "LARDER_PASSWORD";

// What the command line says of it.
struct AccessArguments {
  std::string user;
  std::string password_file;
  bool tls = false;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_name;
};

void AddAccessOptions(CLI::App& command, AccessArguments& arguments);

struct ServerPlace {
  std::string address;
  std::string user;      // empty: the default user
  std::string password;  // empty: none is given
  bool tls = false;
  server::TlsClientOptions tls_files;
  std::string tls_name;  // the certificate must be for this; empty: any
};

// How to reach `listener`, of a configuration or just an address, by those arguments. Where nothing
// else says whom to trust, a configured certificate is trusted itself.
Result<ServerPlace> PlaceOf(const server::ListenerOptions& listener,
                            const AccessArguments& arguments);

}  // namespace larder::cli
