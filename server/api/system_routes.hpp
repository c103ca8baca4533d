// Operations about the server itself: alive, ready, figures, version, configuration, problem pages.
#pragma once

#include <functional>
#include <string>

#include "libs/base/metrics.hpp"
#include "libs/config/config.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

struct SystemInfo {
  std::string version;
  std::string commit;
  int device_protocol = 1;
  WallTime started_at;
  std::function<Status()> ready;  // an error says what is missing; called from any worker
};

// All outlive the operations.
Status add_system_routes(core::Operations& operations, const SystemInfo& info,
                         const Metrics& metrics, const config::Config& configuration);

// One setting's value as JSON, by its type; null for secrets.
wire::Json setting_json(const config::Config& configuration, const config::Setting& setting);

}  // namespace holdfast::api
