// Replace: new hardware takes the place of a device. Its record, and so role, policy, tags, twin and history,
// stays; a claim lets exactly one new key in, and from then on the old key is dead. Part of Registrar.
#include "libs/crypto/hash.hpp"
#include "libs/wire/json.hpp"
#include "server/identity/json.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {
namespace {

Replacement read_replacement(sql::Row& row) {
  return {row.id<ClaimId>(0), row.id<DeviceId>(1), row.text(2),      row.text(3),
          row.time(4),        row.text(5),         row.maybe_time(6), row.maybe_text(7).value_or("")};
}

}  // namespace

Status Registrar::may(const core::Caller& caller, std::string_view permission, DeviceId id) {
  return store_.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(devices_, tx, caller, permission, id));
    return {};
  });
}

Result<ClaimSecret> Registrar::replace(const core::Caller& caller, DeviceId id, const std::string& reason, Duration life,
                                       const std::string& serial) {
  if (reason.empty() || reason.size() > 500) {
    return std::unexpected(Error{Code::invalid_argument, "say why, in 1 to 500 bytes", {}, {}, "/reason"});
  }
  devices::Device old;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    old = TRY(devices::require_device(devices_, tx, caller, "device.replace", id));
    return {};
  }));
  NewClaim wanted;
  wanted.site = old.site;
  wanted.life = life;
  wanted.device_serial = serial;
  wanted.for_device = id;
  return make_claim(caller, "replace_device", wanted, [&](core::Change& change, const Claim& claim) -> Status {
    const auto device = TRY(devices::require_device(devices_, change.tx(), caller, "device.replace", id));
    if (device.state == devices::State::decommissioned) {
      return fail(Code::conflict, "the device is decommissioned: enrol the new one as a device of its own");
    }
    TRY(change.tx().exec("INSERT INTO replacement (claim_id,device_id,reason,ordered_by,ordered_at,old_serial)"
                         " VALUES (?,?,?,?,?,?)",
                         {claim.id, id, reason, caller.id, change.now(), device.serial}));
    return change.audit(id.text(), wire::json_text(wire::JsonObject{{"serial", device.serial}}),
                        wire::json_text(wire::JsonObject{{"reason", reason}, {"claim", claim_audit(claim, change.now())}}));
  });
}

// The claim is used: the old key dies in the very transaction in which the new one gets its certificate.
Status Registrar::take_place(core::Change& change, const Claim& claim, const crypto::Csr& csr) {
  const DeviceId id = *claim.for_device;
  const auto device = TRY(devices_.look(change.tx(), id));
  if (!device) return fail(Code::device_unknown, "the device to replace is gone");
  if (device->state == devices::State::decommissioned) {
    return fail(Code::device_decommissioned, "the device to replace is decommissioned");
  }
  for (const std::string& serial :
       TRY(revoke_certificates(change.tx(), id, crypto::RevocationReason::superseded, change.now(), change.now()))) {
    TRY(change.notice("certificate.revoked",
                      wire::json_text(wire::JsonObject{{"device_id", id.text()}, {"serial", serial}, {"reason", "replaced"}}),
                      device->site));
  }
  const std::string serial = claim.device_serial.empty() ? csr.subject_serial : claim.device_serial;
  TRY(devices_.set_serial(change, id, serial));
  if (device->state != devices::State::enrolled) {
    TRY(devices_.set_state(change, id, devices::State::enrolled, "replaced by " + claim.id.text()));
  }
  TRY(change.tx().exec("UPDATE replacement SET done_at=?,new_serial=? WHERE claim_id=?", {change.now(), serial, claim.id}));
  TRY(change.audit(id.text(), wire::json_text(wire::JsonObject{{"serial", device->serial}}),
                   wire::json_text(wire::JsonObject{{"serial", serial}, {"replacement", claim.id.text()}})));
  return change.notice("device.replaced",
                       wire::json_text(wire::JsonObject{
                           {"device_id", id.text()}, {"old_serial", device->serial}, {"new_serial", serial}}),
                       device->site);
}

