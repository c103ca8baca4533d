// LiveFeed: brings what changes to the live pages of the API: devices by notices and presence,
// readings and events by the journal. Threads: connect() before the dispatcher starts.
#pragma once

#include <memory>

#include "server/api/live_hub.hpp"
#include "server/core/notices.hpp"
#include "server/devices/service.hpp"
#include "server/telemetry/live.hpp"

namespace holdfast::app {

class LiveFeed {
 public:
  LiveFeed(api::LiveHub& hub, core::Store& store, devices::Service& devices, telemetry::Live& live,
           os::Workers& workers);
  Status connect(core::Dispatcher& dispatcher);

 private:
  void device_changed(DeviceId device, std::optional<SiteId> old_site);
  bool item(const telemetry::LiveItem& item);
  std::optional<SiteId> site_of(DeviceId device);

  api::LiveHub& hub_;
  core::Store& store_;
  devices::Service& devices_;
  telemetry::Live& live_;
  os::Workers& workers_;
  Guarded<std::map<DeviceId, std::optional<SiteId>>> sites_;  // dropped when a device changes
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::app
