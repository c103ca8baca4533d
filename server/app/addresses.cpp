#include "server/app/addresses.hpp"

namespace holdfast::app {
namespace {

bool everywhere(std::string_view host) {
  return host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
}
bool loopback(std::string_view host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

}  // namespace

std::string reachable_host(const os::Endpoint& listening,
                           const std::vector<std::string>& configured,
                           const std::vector<std::string>& interfaces, std::string_view host_name) {
  if (!everywhere(listening.host)) return listening.host;
  if (!configured.empty()) return configured.front();
  if (!interfaces.empty()) return interfaces.front();
  return host_name.empty() ? "localhost" : std::string(host_name);
}

bool clash(const os::Endpoint& one, const os::Endpoint& other) {
  return one.port != 0 && one.port == other.port &&
         (one.host == other.host || everywhere(one.host) || everywhere(other.host));
}

std::string device_host(const os::Endpoint& listening) {
  return everywhere(listening.host) ? "127.0.0.1" : listening.host;
}

std::string local_host(const os::Endpoint& listening) {
  return everywhere(listening.host) || loopback(listening.host) ? "localhost" : listening.host;
}

}  // namespace holdfast::app