Result<std::vector<Replacement>> Registrar::replacements(const core::Caller& caller, DeviceId id) {
  std::vector<Replacement> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(devices_, tx, caller, "device.read", id));
    found = TRY(tx.list("SELECT claim_id,device_id,reason,ordered_by,ordered_at,old_serial,done_at,new_serial FROM replacement"
                        " WHERE device_id=? ORDER BY claim_id DESC LIMIT 100",
                        {id}, read_replacement));
    return {};
  }));
  return found;
}

Result<Forecast> Registrar::forecast(const core::Caller& caller) {
  const auto scope = TRY(core::site_filter(caller, "device.read", "d.site_id"));
  constexpr std::int64_t kDayUs = 86'400'000'000;
  const WallTime now = store_.clock().wall();
  Forecast out;
  for (int i = 0; i < kForecastDays; ++i) out.days.push_back({now.us / kDayUs + i, 0, 0});
  const std::string newest =
      " FROM certificate c JOIN device d ON d.id=c.device_id WHERE c.revoked_at IS NULL AND d.state<>'decommissioned' AND NOT"
      " EXISTS (SELECT 1 FROM certificate n WHERE n.device_id=c.device_id AND n.revoked_at IS NULL AND"
      " n.issued_at>c.issued_at) AND " + scope.sql;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    const auto count = [&](std::string_view column, std::int64_t ForecastDay::*into) -> Status {
      sql::Params params = scope.params;
      params.insert(params.begin(), sql::Param(kDayUs));
      const auto rows = TRY(tx.list("SELECT day,count(*) FROM (SELECT c." + std::string(column) + "/? AS day" + newest +
                                        ") AS each_one GROUP BY day",
                                    params, [](sql::Row& row) { return std::pair{row.integer(0), row.integer(1)}; }));
      for (const auto& [day, amount] : rows) {
        const std::int64_t index = day - out.days.front().day;
        if (index >= 0 && index < kForecastDays) out.days[static_cast<std::size_t>(index)].*into = amount;
      }
      return {};
    };
    TRY(count("not_after", &ForecastDay::expire));
    TRY(count("renews_at", &ForecastDay::renew));
    sql::Params params = scope.params;
    params.emplace_back(now - days(1));
    params.emplace_back(now);
    out.late = TRY(tx.number("SELECT count(*)" + newest + " AND c.renews_at<? AND c.not_after>?", params));
    params = scope.params;
    params.emplace_back(now);
    out.expired = TRY(tx.number("SELECT count(*)" + newest + " AND c.not_after<=?", params));
    return {};
  }));
  return out;
}

Result<Orphans> Registrar::orphans(const core::Caller& caller) {
  const auto scope = TRY(core::site_filter(caller, "device.read", "d.site_id"));
  Orphans out;
  const WallTime now = store_.clock().wall();
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    sql::Params params{now};
    params.insert(params.end(), scope.params.begin(), scope.params.end());
    out.records = TRY(tx.list(
        "SELECT d.id,d.name,d.state FROM device d WHERE d.state IN ('registered','enrolled','active','quarantined') AND NOT"
        " EXISTS (SELECT 1 FROM certificate c WHERE c.device_id=d.id AND c.revoked_at IS NULL AND c.not_after>?) AND " +
            scope.sql + " ORDER BY d.id LIMIT 1000",
        params, [](sql::Row& row) { return Orphans::Record{row.id<DeviceId>(0), row.text(1), row.text(2)}; }));
    out.certificates = TRY(tx.list(
        "SELECT c.serial,c.device_id FROM certificate c JOIN device d ON d.id=c.device_id WHERE c.revoked_at IS NULL AND"
        " c.not_after>? AND d.state='decommissioned' AND " +
            scope.sql + " ORDER BY c.serial LIMIT 1000",
        params, [](sql::Row& row) { return Orphans::Held{row.text(0), row.id<DeviceId>(1)}; }));
    return {};
  }));
  return out;
}

}  // namespace holdfast::identity
