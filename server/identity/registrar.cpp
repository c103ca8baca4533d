#include "server/identity/registrar.hpp"

#include "libs/crypto/hash.hpp"
#include "libs/est/claim_code.hpp"
#include "libs/wire/json.hpp"
#include "server/core/peer.hpp"
#include "server/identity/attest_tables.hpp"
#include "server/identity/json.hpp"
#include "server/identity/rules.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kExpireClaim = "claim.expire";
constexpr std::string_view kRenewServer = "server_certificate.renew";

// Whoever holds the claim acts, until there is a device.
core::Caller caller_of(const Claim& claim, const std::string& address) {
  core::Caller caller;
  caller.kind = core::Caller::Kind::device;
  caller.id = claim.id.text();
  caller.name = "claim";
  caller.address = address;
  return caller;
}

std::string payload(const wire::JsonObject& object) { return wire::json_text(object); }

Result<DeviceId> device_in(const core::Notice& notice, wire::JsonObject& body) {
  const auto json = TRY(wire::parse_json(notice.payload));
  body = *TRY(wire::as_object(json));
  return DeviceId::parse(TRY(wire::get_string(body, "device_id")));
}

}  // namespace

Result<std::unique_ptr<Registrar>> Registrar::make(core::Store& store, core::Jobs& jobs, core::Dispatcher& dispatcher,
                                                   Authority& authority, devices::Service& devices,
                                                   telemetry::Service& telemetry, const Log& log, Metrics& metrics) {
  std::unique_ptr<Registrar> registrar(new Registrar(store, authority, devices, telemetry, log, metrics));
  registrar->jobs_ = &jobs;
  TRY(with_context(registrar->revocations_.begin(), "preparing revocation"));
  TRY(registrar->decommissions_.begin(jobs));
  registrar->attestor_ = std::make_unique<Attestor>(store, *registrar, devices, telemetry, metrics);
  TRY(registrar->subscribe(jobs, dispatcher));
  TRY(jobs.every("attestation.silent", hours(6),
                 [attestor = registrar->attestor_.get()](const core::Job&) { return attestor->find_silent(); }));
  return registrar;
}

Registrar::Registrar(core::Store& store, Authority& authority, devices::Service& devices, telemetry::Service& telemetry,
                     const Log& log, Metrics& metrics)
    : store_(store),
      authority_(authority),
      devices_(devices),
      telemetry_(telemetry),
      log_(log),
      revocations_(store, authority, metrics),
      decommissions_(store, devices, telemetry, metrics),
      approvals_(store, devices, metrics,
                 [this](core::Change& change, DeviceId device, const crypto::Csr& csr, View csr_hash) {
                   return issue(change, device, csr, csr_hash, std::nullopt, devices::EvidenceClass::software);
                 }),
      findings_(store, devices, telemetry, metrics),
      issued_(metrics.counter("holdfast_identity_certificates_issued_total", "Device certificates issued")),
      refused_(metrics.counter("holdfast_identity_enrolments_refused_total", "Enrolments and renewals refused")) {}

Status Registrar::subscribe(core::Jobs& jobs, core::Dispatcher& dispatcher) {
  TRY(dispatcher.subscribe("identity.steps", {"device.first_connected", "device.first_reading"},
                           [this](core::Change& change, const core::Notice& notice) { return step_reached(change, notice); }));
  TRY(dispatcher.subscribe("identity.revoke", {"device.revoked"},
                           [this](core::Change& change, const core::Notice& notice) { return device_revoked(change, notice); }));
  TRY(dispatcher.follow({"claim.attempted", "claim.spent", "claim.expired", "claim.revoked", "claim.progressed"},
                        [this](const core::Notice& notice) {
                          const auto json = wire::parse_json(notice.payload);
                          if (!json || !json->is_object()) return;
                          const auto text = wire::get_string(*json->if_object(), "claim_id");
                          const auto id = text ? ClaimId::parse(*text) : std::unexpected(text.error());
                          if (id) watchers_.tell(*id);
                        }));
  TRY(jobs.handle(std::string(kExpireClaim), [](const core::Job& job) -> Result<core::JobEffect> {
    const ClaimId id = TRY(ClaimId::parse(job.object));
    return core::JobEffect([id](core::Change& change) -> Status {
      const auto claim = TRY(find_claim(change.tx(), id));
      if (!claim || claim->state_at(change.now()) != ClaimState::expired) return {};
      return change.notice("claim.expired", payload({{"claim_id", id.text()}}), claim->site);
    });
  }));
  return jobs.every(std::string(kRenewServer), hours(6), [this](const core::Job&) -> Result<core::JobEffect> {
    if (TRY(authority_.renew_responder())) TRY(revocations_.begin());
    if (!TRY(authority_.renew_server())) return core::JobEffect{};
    TRY(revocations_.begin());
    if (renewed_) renewed_();
    const crypto::Certificate certificate = authority_.server_certificate();
    wire::JsonArray names;
    for (const std::string& name : authority_.names()) names.emplace_back(name);
    const std::string serial = crypto::serial_text(certificate.serial);
    const std::string told = payload(
        {{"serial", serial}, {"not_after", certificate.not_after.us}, {"names", std::move(names)}});
    return core::JobEffect([serial, told](core::Change& change) -> Status {
      TRY(change.audit("server_certificate", "", payload({{"serial", serial}})));
      return change.notice("server_certificate.renewed", told);
    });
  });
}

