#include "server/devices/rows.hpp"

namespace holdfast::devices {
namespace {

constexpr std::string_view kFirst = R"(
CREATE TABLE site (
  id {id} PRIMARY KEY, name {text} NOT NULL, description {text} NOT NULL,
  revision {int} NOT NULL, created_at {int} NOT NULL, updated_at {int} NOT NULL
) {strict};
CREATE INDEX site_by_name ON site (name, id);
CREATE TABLE device_type (
  id {id} PRIMARY KEY, name {text} NOT NULL, description {text} NOT NULL,
  streams {text} NOT NULL, revision {int} NOT NULL, created_at {int} NOT NULL, updated_at {int} NOT NULL
) {strict};
CREATE INDEX device_type_by_name ON device_type (name, id);
CREATE TABLE device (
  id {id} PRIMARY KEY, name {text} NOT NULL, name_key {text} NOT NULL, state {text} NOT NULL,
  type_id {id} REFERENCES device_type (id), site_id {id} REFERENCES site (id),
  parent_id {id} REFERENCES device (id), serial {text} NOT NULL,
  connectivity {text} NOT NULL, exposure {text} NOT NULL, evidence {text} NOT NULL,
  revoked {bool} NOT NULL, quarantined_at {int}, quarantine_reason {text}, quarantined_by {text},
  cert_serial {text}, cert_not_before {int}, cert_not_after {int}, cert_renews_at {int},
  cert_fingerprint {text}, cert_key {text},
  hello {blob}, inventory {blob},
  revision {int} NOT NULL, created_at {int} NOT NULL, updated_at {int} NOT NULL
) {strict};
CREATE INDEX device_by_name ON device (name_key, id);
CREATE INDEX device_by_site ON device (site_id, name_key, id);
CREATE INDEX device_by_type ON device (type_id, name_key, id);
CREATE INDEX device_by_state ON device (state, id);
CREATE TABLE device_tag (
  device_id {id} NOT NULL REFERENCES device (id), key {text} NOT NULL, value {text} NOT NULL,
  PRIMARY KEY (device_id, key)
) {strict};
CREATE INDEX device_tag_by_key ON device_tag (key, value, device_id);
CREATE TABLE device_presence (
  device_id {id} PRIMARY KEY REFERENCES device (id), sessions {int} NOT NULL, since {int}, last_seen {int},
  last_https {int}, reason {text} NOT NULL, address {text} NOT NULL, protocol {text} NOT NULL
) {strict};
)";

seal::Place place_of(const DeviceId& id, std::string_view column) {
  return {"device", id.ulid, column};
}

Result<wire::Json> open_document(const seal::Sealer& sealer, const DeviceId& id,
                                 std::string_view column, const std::optional<Bytes>& sealed) {
  if (!sealed) return wire::Json(nullptr);
  const std::string text = TRY(sealer.open_text(place_of(id, column), *sealed));
  return wire::parse_json(text, wire::kJsonDevice);
}

}  // namespace

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<core::Migration> migrations() {
  return {{"devices", 1, "sites, types, devices, tags, presence", kFirst, {}},
          {"devices",
           2,
           "what a type demands as evidence",
           "ALTER TABLE device_type ADD COLUMN evidence_required {text};",
           {}}};
}

Result<std::optional<EvidenceClass>> evidence_demanded(sql::Tx& tx, TypeId type) {
  const auto found =
      TRY(tx.one("SELECT evidence_required FROM device_type WHERE id=?", {type}, [](sql::Row& row) {
        return row.null(0) ? std::optional<std::string>() : std::optional<std::string>(row.text(0));
      }));
  if (!found || !*found) return std::nullopt;
  const auto named = evidence_named(**found);
  if (!named) return fail(Code::corrupt, "a device type demands an unknown evidence class");
  return named;
}

Status insert_device(core::Change& change, const Device& device) {
  TRY(change.tx().exec(
      "INSERT INTO device "
      "(id,name,name_key,state,type_id,site_id,parent_id,serial,connectivity,exposure,evidence,"
      "revoked,revision,created_at,updated_at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      {device.id, device.name, lower_ascii(device.name), name_of(device.state), device.type,
       device.site, device.parent, device.serial, device.connectivity, device.exposure,
       name_of(device.evidence), device.revoked, device.revision, device.created_at,
       device.updated_at}));
  return replace_tags(change.tx(), device.id, device.tags);
}

