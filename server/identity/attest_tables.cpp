#include "server/identity/attest_tables.hpp"

#include "libs/wire/json.hpp"
#include "server/identity/members.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kAttestationTables = R"(
CREATE TABLE endorsement_root (
  fingerprint {text} PRIMARY KEY, name {text} NOT NULL, der {blob} NOT NULL, admits {bool} NOT NULL,
  not_after {int} NOT NULL, created_at {int} NOT NULL, created_by {text} NOT NULL
) {strict};
CREATE TABLE endorsement (
  hash {text} PRIMARY KEY, registered {bool} NOT NULL, name {text} NOT NULL, serial {text} NOT NULL,
  type_id {id} REFERENCES device_type (id), site_id {id} REFERENCES site (id), tags {text} NOT NULL,
  created_by {text} NOT NULL, created_at {int} NOT NULL, device_id {id} REFERENCES device (id),
  attestation_public {blob}, root {text} NOT NULL, clock {int} NOT NULL, resets {int} NOT NULL,
  restarts {int} NOT NULL, safe {bool} NOT NULL, last_at {int}, baseline {text} NOT NULL, pcrs {text} NOT NULL,
  stale {bool} NOT NULL
) {strict};
CREATE UNIQUE INDEX endorsement_by_device ON endorsement (device_id);
CREATE INDEX endorsement_by_silence ON endorsement (stale, last_at);
CREATE TABLE attestation (
  device_id {id} NOT NULL REFERENCES device (id), number {int} NOT NULL, at {int} NOT NULL, purpose {text} NOT NULL,
  outcome {text} NOT NULL, detail {text} NOT NULL, PRIMARY KEY (device_id, number)
) {strict};
)";

constexpr std::string_view kRootColumns = "fingerprint,name,der,admits,not_after,created_at,created_by";
constexpr std::string_view kEndorsementColumns =
    "hash,registered,name,serial,type_id,site_id,tags,created_by,created_at,device_id,attestation_public,root,clock,"
    "resets,restarts,safe,last_at,baseline,pcrs,stale";

EndorsementRoot read_root(sql::Row& row) {
  return {row.text(0), row.text(1), row.blob(2), row.boolean(3), row.time(4), row.time(5), row.text(6)};
}

tpm::PcrValues read_pcrs(sql::Row& row, int column) {
  auto values = pcrs_of(row.text(column));
  if (!values) row.damaged("an endorsement key holds PCR values that do not parse");
  return values.value_or(tpm::PcrValues{});
}

Endorsement read_endorsement(sql::Row& row) {
  Endorsement out;
  out.hash = row.text(0);
  out.registered = row.boolean(1);
  out.name = row.text(2);
  out.serial = row.text(3);
  out.type = row.maybe_id<TypeId>(4);
  out.site = row.maybe_id<SiteId>(5);
  out.tags = read_tags(row, 6, "an endorsement key holds tags that do not parse");
  out.created_by = row.text(7);
  out.created_at = row.time(8);
  out.device = row.maybe_id<DeviceId>(9);
  out.attestation_public = row.maybe_blob(10).value_or(Bytes{});
  out.root = row.text(11);
  out.clock = {static_cast<std::uint64_t>(row.integer(12)), static_cast<std::uint32_t>(row.integer(13)),
               static_cast<std::uint32_t>(row.integer(14)), row.boolean(15)};
  out.last_at = row.maybe_time(16);
  out.baseline = read_pcrs(row, 17);
  out.pcrs = read_pcrs(row, 18);
  out.stale = row.boolean(19);
  return out;
}

std::string endorsements(std::string_view rest) {
  return "SELECT " + std::string(kEndorsementColumns) + " FROM endorsement " + std::string(rest);
}

}  // namespace

std::vector<core::Migration> attestation_migrations() {
  // Null for what an earlier version issued: those came in by a claim.
  return {{"attestation", 1, "evidence class of a certificate", "ALTER TABLE certificate ADD COLUMN evidence {text};", {}},
          {"attestation", 2, "endorsement keys and what their TPMs say", kAttestationTables, {}}};
}

std::string pcrs_text(const tpm::PcrValues& values) {
  wire::JsonObject out;
  for (const auto& [number, value] : values) out[std::to_string(number)] = to_hex(value);
  return wire::json_text(out);
}

