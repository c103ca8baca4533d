#include "server/identity/decommission.hpp"

#include "libs/crypto/x509.hpp"
#include "libs/wire/json.hpp"
#include "server/identity/json.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kDeadlineJob = "decommission.deadline";
constexpr std::string_view kDataJob = "decommission.erase_data";
constexpr std::array<std::string_view, kEraseStates.size()> kEraseNames{"not_erased", "erase_pending", "erase_overdue",
                                                                        "erased"};

struct EraseMove {
  EraseState from;
  EraseEvent event;
  EraseState to;
};
constexpr std::array kEraseMoves{
    EraseMove{EraseState::erase_pending, EraseEvent::deadline, EraseState::erase_overdue},
    EraseMove{EraseState::erase_pending, EraseEvent::proof, EraseState::erased},
    EraseMove{EraseState::erase_overdue, EraseEvent::proof, EraseState::erased},
};

constexpr std::string_view kReceiptColumns =
    "device_id,state,reason,ordered_by,ordered_at,deadline,fetched_at,overdue_at,erased_at,nonce,certificates,claims,"
    "erase_data,data_erased_at,statement,signature,proof_certificate,said_at";

Receipt read_receipt(sql::Row& row) {
  Receipt out;
  out.device = row.id<DeviceId>(0);
  const auto state = erase_state_named(row.text(1));
  if (!state) row.damaged("a decommissioning has an unknown state");
  out.state = state.value_or(EraseState::not_erased);
  out.reason = row.text(2);
  out.ordered_by = row.text(3);
  out.ordered_at = row.time(4);
  out.deadline = row.maybe_time(5);
  out.fetched_at = row.maybe_time(6);
  out.overdue_at = row.maybe_time(7);
  out.erased_at = row.maybe_time(8);
  out.nonce = row.blob(9);
  const auto serials = wire::parse_json(row.text(10));
  if (const auto* list = serials ? serials->if_array() : nullptr) {
    for (const auto& one : *list) {
      if (const auto* text = one.if_string()) out.certificates.emplace_back(*text);
    }
  }
  out.claims = row.integer(11);
  out.erase_data = row.boolean(12);
  out.data_erased_at = row.maybe_time(13);
  if (!row.null(14)) out.proof = EraseProof{row.blob(14), row.blob(15), row.text(16), row.time(17)};
  return out;
}

Status insert_receipt(sql::Tx& tx, const Receipt& r) {
  wire::JsonArray serials;
  for (const std::string& serial : r.certificates) serials.emplace_back(serial);
  TRY(tx.exec("INSERT INTO decommission (device_id,state,reason,ordered_by,ordered_at,deadline,nonce,certificates,claims,"
              "erase_data) VALUES (?,?,?,?,?,?,?,?,?,?)",
              {r.device, name_of(r.state), r.reason, r.ordered_by, r.ordered_at, r.deadline, r.nonce,
               wire::json_text(serials), r.claims, r.erase_data}));
  return {};
}

Status check_farewell(const Farewell& wanted) {
  const auto wrong = [](std::string message, std::string pointer) {
    return std::unexpected(Error{Code::invalid_argument, std::move(message), {}, {}, std::move(pointer)});
  };
  if (wanted.reason.empty() || wanted.reason.size() > 500) return wrong("say why, in 1 to 500 bytes", "/reason");
  if (wanted.erase_limit < kEraseLimitMin || wanted.erase_limit > kEraseLimitMax) {
    return wrong("a device has from a minute to a year to erase itself", "/erase_limit_s");
  }
  return {};
}

Result<core::JobEffect> no_effect() { return core::JobEffect{}; }

}  // namespace

std::string_view name_of(EraseState state) { return kEraseNames[static_cast<std::size_t>(state)]; }

