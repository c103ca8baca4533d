#include "server/devices/registry.hpp"

#include "server/devices/json.hpp"
#include "server/devices/rules.hpp"

namespace holdfast::devices {
namespace {

std::string payload(const wire::JsonObject& object) {
  return wire::json_text(object);
}

// The members of `after` that differ from `before`, for device.changed.
wire::JsonArray changed_members(const Device& before, const Device& after) {
  wire::JsonArray out;
  if (before.name != after.name) out.emplace_back("name");
  if (before.site != after.site) out.emplace_back("site_id");
  if (before.type != after.type) out.emplace_back("type_id");
  if (before.tags != after.tags) out.emplace_back("tags");
  return out;
}

Status notice_changed(core::Change& change, const Device& before, const Device& after) {
  return change.notice(
      "device.changed",
      payload({{"device_id", after.id.text()},
               {"revision", after.revision},
               {"members", changed_members(before, after)},
               {"type_id", id_or_null(after.type)},
               {"old_site_id", before.site != after.site ? id_or_null(before.site) : nullptr}}),
      after.site);
}

Status notice_state(core::Change& change, const Device& device, State before) {
  return change.notice("device.state_changed",
                       payload({{"device_id", device.id.text()},
                                {"revision", device.revision},
                                {"old_state", name_of(before)},
                                {"new_state", name_of(device.state)}}),
                       device.site);
}

// A site or type that a body names.
template <class IdType>
Status require_place(sql::Tx& tx, std::string_view table, const std::optional<IdType>& id,
                     std::string_view pointer) {
  if (!id) return {};
  const auto found =
      TRY(tx.number("SELECT count(*) FROM " + std::string(table) + " WHERE id=?", {*id}));
  if (found > 0) return {};
  return std::unexpected(
      Error{Code::invalid_argument, "there is no " + id->text(), {}, {}, std::string(pointer)});
}

// A device of a type that demands more than the device can prove is not let into that type.
Status require_evidence(sql::Tx& tx, const Device& device) {
  if (!device.type) return {};
  const auto demanded = TRY(evidence_demanded(tx, *device.type));
  if (satisfies(device.evidence, demanded)) return {};
  return fail(Code::evidence_insufficient, "its type demands " + std::string(name_of(*demanded)) +
                                               ", and the device has " +
                                               std::string(name_of(device.evidence)));
}

}  // namespace

Result<std::unique_ptr<Registry>> Registry::make(core::Store& store, os::Workers& workers,
                                                 os::Loop& loop, const Log& log, Metrics& metrics) {
  std::unique_ptr<Registry> registry(new Registry(store, workers, loop, log, metrics));
  std::vector<PresenceRow> rows;
  std::vector<DeviceId> active;
  TRY(store.read([&](sql::Tx& tx) -> Status {
    rows = TRY(load_presence(tx));
    active = TRY(tx.list("SELECT id FROM device WHERE state='active'", {},
                         [](sql::Row& row) { return row.id<DeviceId>(0); }));
    return {};
  }));
  registry->active_.with([&](auto& known) { known.insert(active.begin(), active.end()); });
  registry->presence_.load(std::move(rows), store.clock().wall());
  TRY(registry->flush());
  loop.post([raw = registry.get(), alive = std::weak_ptr(registry->alive_)] {
    if (alive.lock()) raw->flush_later();
  });
  return registry;
}

Registry::Registry(core::Store& store, os::Workers& workers, os::Loop& loop, const Log& log,
                   Metrics& metrics)
    : store_(store),
      workers_(workers),
      loop_(loop),
      log_(log),
      flush_failures_(
          metrics.counter("holdfast_devices_presence_flush_failures_total",
                          "Presence batches that could not be written and were kept for later")) {
  metrics.gauge(
      "holdfast_devices_online", "Devices that are online", [this, alive = std::weak_ptr(alive_)] {
        return alive.lock() ? static_cast<double>(presence_.online_count(store_.clock().wall()))
                            : 0.0;
      });
}

Registry::~Registry() = default;

// Bookkeeping, so no job: a missed flush costs nothing but the age of "last seen".
void Registry::flush_later() {
  loop_.after(kPresenceFlush, [this, alive = std::weak_ptr(alive_)] {
    if (!alive.lock()) return;
    presence_.lapse(store_.clock().wall());
    const bool posted = workers_.post([this, alive] {
      if (alive.lock()) (void)flush();
    });
    if (!posted) flush_failures_.add();
    flush_later();
  });
}

Status Registry::flush(bool transitions_only) {
  const auto rows = presence_.take(transitions_only);
  if (rows.empty()) return {};
  const Status written = store_.database().write([&](sql::Tx& tx) -> Status {
    for (const PresenceRow& row : rows) TRY(store_presence(tx, row));
    return {};
  });
  if (written) return {};
  presence_.untake(rows);
  flush_failures_.add();
  log_.warning("presence could not be written; it is kept for the next try",
               {{"why", written.error().text()}});
  return written;
}

Result<DeviceId> Registry::create(core::Change& change, const NewDevice& wanted) {
  const auto there = TRY(change.tx().number("SELECT count(*) FROM device WHERE state<>?",
                                            {name_of(State::decommissioned)}));
  if (there >= devices_max_) {
    return fail(Code::quota_exceeded, "there are " + std::to_string(there) +
                                          " devices, as many as limits.devices allows");
  }
  Device device;
  device.id = change.new_id<DeviceId>();
  device.name = suggested_name(wanted.name, "device-" + device.id.text().substr(24));
  device.state = State::registered;
  device.serial = wanted.serial;
  device.type = wanted.type;
  device.site = wanted.site;
  device.tags = wanted.tags;
  device.evidence = wanted.evidence;
  device.created_at = device.updated_at = change.now();
  TRY(require_evidence(change.tx(), device));
  TRY(insert_device(change, device));
  TRY(change.audit(device.id.text(), "", audit_text(device)));
  TRY(change.notice("device.created",
                    payload({{"device_id", device.id.text()},
                             {"type_id", id_or_null(device.type)},
                             {"claim_id", nullptr}}),
                    device.site));
  return device.id;
}

Status Registry::set_state(core::Change& change, DeviceId id, State state,
                           std::string_view reason) {
  auto found = TRY(find_device(change.tx(), change.sealer(), id));
  if (!found) return fail(Code::device_unknown, "there is no device " + id.text());
  if (found->state == state) return {};
  TRY(require_move(found->state, state));
  const State before = found->state;
  const std::string before_text = audit_text(*found);
  found->state = state;
  if (state != State::quarantined) found->quarantine.reset();
  TRY(update_device(change, *found));
  if (state == State::enrolled) look_again(id);
  std::string after_text = audit_text(*found);
  if (!reason.empty()) {  // an object, whose last brace makes room
    after_text.pop_back();
    after_text += ",\"reason\":" + wire::json_text(wire::Json(reason)) + "}";
  }
  TRY(change.audit(id.text(), before_text, after_text));
  return notice_state(change, *found, before);
}

Status Registry::set_certificate(core::Change& change, DeviceId id,
                                 const Certificate& certificate) {
  auto found = TRY(find_device(change.tx(), change.sealer(), id));
  if (!found) return fail(Code::device_unknown, "there is no device " + id.text());
  found->certificate = certificate;
  found->evidence = certificate.evidence;
  TRY(require_evidence(change.tx(), *found));
  found->revoked = false;
  return update_device(change, *found);
}

Status Registry::set_serial(core::Change& change, DeviceId id, std::string_view serial) {
  auto found = TRY(find_device(change.tx(), change.sealer(), id));
  if (!found) return fail(Code::device_unknown, "there is no device " + id.text());
  found->serial = serial;
  return update_device(change, *found);
}

Result<std::optional<Device>> Registry::look(sql::Tx& tx, DeviceId id) {
  return find_device(tx, store_.sealer(), id);
}

Result<Device> Registry::find(DeviceId id) {
  std::optional<Device> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(look(tx, id));
    return {};
  }));
  if (!found) return fail(Code::device_unknown, "there is no device " + id.text());
  return *std::move(found);
}

