// Heard: telemetry for tests of other domains, in one thread. Takes everything at once, and keeps what
// the server itself records.
#pragma once

#include <utility>
#include <vector>

#include "server/telemetry/service.hpp"

namespace holdfast::telemetry {

class Heard final : public Service {
 public:
  void reading(DeviceId, std::string_view, View, Delivery, Done done) override { done({}); }
  void event(DeviceId, std::string_view, View, Delivery, Done done) override { done({}); }
  void log(DeviceId, View, Delivery, Done done) override { done({}); }
  void record(ServerEvent event) override { events.push_back(std::move(event)); }
  void session_over(std::uint64_t) override {}
  std::vector<ServerEvent> events;
};

}  // namespace holdfast::telemetry
