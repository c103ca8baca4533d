#include "server/app/live_feed.hpp"

#include "libs/wire/json.hpp"
#include "server/telemetry/json.hpp"

namespace holdfast::app {
namespace {

constexpr std::size_t kSitesMax = 100'000;  // remembered; then all are read anew

}  // namespace

LiveFeed::LiveFeed(api::LiveHub& hub, core::Store& store, devices::Service& devices,
                   telemetry::Live& live, os::Workers& workers)
    : hub_(hub), store_(store), devices_(devices), live_(live), workers_(workers) {}

Status LiveFeed::connect(core::Dispatcher& dispatcher) {
  TRY(dispatcher.follow(
      {"device.created", "device.changed", "device.state_changed", "device.quarantined",
       "device.released", "device.revoked", "device.hello_changed", "device.inventory_changed",
       "certificate.issued", "certificate.renewed"},
      [this](const core::Notice& notice) {
        const auto json = wire::parse_json(notice.payload);
        if (!json || !json->is_object()) return;
        const auto text = wire::get_string(*json->if_object(), "device_id");
        const auto id = text ? DeviceId::parse(*text) : std::unexpected(text.error());
        if (!id) return;
        std::optional<SiteId> old_site;
        if (const auto old = wire::find_string(*json->if_object(), "old_site_id"); old && *old) {
          if (const auto site = SiteId::parse(**old)) old_site = *site;
        }
        sites_.with([&](auto& sites) { sites.erase(*id); });
        device_changed(*id, old_site);
      }));
  devices_.on_presence([this, alive = std::weak_ptr(alive_)](DeviceId device, bool) {
    (void)workers_.post([this, alive, device] {
      if (alive.lock()) device_changed(device, std::nullopt);
    });
  });
  telemetry::Interest interest;
  interest.readings = true;
  interest.newest_only = true;
  interest.events = events::Query{};
  TRY(live_.subscribe(std::move(interest),
                      [this, alive = std::weak_ptr(alive_)](const telemetry::LiveItem& one) {
                        return alive.lock() != nullptr && item(one);
                      }));
  return {};
}

void LiveFeed::device_changed(DeviceId id, std::optional<SiteId> old_site) {
  if (!hub_.watched(store_.clock().mono())) return;
  const auto device = devices_.find(id);
  const auto view = devices_.view(id);
  if (!device || !view) return;
  api::LiveItem out;
  out.kind = api::LiveItem::Kind::device;
  out.device = id;
  out.site = device->site;
  out.old_site = old_site;
  out.data = wire::json_text(
      wire::JsonObject{{"id", id.text()}, {"revision", device->revision}, {"changes", *view}});
  out.removed = wire::json_text(
      wire::JsonObject{{"id", id.text()}, {"revision", device->revision}, {"removed", true}});
  hub_.publish(std::move(out));
}

std::optional<SiteId> LiveFeed::site_of(DeviceId id) {
  const auto known = sites_.with([&](const auto& sites) -> std::optional<std::optional<SiteId>> {
    const auto at = sites.find(id);
    return at == sites.end() ? std::nullopt : std::optional(at->second);
  });
  if (known) return *known;
  const auto device = devices_.find(id);
  const std::optional<SiteId> site = device ? device->site : std::nullopt;
  sites_.with([&](auto& sites) {
    if (sites.size() >= kSitesMax) sites.clear();
    sites[id] = site;
  });
  return site;
}

// Always stays: what nobody watches costs a look at the clock.
bool LiveFeed::item(const telemetry::LiveItem& one) {
  if (!hub_.watched(store_.clock().mono())) return true;
  api::LiveItem out;
  if (const auto* reading = std::get_if<telemetry::LiveReading>(&one.what)) {
    out.kind = api::LiveItem::Kind::reading;
    out.device = DeviceId{reading->device};
    out.metric = reading->metric;
    out.data = wire::json_text(telemetry::reading_json(*reading));
  } else if (const auto* event = std::get_if<events::Event>(&one.what)) {
    out.kind = api::LiveItem::Kind::event;
    const DeviceId id{event->device};
    if (!id.empty()) out.device = id;
    out.data = wire::json_text(telemetry::event_json(*event));
  } else {
    return true;
  }
  if (out.device) out.site = site_of(*out.device);
  hub_.publish(std::move(out));
  return true;
}

}  // namespace holdfast::app