// ---- connections

Result<Admission> Registrar::admit(View certificate_der, Purpose purpose, std::string_view peer_address) {
  Shown shown;
  auto admission = judge(certificate_der, purpose, shown);
  if (!peer_address.empty()) observe(admission, shown, core::host_of(peer_address));
  return admission;
}

Result<Admission> Registrar::judge(View certificate_der, Purpose purpose, Shown& shown) {
  const auto certificate = TRY(crypto::parse_certificate(certificate_der));
  const std::string serial = crypto::serial_text(certificate.serial);
  shown.serial = serial;
  std::optional<IssuedCertificate> issued;
  std::optional<devices::Device> device;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    issued = TRY(find_certificate(tx, serial));
    if (issued) device = TRY(devices_.look(tx, issued->device));
    return {};
  }));
  if (!issued || issued->der != certificate.der) {
    return fail(Code::certificate_invalid, "certificate " + serial + " was not issued here");
  }
  shown.ours = true;
  shown.device = issued->device;
  if (!device) return fail(Code::device_unknown, "certificate " + serial + " has no device");
  TRY(may_connect(*issued, *device, purpose, store_.clock().wall()));
  return Admission{device->id, device->name, device->state, device->site, device->type, serial, issued->not_after,
                   issued->evidence};
}

Result<std::vector<Bytes>> Registrar::ca_chain_der() {
  return std::vector<Bytes>{authority_.issuing().der, authority_.root().der};
}

Result<std::vector<Bytes>> Registrar::device_trust_der() { return ca_chain_der(); }

// ---- enrolment

Result<Claim> Registrar::claim_of_secret(const Enrolment& enrolment, Bytes& secret_hash) {
  const std::string host = core::host_of(enrolment.peer_address);
  const MonoTime now = store_.clock().mono();
  TRY(attempts_.check(host, now));
  std::optional<Claim> found;
  if (enrolment.claim.size() <= kClaimBytesMax) {
    if (const auto canonical = est::parse_claim(enrolment.claim)) {
      secret_hash = crypto::hash(crypto::Digest::sha256, view_of(*canonical));
      TRY(store_.read([&](sql::Tx& tx) -> Status {
        found = TRY(find_claim_by_secret(tx, secret_hash));
        return {};
      }));
    }
  }
  if (found) return *std::move(found);
  attempts_.failed(host, now);
  refused_.add();
  observe(fail(Code::claim_unknown, "the claim is not known here"), {}, host);
  if (attempts_.check(host, now)) {
    telemetry_.record({std::nullopt, "authentication_failed", "warning", "an enrolment with an unknown claim was refused",
                       {{"address", host}}});
  }
  return fail(Code::claim_unknown, "the claim is not known here");
}

Result<Bytes> Registrar::enrol(const Enrolment& enrolment) {
  Bytes secret_hash;
  const Claim known = TRY(claim_of_secret(enrolment, secret_hash));
  const std::string host = core::host_of(enrolment.peer_address);
  const auto csr = crypto::parse_csr(enrolment.csr_der);
  if (!csr) {
    note_failure(known.id, Step::claimed, csr.error());
    return std::unexpected(csr.error());
  }
  const Bytes csr_hash = crypto::hash(crypto::Digest::sha256, csr->der);
  Bytes answer;
  const auto attempt = [&](core::Change& change) -> Status {
    // Read again: another key may have spent it in this very batch.
    auto claim = TRY(find_claim(change.tx(), known.id));
    if (!claim) return fail(Code::claim_unknown, "the claim is not known here");
    const ClaimUse use = TRY(use_claim(*claim, *csr, csr_hash, change.now()));
    if (use == ClaimUse::issue) {
      answer = TRY(spend(change, *claim, *csr, csr_hash, host, devices::EvidenceClass::claim));
      return {};
    }
    const auto issued = TRY(find_by_csr(change.tx(), *claim->device, csr_hash, WallTime{0}));
    if (!issued) return fail(Code::corrupt, "a spent claim has no certificate");
    answer = issued->der;
    return {};
  };
  // A repeat changes nothing, so record(): it needs no audit entry. spend() makes its own.
  const Status done = store_.record(caller_of(known, host), "device.enrolled", attempt);
  if (!done) {
    refused_.add();
    note_failure(known.id, Step::claimed, done.error());
    if (done.error().code == Code::conflict) note_key_reuse(csr->key, host);
    return std::unexpected(done.error());
  }
  return answer;
}