Status update_device(core::Change& change, Device& device) {
  ++device.revision;
  device.updated_at = change.now();
  const auto& certificate = device.certificate;
  const auto& quarantine = device.quarantine;
  const auto rows = TRY(change.tx().exec(
      "UPDATE device SET "
      "name=?,name_key=?,state=?,type_id=?,site_id=?,parent_id=?,serial=?,connectivity=?,exposure=?"
      ","
      "evidence=?,revoked=?,quarantined_at=?,quarantine_reason=?,quarantined_by=?,cert_serial=?,"
      "cert_not_before=?,"
      "cert_not_after=?,cert_renews_at=?,cert_fingerprint=?,cert_key=?,revision=?,updated_at=? "
      "WHERE id=?",
      {device.name,
       lower_ascii(device.name),
       name_of(device.state),
       device.type,
       device.site,
       device.parent,
       device.serial,
       device.connectivity,
       device.exposure,
       name_of(device.evidence),
       device.revoked,
       quarantine ? sql::Param(quarantine->since) : sql::Param(nullptr),
       quarantine ? sql::Param(quarantine->reason) : sql::Param(nullptr),
       quarantine ? sql::Param(quarantine->by) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->serial) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->not_before) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->not_after) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->renews_at) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->fingerprint_sha256) : sql::Param(nullptr),
       certificate ? sql::Param(certificate->key_algorithm) : sql::Param(nullptr),
       device.revision,
       device.updated_at,
       device.id}));
  if (rows != 1) return fail(Code::not_found, "there is no device " + device.id.text());
  return {};
}

Status replace_tags(sql::Tx& tx, DeviceId id, const Tags& tags) {
  TRY(tx.exec("DELETE FROM device_tag WHERE device_id=?", {id}));
  for (const auto& [key, value] : tags) {
    TRY(tx.exec("INSERT INTO device_tag (device_id,key,value) VALUES (?,?,?)", {id, key, value}));
  }
  return {};
}

Status store_document(core::Change& change, DeviceId id, Document which,
                      const wire::Json& document) {
  const std::string_view column = which == Document::hello ? "hello" : "inventory";
  const Bytes sealed = TRY(change.sealer().seal(place_of(id, column), wire::json_text(document)));
  const std::string_view statement =
      which == Document::hello
          ? "UPDATE device SET hello=?,revision=revision+1,updated_at=? WHERE id=?"
          : "UPDATE device SET inventory=?,revision=revision+1,updated_at=? WHERE id=?";
  if (TRY(change.tx().exec(statement, {sealed, change.now(), id})) != 1) {
    return fail(Code::device_unknown, "there is no device " + id.text());
  }
  return {};
}

namespace {

// The columns of kDeviceColumns, in order. Sealed documents come out beside the device.
struct RawDevice {
  Device device;
  std::optional<Bytes> hello, inventory;
};

void read_certificate(sql::Row& row, int at, Device& device) {
  if (row.null(at)) return;
  Certificate certificate;
  certificate.serial = row.text(at);
  certificate.not_before = row.time(at + 1);
  certificate.not_after = row.time(at + 2);
  certificate.renews_at = row.maybe_time(at + 3);
  certificate.fingerprint_sha256 = row.text(at + 4);
  certificate.key_algorithm = row.text(at + 5);
  device.certificate = std::move(certificate);
}

RawDevice read_device(sql::Row& row) {
  RawDevice raw;
  Device& device = raw.device;
  device.id = row.id<DeviceId>(0);
  device.name = row.text(1);
  const auto state = state_named(row.text(2));
  if (!state) row.damaged("a device has an unknown state");
  device.state = state.value_or(State::unmanaged);
  device.type = row.maybe_id<TypeId>(3);
  device.type_name = row.maybe_text(4).value_or("");
  device.site = row.maybe_id<SiteId>(5);
  device.site_name = row.maybe_text(6).value_or("");
  device.parent = row.maybe_id<DeviceId>(7);
  device.serial = row.text(8);
  device.connectivity = row.text(9);
  device.exposure = row.text(10);
  const auto evidence = evidence_named(row.text(11));
  if (!evidence) row.damaged("a device has an unknown evidence class");
  device.evidence = evidence.value_or(EvidenceClass::claim);
  device.revoked = row.boolean(12);
  if (!row.null(13)) device.quarantine = Quarantine{row.time(13), row.text(14), row.text(15)};
  read_certificate(row, 16, device);
  raw.hello = row.maybe_blob(22);
  raw.inventory = row.maybe_blob(23);
  device.revision = row.integer(24);
  device.created_at = row.time(25);
  device.updated_at = row.time(26);
  return raw;
}

}  // namespace

