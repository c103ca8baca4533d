#include "server/identity/attest.hpp"

#include <algorithm>

#include "libs/crypto/aead.hpp"
#include "libs/crypto/csr.hpp"
#include "libs/crypto/hash.hpp"
#include "libs/est/claim_code.hpp"
#include "libs/wire/json.hpp"
#include "server/core/answers.hpp"
#include "server/core/peer.hpp"
#include "server/identity/registrar.hpp"
#include "server/identity/rules.hpp"

namespace holdfast::identity {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kNonceBytes = 32;
constexpr std::size_t kIdBytes = 16;
constexpr std::string_view kChallengePrefix = "att_";
constexpr std::string_view kAttestAction = "device.attested";

core::Caller caller_of_tpm(const std::string& hash, const std::string& address) {
  core::Caller caller;
  caller.kind = core::Caller::Kind::device;
  caller.id = hash;
  caller.name = "tpm";
  caller.address = address;
  return caller;
}

std::unexpected<Error> over(std::string why) {
  return fail(Code::attestation_expired, std::move(why));
}

Error error_of(Code code, std::string message) { return {code, std::move(message), {}, {}, {}}; }

bool is_rollback(const Error& error) { return error.code == Code::attestation_rolled_back; }

}  // namespace

std::string_view name_of(CheckResult result) {
  switch (result) {
    case CheckResult::first:
      return "first";
    case CheckResult::unchanged:
      return "unchanged";
    case CheckResult::drifted:
      break;
  }
  return "drifted";
}

Attestor::Attestor(core::Store& store, Registrar& registrar, devices::Service& devices,
                   telemetry::Service& telemetry, Metrics& metrics)
    : store_(store),
      registrar_(registrar),
      devices_(devices),
      telemetry_(telemetry),
      attested_(metrics.counter("holdfast_identity_attested_total", "Keys proven by a TPM")),
      refused_(metrics.counter("holdfast_identity_attestations_refused_total",
                               "Proofs of TPMs that were refused")),
      dropped_(metrics.counter("holdfast_identity_challenges_dropped_total",
                               "Challenges that made room for newer ones")),
      drifted_(metrics.counter("holdfast_identity_attestation_drift_total",
                               "Checks whose PCRs were not the expected ones")) {}

// ---- challenges

Result<std::optional<EndorsementRoot>> Attestor::root_of(const AttestBegin& from,
                                                         const crypto::PublicKey& endorsement) {
  if (from.endorsement_certificate.empty()) return std::nullopt;
  const auto certificate = crypto::parse_certificate(from.endorsement_certificate);
  if (!certificate) {
    return fail(Code::attestation_refused, "the endorsement certificate cannot be read: " + certificate.error().message);
  }
  if (certificate->spki_der != endorsement.spki_der()) {
    return fail(Code::attestation_refused, "the endorsement certificate is for another key than the one that was sent");
  }
  std::vector<EndorsementRoot> all;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    all = TRY(list_roots(tx));
    return {};
  }));
  if (all.empty()) return std::nullopt;
  std::vector<Bytes> ders;
  for (const EndorsementRoot& root : all) ders.push_back(root.der);
  const auto trust = TRY(crypto::TrustStore::make(ders));
  crypto::Verification how;
  how.purpose = crypto::Purpose::endorsement;
  how.now = store_.clock().wall();
  const auto chain = trust->verify(from.endorsement_certificate, from.endorsement_chain, how);
  if (!chain) return std::nullopt;  // as good as none; its hash may still be registered
  const std::string fingerprint = to_hex(crypto::sha256(chain->back()));
  for (EndorsementRoot& root : all) {
    if (root.fingerprint == fingerprint) return std::move(root);
  }
  return std::nullopt;
}

Result<Challenge> Attestor::remember(Open open) {
  Challenge out;
  out.id = std::string(kChallengePrefix) + to_hex(store_.entropy().bytes(kIdBytes));
  open.nonce = store_.entropy().bytes(kNonceBytes);
  open.until = store_.clock().mono() + kChallengeLife;
  out.nonce = open.nonce;
  out.expires_at = store_.clock().wall() + kChallengeLife;
  book_.with([&](Book& book) {
    if (book.order.size() >= kChallengesMax) {
      book.open.erase(book.order.front());
      book.order.pop_front();
      dropped_.add();
    }
    book.order.push_back(out.id);
    book.open.emplace(out.id, std::move(open));
  });
  return out;
}

Result<Attestor::Open> Attestor::open_challenge(std::string_view id) const {
  const MonoTime now = store_.clock().mono();
  return book_.with([&](const Book& book) -> Result<Open> {
    const auto found = book.open.find(std::string(id));
    if (found == book.open.end() || found->second.until <= now) {
      return over("there is no such challenge, it was used, or it is older than ten minutes");
    }
    return found->second;
  });
}

void Attestor::close(std::string_view id) {
  book_.with([&](Book& book) {
    book.open.erase(std::string(id));
    std::erase(book.order, id);
  });
}