Result<DeviceId> Registrar::make_device(core::Change& change, const Claim& claim, const crypto::Csr& csr,
                                        devices::EvidenceClass evidence) {
  devices::NewDevice wanted;
  wanted.name = claim.name.empty() ? csr.subject_cn : claim.name;
  wanted.serial = claim.device_serial.empty() ? csr.subject_serial : claim.device_serial;
  wanted.type = claim.type;
  wanted.site = claim.site;
  wanted.tags = claim.tags;
  wanted.evidence = evidence;
  const DeviceId device = TRY(devices_.create(change, wanted));
  TRY(devices_.set_state(change, device, devices::State::enrolled, "enrolled by " + claim.id.text()));
  return device;
}

Result<Bytes> Registrar::spend(core::Change& change, Claim& claim, const crypto::Csr& csr, View csr_hash,
                               const std::string& host, devices::EvidenceClass evidence) {
  DeviceId device;
  if (claim.for_device) {
    TRY(take_place(change, claim, csr));
    device = *claim.for_device;
    TRY(unbind_endorsement(change.tx(), device));  // the TPM of the old hardware does not come back to it
  } else {
    device = TRY(make_device(change, claim, csr, evidence));
  }
  const IssuedCertificate issued = TRY(issue(change, device, csr, csr_hash, claim.id, evidence));

  const std::string before = payload(claim_audit(claim, change.now()));
  claim.spent = true;
  claim.device = device;
  claim.csr_hash = Bytes(csr_hash.begin(), csr_hash.end());
  claim.failure.reset();
  claim.step(Step::claimed) = {change.now(), "from " + host};
  claim.step(Step::certificate_issued) = {change.now(), issued.serial};
  TRY(update_claim(change.tx(), claim));
  if (jobs_ != nullptr) TRY(jobs_->cancel(change, kExpireClaim, claim.id.text()));
  TRY(change.audit(claim.id.text(), before, payload(claim_audit(claim, change.now()))));
  TRY(change.notice("claim.spent", payload({{"claim_id", claim.id.text()}, {"device_id", device.text()}}), claim.site));
  TRY(tell_issued(change, issued, claim.site));
  return issued.der;
}

Result<IssuedCertificate> Registrar::issue(core::Change& change, DeviceId device, const crypto::Csr& csr, View csr_hash,
                                           std::optional<ClaimId> claim, devices::EvidenceClass evidence) {
  const Bytes key_hash = crypto::hash(crypto::Digest::sha256, csr.key.spki_der());
  const auto holder = TRY(find_holder(change.tx(), key_hash));
  if (holder && *holder != device) return fail(Code::conflict, "this key is certified for another device");
  IssuedCertificate issued;
  issued.key_hash = key_hash;
  issued.der = TRY(authority_.issue_device(device, csr.key, change.now(), kDeviceLife, evidence));
  const auto certificate = TRY(crypto::parse_certificate(issued.der));
  issued.serial = crypto::serial_text(certificate.serial);
  issued.device = device;
  issued.claim = claim;
  issued.evidence = evidence;
  issued.csr_hash = Bytes(csr_hash.begin(), csr_hash.end());
  issued.not_before = certificate.not_before;
  issued.not_after = certificate.not_after;
  issued.issuer = certificate.authority_key_id;
  issued.issued_at = change.now();
  issued.renews_at = renewal_time(change.now(), change.entropy().number());
  TRY(insert_certificate(change.tx(), issued));
  TRY(devices_.set_certificate(change, device,
                               {issued.serial, issued.not_before, issued.not_after, issued.renews_at,
                                to_hex(certificate.fingerprint), csr.key.name(), evidence}));
  issued_.add();
  return issued;
}

Result<Bytes> Registrar::renew(View peer_certificate_der, View csr_der, std::string_view peer_address) {
  const Admission admission = TRY(admit(peer_certificate_der, Purpose::renew));
  const auto csr = TRY(crypto::parse_csr(csr_der));
  const Bytes csr_hash = crypto::hash(crypto::Digest::sha256, csr.der);
  const bool same_key = TRY(crypto::parse_certificate(peer_certificate_der)).spki_der == csr.key.spki_der();
  core::Caller caller = core::Caller::device(admission.device);
  caller.address = core::host_of(peer_address);
  Bytes answer;
  TRY(store_.record(caller, "device.renewed", [&](core::Change& change) -> Status {
    const auto device = TRY(devices_.look(change.tx(), admission.device));
    if (!device) return fail(Code::device_unknown, "there is no device " + admission.device.text());
    const auto evidence = evidence_of_renewal(admission.evidence, same_key);
    answer = TRY(issue_again(change, *device, csr, csr_hash, evidence, admission.serial_hex));
    return {};
  }));
  return answer;
}

