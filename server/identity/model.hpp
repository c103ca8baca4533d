// Claims and certificates of devices. Values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/time.hpp"
#include "server/devices/model.hpp"

namespace holdfast::identity {

inline constexpr Duration kDeviceLife = days(90);
inline constexpr Duration kRenewFrom = days(40);
inline constexpr Duration kRenewTo = days(85);
inline constexpr Duration kRenewalAnswerKept = hours(24);
inline constexpr std::int64_t kCertificatesADay = 10;

enum class ClaimState { open, spent, expired, revoked };
std::string_view name_of(ClaimState state);
std::optional<ClaimState> claim_state_named(std::string_view name);

// What Add device follows, in this order.
enum class Step { code_shown, claimed, certificate_issued, connected, first_reading };
inline constexpr std::array kSteps{Step::code_shown, Step::claimed, Step::certificate_issued, Step::connected,
                                   Step::first_reading};
std::string_view name_of(Step step);

struct StepRecord {
  std::optional<WallTime> at;
  std::string detail;
};

// The last failed attempt to use a claim, shown at its step.
struct StepFailure {
  Step step = Step::claimed;
  std::string code;  // of problems.yaml
  std::string message;
  WallTime at;
};

struct Claim {
  ClaimId id;
  bool spent = false;
  bool revoked = false;
  std::string device_serial;  // bound to this serial; empty: to none
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  std::string name;
  devices::Tags tags;
  std::string created_by;
  WallTime created_at, expires_at;
  std::optional<DeviceId> device;
  std::optional<DeviceId> for_device;  // new hardware for this device, instead of a new device
  Bytes csr_hash;                      // of the CSR that spent it
  std::array<StepRecord, kSteps.size()> steps;
  std::optional<StepFailure> failure;

  StepRecord& step(Step which) { return steps[static_cast<std::size_t>(which)]; }
  const StepRecord& step(Step which) const { return steps[static_cast<std::size_t>(which)]; }
  ClaimState state_at(WallTime now) const;
};

enum class CertificateState { valid, revoked };

struct IssuedCertificate {
  std::string serial;  // hexadecimal, as openssl prints it
  DeviceId device;
  std::optional<ClaimId> claim;
  Bytes der;
  Bytes csr_hash;  // SHA-256 of the CSR's DER
  Bytes key_hash;  // SHA-256 of its SubjectPublicKeyInfo
  Bytes issuer;    // key identifier of the CA that signed it
  WallTime not_before, not_after, renews_at, issued_at;
  CertificateState state = CertificateState::valid;
  devices::EvidenceClass evidence = devices::EvidenceClass::claim;
};

}  // namespace holdfast::identity