Result<Challenge> Attestor::begin(const AttestBegin& from, std::string_view peer_address) {
  TRY(refusals_.check(core::host_of(peer_address), store_.clock().mono()));
  Open open;
  open.endorsement = TRY(tpm::parse_public(from.endorsement_public));
  open.attestation = TRY(tpm::parse_public(from.attestation_public));
  TRY(tpm::check_endorsement_key(open.endorsement));
  TRY(tpm::check_attestation_key(open.attestation));
  const auto key = TRY(tpm::key_of(open.endorsement));
  TRY(tpm::key_of(open.attestation));
  open.hash = to_hex(key.fingerprint());
  open.attestation_public = from.attestation_public;
  open.root = TRY(root_of(from, key));
  open.claim = from.claim;
  // Told now what would be told at the end, so that a device need not work for nothing.
  std::optional<Endorsement> known;
  std::optional<devices::Device> bound;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    known = TRY(find_endorsement(tx, open.hash));
    if (known && known->device) bound = TRY(devices_.look(tx, *known->device));
    return {};
  }));
  const auto how = admit_tpm({known ? &*known : nullptr, open.root ? &*open.root : nullptr,
                              bound ? &*bound : nullptr, open.attestation_public, !open.claim.empty()});
  if (!how) {
    note_refusal(open, how.error(), peer_address);
    return std::unexpected(how.error());
  }
  open.secret = store_.entropy().bytes(kSecretBytes);
  auto credential = TRY(tpm::make_credential(open.endorsement, tpm::name_of(open.attestation), open.secret,
                                             store_.entropy()));
  Challenge challenge = TRY(remember(std::move(open)));
  challenge.credential = std::move(credential);
  return challenge;
}

// ---- enrolment

Result<tpm::Attest> Attestor::prove(const Open& open, const AttestProof& proof,
                                    const crypto::Csr& csr) const {
  const auto key = TRY(tpm::parse_public(proof.key_public));
  TRY(tpm::check_device_key(key));
  if (TRY(tpm::key_of(key)).spki_der() != csr.key.spki_der()) {
    return fail(Code::attestation_refused, "the request is for another key than the one that was certified");
  }
  auto attest = TRY(tpm::check_certified({proof.attest, proof.signature}, open.attestation, open.nonce, key));
  if (!proof.quote_attest.empty()) {
    TRY(tpm::check_quoted({proof.quote_attest, proof.quote_signature}, open.attestation, open.nonce, proof.pcrs));
  }
  return attest;
}

Result<Attested> Attestor::finish(std::string_view id, const AttestProof& proof,
                                  std::string_view peer_address) {
  const Open open = TRY(open_challenge(id));
  if (open.device) return over("this challenge is for a check, not for an enrolment");
  const auto refuse = [&](const Error& error) -> std::unexpected<Error> {
    note_refusal(open, error, peer_address);
    return std::unexpected(error);
  };
  const auto csr = crypto::parse_csr(proof.csr_der);
  if (!csr) return refuse(csr.error());
  const Bytes csr_hash = crypto::hash(crypto::Digest::sha256, csr->der);
  if (open.answer) {
    if (open.csr_hash == csr_hash) return *open.answer;
    return refuse(error_of(Code::attestation_expired, "the challenge was used for another request"));
  }
  if (!equal_secret(open.secret, proof.secret)) {
    close(id);  // one try: guessing is hopeless, and a wrong TPM stays wrong
    return refuse(error_of(Code::attestation_refused,
                          "the secret is not that of the credential: attestation key and endorsement key are not in one TPM"));
  }
  const auto attest = prove(open, proof, *csr);
  if (!attest) return refuse(attest.error());
  const std::string host = core::host_of(peer_address);
  Attested answer;
  const Status stored =
      store_.record(caller_of_tpm(open.hash, host), kAttestAction, [&](core::Change& change) -> Status {
        answer = TRY(enrol(change, open, proof, *csr, *attest, host));
        return {};
      });
  if (!stored) return refuse(stored.error());
  attested_.add();
  book_.with([&](Book& book) {
    const auto found = book.open.find(std::string(id));
    if (found == book.open.end()) return;
    found->second.answer = answer;
    found->second.csr_hash = csr_hash;
  });
  return answer;
}

Result<DeviceId> Attestor::new_device(core::Change& change, const Open& open, const Endorsement* known,
                                      Admittance how, const crypto::Csr& csr, const std::string& host,
                                      Bytes& certificate) {
  const Bytes csr_hash = crypto::hash(crypto::Digest::sha256, csr.der);
  if (how == Admittance::by_claim) {
    certificate = TRY(registrar_.spend_attested(change, open.claim, csr, csr_hash, host));
    return DeviceId::parse(TRY(crypto::parse_certificate(certificate)).subject_cn);
  }
  devices::NewDevice wanted;
  wanted.evidence = devices::EvidenceClass::hardware_attested;
  wanted.name = csr.subject_cn;
  wanted.serial = csr.subject_serial;
  if (how == Admittance::by_registration) {
    if (!known->name.empty()) wanted.name = known->name;
    if (!known->serial.empty()) wanted.serial = known->serial;
    wanted.type = known->type;
    wanted.site = known->site;
    wanted.tags = known->tags;
  }
  const DeviceId device = TRY(devices_.create(change, wanted));
  TRY(devices_.set_state(change, device, devices::State::enrolled, "enrolled by its TPM"));
  const auto issued = TRY(registrar_.issue(change, device, csr, csr_hash, std::nullopt, wanted.evidence));
  certificate = issued.der;
  TRY(tell_issued(change, issued, wanted.site));
  return device;
}

