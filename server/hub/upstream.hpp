// Upstream: the one router from what a device says to the domain that keeps it, for MQTT and HTTPS.
// `done` means stored, or says why not. Readings, events and logs go to telemetry, which does not
// block; hello, inventory, the reported twin and replies are work for the workers.
//
// Errors told to `done`: those of the domains; payload_malformed (also kept as an event),
// payload_too_large; overloaded when telemetry or the workers have no room: nothing was taken.
// Threads: submit() from any; `done` on any thread, perhaps before submit() returns.
#pragma once

#include <memory>

#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/control/service.hpp"
#include "server/devices/service.hpp"
#include "server/hub/bucket.hpp"
#include "server/hub/topics.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::hub {

struct UpMessage {
  DeviceId device;
  UpTopic topic;
  View payload;
  telemetry::Delivery delivery;
};

// Must one be done before the next of the same connection begins? Their order matters, and workers
// would lose it.
bool one_at_a_time(Up kind);

class Upstream final : public std::enable_shared_from_this<Upstream> {
 public:
  Upstream(const os::Clock& clock, os::Workers& workers, devices::Service& devices,
           control::Service& control, telemetry::Service& telemetry, Metrics& metrics);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  void submit(const UpMessage& message, telemetry::Done done);

 private:
  Status handle(DeviceId device, UpTopic topic, View payload);
  void keep_as_event(DeviceId device, UpTopic topic, View payload, const Error& why);
  void work(const UpMessage& message, telemetry::Done done);

  const os::Clock& clock_;
  os::Workers& workers_;
  devices::Service& devices_;
  control::Service& control_;
  telemetry::Service& telemetry_;
  std::array<Counter*, kUpKinds> messages_;
  Counter& overloaded_;
  Counter& malformed_;
  Counter& suppressed_;
  Guarded<Bucket> events_;
};

}  // namespace holdfast::hub
