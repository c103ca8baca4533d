#include "server/devices/json.hpp"

namespace holdfast::devices {
namespace {

wire::JsonObject tags_json(const Tags& tags) {
  wire::JsonObject out;
  for (const auto& [key, value] : tags) out[key] = value;
  return out;
}

wire::Json certificate_json(const Device& device, WallTime now) {
  if (!device.certificate) return nullptr;
  const Certificate& c = *device.certificate;
  const std::string_view state = device.revoked       ? "revoked"
                                 : c.not_after <= now ? "expired"
                                                      : "valid";
  return wire::JsonObject{{"serial", c.serial},
                          {"not_before", to_rfc3339(c.not_before)},
                          {"not_after", to_rfc3339(c.not_after)},
                          {"renews_at", time_or_null(c.renews_at)},
                          {"fingerprint_sha256", c.fingerprint_sha256},
                          {"key_algorithm", c.key_algorithm},
                          {"state", state}};
}

const wire::Json* member(const wire::Json& document, std::string_view name) {
  const wire::JsonObject* object = document.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

wire::Json object_member(const wire::Json& document, std::string_view name) {
  const wire::Json* found = member(document, name);
  return found != nullptr && found->is_object() ? *found : wire::Json(nullptr);
}

wire::JsonArray array_member(const wire::Json& document, std::string_view name) {
  const wire::Json* found = member(document, name);
  return found != nullptr && found->is_array() ? *found->if_array() : wire::JsonArray{};
}

// Only what the contract names: a device may report more.
wire::JsonArray components_json(const wire::Json& inventory) {
  wire::JsonArray out;
  for (const wire::Json& item : array_member(inventory, "components")) {
    const wire::Json* name = member(item, "name");
    const wire::Json* version = member(item, "version");
    if (name == nullptr || version == nullptr || !name->is_string() || !version->is_string())
      continue;
    const wire::Json* digest = member(item, "digest");
    out.push_back(wire::JsonObject{
        {"name", *name},
        {"version", *version},
        {"digest", digest != nullptr && digest->is_string() ? *digest : wire::Json(nullptr)}});
  }
  return out;
}

wire::Json agent_json(const wire::Json& hello) {
  const wire::Json* version = member(hello, "version");
  if (version == nullptr || !version->is_string()) return nullptr;
  wire::JsonObject out{{"version", *version},
                       {"capabilities", array_member(hello, "capabilities")}};
  if (const wire::Json* protocol = member(hello, "protocol");
      protocol != nullptr && protocol->is_int64()) {
    out["protocol"] = *protocol;
  }
  return out;
}

wire::Json quarantine_json(const Device& device) {
  if (!device.quarantine) return nullptr;
  return wire::JsonObject{{"since", to_rfc3339(device.quarantine->since)},
                          {"reason", device.quarantine->reason},
                          {"by", device.quarantine->by},
                          {"revoked", device.revoked}};
}

wire::JsonArray facet_json(const std::vector<FacetValue>& values) {
  wire::JsonArray out;
  for (const FacetValue& value : values) {
    out.push_back(
        wire::JsonObject{{"value", value.value ? wire::Json(*value.value) : wire::Json(nullptr)},
                         {"label", value.label},
                         {"count", value.count}});
  }
  return out;
}

}  // namespace

wire::Json presence_json(const Presence& presence, WallTime now) {
  const bool online = presence.online_at(now);
  std::optional<WallTime> since = presence.since;
  // An HTTPS device goes offline by silence: at the end of its grace, not when someone looks.
  if (!online && presence.last_https && since && *presence.last_https + kHttpsOnline > *since) {
    since = *presence.last_https + kHttpsOnline;
  }
  return wire::JsonObject{{"online", online},
                          {"since", time_or_null(since)},
                          {"last_seen", time_or_null(presence.last_seen)},
                          {"last_disconnect_reason", text_or_null(presence.last_disconnect_reason)},
                          {"address", text_or_null(presence.address)},
                          {"protocol", text_or_null(presence.protocol)}};
}

wire::Json device_json(const Device& device, const Presence& presence, WallTime now) {
  return wire::JsonObject{{"id", device.id.text()},
                          {"name", device.name},
                          {"state", name_of(device.state)},
                          {"type_id", id_or_null(device.type)},
                          {"type_name", text_or_null(device.type_name)},
                          {"site_id", id_or_null(device.site)},
                          {"site_name", text_or_null(device.site_name)},
                          {"tags", tags_json(device.tags)},
                          {"parent_id", id_or_null(device.parent)},
                          {"serial", text_or_null(device.serial)},
                          {"components", components_json(device.inventory)},
                          {"hardware", object_member(device.inventory, "hardware")},
                          {"os", object_member(device.inventory, "os")},
                          {"network", array_member(device.inventory, "network")},
                          {"connectivity", device.connectivity},
                          {"exposure", device.exposure},
                          {"evidence_class", name_of(device.evidence)},
                          {"presence", presence_json(presence, now)},
                          {"certificate", certificate_json(device, now)},
                          {"agent", agent_json(device.hello)},
                          {"quarantine", quarantine_json(device)},
                          {"created_at", to_rfc3339(device.created_at)},
                          {"updated_at", to_rfc3339(device.updated_at)},
                          {"revision", device.revision}};
}

wire::Json facets_json(const Facets& facets) {
  return wire::JsonObject{{"state", facet_json(facets.state)},
                          {"type", facet_json(facets.type)},
                          {"site", facet_json(facets.site)},
                          {"online", facet_json(facets.online)},
                          {"tag", facet_json(facets.tag)}};
}

wire::Json site_json(const Site& site) {
  return wire::JsonObject{{"id", site.id.text()},
                          {"name", site.name},
                          {"description", site.description},
                          {"device_count", site.device_count},
                          {"created_at", to_rfc3339(site.created_at)},
                          {"updated_at", to_rfc3339(site.updated_at)},
                          {"revision", site.revision}};
}

wire::Json type_json(const DeviceType& type) {
  return wire::JsonObject{
      {"id", type.id.text()},
      {"name", type.name},
      {"description", type.description},
      {"streams", type.streams},
      {"topic_mapping", wire::JsonObject{}},
      {"evidence_required",
       type.evidence_required ? wire::Json(name_of(*type.evidence_required)) : wire::Json(nullptr)},
      {"device_count", type.device_count},
      {"created_at", to_rfc3339(type.created_at)},
      {"updated_at", to_rfc3339(type.updated_at)},
      {"revision", type.revision}};
}

std::string audit_text(const Device& device) {
  return wire::json_text(
      wire::JsonObject{{"name", device.name},
                       {"state", name_of(device.state)},
                       {"type_id", id_or_null(device.type)},
                       {"site_id", id_or_null(device.site)},
                       {"tags", tags_json(device.tags)},
                       {"evidence_class", name_of(device.evidence)},
                       {"certificate", device.certificate ? wire::Json(device.certificate->serial)
                                                          : wire::Json(nullptr)},
                       {"quarantine", quarantine_json(device)}});
}

}  // namespace holdfast::devices