wire::Json Registry::json(const Device& device) const {
  return device_json(device, presence_.of(device.id), store_.clock().wall());
}

Result<wire::Json> Registry::view(DeviceId id) {
  return json(TRY(find(id)));
}

Status Registry::report(DeviceId id, Document which, const wire::Json& document) {
  const bool is_hello = which == Document::hello;
  return store_.record(
      core::Caller::device(id), is_hello ? "device.hello" : "device.inventory",
      [&](core::Change& change) -> Status {
        auto found = TRY(find_device(change.tx(), change.sealer(), id));
        if (!found) return fail(Code::device_unknown, "there is no device " + id.text());
        if ((is_hello ? found->hello : found->inventory) == document) return {};
        TRY(store_document(change, id, which, document));
        wire::JsonObject told{{"device_id", id.text()}, {"revision", found->revision + 1}};
        if (!is_hello) {
          wire::JsonArray members;
          if (const auto* object = document.if_object()) {
            for (const auto& member : *object) members.emplace_back(member.key());
          }
          told["members"] = std::move(members);
          return change.notice("device.inventory_changed", payload(told), found->site);
        }
        const wire::JsonObject& object = *document.if_object();
        told["agent_version"] = TRY(wire::get_string(object, "version"));
        told["protocol"] = TRY(wire::get_int(object, "protocol"));
        return change.notice("device.hello_changed", payload(told), found->site);
      });
}