const std::string_view kDeviceColumns =
    "d.id,d.name,d.state,d.type_id,t.name,d.site_id,s.name,d.parent_id,d.serial,d.connectivity,d."
    "exposure,d.evidence,"
    "d.revoked,d.quarantined_at,d.quarantine_reason,d.quarantined_by,d.cert_serial,d.cert_not_"
    "before,d.cert_not_after,"
    "d.cert_renews_at,d.cert_fingerprint,d.cert_key,d.hello,d.inventory,d.revision,d.created_at,d."
    "updated_at";
const std::string_view kDeviceTables =
    " FROM device d LEFT JOIN device_type t ON t.id=d.type_id LEFT JOIN site s ON s.id=d.site_id"
    " LEFT JOIN device_presence p ON p.device_id=d.id ";

Result<std::vector<Device>> read_devices(sql::Tx& tx, const seal::Sealer& sealer,
                                         std::string_view query, const sql::Params& params) {
  auto raws = TRY(tx.list(query, params, read_device));
  std::vector<Device> devices;
  devices.reserve(raws.size());
  for (RawDevice& raw : raws) {
    raw.device.hello = TRY(open_document(sealer, raw.device.id, "hello", raw.hello));
    raw.device.inventory = TRY(open_document(sealer, raw.device.id, "inventory", raw.inventory));
    TRY(tx.query("SELECT key,value FROM device_tag WHERE device_id=? ORDER BY key", {raw.device.id},
                 [&](sql::Row& row) { raw.device.tags.emplace(row.text(0), row.text(1)); }));
    devices.push_back(std::move(raw.device));
  }
  return devices;
}

Result<std::optional<Device>> find_device(sql::Tx& tx, const seal::Sealer& sealer, DeviceId id) {
  auto found = TRY(read_devices(
      tx, sealer,
      "SELECT " + std::string(kDeviceColumns) + std::string(kDeviceTables) + "WHERE d.id=?", {id}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<PresenceRow>> load_presence(sql::Tx& tx) {
  return tx.list(
      "SELECT device_id,sessions,since,last_seen,last_https,reason,address,protocol FROM "
      "device_presence",
      {}, [](sql::Row& row) {
        PresenceRow out;
        out.device = row.id<DeviceId>(0);
        out.presence.sessions = static_cast<int>(row.integer(1));
        out.presence.since = row.maybe_time(2);
        out.presence.last_seen = row.maybe_time(3);
        out.presence.last_https = row.maybe_time(4);
        out.presence.last_disconnect_reason = row.text(5);
        out.presence.address = row.text(6);
        out.presence.protocol = row.text(7);
        return out;
      });
}

Status store_presence(sql::Tx& tx, const PresenceRow& row) {
  const Presence& p = row.presence;
  TRY(tx.exec(
      "INSERT INTO device_presence "
      "(device_id,sessions,since,last_seen,last_https,reason,address,protocol)"
      " VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (device_id) DO UPDATE SET sessions=excluded.sessions,"
      "since=excluded.since,last_seen=excluded.last_seen,last_https=excluded.last_https,reason="
      "excluded.reason,"
      "address=excluded.address,protocol=excluded.protocol",
      {row.device, p.sessions, p.since, p.last_seen, p.last_https, p.last_disconnect_reason,
       p.address, p.protocol}));
  return {};
}

}  // namespace holdfast::devices
