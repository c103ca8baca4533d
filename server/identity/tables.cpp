#include "server/identity/tables.hpp"

#include "libs/wire/json.hpp"
#include "server/core/answers.hpp"
#include "server/identity/approval_rows.hpp"
#include "server/identity/attest_tables.hpp"
#include "server/identity/findings.hpp"
#include "server/identity/members.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kFirst = R"(
CREATE TABLE claim (
  id {id} PRIMARY KEY, secret_hash {blob} NOT NULL, spent {bool} NOT NULL, revoked {bool} NOT NULL,
  device_serial {text} NOT NULL, type_id {id} REFERENCES device_type (id), site_id {id} REFERENCES site (id),
  name {text} NOT NULL, tags {text} NOT NULL, created_by {text} NOT NULL, created_at {int} NOT NULL,
  expires_at {int} NOT NULL, device_id {id} REFERENCES device (id), csr_hash {blob},
  claimed_at {int}, claimed_detail {text} NOT NULL, issued_at {int}, issued_detail {text} NOT NULL,
  connected_at {int}, connected_detail {text} NOT NULL, reading_at {int}, reading_detail {text} NOT NULL,
  failed_step {int}, failed_code {text}, failed_message {text}, failed_at {int}
) {strict};
CREATE UNIQUE INDEX claim_by_secret ON claim (secret_hash);
CREATE INDEX claim_by_device ON claim (device_id);
CREATE TABLE certificate (
  serial {text} PRIMARY KEY, device_id {id} NOT NULL REFERENCES device (id), claim_id {id} REFERENCES claim (id),
  der {blob} NOT NULL, csr_hash {blob} NOT NULL, not_before {int} NOT NULL, not_after {int} NOT NULL,
  renews_at {int} NOT NULL, issued_at {int} NOT NULL, revoked_at {int}
) {strict};
CREATE INDEX certificate_by_device ON certificate (device_id, issued_at);
)";

// What is revoked, by whom it was issued, and what the CAs issued beside device certificates.
constexpr std::string_view kRevocation = R"(
ALTER TABLE certificate ADD COLUMN issuer {blob};
ALTER TABLE certificate ADD COLUMN revoked_reason {int};
CREATE INDEX certificate_revoked ON certificate (not_after) WHERE revoked_at IS NOT NULL;
CREATE TABLE authority_certificate (
  serial {text} PRIMARY KEY, kind {text} NOT NULL, issuer {blob} NOT NULL, der {blob} NOT NULL, not_after {int} NOT NULL,
  issued_at {int} NOT NULL, revoked_at {int}, revoked_reason {int}
) {strict};
CREATE TABLE crl (
  issuer {blob} PRIMARY KEY, number {int} NOT NULL, made_at {int} NOT NULL, next_update {int} NOT NULL, stale {bool} NOT NULL,
  der {blob} NOT NULL
) {strict};
)";

constexpr std::string_view kFarewell = R"(
ALTER TABLE claim ADD COLUMN for_device {id} REFERENCES device (id);
CREATE TABLE decommission (
  device_id {id} PRIMARY KEY REFERENCES device (id), state {text} NOT NULL, reason {text} NOT NULL,
  ordered_by {text} NOT NULL, ordered_at {int} NOT NULL, deadline {int}, fetched_at {int}, overdue_at {int},
  erased_at {int}, nonce {blob} NOT NULL, certificates {text} NOT NULL, claims {int} NOT NULL, erase_data {bool} NOT NULL,
  data_erased_at {int}, statement {blob}, signature {blob}, proof_certificate {text}, said_at {int}
) {strict};
CREATE TABLE replacement (
  claim_id {id} PRIMARY KEY REFERENCES claim (id), device_id {id} NOT NULL REFERENCES device (id), reason {text} NOT NULL,
  ordered_by {text} NOT NULL, ordered_at {int} NOT NULL, old_serial {text} NOT NULL, done_at {int}, new_serial {text}
) {strict};
CREATE INDEX replacement_by_device ON replacement (device_id, claim_id);
)";

constexpr std::string_view kKeys = R"(
ALTER TABLE certificate ADD COLUMN key_hash {blob};
CREATE INDEX certificate_by_key ON certificate (key_hash);
)";

constexpr std::string_view kClaimColumns =
    "x.id,x.spent,x.revoked,x.device_serial,x.type_id,x.site_id,x.name,x.tags,x.created_by,x.created_at,x.expires_at,"
    "x.device_id,x.csr_hash,x.claimed_at,x.claimed_detail,x.issued_at,x.issued_detail,x.connected_at,x.connected_detail,"
    "x.reading_at,x.reading_detail,x.failed_step,x.failed_code,x.failed_message,x.failed_at,x.for_device";

