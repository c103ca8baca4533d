// Attestor: devices that prove their key by their TPM (contract/device-protocol.md section 3.7). A challenge
// holds a credential that only one TPM can open and a nonce; the answer to it proves endorsement,
// attestation and device key in one chain, and becomes a certificate of class hardware-attested. The same
// TPM may come back at any time, expired or not. Later checks quote the PCRs; a change is a finding.
//
// Challenges live in memory: at most kChallengesMax, ten minutes each; after a restart devices begin again.
// What was proven is stored, in one transaction with device, certificate, audit and notices.
// Threads: any worker; calls block on SQL.
#pragma once

#include <deque>
#include <map>

#include "libs/base/guarded.hpp"
#include "libs/crypto/verify.hpp"
#include "server/core/jobs.hpp"
#include "server/identity/attempts.hpp"
#include "server/identity/attest_rules.hpp"
#include "server/identity/attest_tables.hpp"
#include "libs/crypto/csr.hpp"
#include "libs/tpm/credential.hpp"
#include "server/identity/service.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::identity {

class Registrar;

// ---- what a device sends; bytes as they came, nothing checked yet

struct AttestBegin {
  Bytes endorsement_public;       // TPM2B_PUBLIC
  Bytes endorsement_certificate;  // DER; empty: none
  std::vector<Bytes> endorsement_chain;
  Bytes attestation_public;  // TPM2B_PUBLIC
  std::string claim;         // empty: none
};
struct Challenge {
  std::string id;  // "att_" and 32 hexadecimal digits
  Bytes nonce;
  tpm::Credential credential;  // empty for a check
  WallTime expires_at;
};
struct AttestProof {
  Bytes secret;      // out of the credential
  Bytes key_public;  // TPM2B_PUBLIC
  Bytes attest, signature;
  Bytes csr_der;
  Bytes quote_attest, quote_signature;  // both empty: no quote
  tpm::PcrValues pcrs;
};
struct Attested {
  DeviceId device;
  Bytes certificate_der;
};
enum class CheckResult { first, unchanged, drifted };
std::string_view name_of(CheckResult result);

struct NewEndorsement {
  std::string hash;
  std::string name, serial;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  devices::Tags tags;
};

class Attestor final {
 public:
  Attestor(core::Store& store, Registrar& registrar, devices::Service& devices,
           telemetry::Service& telemetry, Metrics& metrics);

  // ---- devices
  Result<Challenge> begin(const AttestBegin& from, std::string_view peer_address);
  Result<Attested> finish(std::string_view challenge, const AttestProof& proof,
                          std::string_view peer_address);
  Result<Challenge> begin_check(DeviceId device);
  Result<CheckResult> finish_check(DeviceId device, std::string_view challenge,
                                   const AttestProof& proof);

  // ---- operators
  Result<EndorsementRoot> add_root(const core::Caller& caller, std::string name, View der,
                                   bool admits);
  Status remove_root(const core::Caller& caller, std::string_view fingerprint);
  Result<std::vector<EndorsementRoot>> roots(const core::Caller& caller);
  Result<Endorsement> register_endorsement(const core::Caller& caller, const NewEndorsement& wanted);
  // Forgets registration and binding: the TPM may enrol anew, if something lets it in.
  Status release_endorsement(const core::Caller& caller, std::string_view hash);
  Result<std::vector<Endorsement>> endorsements(const core::Caller& caller, std::string_view after,
                                                std::size_t limit);
  struct History {
    std::optional<Endorsement> endorsement;
    std::vector<Attestation> attestations;  // newest first
  };
  Result<History> history(const core::Caller& caller, DeviceId device);
  // What the device said last becomes what is expected.
  Status accept(const core::Caller& caller, DeviceId device);

  // Devices that have not proven themselves for kAttestStaleAfter; for the scheduler.
  Result<core::JobEffect> find_silent();

 private:
  struct Open {
    Bytes secret, nonce;
    tpm::Public endorsement, attestation;
    Bytes attestation_public;
    std::string hash;
    std::optional<EndorsementRoot> root;
    std::string claim;
    std::optional<DeviceId> device;  // of a check
    MonoTime until;
    // Once it was answered well: the same request gets the same answer.
    Bytes csr_hash;
    std::optional<Attested> answer;
  };
  struct Book {
    std::map<std::string, Open> open;
    std::deque<std::string> order;
  };

  Result<std::optional<EndorsementRoot>> root_of(const AttestBegin& from,
                                                 const crypto::PublicKey& endorsement);
  Result<Challenge> remember(Open open);
  Result<Open> open_challenge(std::string_view id) const;
  void close(std::string_view id);
  void note_refusal(const Open& open, const Error& error, std::string_view peer_address);
  Result<Attested> enrol(core::Change& change, const Open& open, const AttestProof& proof,
                         const crypto::Csr& csr, const tpm::Attest& attest, const std::string& host);
  Result<DeviceId> new_device(core::Change& change, const Open& open, const Endorsement* known,
                              Admittance how, const crypto::Csr& csr, const std::string& host,
                              Bytes& certificate);
  Result<tpm::Attest> prove(const Open& open, const AttestProof& proof, const crypto::Csr& csr) const;
  Status tell_drift(core::Change& change, const devices::Device& device, const Endorsement& row,
                    const std::vector<unsigned>& changed);

  core::Store& store_;
  Registrar& registrar_;
  devices::Service& devices_;
  telemetry::Service& telemetry_;
  Guarded<Book> book_;
  AttemptLimit refusals_;
  Counter& attested_;
  Counter& refused_;
  Counter& dropped_;
  Counter& drifted_;
};

}  // namespace holdfast::identity
