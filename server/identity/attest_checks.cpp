// Attestor after the enrolment: checks by quote, and what operators do with makers and TPMs.
#include <algorithm>

#include "libs/crypto/pem.hpp"
#include "libs/wire/json.hpp"
#include "server/core/answers.hpp"
#include "server/identity/attest.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {
namespace {

constexpr std::size_t kRootNameBytesMax = 128;
constexpr std::size_t kSilentAtOnce = 200;

std::string text_of_object(const wire::JsonObject& object) { return wire::json_text(object); }

std::unexpected<Error> wrong_member(std::string_view pointer, std::string why) {
  return std::unexpected(Error{Code::invalid_argument, std::move(why), {}, {}, std::string(pointer)});
}

std::string audit_of(const Endorsement& row) {
  return text_of_object({{"endorsement", row.hash},
                         {"registered", row.registered},
                         {"name", core::text_or_null(row.name)},
                         {"serial", core::text_or_null(row.serial)},
                         {"device_id", core::id_or_null(row.device)}});
}

std::string list_of(const std::vector<unsigned>& pcrs) {
  std::string out;
  for (const unsigned pcr : pcrs) out += (out.empty() ? "" : ", ") + std::to_string(pcr);
  return out;
}

}  // namespace

// ---- checks

Result<Challenge> Attestor::begin_check(DeviceId device) {
  std::optional<Endorsement> row;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    row = TRY(find_endorsement_of(tx, device));
    return {};
  }));
  if (!row) return fail(Code::attestation_refused, "the device has no TPM that this server knows: enrol with it first");
  Open open;
  open.device = device;
  open.hash = row->hash;
  open.attestation_public = row->attestation_public;
  open.attestation = TRY(tpm::parse_public(row->attestation_public));
  return remember(std::move(open));
}

Status Attestor::tell_drift(core::Change& change, const devices::Device& device, const Endorsement& row,
                            const std::vector<unsigned>& changed) {
  drifted_.add();
  TRY(add_attestation(change, device.id, {change.now(), "check", "drifted", "PCR " + list_of(changed)}));
  wire::JsonArray numbers;
  for (const unsigned pcr : changed) numbers.emplace_back(std::to_string(pcr));
  TRY(change.notice("device.attestation_drifted",
                    text_of_object({{"device_id", device.id.text()}, {"pcrs", std::move(numbers)}}), device.site));
  telemetry_.record({device.id, "attestation_drifted", "warning",
                     "what the device started with is not what was accepted: PCR " + list_of(changed),
                     {{"expected", pcrs_text(row.baseline)}, {"found", pcrs_text(row.pcrs)}}});
  return {};
}

Result<CheckResult> Attestor::finish_check(DeviceId device, std::string_view id, const AttestProof& proof) {
  const Open open = TRY(open_challenge(id));
  if (open.device != device) return fail(Code::attestation_expired, "the challenge is another device's");
  close(id);  // a nonce is good for one answer
  CheckResult result = CheckResult::unchanged;
  const auto check = [&]() -> Status {
    for (const unsigned pcr : kAttestedPcrs) {
      if (!proof.pcrs.contains(pcr)) {
        return fail(Code::attestation_refused, "the quote leaves out PCR " + std::to_string(pcr));
      }
    }
    const auto attest = TRY(tpm::check_quoted({proof.quote_attest, proof.quote_signature}, open.attestation,
                                              open.nonce, proof.pcrs));
    return store_.record(core::Caller::device(device), "device.attestation_checked", [&](core::Change& change) -> Status {
      auto row = TRY(find_endorsement_of(change.tx(), device));
      const auto found = TRY(devices_.look(change.tx(), device));
      if (!row || !found || row->hash != open.hash) {
        return fail(Code::attestation_expired, "the TPM was released meanwhile");
      }
      TRY(tpm::check_time_ran_on(row->clock, attest.clock));
      const bool news = row->pcrs != proof.pcrs;
      result = row->baseline.empty()           ? CheckResult::first
               : row->baseline == proof.pcrs ? CheckResult::unchanged
                                               : CheckResult::drifted;
      if (result == CheckResult::first) row->baseline = proof.pcrs;
      row->pcrs = proof.pcrs;
      row->clock = attest.clock;
      row->last_at = change.now();
      row->stale = false;
      TRY(save_endorsement(change.tx(), *row));
      // The same drift again is no news.
      if (result == CheckResult::drifted && news) {
        return tell_drift(change, *found, *row, changed_pcrs(row->baseline, row->pcrs));
      }
      return add_attestation(change, device, {change.now(), "check",
                                              result == CheckResult::drifted ? "drifted" : "ok", ""});
    });
  };
  const Status done = check();
  if (!done) {
    note_refusal(open, done.error(), "");
    return std::unexpected(done.error());
  }
  return result;
}

