#include "server/identity/revocations.hpp"

namespace holdfast::identity {
namespace {

constexpr std::string_view kTypeCrl = "application/pkix-crl";
constexpr std::string_view kTypeCertificate = "application/pkix-cert";
constexpr std::string_view kTypeOcsp = "application/ocsp-response";

struct StoredList {
  std::int64_t number = 0;
  WallTime made_at, next_update;
  bool stale = false;
  Bytes der;
};

Result<std::optional<StoredList>> find_list(sql::Tx& tx, View issuer) {
  return tx.one("SELECT number,made_at,next_update,stale,der FROM crl WHERE issuer=?", {issuer}, [](sql::Row& row) {
    return StoredList{row.integer(0), row.time(1), row.time(2), row.boolean(3), row.blob(4)};
  });
}

crypto::RevocationReason reason_stored(std::optional<std::int64_t> code) {
  using enum crypto::RevocationReason;
  for (const auto known : {key_compromise, superseded, cessation_of_operation}) {
    if (code == static_cast<std::int64_t>(known)) return known;
  }
  return unspecified;
}

Result<std::vector<crypto::RevokedCertificate>> revoked_of(sql::Tx& tx, View issuer, WallTime now) {
  std::vector<crypto::RevokedCertificate> all;
  bool damaged = false;
  const auto take = [&](sql::Row& row) {
    auto serial = from_hex(row.text(0));
    damaged = damaged || !serial;
    all.push_back({serial.value_or(Bytes{}), row.time(1), reason_stored(row.maybe_integer(2))});
    return 0;
  };
  for (const std::string_view table : {"certificate", "authority_certificate"}) {
    TRY(tx.list("SELECT serial,revoked_at,revoked_reason FROM " + std::string(table) +
                    " WHERE issuer=? AND revoked_at IS NOT NULL AND not_after>? ORDER BY serial",
                {issuer, now - kCrlKeepExpired}, take));
  }
  if (damaged) return fail(Code::corrupt, "a certificate's serial is not hexadecimal");
  return all;
}

bool fresh(const StoredList& list, WallTime now) {
  if (now < list.made_at || now >= list.next_update) return false;
  if (list.stale) return now < list.made_at + kCrlMakeEvery;
  return now < list.made_at + Duration{kCrlLife.us / 2};
}

Published publish(const StoredList& list) {
  return {std::string(kTypeCrl), list.der, list.made_at, list.next_update, true};
}

Status keep(sql::Tx& tx, std::string_view kind, const crypto::Certificate& certificate, WallTime now) {
  TRY(tx.exec("INSERT INTO authority_certificate (serial,kind,issuer,der,not_after,issued_at) VALUES (?,?,?,?,?,?)"
              " ON CONFLICT (serial) DO NOTHING",
              {crypto::serial_text(certificate.serial), kind, certificate.authority_key_id, certificate.der,
               certificate.not_after, now}));
  return {};
}

}  // namespace

Revocations::Revocations(core::Store& store, Authority& authority, Metrics& metrics)
    : store_(store),
      authority_(authority),
      lists_(metrics.counter("holdfast_identity_crls_made_total", "Revocation lists signed")),
      answers_(metrics.counter("holdfast_identity_ocsp_answers_total", "OCSP answers signed")),
      refused_(metrics.counter("holdfast_identity_ocsp_refused_total", "OCSP requests without an answer")) {}

Status Revocations::begin() {
  return store_.record(core::Caller::system(), "authority.recorded", [&](core::Change& change) -> Status {
    // Rows of the first schema do not say who issued them: there was one issuer.
    TRY(change.tx().exec("UPDATE certificate SET issuer=? WHERE issuer IS NULL",
                         {authority_.issuing().subject_key_id}));
    TRY(keep(change.tx(), "issuing_ca", authority_.issuing(), change.now()));
    TRY(keep(change.tx(), "ocsp", authority_.responder().certificate, change.now()));
    return keep(change.tx(), "server", authority_.server_certificate(), change.now());
  });
}

Result<Published> Revocations::published(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  const std::string_view stem = name.substr(0, dot);
  const std::string_view ending = dot == std::string_view::npos ? "" : name.substr(dot);
  const bool issuing = stem == "issuing" || stem == publication_name(authority_.issuing());
  const bool root = stem == "root" || stem == publication_name(authority_.root());
  const crypto::Certificate& ca = issuing ? authority_.issuing() : authority_.root();
  if (!issuing && !root) return fail(Code::not_found, "there is no such CA");
  if (ending == ".cer") {
    return Published{std::string(kTypeCertificate), ca.der, ca.not_before, ca.not_after, true};
  }
  if (ending != ".crl") return fail(Code::not_found, "a CA has a .cer and a .crl");
  if (issuing) return list_of(authority_.issuer());
  const auto signer = authority_.root_issuer();
  if (!signer) return fail(Code::not_found, "the root is kept offline; its list is published from there");
  return list_of(*signer);
}

Result<Published> Revocations::list_of(const crypto::Issuer& issuer) {
  std::optional<StoredList> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(find_list(tx, issuer.certificate.subject_key_id));
    return {};
  }));
  if (found && fresh(*found, store_.clock().wall())) return publish(*found);
  return renew_list(issuer);
}