Status Registry::hello(DeviceId device, const wire::Json& hello) {
  const auto object = wire::as_object(hello);
  if (!object) return std::unexpected(wire::as_payload(object.error()));
  const auto version = wire::get_string(**object, "version");
  if (!version) return std::unexpected(wire::as_payload(version.error()));
  const auto protocol = wire::get_int(**object, "protocol", "", 1);
  if (!protocol) return std::unexpected(wire::as_payload(protocol.error()));
  return report(device, Document::hello, hello);
}

Status Registry::inventory(DeviceId device, const wire::Json& inventory) {
  const auto object = wire::as_object(inventory);
  if (!object) return std::unexpected(wire::as_payload(object.error()));
  return report(device, Document::inventory, inventory);
}

void Registry::connected(DeviceId device, std::string_view protocol, std::string_view address,
                         WallTime at) {
  presence_.connected(device, protocol, address, at);
  activate(device, std::string(protocol), std::string(address));
}

void Registry::https_seen(DeviceId device, std::string_view address, WallTime at) {
  presence_.https_seen(device, address, at);
  activate(device, "https", std::string(address));
}

void Registry::disconnected(DeviceId device, const Disconnect& why, WallTime at) {
  presence_.disconnected(device, why, at);
}

// A device that is enrolled (anew) becomes active by its next connection. If the change is undone,
// that look finds nothing to do.
void Registry::look_again(DeviceId id) {
  active_.with([&](auto& known) { known.erase(id); });
}

// The first connection makes an enrolled device active, once.
void Registry::activate(DeviceId id, std::string protocol, std::string address) {
  const bool first = active_.with([&](auto& known) { return known.insert(id).second; });
  if (!first) return;
  const bool posted = workers_.post([this, alive = std::weak_ptr(alive_), id, protocol, address] {
    if (!alive.lock()) return;
    const Status done = store_.change(
        core::Caller::device(id), "device.first_connected", [&](core::Change& change) -> Status {
          auto found = TRY(find_device(change.tx(), change.sealer(), id));
          if (!found || found->state != State::enrolled)
            return fail(Code::conflict, "not a first connection");
          const std::string before = audit_text(*found);
          found->state = State::active;
          TRY(update_device(change, *found));
          TRY(change.audit(id.text(), before, audit_text(*found)));
          TRY(notice_state(change, *found, State::enrolled));
          return change.notice(
              "device.first_connected",
              payload({{"device_id", id.text()}, {"address", address}, {"protocol", protocol}}),
              found->site);
        });
    // Another reason than "already": the next connection tries again.
    if (!done && done.error().code != Code::conflict)
      active_.with([&](auto& known) { known.erase(id); });
  });
  if (!posted) active_.with([&](auto& known) { known.erase(id); });
}

Result<ListPage> Registry::list(const core::Caller& caller, const ListQuery& query) {
  const bool by_time = query.sort.ends_with("last_seen");
  if (by_time || query.online || !query.q.empty()) TRY(flush(!by_time));
  const auto scope = TRY(core::site_filter(caller, "device.read", "d.site_id"));
  ListPage page;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    page = TRY(list_devices(tx, store_.sealer(), query, scope, store_.clock().wall()));
    return {};
  }));
  return page;
}

Result<Facets> Registry::facets(const core::Caller& caller, const ListQuery& query) {
  TRY(flush(true));
  const auto scope = TRY(core::site_filter(caller, "device.read", "d.site_id"));
  Facets facets;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    facets = TRY(count_facets(tx, query, scope, store_.clock().wall()));
    return {};
  }));
  return facets;
}

Result<Device> Registry::get(const core::Caller& caller, std::string_view permission, DeviceId id) {
  Device found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(require_device(*this, tx, caller, permission, id));
    return {};
  }));
  return found;
}

Result<Device> Registry::edit(const core::Caller& caller, std::string_view permission,
                              std::string_view action, DeviceId id, const Edit& apply) {
  Device after;
  TRY(store_.change(caller, action, [&](core::Change& change) -> Status {
    auto found = TRY(find_device(change.tx(), change.sealer(), id));
    if (!found)
      return std::unexpected(
          core::refuse_missing(caller, permission, "there is no device " + id.text()));
    TRY(core::require_at(caller, permission, found->site));
    const std::string before = audit_text(*found);
    TRY(apply(change, *found));
    after = TRY(find_device(change.tx(), change.sealer(), id)).value();
    return change.audit(id.text(), before, audit_text(after));
  }));
  return after;
}

