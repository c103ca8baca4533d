// Pure decisions about TPMs: may this one enrol, and as what; what of its PCRs has changed.
#pragma once

#include "server/identity/attest_model.hpp"

namespace holdfast::identity {

struct Applicant {
  const Endorsement* known = nullptr;     // the row of its endorsement key
  const EndorsementRoot* root = nullptr;  // that its endorsement certificate chains to
  const devices::Device* bound = nullptr;  // the device that the row names
  View attestation_public;                 // what it brought
  bool claim = false;                      // it brought a claim (whose own rules come later)
};

enum class Admittance { by_claim, by_registration, by_root, again };
// endorsement_untrusted, endorsement_unregistered, endorsement_taken, device_decommissioned, device_revoked,
// device_quarantined.
// `again` is the same TPM (same endorsement and attestation key) come back to its device: expired, set up
// anew, or after a lost reply.
Result<Admittance> admit_tpm(const Applicant& applicant);

// The numbers of the PCRs whose values differ, or that one of both lacks.
std::vector<unsigned> changed_pcrs(const tpm::PcrValues& before, const tpm::PcrValues& now);

// "0123...": 64 hexadecimal digits in lower case.
bool is_endorsement_hash(std::string_view text);

}  // namespace holdfast::identity
