// Enrolment over Secure Transport (RFC 7030, RFC 8951): bodies by libs/est, decisions by identity.
#include "libs/est/est.hpp"
#include "libs/est/claim_code.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

constexpr std::string_view kClaimUser = "claim";
constexpr std::string_view kBasic = "basic ";
constexpr std::string_view kWaitingUser = "waiting:";

std::string_view user_agent(const Asked& asked) {
  return asked.request.header("User-Agent").value_or("");
}

http::Response est_content(std::string_view type, std::string body) {
  auto response = http::content(200, type, body);
  response.headers.set("Content-Transfer-Encoding", "base64");
  return response;
}

// The claim of `Authorization: Basic base64("claim:" + claim)` (RFC 7617).
Result<std::string> claim_of(const http::Request& request) {
  const auto header = request.header("Authorization");
  if (!header)
    return fail(Code::unauthenticated,
                "send the claim: HTTP Basic, user `claim`, password the claim");
  const auto scheme = header->substr(0, kBasic.size());
  if (!http::same_name(scheme, kBasic))
    return fail(Code::unauthenticated, "the claim comes by HTTP Basic");
  const auto decoded = from_base64(header->substr(kBasic.size()));
  if (!decoded) return fail(Code::unauthenticated, "Authorization is not base64");
  const auto text = text_of(*decoded);
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || text.substr(0, colon) != kClaimUser) {
    return fail(Code::unauthenticated, "the user of HTTP Basic is `claim`");
  }
  return std::string(text.substr(colon + 1));
}

void refuse_claim(Asked& asked, const Error& error) {
  auto response = http::problem(
      error, {asked.request.path, asked.request.request_id,
              error.code == Code::rate_limited ? std::optional<std::int64_t>(60) : std::nullopt});
  if (response.status == 401) response.headers.set("WWW-Authenticate", "Basic realm=\"holdfast\"");
  asked.responder.send(std::move(response));
}

void send_certificate(Asked& asked, Result<Bytes> der) {
  if (!der) return refuse_claim(asked, der.error());
  asked.responder.send(
      est_content(est::kTypeCertsOnly, est::certificates_body({*der}, user_agent(asked))));
}

// No claim: where unknown devices may wait, it is told to (RFC 7030 4.2.3). libest asks without
// credentials first and means nothing by it; whoever wants to wait there says so as user `waiting`.
bool wants_to_wait(const http::Request& request) {
  const auto header = request.header("Authorization");
  if (!header) return !request.header("User-Agent").value_or("").starts_with("libest");
  if (!http::same_name(header->substr(0, kBasic.size()), kBasic)) return false;
  const auto decoded = from_base64(header->substr(std::min(header->size(), kBasic.size())));
  return decoded && text_of(*decoded).starts_with(kWaitingUser);
}

void serve_unknown(Https& https, Asked asked) {
  const auto csr = est::parse_request_body(asked.request.body);
  if (!csr) return refuse(asked, csr.error());
  const auto answer = https.around().identity.enrol_unknown(*csr, asked.request.peer.address);
  if (!answer) return refuse_claim(asked, answer.error());
  if (answer->certificate) return send_certificate(asked, *answer->certificate);
  auto response = http::content(202, "text/plain; charset=utf-8", "wait for an approval\n");
  response.headers.set("Retry-After", std::to_string(answer->retry_after.us / 1'000'000));
  asked.responder.send(std::move(response));
}

}  // namespace

void serve_cacerts(Https& https, Asked asked) {
  const auto chain = https.around().identity.ca_chain_der();
  if (!chain) return refuse(asked, chain.error());
  asked.responder.send(
      est_content(est::kTypeCertificates, est::certificates_body(*chain, user_agent(asked))));
}

void serve_csrattrs(Https&, Asked asked) {
  asked.responder.send(
      est_content(est::kTypeCsrAttributes, est::csr_attributes_body(user_agent(asked))));
}

void serve_enroll(Https& https, Asked asked) {
  if (wants_to_wait(asked.request)) return serve_unknown(https, std::move(asked));
  const auto claim = claim_of(asked.request);
  if (!claim) return refuse_claim(asked, claim.error());
  const auto csr = est::parse_request_body(asked.request.body);
  if (!csr) return refuse(asked, csr.error());
  send_certificate(asked,
                   https.around().identity.enrol({*claim, *csr, asked.request.peer.address}));
}

void serve_reenroll(Https& https, Asked asked) {
  const auto csr = est::parse_request_body(asked.request.body);
  if (!csr) return refuse(asked, csr.error());
  const auto& peer = asked.request.peer;
  const auto renewed = https.around().identity.renew(*peer.certificate_der, *csr, peer.address);
  if (!renewed) return refuse(asked, renewed.error());
  send_certificate(asked, *renewed);
}

}  // namespace holdfast::hub
