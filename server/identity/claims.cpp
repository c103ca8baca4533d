// What operators do with claims; the other half of Registrar.
#include "libs/crypto/hash.hpp"
#include "libs/est/claim_code.hpp"
#include "libs/wire/json.hpp"
#include "server/identity/json.hpp"
#include "server/identity/registrar.hpp"

namespace holdfast::identity {
namespace {

Error no_claim(const core::Caller& caller, std::string_view permission, ClaimId id) {
  return core::refuse_missing(caller, permission, "there is no claim " + id.text());
}

}  // namespace

Result<ClaimSecret> Registrar::create_claim(const core::Caller& caller, const NewClaim& wanted) {
  TRY(core::require_at(caller, "claim.write", wanted.site));
  return make_claim(caller, "create_claim", wanted, [](core::Change&, const Claim&) { return Status(); });
}

Result<ClaimSecret> Registrar::make_claim(const core::Caller& caller, std::string_view action, const NewClaim& wanted,
                                          const WithClaim& with) {
  if (wanted.life < kClaimLifeMin || wanted.life > kClaimLifeMax) {
    return std::unexpected(
        Error{Code::invalid_argument, "a claim lives from 60 seconds to 30 days", {}, {}, "/expires_in_s"});
  }
  if (!wanted.name.empty()) TRY(devices::check_name(wanted.name));
  TRY(devices::check_tags(wanted.tags));
  ClaimSecret out;
  std::array<std::uint8_t, est::kClaimRandomBytes> random{};
  store_.entropy().fill(random);
  out.secret = est::make_claim(random);
  const auto hash = crypto::sha256(view_of(out.secret));
  const Addresses addresses = this->addresses();
  out.code = TRY(est::encode_join_code(
      {addresses.device, addresses.mqtt, authority_.root().fingerprint, out.secret}));
  const Status created = store_.change(caller, action, [&](core::Change& change) -> Status {
    Claim& claim = out.claim;
    claim = {};
    claim.id = change.new_id<ClaimId>();
    claim.device_serial = wanted.device_serial;
    claim.type = wanted.type;
    claim.site = wanted.site;
    claim.name = wanted.name;
    claim.tags = wanted.tags;
    claim.for_device = wanted.for_device;
    claim.created_by = caller.id;
    claim.created_at = change.now();
    claim.expires_at = change.now() + wanted.life;
    claim.step(Step::code_shown).at = change.now();
    TRY(insert_claim(change, claim, hash));
    TRY(with(change, claim));
    core::NewJob expire;
    expire.kind = "claim.expire";
    expire.object = claim.id.text();
    expire.key = claim.id.text();
    expire.run_at = claim.expires_at;
    TRY(jobs_->schedule(change, expire));
    if (!claim.for_device) {  // else `with` has written what is done to the device
      TRY(change.audit(claim.id.text(), "", wire::json_text(claim_audit(claim, change.now()))));
    }
    change.keep_for_answer(wire::json_text(new_claim_json(claim, out.secret, out.code)));
    return change.notice("claim.created",
                         wire::json_text(wire::JsonObject{{"claim_id", claim.id.text()}, {"expires_at", claim.expires_at.us}}),
                         claim.site);
  });
  if (!created && created.error().code == Code::conflict && !wanted.for_device) {
    return std::unexpected(Error{Code::invalid_argument, "there is no such site or type", {}, {},
                                 wanted.site ? "/site_id" : "/type_id"});
  }
  if (!created) return std::unexpected(created.error());
  jobs_->wake();
  return out;
}

Status Registrar::revoke_claim(const core::Caller& caller, ClaimId id) {
  return store_.change(caller, "revoke_claim", [&](core::Change& change) -> Status {
    auto claim = TRY(find_claim(change.tx(), id));
    if (!claim) return std::unexpected(no_claim(caller, "claim.write", id));
    TRY(core::require_at(caller, "claim.write", claim->site));
    if (claim->spent) return fail(Code::claim_spent, "the claim was used: revoke the device instead");
    const std::string before = wire::json_text(claim_audit(*claim, change.now()));
    claim->revoked = true;
    TRY(update_claim(change.tx(), *claim));
    TRY(jobs_->cancel(change, "claim.expire", id.text()));
    TRY(change.audit(id.text(), before, wire::json_text(claim_audit(*claim, change.now()))));
    return change.notice("claim.revoked", wire::json_text(wire::JsonObject{{"claim_id", id.text()}}), claim->site);
  });
}

Result<Claim> Registrar::claim(const core::Caller& caller, ClaimId id) {
  std::optional<Claim> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(find_claim(tx, id));
    return {};
  }));
  if (!found) return std::unexpected(no_claim(caller, "claim.read", id));
  TRY(core::require_at(caller, "claim.read", found->site));
  return *std::move(found);
}

Result<std::vector<Claim>> Registrar::claims(const core::Caller& caller, const ClaimQuery& query) {
  const auto scope = TRY(core::site_filter(caller, "claim.read", "x.site_id"));
  std::vector<Claim> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(list_claims(tx, query, scope));
    return {};
  }));
  return found;
}

Result<std::uint64_t> Registrar::watch(ClaimId id, Watcher changed) {
  const auto number = watchers_.add(id, std::move(changed));
  if (!number) {
    return fail(Code::overloaded, "too many pages follow claims: ask for the claim instead");
  }
  return *number;
}

}  // namespace holdfast::identity