Result<Device> Registry::patch(const core::Caller& caller, DeviceId id, const Patch& patch,
                               const Matches& matches) {
  return edit(caller, "device.write", "update_device", id,
              [&](core::Change& change, Device& device) -> Status {
                TRY(matches(device.revision));
                const Device before = device;
                if (patch.name) {
                  TRY(check_name(*patch.name));
                  device.name = *patch.name;
                }
                if (patch.tags) {
                  TRY(check_tags(*patch.tags));
                  device.tags = *patch.tags;
                  TRY(replace_tags(change.tx(), id, device.tags));
                }
                if (patch.site) {
                  // Moving takes the permission at both ends; a site that is not there answers like
                  // one elsewhere.
                  TRY(core::require_at(caller, "device.write", *patch.site));
                  TRY(require_place(change.tx(), "site", *patch.site, "/site_id"));
                  device.site = *patch.site;
                }
                if (patch.type) {
                  TRY(require_place(change.tx(), "device_type", *patch.type, "/type_id"));
                  device.type = *patch.type;
                  TRY(require_evidence(change.tx(), device));
                }
                TRY(update_device(change, device));
                return notice_changed(change, before, device);
              });
}

Result<Device> Registry::set_tag(const core::Caller& caller, DeviceId id, const std::string& key,
                                 const std::optional<std::string>& value) {
  const std::string_view action = value ? "set_device_tag" : "delete_device_tag";
  return edit(caller, "device.write", action, id,
              [&](core::Change& change, Device& device) -> Status {
                TRY(check_tag(key, value.value_or("")));
                const Device before = device;
                if (value) {
                  device.tags[key] = *value;
                } else if (device.tags.erase(key) == 0) {
                  return fail(Code::not_found, "the device has no tag \"" + key + "\"");
                }
                TRY(check_tags(device.tags));
                TRY(replace_tags(change.tx(), id, device.tags));
                TRY(update_device(change, device));
                return notice_changed(change, before, device);
              });
}

Result<Device> Registry::quarantine(const core::Caller& caller, DeviceId id,
                                    const std::string& reason) {
  return edit(
      caller, "device.quarantine", "quarantine_device", id,
      [&](core::Change& change, Device& device) -> Status {
        TRY(check_reason(reason));
        const State before = device.state;
        const bool again = before == State::quarantined && device.quarantine;
        if (before != State::quarantined) TRY(require_move(before, State::quarantined));
        device.state = State::quarantined;
        device.quarantine =
            Quarantine{again ? device.quarantine->since : change.now(), reason, caller.id};
        TRY(update_device(change, device));
        if (!again) TRY(notice_state(change, device, before));
        return change.notice(
            "device.quarantined",
            payload({{"device_id", id.text()}, {"revision", device.revision}, {"reason", reason}}),
            device.site);
      });
}

Result<Device> Registry::release(const core::Caller& caller, DeviceId id,
                                 const std::string& reason) {
  return edit(
      caller, "device.quarantine", "release_device", id,
      [&](core::Change& change, Device& device) -> Status {
        if (!reason.empty()) TRY(check_reason(reason));
        if (device.state != State::quarantined)
          return fail(Code::conflict, "the device is not quarantined");
        if (device.revoked) {
          return fail(Code::conflict, "its certificates are revoked: enrol it again with a claim");
        }
        const bool connected = presence_.of(id).last_seen.has_value();
        device.state = after_release(connected);
        device.quarantine.reset();
        TRY(update_device(change, device));
        if (!connected) look_again(id);
        TRY(notice_state(change, device, State::quarantined));
        return change.notice("device.released",
                             payload({{"device_id", id.text()}, {"revision", device.revision}}),
                             device.site);
      });
}

Result<Device> Registry::revoke(const core::Caller& caller, DeviceId id,
                                const std::string& reason) {
  return edit(
      caller, "device.revoke", "revoke_device", id,
      [&](core::Change& change, Device& device) -> Status {
        TRY(check_reason(reason));
        const State before = device.state;
        if (before != State::quarantined) TRY(require_move(before, State::quarantined));
        device.state = State::quarantined;
        device.revoked = true;
        device.quarantine = Quarantine{device.quarantine ? device.quarantine->since : change.now(),
                                       reason, caller.id};
        TRY(update_device(change, device));
        if (before != State::quarantined) TRY(notice_state(change, device, before));
        return change.notice(
            "device.revoked",
            payload({{"device_id", id.text()}, {"revision", device.revision}, {"reason", reason}}),
            device.site);
      });
}

}  // namespace holdfast::devices
