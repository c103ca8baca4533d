// What the hub does when the server tells itself that something changed (contract/notices.yaml).
// Threads: read_order() is pure; follow_notices() before the dispatcher starts.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "server/core/notices.hpp"

namespace holdfast::hub {

struct Order {
  enum class Kind : std::uint8_t { wake, evict, evict_certificate, renew_credential };
  Kind kind = Kind::wake;
  DeviceId device;
  std::string serial_hex;
  Error why;
};

// nullopt: it does not concern the hub.
std::optional<Order> read_order(std::string_view name, std::string_view payload);
// `carry_out` runs on a worker.
Status follow_notices(core::Dispatcher& dispatcher, std::function<void(const Order&)> carry_out);

}  // namespace holdfast::hub