Result<core::JobEffect> Attestor::find_silent() {
  return core::JobEffect([this](core::Change& change) -> Status {
    for (Endorsement& row : TRY(silent_endorsements(change.tx(), change.now() - kAttestStaleAfter, kSilentAtOnce))) {
      row.stale = true;
      TRY(save_endorsement(change.tx(), row));
      if (!row.device) continue;
      const auto device = TRY(devices_.look(change.tx(), *row.device));
      if (!device || device->state == devices::State::decommissioned) continue;
      TRY(change.notice("device.attestation_failed",
                        text_of_object({{"device_id", row.device->text()},
                                        {"code", "attestation-expired"},
                                        {"endorsement", row.hash}}),
                        device->site));
      telemetry_.record({*row.device, "attestation_missing", "warning",
                         "the device has not proven its TPM since " + to_rfc3339(*row.last_at), {}});
    }
    return {};
  });
}

// ---- makers

Result<EndorsementRoot> Attestor::add_root(const core::Caller& caller, std::string name, View der, bool admits) {
  auto certificate = crypto::parse_certificate(der);
  if (!certificate) return wrong_member("/certificate", certificate.error().message);
  if (const auto ca = crypto::check_ca_profile(*certificate); !ca) return wrong_member("/certificate", ca.error().message);
  if (name.size() > kRootNameBytesMax) return wrong_member("/name", "a name has at most 128 bytes");
  EndorsementRoot root;
  root.fingerprint = to_hex(certificate->fingerprint);
  root.name = name.empty() ? certificate->subject : std::move(name);
  root.der = std::move(certificate->der);
  root.admits = admits;
  root.not_after = certificate->not_after;
  root.created_by = caller.id;
  TRY(store_.change(caller, "add_endorsement_root", [&](core::Change& change) -> Status {
    if (TRY(find_root(change.tx(), root.fingerprint))) return fail(Code::already_exists, "this root is trusted already");
    if (TRY(list_roots(change.tx())).size() >= kEndorsementRootsMax) {
      return fail(Code::quota_exceeded, "256 roots of makers are enough: remove one");
    }
    root.created_at = change.now();
    TRY(insert_root(change.tx(), root));
    TRY(change.audit(root.fingerprint, "", text_of_object({{"name", root.name}, {"admits", root.admits}})));
    return change.notice("endorsement_root.added", text_of_object({{"fingerprint", root.fingerprint}}));
  }));
  return root;
}

Status Attestor::remove_root(const core::Caller& caller, std::string_view fingerprint) {
  return store_.change(caller, "remove_endorsement_root", [&](core::Change& change) -> Status {
    const auto root = TRY(find_root(change.tx(), fingerprint));
    if (!root) return fail(Code::not_found, "there is no root with this fingerprint");
    TRY(delete_root(change.tx(), fingerprint));
    TRY(change.audit(root->fingerprint, text_of_object({{"name", root->name}, {"admits", root->admits}}), ""));
    return change.notice("endorsement_root.removed", text_of_object({{"fingerprint", root->fingerprint}}));
  });
}