Claim read_claim(sql::Row& row) {
  Claim claim;
  claim.id = row.id<ClaimId>(0);
  claim.spent = row.boolean(1);
  claim.revoked = row.boolean(2);
  claim.device_serial = row.text(3);
  claim.type = row.maybe_id<TypeId>(4);
  claim.site = row.maybe_id<SiteId>(5);
  claim.name = row.text(6);
  claim.tags = read_tags(row, 7, "a claim holds tags that do not parse");
  claim.created_by = row.text(8);
  claim.created_at = row.time(9);
  claim.expires_at = row.time(10);
  claim.device = row.maybe_id<DeviceId>(11);
  claim.csr_hash = row.maybe_blob(12).value_or(Bytes{});
  claim.step(Step::code_shown).at = claim.created_at;
  int column = 13;
  for (const Step step : {Step::claimed, Step::certificate_issued, Step::connected, Step::first_reading}) {
    claim.step(step) = {row.maybe_time(column), row.text(column + 1)};
    column += 2;
  }
  if (!row.null(21)) {
    const auto step = static_cast<std::size_t>(row.integer(21));
    claim.failure = StepFailure{kSteps[std::min(step, kSteps.size() - 1)], row.text(22), row.text(23), row.time(24)};
  }
  claim.for_device = row.maybe_id<DeviceId>(25);
  return claim;
}

IssuedCertificate read_issued(sql::Row& row) {
  IssuedCertificate out;
  out.serial = row.text(0);
  out.device = row.id<DeviceId>(1);
  out.claim = row.maybe_id<ClaimId>(2);
  out.der = row.blob(3);
  out.csr_hash = row.blob(4);
  out.not_before = row.time(5);
  out.not_after = row.time(6);
  out.renews_at = row.time(7);
  out.issued_at = row.time(8);
  out.state = row.null(9) ? CertificateState::valid : CertificateState::revoked;
  out.issuer = row.maybe_blob(10).value_or(Bytes{});
  if (!row.null(11)) {
    const auto evidence = devices::evidence_named(row.text(11));
    if (!evidence) row.damaged("a certificate has an unknown evidence class");
    out.evidence = evidence.value_or(devices::EvidenceClass::claim);
  }
  return out;
}

constexpr std::string_view kCertificateSelect =
    "SELECT serial,device_id,claim_id,der,csr_hash,not_before,not_after,renews_at,issued_at,revoked_at,issuer,evidence "
    "FROM certificate ";
    
std::string claims(std::string_view where) {
  return "SELECT " + std::string(kClaimColumns) + " FROM claim x WHERE " + std::string(where);
}

}  // namespace

std::vector<core::Migration> migrations() {
  std::vector<core::Migration> all{{"identity", 1, "claims and certificates", kFirst, {}},
                                   {"identity", 2, "revocation", kRevocation, {}},
                                   {"identity", 3, "decommissioning and replacement", kFarewell, {}},
                                   {"identity", 4, "devices that wait", approval_schema(), {}},
                                   {"identity", 5, "findings", finding_schema(), {}},
                                   {"identity", 6, "keys of certificates", kKeys, {}}};
  for (auto& one : attestation_migrations()) all.push_back(std::move(one));
  return all;
}

Status insert_claim(core::Change& change, const Claim& claim, View secret_hash) {
  TRY(change.tx().exec(
      "INSERT INTO claim (id,secret_hash,spent,revoked,device_serial,type_id,site_id,name,tags,created_by,created_at,"
      "expires_at,for_device,claimed_detail,issued_detail,connected_detail,reading_detail)"
      " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,'','','','')",
      {claim.id, secret_hash, claim.spent, claim.revoked, claim.device_serial, claim.type, claim.site, claim.name,
       wire::json_text(tags_object(claim.tags)), claim.created_by, claim.created_at, claim.expires_at, claim.for_device}));
  return {};
}

Status update_claim(sql::Tx& tx, const Claim& claim) {
  const auto& f = claim.failure;
  const StepRecord& claimed = claim.step(Step::claimed);
  const StepRecord& issued = claim.step(Step::certificate_issued);
  const StepRecord& connected = claim.step(Step::connected);
  const StepRecord& reading = claim.step(Step::first_reading);
  TRY(tx.exec(
      "UPDATE claim SET spent=?,revoked=?,device_id=?,csr_hash=?,claimed_at=?,claimed_detail=?,issued_at=?,issued_detail=?,"
      "connected_at=?,connected_detail=?,reading_at=?,reading_detail=?,failed_step=?,failed_code=?,failed_message=?,"
      "failed_at=? WHERE id=?",
      {claim.spent, claim.revoked, claim.device,
       claim.csr_hash.empty() ? sql::Param(nullptr) : sql::Param(claim.csr_hash), claimed.at, claimed.detail, issued.at,
       issued.detail, connected.at, connected.detail, reading.at, reading.detail,
       f ? sql::Param(static_cast<int>(f->step)) : sql::Param(nullptr), f ? sql::Param(f->code) : sql::Param(nullptr),
       f ? sql::Param(f->message) : sql::Param(nullptr), f ? sql::Param(f->at) : sql::Param(nullptr), claim.id}));
  return {};
}

