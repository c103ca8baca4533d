// Addresses of peers as streams tell them, and as attempts are counted and audit entries name them.
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::core {

// Without the port: "192.0.2.7" of "192.0.2.7:50312", "2001:db8::1" of "[2001:db8::1]:50312". What
// has no port stays as it is.
std::string host_of(std::string_view peer_address);

}  // namespace holdfast::core