Result<Bytes> Registrar::issue_again(core::Change& change, const devices::Device& device, const crypto::Csr& csr,
                                     View csr_hash, const Result<devices::EvidenceClass>& evidence,
                                     std::string_view old_serial) {
  const auto before = TRY(find_by_csr(change.tx(), device.id, csr_hash, change.now() - kRenewalAnswerKept));
  if (before) return before->der;
  if (TRY(count_issued(change.tx(), device.id, change.now() - days(1))) >= kCertificatesADay) {
    return fail(Code::rate_limited, "10 certificates a day are enough: try again tomorrow");
  }
  if (!evidence) return std::unexpected(evidence.error());
  const IssuedCertificate issued = TRY(issue(change, device.id, csr, csr_hash, std::nullopt, *evidence));
  TRY(change.audit(device.id.text(), payload({{"certificate", old_serial}}), payload({{"certificate", issued.serial}})));
  TRY(change.notice("certificate.renewed",
                    payload({{"device_id", device.id.text()},
                             {"serial", issued.serial},
                             {"old_serial", old_serial},
                             {"not_after", issued.not_after.us},
                             {"evidence", devices::name_of(issued.evidence)}}),
                    device.site));
  return issued.der;
}

Result<Bytes> Registrar::spend_attested(core::Change& change, std::string_view secret, const crypto::Csr& csr,
                                        View csr_hash, const std::string& host) {
  const auto canonical = secret.size() <= kClaimBytesMax ? est::parse_claim(secret) : fail(Code::claim_unknown, "");
  std::optional<Claim> claim;
  if (canonical) {
    claim = TRY(find_claim_by_secret(change.tx(), crypto::hash(crypto::Digest::sha256, view_of(*canonical))));
  }
  if (!claim) return fail(Code::claim_unknown, "the claim is not known here");
  // A repeat needs no claim: its TPM is known by then.
  if (TRY(use_claim(*claim, csr, csr_hash, change.now())) == ClaimUse::repeat) {
    return fail(Code::claim_spent, "the claim was used without a TPM");
  }
  return spend(change, *claim, csr, csr_hash, host, devices::EvidenceClass::hardware_attested);
}

// The claim's page shows why a device did not get in; losing this note loses nothing else.
void Registrar::note_failure(ClaimId id, Step step, const Error& error) {
  const Status noted = store_.record(core::Caller::system(), "claim.attempted", [&](core::Change& change) -> Status {
    auto claim = TRY(find_claim(change.tx(), id));
    if (!claim) return {};
    claim->failure = StepFailure{step, std::string(row_of(error.code).name), error.text(), change.now()};
    TRY(update_claim(change.tx(), *claim));
    return change.notice("claim.attempted", payload({{"claim_id", id.text()}, {"code", claim->failure->code}}), claim->site);
  });
  if (!noted) log_.warning("a failed enrolment could not be noted", {{"claim", id.text()}, {"why", noted.error().text()}});
}

// ---- what follows from notices

Status Registrar::step_reached(core::Change& change, const core::Notice& notice) {
  wire::JsonObject body;
  const DeviceId device = TRY(device_in(notice, body));
  auto claim = TRY(find_claim_of(change.tx(), device));
  if (!claim) return {};
  const bool reading = notice.name == "device.first_reading";
  StepRecord& step = claim->step(reading ? Step::first_reading : Step::connected);
  if (step.at) return {};
  step = {notice.time, TRY(wire::get_string(body, reading ? "metric" : "address"))};
  TRY(update_claim(change.tx(), *claim));
  return change.notice("claim.progressed",
                       payload({{"claim_id", claim->id.text()},
                                {"step", name_of(reading ? Step::first_reading : Step::connected)}}),
                       claim->site);
}

Status Registrar::device_revoked(core::Change& change, const core::Notice& notice) {
  wire::JsonObject body;
  const DeviceId device = TRY(device_in(notice, body));
  const std::string reason = TRY(wire::get_string(body, "reason"));
  for (const std::string& serial : TRY(revoke_certificates(change.tx(), device, crypto::RevocationReason::unspecified, change.now(),
                                notice.time))) {
    TRY(change.audit(device.text(), payload({{"certificate", serial}, {"state", "valid"}}),
                     payload({{"certificate", serial}, {"state", "revoked"}})));
    TRY(change.notice("certificate.revoked",
                      payload({{"device_id", device.text()}, {"serial", serial}, {"reason", reason}}), notice.site));
  }
  return {};
}

}  // namespace holdfast::identity
