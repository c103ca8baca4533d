// Revocations: what the CAs say about certificates that they issued: lists (RFC 5280 5) and answers
// (RFC 6960). A list is kept in SQL, so that every process serves the same bytes and its number only
// rises; it is made anew when something was revoked since (at most twice a second, however often it is
// asked for), or when half of its life is over.
// Threads: any; calls block on SQL.
#pragma once

#include <optional>
#include <string_view>

#include "libs/base/metrics.hpp"
#include "libs/crypto/ocsp.hpp"
#include "server/core/change.hpp"
#include "server/identity/authority.hpp"
#include "server/identity/service.hpp"

namespace holdfast::identity {

inline constexpr Duration kCrlLife = hours(24);
inline constexpr Duration kCrlMakeEvery = milliseconds(500);
inline constexpr Duration kOcspLife = hours(1);
// A revoked certificate leaves the list this long after its end (RFC 5280 3.3).
inline constexpr Duration kCrlKeepExpired = days(2);

class Revocations final {
 public:
  Revocations(core::Store& store, Authority& authority, Metrics& metrics);

  // Records what the authority holds beside device certificates (its server, responder and issuing CA), so
  // that OCSP knows them. Again after each of them was renewed.
  Status begin();
  Result<Published> published(std::string_view name);
  Result<Published> ocsp(View request_der);

 private:
  struct Standing {
    crypto::OcspStatus status = crypto::OcspStatus::unknown;
    WallTime revoked_at;
    crypto::RevocationReason reason = crypto::RevocationReason::unspecified;
  };
  Result<Published> list_of(const crypto::Issuer& issuer);
  Result<Published> renew_list(const crypto::Issuer& issuer);
  Result<Standing> standing(sql::Tx& tx, View serial, View issuer);
  Published failure(crypto::OcspFailure why);

  core::Store& store_;
  Authority& authority_;
  Counter& lists_;
  Counter& answers_;
  Counter& refused_;
};

}  // namespace holdfast::identity
