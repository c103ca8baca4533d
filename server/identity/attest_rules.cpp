#include "server/identity/attest_rules.hpp"

#include <algorithm>

namespace holdfast::identity {
namespace {

Result<Admittance> come_back(const Applicant& applicant) {
  const devices::Device& device = *applicant.bound;
  if (!std::ranges::equal(applicant.known->attestation_public, applicant.attestation_public)) {
    return fail(Code::endorsement_taken, "this endorsement key is that of device " + device.id.text() +
                                             ", which proved another attestation key");
  }
  if (device.state == devices::State::decommissioned) {
    return fail(Code::device_decommissioned, "the device is decommissioned: release its TPM to begin anew");
  }
  if (device.revoked) {
    return fail(Code::device_revoked, "the device's certificates are revoked: release its TPM to begin anew");
  }
  if (device.state == devices::State::quarantined) {
    return fail(Code::device_quarantined, "the device is quarantined: release it first");
  }
  return Admittance::again;
}

}  // namespace

Result<Admittance> admit_tpm(const Applicant& applicant) {
  const bool registered = applicant.known != nullptr && applicant.known->registered;
  if (!registered && applicant.root == nullptr) {
    return fail(Code::endorsement_untrusted,
                "the endorsement key has no certificate of a trusted maker, and its hash is not registered");
  }
  if (applicant.bound != nullptr) return come_back(applicant);
  if (applicant.claim) return Admittance::by_claim;
  if (registered) return Admittance::by_registration;
  if (applicant.root->admits) return Admittance::by_root;
  return fail(Code::endorsement_unregistered,
              "its maker is trusted, but the TPM is not registered, brought no claim, and the maker's root admits nobody "
              "by itself");
}

std::vector<unsigned> changed_pcrs(const tpm::PcrValues& before, const tpm::PcrValues& now) {
  std::vector<unsigned> out;
  for (unsigned pcr = 0; pcr < tpm::kPcrsMax; ++pcr) {
    const auto old = before.find(pcr);
    const auto fresh = now.find(pcr);
    const bool same = old == before.end() ? fresh == now.end()
                                          : fresh != now.end() && old->second == fresh->second;
    if (!same) out.push_back(pcr);
  }
  return out;
}

bool is_endorsement_hash(std::string_view text) {
  return text.size() == 64 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace holdfast::identity
