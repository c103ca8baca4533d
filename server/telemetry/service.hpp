// The telemetry domain as the others see it: takes readings, events and logs into the journal, and
// answers questions about them. `done` comes after the bytes are durable (or not at all wanted, as
// configured), on the journal's thread: post to your loop from it.
//
// Threads: ingest calls are cheap and come from loops; they never block.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/value.hpp"

namespace holdfast::telemetry {

// Which MQTT delivery this was, so that a resend is stored once (decision 4). All zero: none.
struct Delivery {
  std::uint64_t session_tag = 0;
  std::uint16_t packet_id = 0;
  bool dup = false;
  std::string content_type;  // as the device gave it, "" for none: decides the format of a reading
};

using Done = std::move_only_function<void(Status)>;

// An event of the server's own about a device: connect, disconnect, refused, enrolled, ...
struct ServerEvent {
  std::optional<DeviceId> device;
  std::string kind;
  std::string severity = "info";
  std::string message;
  std::map<std::string, wire::Value> fields;
};

class Service {
 public:
  virtual ~Service() = default;
  // Codes: payload_malformed (told to the device, kept as an event), payload_too_large, overloaded
  // (stop reading from the device until `done` of earlier messages came), quota_exceeded.
  virtual void reading(DeviceId device, std::string_view stream, View payload, Delivery delivery,
                       Done done) = 0;
  virtual void event(DeviceId device, std::string_view name, View payload, Delivery delivery,
                     Done done) = 0;
  virtual void log(DeviceId device, View payload, Delivery delivery, Done done) = 0;
  virtual void record(ServerEvent event) = 0;
  // No message of this session comes any more, nor any of them again: its resend window goes.
  virtual void session_over(std::uint64_t session_tag) = 0;
};

}  // namespace holdfast::telemetry
