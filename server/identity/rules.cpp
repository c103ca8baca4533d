#include "server/identity/rules.hpp"

namespace holdfast::identity {
namespace {

constexpr std::array<std::string_view, kSteps.size()> kStepNames{"code_shown", "claimed", "certificate_issued",
                                                                 "connected", "first_reading"};
constexpr std::array<std::string_view, 4> kClaimNames{"open", "spent", "expired", "revoked"};

}  // namespace

std::string_view name_of(Step step) { return kStepNames[static_cast<std::size_t>(step)]; }
std::string_view name_of(ClaimState state) { return kClaimNames[static_cast<std::size_t>(state)]; }

std::optional<ClaimState> claim_state_named(std::string_view name) {
  for (std::size_t i = 0; i < kClaimNames.size(); ++i) {
    if (kClaimNames[i] == name) return static_cast<ClaimState>(i);
  }
  return std::nullopt;
}

ClaimState Claim::state_at(WallTime now) const {
  if (spent) return ClaimState::spent;
  if (revoked) return ClaimState::revoked;
  return now >= expires_at ? ClaimState::expired : ClaimState::open;
}

std::string_view serial_of(const crypto::Csr& csr) {
  return csr.subject_serial.empty() ? csr.subject_cn : csr.subject_serial;
}

Result<ClaimUse> use_claim(const Claim& claim, const crypto::Csr& csr, View csr_hash, WallTime now) {
  if (claim.revoked) return fail(Code::claim_revoked, "the claim was revoked");
  if (now >= claim.expires_at) return fail(Code::claim_expired, "the claim ended at " + to_rfc3339(claim.expires_at));
  if (claim.spent) {
    if (equal_secret(claim.csr_hash, csr_hash)) return ClaimUse::repeat;
    return fail(Code::claim_spent, "another key has used the claim");
  }
  if (!claim.device_serial.empty() && serial_of(csr) != claim.device_serial) {
    return fail(Code::claim_bound, "the claim is for the device with serial " + claim.device_serial);
  }
  return ClaimUse::issue;
}

Status may_connect(const IssuedCertificate& certificate, const devices::Device& device, Purpose purpose, WallTime now) {
  if (certificate.state == CertificateState::revoked) {
    return fail(Code::certificate_revoked, "certificate " + certificate.serial + " is revoked");
  }
  if (now >= certificate.not_after) {
    return fail(Code::certificate_expired, "the certificate ended at " + to_rfc3339(certificate.not_after));
  }
  if (device.revoked) return fail(Code::device_revoked, "the device's certificates are revoked");
  switch (device.state) {
    case devices::State::decommissioned:
      return fail(Code::device_decommissioned, "the device is decommissioned");
    case devices::State::quarantined:
      if (purpose == Purpose::renew) return {};
      return fail(Code::device_quarantined,
                  "the device is quarantined" + (device.quarantine ? ": " + device.quarantine->reason : std::string()));
    case devices::State::unmanaged:
    case devices::State::registered:
      return fail(Code::device_unknown, "the device has not enrolled");
    case devices::State::enrolled:
    case devices::State::active:
      return {};
  }
  return fail(Code::internal, "a device state is not handled");
}

Result<devices::EvidenceClass> evidence_of_renewal(devices::EvidenceClass held, bool same_key) {
  const bool hardware =
      held == devices::EvidenceClass::hardware_attested || held == devices::EvidenceClass::hardware_asserted;
  if (!hardware || same_key) return held;
  return fail(Code::evidence_insufficient,
              "the certificate stands for a key in hardware: renew it with that key, or attest the new one");
}

WallTime renewal_time(WallTime issued, std::uint64_t random) {
  const auto window = static_cast<std::uint64_t>((kRenewTo - kRenewFrom).us);
  return issued + kRenewFrom + Duration{static_cast<std::int64_t>(random % window)};
}

}  // namespace holdfast::identity
