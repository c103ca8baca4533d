// For tests: each adapter of the bus port.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/os/system.hpp"
#include "server/core/bus.hpp"

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
  std::unique_ptr<Bus> bus_ = make_local_bus();
};

inline std::vector<BusCase> bus_cases() {
  return {{"local", [](const os::System&) -> Result<std::unique_ptr<BusHolder>> {
             return std::make_unique<LocalBusHolder>();
           }}};
}

}  // namespace holdfast::core