std::optional<EraseState> erase_state_named(std::string_view name) {
  for (const EraseState state : kEraseStates) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

std::optional<EraseState> after(EraseState state, EraseEvent event) {
  for (const EraseMove& move : kEraseMoves) {
    if (move.from == state && move.event == event) return move.to;
  }
  return std::nullopt;
}

Result<EraseProof> check_proof(const Receipt& receipt, const crypto::Certificate& certificate, View statement,
                               View signature) {
  const auto refuse = [](std::string why) { return fail(Code::payload_malformed, "erase proof: " + std::move(why)); };
  if (statement.size() > kStatementBytesMax) return refuse("the statement is above 4096 bytes");
  const auto key = TRY(certificate.public_key());
  if (!key.verify(statement, signature)) return refuse("the signature is not of the device's key");
  const auto json = wire::parse_json(text_of(statement));
  const auto* said = json ? json->if_object() : nullptr;
  if (said == nullptr) return refuse("the statement is no JSON object");
  const auto member = [&](std::string_view name) { return wire::get_string(*said, name).value_or(""); };
  if (member("device_id") != receipt.device.text()) return refuse("the statement is of another device");
  if (member("nonce") != to_hex(receipt.nonce)) return refuse("the nonce is not the order's");
  const auto at = from_rfc3339(member("time"));
  if (!at) return refuse("its time is no RFC 3339 time");
  if (!said->contains("erased") || !said->at("erased").is_array() || said->at("erased").get_array().empty()) {
    return refuse("it does not say what was erased");
  }
  return EraseProof{Bytes(statement.begin(), statement.end()), Bytes(signature.begin(), signature.end()),
                    crypto::serial_text(certificate.serial), *at};
}

Result<std::optional<Receipt>> find_receipt(sql::Tx& tx, DeviceId device) {
  return tx.one("SELECT " + std::string(kReceiptColumns) + " FROM decommission WHERE device_id=?", {device}, read_receipt);
}

Decommissions::Decommissions(core::Store& store, devices::Service& devices, telemetry::Service& telemetry, Metrics& metrics)
    : store_(store),
      devices_(devices),
      telemetry_(telemetry),
      begun_(metrics.counter("holdfast_identity_decommissions_total", "Devices decommissioned")),
      erased_(metrics.counter("holdfast_identity_erase_proofs_total", "Devices that proved their erasure")),
      overdue_(metrics.counter("holdfast_identity_erase_overdue_total", "Erasures without a proof at their deadline")) {}

Status Decommissions::begin(core::Jobs& jobs) {
  jobs_ = &jobs;
  TRY(jobs.handle(std::string(kDeadlineJob), [this](const core::Job& job) -> Result<core::JobEffect> {
    const DeviceId device = TRY(DeviceId::parse(job.object));
    return core::JobEffect([this, device](core::Change& change) { return overdue(change, device); });
  }));
  return jobs.handle(std::string(kDataJob), [this](const core::Job& job) -> Result<core::JobEffect> {
    const DeviceId device = TRY(DeviceId::parse(job.object));
    if (!erase_data_) return no_effect();
    TRY(erase_data_(device));
    return core::JobEffect([device](core::Change& change) -> Status {
      TRY(change.tx().exec("UPDATE decommission SET data_erased_at=? WHERE device_id=?", {change.now(), device}));
      return change.audit(device.text(), R"({"data":"kept"})", R"({"data":"erased"})");
    });
  });
}

Result<Receipt> Decommissions::decommission(const core::Caller& caller, DeviceId id, const Farewell& wanted) {
  TRY(check_farewell(wanted));
  Receipt made;
  const auto act = [&](core::Change& change) -> Status {
    const auto device = TRY(devices::require_device(devices_, change.tx(), caller, "device.decommission", id));
    if (device.state == devices::State::decommissioned) return fail(Code::conflict, "the device is decommissioned already");
    TRY(devices_.set_state(change, id, devices::State::decommissioned, wanted.reason));
    made = {};
    made.device = id;
    made.reason = wanted.reason;
    made.ordered_by = caller.id;
    made.ordered_at = change.now();
    made.nonce = change.entropy().bytes(kEraseNonceBytes);
    made.erase_data = wanted.erase_data;
    // A certificate that is revoked already still proves the key: what counts is that there is one.
    const bool can_prove = device.certificate && device.certificate->not_after > change.now();
    made.state = wanted.erase && can_prove ? EraseState::erase_pending : EraseState::not_erased;
    if (made.state == EraseState::erase_pending) made.deadline = change.now() + wanted.erase_limit;
    made.certificates = TRY(revoke_certificates(change.tx(), id, crypto::RevocationReason::cessation_of_operation,
                                                change.now(), change.now()));
    for (const std::string& serial : made.certificates) {
      TRY(change.notice("certificate.revoked",
                        wire::json_text(wire::JsonObject{
                            {"device_id", id.text()}, {"serial", serial}, {"reason", "decommissioned"}}),
                        device.site));
    }
    made.claims = TRY(void_claims(change.tx(), id, device.serial));
    TRY(insert_receipt(change.tx(), made));
    if (made.deadline) {
      core::NewJob job;
      job.kind = kDeadlineJob;
      job.object = job.key = id.text();
      job.run_at = *made.deadline;
      TRY(jobs_->schedule(change, job));
    }
    if (made.erase_data) {
      core::NewJob job;
      job.kind = kDataJob;
      job.object = job.key = id.text();
      job.run_at = change.now();
      TRY(jobs_->schedule(change, job));
    }
    return change.notice("device.decommissioned",
                         wire::json_text(wire::JsonObject{
                             {"device_id", id.text()}, {"reason", wanted.reason}, {"erase", name_of(made.state)}}),
                         device.site);
  };
  TRY(store_.change(caller, "decommission_device", act));
  begun_.add();
  jobs_->wake();
  return made;
}

Result<Receipt> Decommissions::receipt(const core::Caller& caller, DeviceId id) {
  std::optional<Receipt> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(devices_, tx, caller, "device.read", id));
    found = TRY(find_receipt(tx, id));
    return {};
  }));
  if (!found) return fail(Code::not_found, "the device is not decommissioned");
  return *std::move(found);
}

