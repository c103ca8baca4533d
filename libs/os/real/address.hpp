// Socket addresses of both families, their text, and looking names up. Thread-safe.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "libs/os/network.hpp"

namespace holdfast::os::real {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  // IPv4 mapped into IPv6 (RFC 4291 section 2.5.5.2) reads as IPv4.
  std::string host() const;
  std::uint16_t port() const;
  std::string text() const { return Endpoint{host(), port()}.text(); }
};

enum class Lookup { numeric, names };  // names: blocks, for as long as name servers like

// All addresses of a host; an IPv4 one first when `listening` (clients try both, servers bind one).
Result<std::vector<Address>> look_up(const Endpoint& endpoint, Lookup how, bool listening = false);
// The unspecified address of a family.
Address any_address(int family, std::uint16_t port);

}  // namespace holdfast::os::real