Result<std::vector<EndorsementRoot>> Attestor::roots(const core::Caller& caller) {
  TRY(core::require(caller, "endorsement.read"));
  std::vector<EndorsementRoot> all;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    all = TRY(list_roots(tx));
    return {};
  }));
  return all;
}

// ---- endorsement keys

Result<Endorsement> Attestor::register_endorsement(const core::Caller& caller, const NewEndorsement& wanted) {
  if (!is_endorsement_hash(wanted.hash)) return wrong_member("/endorsement", "64 hexadecimal digits in lower case");
  if (!wanted.name.empty()) TRY(devices::check_name(wanted.name));
  if (wanted.serial.size() > devices::kNameBytesMax) return wrong_member("/serial", "a serial has at most 128 bytes");
  TRY(devices::check_tags(wanted.tags));
  Endorsement row;
  const Status done = store_.change(caller, "register_endorsement", [&](core::Change& change) -> Status {
    const auto known = TRY(find_endorsement(change.tx(), wanted.hash));
    if (known && known->registered) return fail(Code::already_exists, "this endorsement key is registered already");
    row = known.value_or(Endorsement{});
    const std::string before = known ? audit_of(row) : std::string();
    row.hash = wanted.hash;
    row.registered = true;
    row.name = wanted.name;
    row.serial = wanted.serial;
    row.type = wanted.type;
    row.site = wanted.site;
    row.tags = wanted.tags;
    row.created_by = caller.id;
    row.created_at = change.now();
    TRY(save_endorsement(change.tx(), row));
    TRY(change.audit(row.hash, before, audit_of(row)));
    return change.notice("endorsement.registered", text_of_object({{"endorsement", row.hash}}), row.site);
  });
  if (!done && done.error().code == Code::conflict) {
    return wrong_member(wanted.site ? "/site_id" : "/type_id", "there is no such site or type");
  }
  if (!done) return std::unexpected(done.error());
  return row;
}

Status Attestor::release_endorsement(const core::Caller& caller, std::string_view hash) {
  return store_.change(caller, "release_endorsement", [&](core::Change& change) -> Status {
    const auto row = TRY(find_endorsement(change.tx(), hash));
    if (!row) return fail(Code::not_found, "there is no such endorsement key");
    TRY(delete_endorsement(change.tx(), hash));
    TRY(change.audit(row->hash, audit_of(*row), ""));
    return change.notice("endorsement.released", text_of_object({{"endorsement", row->hash}}), row->site);
  });
}

Result<std::vector<Endorsement>> Attestor::endorsements(const core::Caller& caller, std::string_view after,
                                                        std::size_t limit) {
  TRY(core::require(caller, "endorsement.read"));
  std::vector<Endorsement> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(list_endorsements(tx, after, limit));
    return {};
  }));
  return found;
}

Result<Attestor::History> Attestor::history(const core::Caller& caller, DeviceId device) {
  History out;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(devices_, tx, caller, "device.read", device));
    out.endorsement = TRY(find_endorsement_of(tx, device));
    out.attestations = TRY(list_attestations(tx, device));
    return {};
  }));
  return out;
}

Status Attestor::accept(const core::Caller& caller, DeviceId device) {
  return store_.change(caller, "accept_device_attestation", [&](core::Change& change) -> Status {
    TRY(devices::require_device(devices_, change.tx(), caller, "device.write", device));
    auto row = TRY(find_endorsement_of(change.tx(), device));
    if (!row || row->pcrs.empty()) return fail(Code::conflict, "the device has not quoted its PCRs yet");
    const std::string before = text_of_object({{"expected", pcrs_text(row->baseline)}});
    row->baseline = row->pcrs;
    TRY(save_endorsement(change.tx(), *row));
    return change.audit(device.text(), before,
                        text_of_object({{"expected", pcrs_text(row->baseline)},
                                        {"accepted_at", to_rfc3339(change.now())}}));
  });
}

}  // namespace holdfast::identity
