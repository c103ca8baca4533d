// Registrar: the identity domain's Service: claims become certificates, certificates are renewed,
// looked up on every connection, and revoked. Owned by main.
// Threads: as service.hpp; operator calls block on SQL.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/crypto/csr.hpp"
#include "server/core/jobs.hpp"
#include "server/core/notices.hpp"
#include "server/core/watchers.hpp"
#include "server/identity/attempts.hpp"
#include "server/identity/attest.hpp"
#include "server/identity/authority.hpp"
#include "server/identity/approvals.hpp"
#include "server/identity/decommission.hpp"
#include "server/identity/findings.hpp"
#include "server/identity/revocations.hpp"
#include "server/identity/service.hpp"
#include "server/identity/tables.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::identity {

inline constexpr std::size_t kClaimBytesMax = 256;
inline constexpr Duration kClaimLifeMin = seconds(60);
inline constexpr Duration kClaimLifeMax = days(30);
inline constexpr std::size_t kWatchersMax = 256;

// Where devices reach this server; known once it listens.
struct Addresses {
  std::string device;  // "host:port" of device HTTPS
  std::string mqtt;    // "host:port"
};

struct NewClaim {
  Duration life = hours(1);
  std::string device_serial;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  std::string name;
  devices::Tags tags;
  std::optional<DeviceId> for_device;  // see replace()
};

struct Replacement {
  ClaimId claim;
  DeviceId device;
  std::string reason, ordered_by;
  WallTime ordered_at;
  std::string old_serial;
  std::optional<WallTime> done_at;
  std::string new_serial;
};

// What comes on one day (UTC), of certificates that are the newest of their device.
struct ForecastDay {
  std::int64_t day = 0;  // since 1970-01-01
  std::int64_t expire = 0, renew = 0;
};
struct Forecast {
  std::vector<ForecastDay> days;  // today first, one for each day
  std::int64_t late = 0;          // their renewal was due more than a day ago
  std::int64_t expired = 0;       // of devices in service
};
inline constexpr int kForecastDays = 120;

// What does not fit together: at most 1,000 of each.
struct Orphans {
  struct Record {
    DeviceId device;
    std::string name, state;
  };
  struct Held {
    std::string serial;
    DeviceId device;
  };
  std::vector<Record> records;    // that no valid certificate belongs to
  std::vector<Held> certificates;  // valid, of a decommissioned device
};

struct ClaimSecret {
  Claim claim;
  std::string secret;  // EST password
  std::string code;    // for `holdfast-agent join -`
};

class Registrar final : public Service {
 public:
  static Result<std::unique_ptr<Registrar>> make(core::Store& store, core::Jobs& jobs, core::Dispatcher& dispatcher,
                                                 Authority& authority, devices::Service& devices,
                                                 telemetry::Service& telemetry, const Log& log, Metrics& metrics);

  // ---- Service
  using Service::admit;
  Result<Admission> admit(View certificate_der, Purpose purpose, std::string_view peer_address) override;
  Result<Waited> enrol_unknown(View csr_der, std::string_view peer_address) override;
  Result<std::vector<Bytes>> ca_chain_der() override;
  Result<Bytes> enrol(const Enrolment& enrolment) override;
  Result<Bytes> renew(View peer_certificate_der, View csr_der, std::string_view peer_address) override;
  Result<Published> published(std::string_view name) override { return revocations_.published(name); }
  Result<Published> ocsp(View request_der) override { return revocations_.ocsp(request_der); }
  Result<EraseOrder> erase_order(View certificate_der) override { return decommissions_.order(certificate_der); }
  Status erase_proven(View certificate_der, View statement, View signature) override {
    return decommissions_.proven(certificate_der, statement, signature);
  }
  Result<wire::Json> attest_begin(const wire::Json& body, std::string_view peer_address) override;
  Result<wire::Json> attest_finish(std::string_view challenge, const wire::Json& body,
                                   std::string_view peer_address) override;
  Result<wire::Json> check_begin(DeviceId device) override;
  Result<wire::Json> check_finish(DeviceId device, std::string_view challenge, const wire::Json& body) override;
  Result<crypto::Credential> server_credential() override { return authority_.server_credential(); }
  Result<std::vector<Bytes>> device_trust_der() override;