Result<tpm::PcrValues> pcrs_of(std::string_view text) {
  tpm::PcrValues out;
  const auto json = TRY(wire::parse_json(text));
  for (const auto& member : *TRY(wire::as_object(json))) {
    const auto* hex = member.value().if_string();
    const auto value = from_hex(hex != nullptr ? std::string_view(*hex) : std::string_view("-"));
    unsigned number = tpm::kPcrsMax;
    const std::string_view key = member.key();
    if (key.size() == 1 || (key.size() == 2 && key[0] != '0')) {
      number = 0;
      for (const char c : key) number = c >= '0' && c <= '9' ? number * 10 + static_cast<unsigned>(c - '0') : tpm::kPcrsMax;
    }
    if (!value || value->size() != sizeof(crypto::Sha256) || number >= tpm::kPcrsMax) {
      return fail(Code::invalid_argument, "PCR values are 64 hexadecimal digits under the numbers 0 to 23");
    }
    std::copy(value->begin(), value->end(), out[number].begin());
  }
  return out;
}

Status insert_root(sql::Tx& tx, const EndorsementRoot& root) {
  TRY(tx.exec("INSERT INTO endorsement_root (" + std::string(kRootColumns) + ") VALUES (?,?,?,?,?,?,?)",
              {root.fingerprint, root.name, root.der, root.admits, root.not_after, root.created_at, root.created_by}));
  return {};
}

Result<std::vector<EndorsementRoot>> list_roots(sql::Tx& tx) {
  return tx.list("SELECT " + std::string(kRootColumns) + " FROM endorsement_root ORDER BY name,fingerprint", {}, read_root);
}

Result<std::optional<EndorsementRoot>> find_root(sql::Tx& tx, std::string_view fingerprint) {
  return tx.one("SELECT " + std::string(kRootColumns) + " FROM endorsement_root WHERE fingerprint=?", {fingerprint},
                read_root);
}

Status delete_root(sql::Tx& tx, std::string_view fingerprint) {
  TRY(tx.exec("DELETE FROM endorsement_root WHERE fingerprint=?", {fingerprint}));
  return {};
}

Status save_endorsement(sql::Tx& tx, const Endorsement& e) {
  TRY(tx.exec("DELETE FROM endorsement WHERE hash=?", {e.hash}));
  TRY(tx.exec("INSERT INTO endorsement (" + std::string(kEndorsementColumns) +
                  ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
              {e.hash, e.registered, e.name, e.serial, e.type, e.site, wire::json_text(tags_object(e.tags)), e.created_by, e.created_at,
               e.device, e.attestation_public.empty() ? sql::Param(nullptr) : sql::Param(e.attestation_public), e.root,
               e.clock.clock_ms, e.clock.reset_count, e.clock.restart_count, e.clock.safe, e.last_at,
               pcrs_text(e.baseline), pcrs_text(e.pcrs), e.stale}));
  return {};
}

Result<std::optional<Endorsement>> find_endorsement(sql::Tx& tx, std::string_view hash) {
  return tx.one(endorsements("WHERE hash=?"), {hash}, read_endorsement);
}

Result<std::optional<Endorsement>> find_endorsement_of(sql::Tx& tx, DeviceId device) {
  return tx.one(endorsements("WHERE device_id=?"), {device}, read_endorsement);
}

Status delete_endorsement(sql::Tx& tx, std::string_view hash) {
  TRY(tx.exec("DELETE FROM endorsement WHERE hash=?", {hash}));
  return {};
}

Status unbind_endorsement(sql::Tx& tx, DeviceId device) {
  TRY(tx.exec("UPDATE endorsement SET device_id=NULL,registered=? WHERE device_id=?", {false, device}));
  return {};
}

Result<std::vector<Endorsement>> list_endorsements(sql::Tx& tx, std::string_view after, std::size_t limit) {
  return tx.list(endorsements("WHERE hash>? ORDER BY hash LIMIT " + std::to_string(limit)), {after}, read_endorsement);
}

Result<std::vector<Endorsement>> silent_endorsements(sql::Tx& tx, WallTime before, std::size_t limit) {
  return tx.list(endorsements("WHERE stale=? AND last_at<? ORDER BY last_at LIMIT " + std::to_string(limit)),
                 {false, before}, read_endorsement);
}

Status add_attestation(core::Change& change, DeviceId device, const Attestation& a) {
  const auto last = TRY(change.tx().number("SELECT coalesce(max(number),0) FROM attestation WHERE device_id=?", {device}));
  TRY(change.tx().exec("INSERT INTO attestation (device_id,number,at,purpose,outcome,detail) VALUES (?,?,?,?,?,?)",
                       {device, last + 1, a.at, a.purpose, a.outcome, a.detail}));
  TRY(change.tx().exec("DELETE FROM attestation WHERE device_id=? AND number<=?", {device, last + 1 - kAttestationsKept}));
  return {};
}

Result<std::vector<Attestation>> list_attestations(sql::Tx& tx, DeviceId device) {
  return tx.list("SELECT at,purpose,outcome,detail FROM attestation WHERE device_id=? ORDER BY number DESC", {device},
                 [](sql::Row& row) {
                   return Attestation{row.time(0), row.text(1), row.text(2), row.text(3)};
                 });
}

}  // namespace holdfast::identity