Result<Receipt> Decommissions::receipt_of(sql::Tx& tx, View certificate_der, crypto::Certificate& certificate) {
  certificate = TRY(crypto::parse_certificate(certificate_der));
  const auto issued = TRY(find_certificate(tx, crypto::serial_text(certificate.serial)));
  if (!issued || issued->der != certificate.der) {
    return fail(Code::certificate_invalid, "the certificate was not issued here");
  }
  auto found = TRY(find_receipt(tx, issued->device));
  if (!found || found->state == EraseState::not_erased) return fail(Code::not_found, "no erasure is ordered");
  return *std::move(found);
}

Result<EraseOrder> Decommissions::order(View certificate_der) {
  EraseOrder out;
  bool first = false;
  crypto::Certificate certificate;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    const Receipt found = TRY(receipt_of(tx, certificate_der, certificate));
    out = {found.device, to_hex(found.nonce), found.deadline.value_or(found.ordered_at)};
    first = !found.fetched_at;
    return {};
  }));
  if (first) {
    TRY(store_.record(core::Caller::device(out.device), "device.erase_fetched", [&](core::Change& change) -> Status {
      TRY(change.tx().exec("UPDATE decommission SET fetched_at=? WHERE device_id=? AND fetched_at IS NULL",
                           {change.now(), out.device}));
      return {};
    }));
  }
  return out;
}

Status Decommissions::proven(View certificate_der, View statement, View signature) {
  Receipt found;
  crypto::Certificate certificate;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(receipt_of(tx, certificate_der, certificate));
    return {};
  }));
  const EraseProof proof = TRY(check_proof(found, certificate, statement, signature));
  if (found.state == EraseState::erased) return {};  // its reply was lost
  const auto act = [&](core::Change& change) -> Status {
    const auto now = TRY(find_receipt(change.tx(), found.device));
    const auto next = now ? after(now->state, EraseEvent::proof) : std::nullopt;
    if (!next) return {};
    const std::string before = wire::json_text(receipt_json(*now));
    TRY(change.tx().exec("UPDATE decommission SET state=?,erased_at=?,statement=?,signature=?,proof_certificate=?,said_at=?"
                         " WHERE device_id=?",
                         {name_of(*next), change.now(), proof.statement, proof.signature, proof.certificate, proof.said_at,
                          found.device}));
    TRY(jobs_->cancel(change, kDeadlineJob, found.device.text()));
    const auto then = TRY(find_receipt(change.tx(), found.device));
    TRY(change.audit(found.device.text(), before, wire::json_text(receipt_json(*then))));
    const auto device = TRY(devices_.look(change.tx(), found.device));
    TRY(change.notice("device.erased",
                      wire::json_text(wire::JsonObject{{"device_id", found.device.text()}, {"certificate", proof.certificate}}),
                      device ? device->site : std::nullopt));
    erased_.add();
    return {};
  };
  return store_.record(core::Caller::device(found.device), "device.erased", act);
}

Status Decommissions::overdue(core::Change& change, DeviceId id) {
  const auto found = TRY(find_receipt(change.tx(), id));
  const auto next = found ? after(found->state, EraseEvent::deadline) : std::nullopt;
  if (!next) return {};
  TRY(change.tx().exec("UPDATE decommission SET state=?,overdue_at=? WHERE device_id=?", {name_of(*next), change.now(), id}));
  TRY(change.audit(id.text(), R"({"state":"erase_pending"})", R"({"state":"erase_overdue"})"));
  const auto device = TRY(devices_.look(change.tx(), id));
  overdue_.add();
  return change.notice("device.erase_overdue",
                       wire::json_text(wire::JsonObject{{"device_id", id.text()}, {"deadline", found->deadline->us}}),
                       device ? device->site : std::nullopt);
}

}  // namespace holdfast::identity