Result<Attested> Attestor::enrol(core::Change& change, const Open& open, const AttestProof& proof,
                                 const crypto::Csr& csr, const tpm::Attest& attest,
                                 const std::string& host) {
  // Looked up again: much may have happened since the challenge.
  auto known = TRY(find_endorsement(change.tx(), open.hash));
  std::optional<devices::Device> bound;
  if (known && known->device) bound = TRY(devices_.look(change.tx(), *known->device));
  std::optional<EndorsementRoot> root;
  if (open.root) root = TRY(find_root(change.tx(), open.root->fingerprint));
  const Admittance how = TRY(admit_tpm({known ? &*known : nullptr, root ? &*root : nullptr,
                                        bound ? &*bound : nullptr, open.attestation_public, !open.claim.empty()}));
  Attested out;
  if (how == Admittance::again) {
    TRY(tpm::check_time_ran_on(known->clock, attest.clock));
    out.device = bound->id;
    out.certificate_der = TRY(registrar_.issue_again(
        change, *bound, csr, crypto::hash(crypto::Digest::sha256, csr.der), devices::EvidenceClass::hardware_attested,
        bound->certificate ? bound->certificate->serial : std::string()));
  } else {
    out.device = TRY(new_device(change, open, known ? &*known : nullptr, how, csr, host, out.certificate_der));
  }
  Endorsement row = known.value_or(Endorsement{});
  if (!known) {
    row.hash = open.hash;
    row.created_by = out.device.text();
    row.created_at = change.now();
  }
  row.device = out.device;
  row.attestation_public = open.attestation_public;
  row.root = root ? root->fingerprint : "";
  row.clock = attest.clock;
  row.last_at = change.now();
  row.stale = false;
  std::vector<unsigned> changed;
  if (!proof.pcrs.empty()) {
    if (how != Admittance::again || row.baseline.empty()) row.baseline = proof.pcrs;
    if (row.pcrs != proof.pcrs) changed = changed_pcrs(row.baseline, proof.pcrs);
    row.pcrs = proof.pcrs;
  }
  TRY(save_endorsement(change.tx(), row));
  const std::string purpose = how == Admittance::again ? "readmit" : "enrol";
  TRY(add_attestation(change, out.device, {change.now(), purpose, "ok", "from " + host}));
  TRY(change.audit(out.device.text(), "",
                   wire::json_text(wire::JsonObject{{"evidence_class", "hardware-attested"},
                                                    {"endorsement", open.hash},
                                                    {"root", core::text_or_null(row.root)},
                                                    {"purpose", purpose}})));
  const auto device = TRY(devices_.look(change.tx(), out.device));
  TRY(change.notice("device.attested",
                    wire::json_text(wire::JsonObject{
                        {"device_id", out.device.text()}, {"purpose", purpose}, {"endorsement", open.hash}}),
                    device ? device->site : std::nullopt));
  if (!changed.empty() && device) TRY(tell_drift(change, *device, row, changed));
  return out;
}

// The refusal as evidence: on the timeline of the device that the TPM belongs to, if any, and for all to
// see. Losing it loses nothing else.
void Attestor::note_refusal(const Open& open, const Error& error, std::string_view peer_address) {
  refused_.add();
  const std::string code(row_of(error.code).name);
  const std::string host = core::host_of(peer_address);
  const MonoTime now = store_.clock().mono();
  const bool told = refusals_.check(host, now).has_value();
  refusals_.failed(host, now);
  if (!told) return;  // who keeps trying must not fill the disk
  std::optional<DeviceId> device;
  const Status noted =
      store_.record(core::Caller::system(), "device.attestation_failed", [&](core::Change& change) -> Status {
        const auto row = TRY(find_endorsement(change.tx(), open.hash));
        device = row ? row->device : std::nullopt;
        std::optional<SiteId> site;
        if (device) {
          const auto found = TRY(devices_.look(change.tx(), *device));
          if (found) site = found->site;
          TRY(add_attestation(change, *device, {change.now(), open.device ? "check" : "enrol", code,
                                                error.message + " (from " + host + ")"}));
        }
        return change.notice("device.attestation_failed",
                             wire::json_text(wire::JsonObject{{"device_id", core::id_or_null(device)},
                                                              {"code", code},
                                                              {"endorsement", open.hash}}),
                             site);
      });
  static_cast<void>(noted);
  telemetry_.record({device, "attestation_failed", is_rollback(error) || error.code == Code::endorsement_taken ? "critical" : "warning",
                     "a proof by a TPM was refused: " + error.message,
                     {{"code", code}, {"endorsement", open.hash}, {"address", host}}});
}

}  // namespace holdfast::identity