Result<std::optional<Claim>> find_claim(sql::Tx& tx, ClaimId id) { return tx.one(claims("x.id=?"), {id}, read_claim); }

Result<std::optional<Claim>> find_claim_by_secret(sql::Tx& tx, View secret_hash) {
  return tx.one(claims("x.secret_hash=?"), {secret_hash}, read_claim);
}

Result<std::optional<Claim>> find_claim_of(sql::Tx& tx, DeviceId device) {
  return tx.one(claims("x.device_id=? ORDER BY x.id DESC LIMIT 1"), {device}, read_claim);
}

Result<std::int64_t> void_claims(sql::Tx& tx, DeviceId device, std::string_view serial) {
  const auto voided = TRY(tx.list("UPDATE claim SET revoked=TRUE WHERE NOT spent AND NOT revoked AND (for_device=? OR"
                                  " (device_serial=? AND device_serial<>'')) RETURNING id",
                                  {device, serial}, [](sql::Row& row) { return row.id<ClaimId>(0); }));
  return static_cast<std::int64_t>(voided.size());
}

Result<std::vector<Claim>> list_claims(sql::Tx& tx, const ClaimQuery& query, const core::SiteFilter& scope) {
  std::string where = scope.sql;
  sql::Params params = scope.params;
  const auto add = [&](std::string_view text) { where += " AND " + std::string(text); };
  if (query.before) {
    add("x.id<?");
    params.emplace_back(*query.before);
  }
  if (query.state == ClaimState::spent) add("x.spent");
  if (query.state == ClaimState::revoked) add("x.revoked AND NOT x.spent");
  if (query.state == ClaimState::open || query.state == ClaimState::expired) {
    add(*query.state == ClaimState::open ? "NOT x.spent AND NOT x.revoked AND x.expires_at>?"
                                         : "NOT x.spent AND NOT x.revoked AND x.expires_at<=?");
    params.emplace_back(query.now);
  }
  return tx.list(claims(where) + " ORDER BY x.id DESC LIMIT " + std::to_string(query.limit), params, read_claim);
}

Status insert_certificate(sql::Tx& tx, const IssuedCertificate& c) {
  TRY(tx.exec("INSERT INTO certificate (serial,device_id,claim_id,der,csr_hash,not_before,not_after,renews_at,issued_at,issuer,"
              "evidence,key_hash) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
              {c.serial, c.device, c.claim, c.der, c.csr_hash, c.not_before, c.not_after, c.renews_at, c.issued_at,
               c.issuer, devices::name_of(c.evidence), c.key_hash}));
  return {};
}

Result<std::optional<DeviceId>> find_holder(sql::Tx& tx, View key_hash) {
  return tx.one("SELECT device_id FROM certificate WHERE key_hash=? LIMIT 1", {key_hash},
                [](sql::Row& row) { return row.id<DeviceId>(0); });
}

Status tell_issued(core::Change& change, const IssuedCertificate& certificate, const std::optional<SiteId>& site) {
  return change.notice("certificate.issued",
                       wire::json_text(wire::JsonObject{
                           {"device_id", certificate.device.text()},
                           {"serial", certificate.serial},
                           {"not_after", certificate.not_after.us},
                           {"claim_id", core::id_or_null(certificate.claim)},
                           {"evidence", devices::name_of(certificate.evidence)}}),
                       site);
}

Result<std::optional<IssuedCertificate>> find_certificate(sql::Tx& tx, std::string_view serial) {
  return tx.one(std::string(kCertificateSelect) + "WHERE serial=?", {serial}, read_issued);
}

Result<std::optional<IssuedCertificate>> find_by_csr(sql::Tx& tx, DeviceId device, View csr_hash, WallTime since) {
  return tx.one(std::string(kCertificateSelect) +
                    "WHERE device_id=? AND csr_hash=? AND issued_at>=? ORDER BY issued_at DESC LIMIT 1",
                {device, csr_hash, since}, read_issued);
}

Result<std::int64_t> count_issued(sql::Tx& tx, DeviceId device, WallTime since) {
  return tx.number("SELECT count(*) FROM certificate WHERE device_id=? AND issued_at>=?", {device, since});
}

Result<std::vector<std::string>> revoke_certificates(sql::Tx& tx, DeviceId device, crypto::RevocationReason reason,
                                                     WallTime now, WallTime issued_until) {
  TRY(tx.exec("UPDATE crl SET stale=TRUE"));
  return tx.list(
      "UPDATE certificate SET revoked_at=?,revoked_reason=? WHERE device_id=? AND revoked_at IS NULL AND issued_at<=?"
      " RETURNING serial",
      {now, static_cast<int>(reason), device, issued_until}, [](sql::Row& row) { return row.text(0); });
}

}  // namespace holdfast::identity
