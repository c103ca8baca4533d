// SQL of identity. A claim's secret is kept as its SHA-256 only; certificates are public.
#pragma once

#include <vector>

#include "libs/crypto/crl.hpp"
#include "server/core/authz.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/identity/model.hpp"

namespace holdfast::identity {

std::vector<core::Migration> migrations();

Status insert_claim(core::Change& change, const Claim& claim, View secret_hash);
// Everything that changes after it was made: state, device, steps, failure.
Status update_claim(sql::Tx& tx, const Claim& claim);
Result<std::optional<Claim>> find_claim(sql::Tx& tx, ClaimId id);
Result<std::optional<Claim>> find_claim_by_secret(sql::Tx& tx, View secret_hash);
// The newest claim that this device came in by.
Result<std::optional<Claim>> find_claim_of(sql::Tx& tx, DeviceId device);

// Those that a device could still come in by; answers how many.
Result<std::int64_t> void_claims(sql::Tx& tx, DeviceId device, std::string_view serial);

struct ClaimQuery {
  std::optional<ClaimState> state;
  std::optional<ClaimId> before;  // the last of the page before
  std::size_t limit = 50;
  WallTime now;
};
Result<std::vector<Claim>> list_claims(sql::Tx& tx, const ClaimQuery& query, const core::SiteFilter& scope);

Status insert_certificate(sql::Tx& tx, const IssuedCertificate& certificate);
// The notice of a device's first certificate.
Status tell_issued(core::Change& change, const IssuedCertificate& certificate, const std::optional<SiteId>& site);
Result<std::optional<IssuedCertificate>> find_certificate(sql::Tx& tx, std::string_view serial);
// The newest one for this CSR of this device, issued at `since` or later.
Result<std::optional<IssuedCertificate>> find_by_csr(sql::Tx& tx, DeviceId device, View csr_hash, WallTime since);
Result<std::int64_t> count_issued(sql::Tx& tx, DeviceId device, WallTime since);
// The serials that were valid and are revoked now.
// Those issued until `issued_until` only: a revocation that is told late does not touch what came after it.
Result<std::vector<std::string>> revoke_certificates(sql::Tx& tx, DeviceId device, crypto::RevocationReason reason,
                                                     WallTime now, WallTime issued_until);
// The device that holds this key, also one that is out of service.
Result<std::optional<DeviceId>> find_holder(sql::Tx& tx, View key_hash);

}  // namespace holdfast::identity
