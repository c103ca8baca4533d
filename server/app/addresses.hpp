// Which addresses the server tells others. Pure.
#pragma once

#include <string>
#include <vector>

#include "libs/os/network.hpp"

namespace holdfast::app {

// The host by which devices reach a listener: the address it listens on; for one that listens on
// all interfaces, the first configured name, else the first interface's address, else the host's
// name.
std::string reachable_host(const os::Endpoint& listening,
                           const std::vector<std::string>& configured,
                           const std::vector<std::string>& interfaces, std::string_view host_name);
// Could both take the same connections? Listeners share ports on purpose (SO_REUSEPORT), so the
// system does not say so. Port 0 clashes with none.
bool clash(const os::Endpoint& one, const os::Endpoint& other);
// For devices on this machine: "127.0.0.1" for all interfaces.
std::string device_host(const os::Endpoint& listening);
// For people on this machine: "localhost" for loopback and for all interfaces.
std::string local_host(const os::Endpoint& listening);

}  // namespace holdfast::app
