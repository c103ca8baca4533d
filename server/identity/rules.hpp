// Pure decisions of identity: may this claim be used, may this certificate connect, when to renew. No
// clock, no I/O.
#pragma once

#include "libs/crypto/csr.hpp"
#include "server/identity/model.hpp"
#include "server/identity/service.hpp"

namespace holdfast::identity {

// What the claim allows for this CSR: a new certificate, or the answer that was given already.
enum class ClaimUse { issue, repeat };
// claim_revoked, claim_expired, claim_spent, claim_bound; in this order.
Result<ClaimUse> use_claim(const Claim& claim, const crypto::Csr& csr, View csr_hash, WallTime now);

// Does the device's certificate open a connection (or a renewal) now?
// certificate_revoked, certificate_expired, device_quarantined, device_revoked, device_decommissioned.
Status may_connect(const IssuedCertificate& certificate, const devices::Device& device, Purpose purpose, WallTime now);

// What a renewed certificate may say. A key in hardware was proven once; EST proves nothing of a new one:
// evidence_insufficient.
Result<devices::EvidenceClass> evidence_of_renewal(devices::EvidenceClass held, bool same_key);

// Uniform between days 40 and 85, so that a fleet enrolled in one day does not renew in one.
WallTime renewal_time(WallTime issued, std::uint64_t random);

// The serial that a CSR names: serialNumber, else CN.
std::string_view serial_of(const crypto::Csr& csr);

}  // namespace holdfast::identity
