#include "server/core/peer.hpp"

namespace holdfast::core {

std::string host_of(std::string_view peer_address) {
  if (peer_address.starts_with('[')) {
    return std::string(peer_address.substr(1, peer_address.find(']') - 1));
  }
  const std::size_t colon = peer_address.rfind(':');
  // An IPv6 address without brackets has no port.
  if (colon != peer_address.find(':')) return std::string(peer_address);
  return std::string(peer_address.substr(0, colon));
}

}  // namespace holdfast::core
