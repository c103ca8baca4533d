// The control domain as the others see it: the device twin (desired, reported) and commands. Both
// flow down as messages that the hub (or the device's long poll) delivers; what comes back is
// stored before it is acknowledged.
//
// Threads: every call may block on SQL; call from workers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast::control {

// One message that waits for a device. `key` is stable across restarts ("command:cmd_...",
// "twin:17"): a session that acknowledged a key never gets it again.
struct Down {
  std::string key;
  std::string topic;  // "command/reboot/cmd_...", "twin/desired"
  Bytes payload;      // JSON
  std::optional<WallTime> deadline;
};

// The twin as the device sees it over HTTPS. Documents are JSON objects; "{}" before the first one.
struct TwinView {
  std::int64_t version = 0;  // of desired; 0: never set
  Bytes desired;
  Bytes reported;
};

class Service {
 public:
  virtual ~Service() = default;

  // What waits for this device now: the desired twin if there is one (each session knows by the key
  // whether it had it), then commands that have not been acknowledged or expired, oldest first. At
  // most `limit`.
  virtual Result<std::vector<Down>> pending(DeviceId device, std::size_t limit) = 0;
  virtual Result<std::optional<Down>> find_down(DeviceId device, std::string_view key) = 0;
  // find_down(device, "twin:<version>") gives the message of this version.
  virtual Result<TwinView> twin(DeviceId device) = 0;
  virtual Status sent(DeviceId device, std::string_view key, WallTime at) = 0;
  virtual Status delivered(DeviceId device, std::string_view key, WallTime at) = 0;  // PUBACK

  // Upward; payloads as in contract/device-protocol.md. Code::payload_malformed when they do not
  // parse.
  virtual Status reply(DeviceId device, std::string_view command_id, View payload) = 0;
  virtual Status twin_reported(DeviceId device, View payload) = 0;
};

}  // namespace holdfast::control
