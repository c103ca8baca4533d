#include "libs/os/real/address.hpp"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <memory>

namespace holdfast::os::real {

std::string Address::host() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (family() == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, out.data(), out.size());
  } else if (family() == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], out.data(), out.size());
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, out.data(), out.size());
    }
  }
  return out.data();
}

std::uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
  return 0;
}

Address any_address(int family, std::uint16_t port) {
  Address out;
  out.storage.ss_family = static_cast<sa_family_t>(family);
  if (family == AF_INET6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out.storage);
    v6.sin6_addr = in6addr_any;
    v6.sin6_port = htons(port);
    out.size = sizeof(sockaddr_in6);
  } else {
    auto& v4 = reinterpret_cast<sockaddr_in&>(out.storage);
    v4.sin_addr.s_addr = htonl(INADDR_ANY);
    v4.sin_port = htons(port);
    out.size = sizeof(sockaddr_in);
  }
  return out;
}

Result<std::vector<Address>> look_up(const Endpoint& endpoint, Lookup how, bool listening) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV | (how == Lookup::numeric ? AI_NUMERICHOST : 0);
  addrinfo* found = nullptr;
  const int error =
      ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
  if (error != 0) {
    return fail(Code::unavailable, "cannot look up \"" + endpoint.host +
                                       "\": " + ::gai_strerror(error) + "; check the name and DNS");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, &::freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* row = found; row != nullptr; row = row->ai_next) {
    if (row->ai_family != AF_INET && row->ai_family != AF_INET6) continue;
    Address& address = out.emplace_back();
    std::memcpy(&address.storage, row->ai_addr, row->ai_addrlen);
    address.size = row->ai_addrlen;
  }
  if (out.empty()) return fail(Code::unavailable, "\"" + endpoint.host + "\" has no address");
  if (listening) {
    const auto v4 = std::ranges::find(out, AF_INET, &Address::family);
    if (v4 != out.end()) std::iter_swap(out.begin(), v4);
  }
  return out;
}

}  // namespace holdfast::os::real
