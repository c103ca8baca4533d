// The bus on NATS with JetStream (2.9 or later): subjects lie below "holdfast.bus.", in one stream
// with a bound, so that a subscriber whose connection broke hears what it missed. JetStream
// acknowledges before any sync; the outbox is what keeps notices (decision 14). Publishing while
// the server is away answers unavailable at once; the connection comes back by itself. Callbacks
// come on threads of libnats.
#pragma once

#include "server/core/bus.hpp"

namespace holdfast::core {

Result<std::unique_ptr<Bus>> make_nats_bus(const std::string& url);

}  // namespace holdfast::core