Result<Published> Revocations::renew_list(const crypto::Issuer& issuer) {
  const Bytes& id = issuer.certificate.subject_key_id;
  StoredList made;
  const auto make = [&](core::Change& change) -> Status {
    const WallTime now{change.now().us / 1'000'000 * 1'000'000};
    const auto before = TRY(find_list(change.tx(), id));
    if (before && fresh(*before, change.now())) {  // another was faster
      made = *before;
      return {};
    }
    crypto::CrlSpec spec;
    spec.number = static_cast<std::uint64_t>(before ? before->number + 1 : 1);
    spec.this_update = now;
    spec.next_update = std::min(now + kCrlLife, issuer.certificate.not_after);
    spec.revoked = TRY(revoked_of(change.tx(), id, change.now()));
    made = {static_cast<std::int64_t>(spec.number), change.now(), spec.next_update, false,
            TRY(crypto::make_crl(spec, issuer))};
    TRY(change.tx().exec("INSERT INTO crl (issuer,number,made_at,next_update,stale,der) VALUES (?,?,?,?,FALSE,?)"
                         " ON CONFLICT (issuer) DO UPDATE SET number=excluded.number,made_at=excluded.made_at,"
                         "next_update=excluded.next_update,stale=FALSE,der=excluded.der",
                         {id, made.number, made.made_at, made.next_update, made.der}));
    lists_.add();
    return {};
  };
  TRY(store_.record(core::Caller::system(), "crl.made", make));
  return publish(made);
}

Result<Revocations::Standing> Revocations::standing(sql::Tx& tx, View serial, View issuer) {
  const std::string text = crypto::serial_text(serial);
  for (const std::string_view table : {"certificate", "authority_certificate"}) {
    const auto found = TRY(tx.one(
        "SELECT revoked_at,revoked_reason FROM " + std::string(table) + " WHERE serial=? AND issuer=?", {text, issuer},
        [](sql::Row& row) {
          Standing out;
          const auto at = row.maybe_time(0);
          out.status = at ? crypto::OcspStatus::revoked : crypto::OcspStatus::good;
          out.revoked_at = at.value_or(WallTime{});
          out.reason = reason_stored(row.maybe_integer(1));
          return out;
        }));
    if (found) return *found;
  }
  return Standing{};
}

Published Revocations::failure(crypto::OcspFailure why) {
  refused_.add();
  const WallTime now = store_.clock().wall();
  return {std::string(kTypeOcsp), crypto::make_ocsp_failure(why), now, now, false};
}

Result<Published> Revocations::ocsp(View request_der) {
  const auto request = crypto::parse_ocsp_request(request_der);
  if (!request) return failure(crypto::OcspFailure::malformed_request);
  const WallTime now{store_.clock().wall().us / 1'000'000 * 1'000'000};
  crypto::OcspAnswers answers;
  answers.this_update = now;
  answers.next_update = now + kOcspLife;
  answers.nonce = request->nonce;
  // One signer an answer: all ids must be of one CA (RFC 6960 2.4 lets us say that we do not answer).
  const bool root = crypto::names_issuer(request->certificates.front(), authority_.root());
  const auto root_signer = root ? authority_.root_issuer() : std::nullopt;
  if (root && !root_signer) return failure(crypto::OcspFailure::unauthorized);
  const crypto::Certificate& issuer = root ? authority_.root() : authority_.issuing();
  for (const auto& id : request->certificates) {
    if (!crypto::names_issuer(id, issuer)) return failure(crypto::OcspFailure::unauthorized);
  }
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    for (const auto& id : request->certificates) {
      const Standing found = TRY(standing(tx, id.serial, issuer.subject_key_id));
      answers.answers.push_back({id.der, found.status, found.revoked_at, found.reason});
    }
    return {};
  }));
  const Bytes der = TRY(crypto::make_ocsp_response(answers, root ? *root_signer : authority_.responder()));
  answers_.add();
  return Published{std::string(kTypeOcsp), der, now, answers.next_update, !request->nonce};
}

}  // namespace holdfast::identity
