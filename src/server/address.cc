#include "server/address.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/un.h>

namespace larder::server {

namespace {

constexpr std::string_view kUnixPrefix = "unix:";

const sockaddr_in& Ipv4(const Address& address) {
  return reinterpret_cast<const sockaddr_in&>(address.storage);
}
const sockaddr_in6& Ipv6(const Address& address) {
  return reinterpret_cast<const sockaddr_in6&>(address.storage);
}

std::unexpected<Error> Malformed(std::string_view text, std::string_view why) {
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("address \"{}\": {}; expected \"127.0.0.1:6380\", \"[::1]:6380\" or "
                          "\"unix:/run/larder.sock\"",
                          text, why));
}

Result<Address> ParseUnix(std::string_view text) {
  const std::string_view path = text.substr(kUnixPrefix.size());
  Address address;
  auto& to = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.empty()) return Malformed(text, "no path after \"unix:\"");
  if (path.size() >= sizeof(to.sun_path)) {
    return Malformed(text, fmt::format("the path is longer than {} bytes, the system's limit",
                                       sizeof(to.sun_path) - 1));
  }
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

bool Address::local() const {
  if (family() == AF_INET) return (ntohl(Ipv4(*this).sin_addr.s_addr) >> 24) == 127;
  if (family() == AF_INET6) return IN6_IS_ADDR_LOOPBACK(&Ipv6(*this).sin6_addr);
  return unix_socket();
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(Ipv4(*this).sin_port);
  if (family() == AF_INET6) return ntohs(Ipv6(*this).sin6_port);
  return 0;
}

std::string Address::path() const {
  if (!unix_socket() || length <= offsetof(sockaddr_un, sun_path)) return {};
  return reinterpret_cast<const sockaddr_un&>(storage).sun_path;
}

std::string Address::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    inet_ntop(AF_INET, &Ipv4(*this).sin_addr, text.data(), text.size());
    return fmt::format("{}:{}", text.data(), port());
  }
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &Ipv6(*this).sin6_addr, text.data(), text.size());
    return fmt::format("[{}]:{}", text.data(), port());
  }
  return fmt::format("{}{}", kUnixPrefix, path());
}

Result<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Malformed(text, "no port");
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return Malformed(text, "the port is not a number between 0 and 65535");
  std::string host(text.substr(0, colon));
  if (host == "localhost") host = "127.0.0.1";

  Address address;
  if (host.starts_with('[') && host.ends_with(']')) {
    auto& to = reinterpret_cast<sockaddr_in6&>(address.storage);
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(*port);
    address.length = sizeof(sockaddr_in6);
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &to.sin6_addr) != 1)
      return Malformed(text, "not an IPv6 address between the brackets");
    return address;
  }
  auto& to = reinterpret_cast<sockaddr_in&>(address.storage);
  to.sin_family = AF_INET;
  to.sin_port = htons(*port);
  address.length = sizeof(sockaddr_in);
  if (inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1)
    return Malformed(text, "the host is not a numeric address");
  return address;
}

}  // namespace larder::server
