#include "agent/join/enrolment.hpp"

#include <algorithm>

#include "agent/join/state_folder.hpp"
#include "libs/crypto/aead.hpp"
#include "libs/crypto/csr.hpp"
#include "libs/crypto/hash.hpp"
#include "libs/crypto/verify.hpp"
#include "libs/est/est.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kProgramName = "holdfast-agent";

std::string target_of(std::string_view operation) {
  return std::string(est::kRoot) + "/" + std::string(operation);
}

}  // namespace

Result<Bytes> root_among(const std::vector<Bytes>& certificates_der,
                         const std::array<std::uint8_t, 32>& fingerprint) {
  for (const Bytes& der : certificates_der) {
    if (crypto::sha256(der) != fingerprint) continue;
    const auto certificate = TRY(crypto::parse_certificate(der));
    if (!certificate.self_issued()) break;
    return der;
  }
  return fail(Code::server_untrusted,
              "the server does not show the root certificate that the join code names; the code is "
              "of another server, or somebody sits in between: make a new code and compare");
}

Result<Issued> check_issued(const Bytes& certificate_der, const Bytes& csr_der,
                            const Bytes& root_der, const std::vector<Bytes>& others, WallTime now) {
  const auto leaf = TRY(crypto::parse_certificate(certificate_der));
  const auto csr = TRY(crypto::parse_csr(csr_der));
  if (leaf.spki_der != csr.key.spki_der()) {
    return fail(Code::certificate_invalid, "the server certified another key than ours; try again");
  }
  TRY(DeviceId::parse(leaf.subject_cn));
  const auto trust = TRY(crypto::TrustStore::make({root_der}));
  crypto::Verification how;
  how.now = now;
  how.check_times = clock_trusted(now);
  TRY(trust->verify(certificate_der, others, how));
  return Issued{leaf.subject_cn, certificate_der, root_der, leaf.not_before, leaf.not_after};
}

Enrolment::Enrolment(os::System system, os::Loop& loop, crypto::Transport& transport,
                     EnrolmentRequest request)
    : system_(system), loop_(loop), transport_(transport), request_(std::move(request)) {}

Enrolment::~Enrolment() {
  *alive_ = false;
  crypto::wipe({reinterpret_cast<std::uint8_t*>(request_.claim.data()), request_.claim.size()});
}

crypto::ClientSettings Enrolment::settings() const {
  crypto::ClientSettings out;
  out.check_times = clock_trusted(system_.clock.wall());
  out.server_name = request_.server.host;
  if (request_.root_der.empty()) {
    // First contact: only to fetch CAs, which root_among() checks (section 2).
    out.unverified = true;
    out.server_name.clear();
  } else {
    out.trust_der = {request_.root_der};
    out.credential = request_.credential;
  }
  return out;
}

void Enrolment::run(Done done) {
  done_ = std::move(done);
  client_ = std::make_unique<http::Client>(loop_, transport_, request_.server, settings());
  http::ClientRequest get;
  get.target = target_of("cacerts");
  get.headers = {{"User-Agent", std::string(kProgramName)}};
  get.deadline = loop_.clock().mono() + kAnswerLimit;
  get.body_max = kAnswerBytesMax;
  client_->send(std::move(get), [this](auto response) { got_cas(std::move(response)); });
}

Result<std::vector<Bytes>> Enrolment::certificates(Result<http::ClientResponse> response) {
  if (!response) return std::unexpected(response.error());
  if (const auto problem = http::problem_of(*response)) retry_after_s_ = problem->retry_after_s;
  if (response->status != 200) {
    Error error = http::error_of(*response);
    if (response->status < 400) {
      error = Error{Code::protocol_error,
                    "status " + std::to_string(response->status) + " in place of certificates",
                    {},
                    {},
                    {}};
    }
    return std::unexpected(std::move(error));
  }
  return est::parse_certificates_body(response->body);
}

void Enrolment::got_cas(Result<http::ClientResponse> response) {
  auto cas = certificates(std::move(response));
  if (!cas)
    return finish(
        with_context(Result<Issued>(std::unexpected(cas.error())), "fetching the CA certificates"));
  cas_ = *std::move(cas);
  if (request_.root_der.empty()) {
    auto root = root_among(cas_, request_.root_fingerprint.value_or(crypto::Sha256{}));
    if (!root) return finish(std::unexpected(root.error()));
    request_.root_der = *std::move(root);
  }
  // Not inside the client's own callback: post_request() replaces the client.
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    if (request_.tpm != nullptr) return begin_attestation();
    post_request();
  });
}

void Enrolment::post_request() {
  client_ = std::make_unique<http::Client>(loop_, transport_, request_.server, settings());
  http::ClientRequest post;
  post.method = "POST";
  post.target = target_of(request_.claim.empty() ? "simplereenroll" : "simpleenroll");
  post.headers = {{"User-Agent", std::string(kProgramName)},
                  {"Content-Type", std::string(est::kTypePkcs10)},
                  {"Content-Transfer-Encoding", "base64"}};
  if (!request_.claim.empty()) {
    post.headers.add("Authorization", "Basic " + to_base64(view_of("claim:" + request_.claim)));
  }
  post.body = bytes_of(est::enrolment_body(request_.csr_der));
  post.deadline = loop_.clock().mono() + kAnswerLimit;
  post.body_max = kAnswerBytesMax;
  client_->send(std::move(post), [this](auto response) { got_certificate(std::move(response)); });
}

void Enrolment::got_certificate(Result<http::ClientResponse> response) {
  const auto issued = certificates(std::move(response));
  if (!issued) {
    return finish(
        with_context(Result<Issued>(std::unexpected(issued.error())), "asking for a certificate"));
  }
  finish(with_context(check_issued(issued->front(), request_.csr_der, request_.root_der, cas_,
                                   system_.clock.wall()),
                      "checking the certificate that the server issued"));
}

void Enrolment::finish(Result<Issued> result) {
  loop_.post([this, alive = alive_, result = std::move(result)]() mutable {
    if (!*alive || !done_) return;
    Done done = std::exchange(done_, nullptr);
    done(std::move(result));
  });
}

}  // namespace holdfast::agent
