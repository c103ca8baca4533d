#include "server/identity/approval_rows.hpp"

#include "libs/wire/json.hpp"
#include "server/identity/members.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE enrolment_request (
  key_hash {blob} PRIMARY KEY, state {text} NOT NULL, serial {text} NOT NULL, name {text} NOT NULL,
  key_algorithm {text} NOT NULL, address {text} NOT NULL, first_at {int} NOT NULL, last_at {int} NOT NULL,
  asked {int} NOT NULL, place_name {text} NOT NULL, type_id {id} REFERENCES device_type (id),
  site_id {id} REFERENCES site (id), tags {text} NOT NULL, decided_by {text} NOT NULL, reason {text} NOT NULL,
  decided_at {int}, device_id {id} REFERENCES device (id)
) {strict};
CREATE INDEX enrolment_request_by_state ON enrolment_request (state, key_hash);
CREATE TABLE registration (
  serial {text} PRIMARY KEY, key_hash {blob}, place_name {text} NOT NULL, type_id {id} REFERENCES device_type (id),
  site_id {id} REFERENCES site (id), tags {text} NOT NULL, created_by {text} NOT NULL, created_at {int} NOT NULL,
  device_id {id} REFERENCES device (id)
) {strict};
CREATE INDEX registration_by_key ON registration (key_hash);
)";

constexpr std::string_view kRequestColumns =
    "x.key_hash,x.state,x.serial,x.name,x.key_algorithm,x.address,x.first_at,x.last_at,x.asked,x.place_name,x.type_id,"
    "x.site_id,x.tags,x.decided_by,x.reason,x.decided_at,x.device_id";
constexpr std::string_view kRegistrationColumns =
    "x.serial,x.key_hash,x.place_name,x.type_id,x.site_id,x.tags,x.created_by,x.created_at,x.device_id";

constexpr const char* kDamagedTags = "tags that do not parse";

EnrolmentRequest read_request(sql::Row& row) {
  EnrolmentRequest out;
  out.key_hash = row.blob(0);
  const auto state = request_state_named(row.text(1));
  if (!state) row.damaged("an enrolment request has an unknown state");
  out.state = state.value_or(RequestState::refused);
  out.serial = row.text(2);
  out.name = row.text(3);
  out.key_algorithm = row.text(4);
  out.address = row.text(5);
  out.first_at = row.time(6);
  out.last_at = row.time(7);
  out.asked = row.integer(8);
  out.place = {row.text(9), row.maybe_id<TypeId>(10), row.maybe_id<SiteId>(11), read_tags(row, 12, kDamagedTags)};
  out.decided_by = row.text(13);
  out.reason = row.text(14);
  out.decided_at = row.maybe_time(15);
  out.device = row.maybe_id<DeviceId>(16);
  return out;
}

Registration read_registration(sql::Row& row) {
  Registration out;
  out.serial = row.text(0);
  out.key_hash = row.maybe_blob(1);
  out.place = {row.text(2), row.maybe_id<TypeId>(3), row.maybe_id<SiteId>(4), read_tags(row, 5, kDamagedTags)};
  out.created_by = row.text(6);
  out.created_at = row.time(7);
  out.device = row.maybe_id<DeviceId>(8);
  return out;
}

std::string requests(std::string_view where) {
  return "SELECT " + std::string(kRequestColumns) + " FROM enrolment_request x WHERE " + std::string(where);
}
std::string announced(std::string_view where) {
  return "SELECT " + std::string(kRegistrationColumns) + " FROM registration x WHERE " + std::string(where);
}

}  // namespace

std::string_view approval_schema() { return kSchema; }

Result<std::optional<EnrolmentRequest>> find_request(sql::Tx& tx, View key_hash) {
  return tx.one(requests("x.key_hash=?"), {key_hash}, read_request);
}

Status put_request(sql::Tx& tx, const EnrolmentRequest& r) {
  TRY(tx.exec("DELETE FROM enrolment_request WHERE key_hash=?", {r.key_hash}));
  TRY(tx.exec("INSERT INTO enrolment_request (key_hash,state,serial,name,key_algorithm,address,first_at,last_at,asked,"
              "place_name,type_id,site_id,tags,decided_by,reason,decided_at,device_id)"
              " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
              {r.key_hash, name_of(r.state), r.serial, r.name, r.key_algorithm, r.address, r.first_at, r.last_at, r.asked,
               r.place.name, r.place.type, r.place.site, wire::json_text(tags_object(r.place.tags)), r.decided_by, r.reason, r.decided_at,
               r.device}));
  return {};
}

Result<std::int64_t> count_requests(sql::Tx& tx, RequestState state) {
  return tx.number("SELECT count(*) FROM enrolment_request WHERE state=?", {name_of(state)});
}

Result<std::vector<EnrolmentRequest>> list_requests(sql::Tx& tx, const Approvals::Query& query,
                                                    const core::SiteFilter& scope) {
  std::string where = scope.sql;
  sql::Params params = scope.params;
  if (query.state) {
    where += " AND x.state=?";
    params.emplace_back(name_of(*query.state));
  }
  if (!query.after.empty()) {
    where += " AND x.key_hash>?";
    params.emplace_back(TRY(from_hex(query.after)));
  }
  return tx.list(requests(where) + " ORDER BY x.key_hash LIMIT " + std::to_string(query.limit), params, read_request);
}

Result<std::optional<Registration>> matching_registration(sql::Tx& tx, std::string_view serial, View key_hash) {
  auto exact = TRY(tx.one(announced("x.key_hash=? AND x.device_id IS NULL LIMIT 1"), {key_hash}, read_registration));
  if (exact) return exact;
  if (serial.empty()) return std::nullopt;
  // One that names a key lets in that key alone.
  exact = TRY(tx.one(announced("x.serial=? AND x.device_id IS NULL AND x.key_hash IS NULL"), {serial}, read_registration));
  if (exact && !exact->pattern()) return exact;
  // The beginnings of the serial, longest first: a few look-ups by key, however many patterns there are.
  for (std::size_t size = serial.size() + 1; size-- > 0;) {
    auto rule = TRY(find_registration(tx, std::string(serial.substr(0, size)) + "*"));
    if (rule) return rule;
  }
  return std::nullopt;
}

Status insert_registration(sql::Tx& tx, const Registration& r) {
  TRY(tx.exec("INSERT INTO registration (serial,key_hash,place_name,type_id,site_id,tags,created_by,created_at)"
              " VALUES (?,?,?,?,?,?,?,?)",
              {r.serial, r.key_hash, r.place.name, r.place.type, r.place.site, wire::json_text(tags_object(r.place.tags)), r.created_by,
               r.created_at}));
  return {};
}

Status use_registration(sql::Tx& tx, std::string_view serial, DeviceId device) {
  TRY(tx.exec("UPDATE registration SET device_id=? WHERE serial=?", {device, serial}));
  return {};
}

Result<std::vector<Registration>> list_registrations(sql::Tx& tx, std::string_view after, std::size_t limit,
                                                     const core::SiteFilter& scope) {
  sql::Params params = scope.params;
  params.emplace_back(after);
  return tx.list(announced(scope.sql + " AND x.serial>?") + " ORDER BY x.serial LIMIT " + std::to_string(limit), params,
                 read_registration);
}

Result<std::optional<Registration>> find_registration(sql::Tx& tx, std::string_view serial) {
  return tx.one(announced("x.serial=?"), {serial}, read_registration);
}

Status delete_registration(sql::Tx& tx, std::string_view serial) {
  TRY(tx.exec("DELETE FROM registration WHERE serial=?", {serial}));
  return {};
}

}  // namespace holdfast::identity
