// Registry: the devices domain's Service, and what operators do to devices. Owned by main.
// Threads: as service.hpp; operator calls block on SQL.
#pragma once

#include <memory>
#include <unordered_set>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/core/jobs.hpp"
#include "server/devices/presence.hpp"
#include "server/devices/service.hpp"
#include "server/devices/tables.hpp"

namespace holdfast::devices {

inline constexpr std::int64_t kDevicesMax = 100'000;  // unless set otherwise

struct Patch {
  std::optional<std::string> name;
  std::optional<std::optional<SiteId>> site;
  std::optional<std::optional<TypeId>> type;
  std::optional<Tags> tags;
};

class Registry final : public Service {
 public:
  // `workers` and `loop` outlive the registry. Loads presence.
  static Result<std::unique_ptr<Registry>> make(core::Store& store, os::Workers& workers,
                                                os::Loop& loop, const Log& log, Metrics& metrics);
  ~Registry() override;

  // ---- Service
  Result<DeviceId> create(core::Change& change, const NewDevice& device) override;
  Status set_state(core::Change& change, DeviceId device, State state,
                   std::string_view reason) override;
  Status set_certificate(core::Change& change, DeviceId device,
                         const Certificate& certificate) override;
  Status set_serial(core::Change& change, DeviceId device, std::string_view serial) override;
  Result<Device> find(DeviceId device) override;
  Result<std::optional<Device>> look(sql::Tx& tx, DeviceId device) override;
  Result<wire::Json> view(DeviceId device) override;
  Status hello(DeviceId device, const wire::Json& hello) override;
  Status inventory(DeviceId device, const wire::Json& inventory) override;
  void connected(DeviceId device, std::string_view protocol, std::string_view address,
                 WallTime at) override;
  void disconnected(DeviceId device, const Disconnect& why, WallTime at) override;
  void seen(DeviceId device, WallTime at) override { presence_.seen(device, at); }
  void https_seen(DeviceId device, std::string_view address, WallTime at) override;
  Presence presence(DeviceId device) const override { return presence_.of(device); }
  void on_presence(std::function<void(DeviceId, bool online)> told) override {
    presence_.on_change(std::move(told));
  }

  // ---- operators. Permission at the device's site is checked here, once it is known.
  Result<ListPage> list(const core::Caller& caller, const ListQuery& query);
  Result<Facets> facets(const core::Caller& caller, const ListQuery& query);
  Result<Device> get(const core::Caller& caller, std::string_view permission, DeviceId id);
  // `matches` is told the revision and answers precondition_failed when it is another.
  using Matches = std::function<Status(std::int64_t revision)>;
  Result<Device> patch(const core::Caller& caller, DeviceId id, const Patch& patch,
                       const Matches& matches);
  Result<Device> set_tag(const core::Caller& caller, DeviceId id, const std::string& key,
                         const std::optional<std::string>& value);  // nullopt removes it
  Result<Device> quarantine(const core::Caller& caller, DeviceId id, const std::string& reason);
  Result<Device> release(const core::Caller& caller, DeviceId id, const std::string& reason);
  Result<Device> revoke(const core::Caller& caller, DeviceId id, const std::string& reason);

  // Before the server starts: create() refuses more with quota_exceeded.
  void set_devices_max(std::int64_t most) { devices_max_ = most; }
  wire::Json json(const Device& device) const;  // schema Device, with presence as it is now
  // Writes presence now: at stop, and in tests.
  Status flush(bool transitions_only = false);

 private:
  Registry(core::Store& store, os::Workers& workers, os::Loop& loop, const Log& log,
           Metrics& metrics);
  using Edit = std::function<Status(core::Change&, Device&)>;
  Result<Device> edit(const core::Caller& caller, std::string_view permission,
                      std::string_view action, DeviceId id, const Edit& apply);
  void flush_later();
  void look_again(DeviceId device);
  void activate(DeviceId device, std::string protocol, std::string address);
  Status report(DeviceId device, Document which, const wire::Json& document);

  core::Store& store_;
  os::Workers& workers_;
  os::Loop& loop_;
  const Log& log_;
  PresenceBook presence_;
  std::int64_t devices_max_ = kDevicesMax;
  Guarded<std::unordered_set<DeviceId>>
      active_;  // known to have connected once; bounded by the registry
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Counter& flush_failures_;
};

}  // namespace holdfast::devices
