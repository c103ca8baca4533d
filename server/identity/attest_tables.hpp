// SQL of attestation: makers' roots, endorsement keys, history. All of it is public knowledge about keys.
#pragma once

#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/identity/attest_model.hpp"

namespace holdfast::identity {

// In the migration domain "attestation"; they follow those of "identity".
std::vector<core::Migration> attestation_migrations();

Status insert_root(sql::Tx& tx, const EndorsementRoot& root);
Result<std::vector<EndorsementRoot>> list_roots(sql::Tx& tx);
Result<std::optional<EndorsementRoot>> find_root(sql::Tx& tx, std::string_view fingerprint);
Status delete_root(sql::Tx& tx, std::string_view fingerprint);

Status save_endorsement(sql::Tx& tx, const Endorsement& endorsement);  // inserts or replaces
Result<std::optional<Endorsement>> find_endorsement(sql::Tx& tx, std::string_view hash);
Result<std::optional<Endorsement>> find_endorsement_of(sql::Tx& tx, DeviceId device);
Status delete_endorsement(sql::Tx& tx, std::string_view hash);
// The device has no TPM any more: what was bound to it is neither bound nor registered.
Status unbind_endorsement(sql::Tx& tx, DeviceId device);
// In the order of hashes, after `after`.
Result<std::vector<Endorsement>> list_endorsements(sql::Tx& tx, std::string_view after, std::size_t limit);
// Bound, last heard before `before`, and not yet told as stale.
Result<std::vector<Endorsement>> silent_endorsements(sql::Tx& tx, WallTime before, std::size_t limit);

Status add_attestation(core::Change& change, DeviceId device, const Attestation& attestation);
Result<std::vector<Attestation>> list_attestations(sql::Tx& tx, DeviceId device);  // newest first

std::string pcrs_text(const tpm::PcrValues& values);
Result<tpm::PcrValues> pcrs_of(std::string_view text);  // corrupt

}  // namespace holdfast::identity
