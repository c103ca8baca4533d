// For tests: each adapter of the bus port.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/os/system.hpp"
#include "server/core/bus.hpp"
#include "server/core/testing/nats_server.hpp"

namespace holdfast::core {

class BusHolder {
 public:
  virtual ~BusHolder() = default;
  virtual Bus& bus() = 0;
};
struct BusCase {
  std::string name;
  std::function<Result<std::unique_ptr<BusHolder>>(const os::System&)> open;
};

class LocalBusHolder final : public BusHolder {
 public:
  Bus& bus() override { return *bus_; }

 private:
  std::unique_ptr<Bus> bus_ = std::move(*open_bus(""));
};

class NatsBusHolder final : public BusHolder {
 public:
  static Result<std::unique_ptr<BusHolder>> open(const os::System& system) {
    auto holder = std::make_unique<NatsBusHolder>();
    holder->server_ = TRY(NatsServer::start(system));
    holder->bus_ = TRY(open_bus(holder->server_->url()));
    return std::unique_ptr<BusHolder>(std::move(holder));
  }
  Bus& bus() override { return *bus_; }

 private:
  std::unique_ptr<NatsServer> server_;
  std::unique_ptr<Bus> bus_;
};

inline std::vector<BusCase> bus_cases() {
  return {{"nats", NatsBusHolder::open},
          {"local", [](const os::System&) -> Result<std::unique_ptr<BusHolder>> {
             return std::make_unique<LocalBusHolder>();
           }}};
}

}  // namespace holdfast::core