  // ---- operators
  Result<ClaimSecret> create_claim(const core::Caller& caller, const NewClaim& wanted);
  Status revoke_claim(const core::Caller& caller, ClaimId id);
  Result<Claim> claim(const core::Caller& caller, ClaimId id);
  Result<std::vector<Claim>> claims(const core::Caller& caller, const ClaimQuery& query);
  Approvals& approvals() { return approvals_; }
  Findings& findings() { return findings_; }
  Decommissions& decommissions() { return decommissions_; }
  // Is there such a device, and may the caller do this to it? Before anything else of a call is looked at.
  Status may(const core::Caller& caller, std::string_view permission, DeviceId device);
  // A claim by which one new key takes the device's place; permission device.replace.
  Result<ClaimSecret> replace(const core::Caller& caller, DeviceId device, const std::string& reason, Duration life,
                              const std::string& serial);
  Result<std::vector<Replacement>> replacements(const core::Caller& caller, DeviceId device);
  // When certificates expire and renew; of devices in service that the caller may see.
  Result<Forecast> forecast(const core::Caller& caller);
  Result<Orphans> orphans(const core::Caller& caller);

  // ---- for the other parts of this domain, inside their change
  Result<IssuedCertificate> issue(core::Change& change, DeviceId device, const crypto::Csr& csr, View csr_hash,
                                  std::optional<ClaimId> claim, devices::EvidenceClass evidence);
  // A certificate more of a device that is there; the same request within a day gives the same one.
  // `evidence` may be a refusal, which counts only where a new one would be issued.
  Result<Bytes> issue_again(core::Change& change, const devices::Device& device, const crypto::Csr& csr, View csr_hash,
                            const Result<devices::EvidenceClass>& evidence, std::string_view old_serial);
  // The claim lets in a device whose key a TPM has proven.
  Result<Bytes> spend_attested(core::Change& change, std::string_view secret, const crypto::Csr& csr, View csr_hash,
                               const std::string& host);
  Attestor& attestor() { return *attestor_; }

  void set_addresses(Addresses addresses) { addresses_.with([&](Addresses& held) { held = std::move(addresses); }); }
  Addresses addresses() const { return addresses_.with([](const Addresses& held) { return held; }); }
  const Authority& authority() const { return authority_; }
  WallTime now() const { return store_.clock().wall(); }
  // Told after the server certificate changed, on a worker; before the server starts.
  void on_server_certificate(std::function<void()> told) { renewed_ = std::move(told); }

  // Calls back after each change of the claim, until forget(); overloaded beyond kWatchersMax.
  using Watcher = std::function<void()>;
  Result<std::uint64_t> watch(ClaimId id, Watcher changed);
  void forget(std::uint64_t watcher) { watchers_.forget(watcher); }

 private:
  Registrar(core::Store& store, Authority& authority, devices::Service& devices, telemetry::Service& telemetry,
            const Log& log, Metrics& metrics);
  Status subscribe(core::Jobs& jobs, core::Dispatcher& dispatcher);
  Result<Claim> claim_of_secret(const Enrolment& enrolment, Bytes& secret_hash);
  Result<Bytes> spend(core::Change& change, Claim& claim, const crypto::Csr& csr, View csr_hash, const std::string& host,
                      devices::EvidenceClass evidence);
  struct Shown {
    std::string serial;
    std::optional<DeviceId> device;
    bool ours = false;  // on record
  };
  Result<Admission> judge(View certificate_der, Purpose purpose, Shown& shown);
  void observe(const Result<Admission>& admission, const Shown& shown, const std::string& host);
  void note_key_reuse(const crypto::PublicKey& key, const std::string& host);
  using WithClaim = std::function<Status(core::Change&, const Claim&)>;
  Result<ClaimSecret> make_claim(const core::Caller& caller, std::string_view action, const NewClaim& wanted,
                                 const WithClaim& with);
  Result<DeviceId> make_device(core::Change& change, const Claim& claim, const crypto::Csr& csr,
                               devices::EvidenceClass evidence);
  Status take_place(core::Change& change, const Claim& claim, const crypto::Csr& csr);
  void note_failure(ClaimId id, Step step, const Error& error);
  Status step_reached(core::Change& change, const core::Notice& notice);
  Status device_revoked(core::Change& change, const core::Notice& notice);

  core::Store& store_;
  core::Jobs* jobs_ = nullptr;
  Authority& authority_;
  devices::Service& devices_;
  telemetry::Service& telemetry_;
  const Log& log_;
  Revocations revocations_;
  Decommissions decommissions_;
  Approvals approvals_;
  Findings findings_;
  Sightings sightings_;
  AttemptLimit attempts_;
  Guarded<Addresses> addresses_;
  core::Watchers<ClaimId> watchers_{kWatchersMax};
  std::function<void()> renewed_;
  Counter& issued_;
  Counter& refused_;
  std::unique_ptr<Attestor> attestor_;
};

}  // namespace holdfast::identity
