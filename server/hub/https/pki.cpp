// What foreign verifiers fetch: CA certificates and CRLs (RFC 5280 4.2.1.13, 4.2.2.1), OCSP by GET
// and POST (RFC 6960 appendix A). All of it is public and signed, so it may also go in the clear.
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

// Caches between a verifier and us may be this much behind; we ourselves never are.
constexpr std::int64_t kCacheMaxS = 60;

void send_published(Asked& asked, const Result<identity::Published>& found) {
  if (!found) return refuse(asked, found.error());
  auto response = http::content(200, found->type, text_of(found->body));
  const bool get = asked.request.method != "POST";
  response.headers.set("Cache-Control", get && found->cacheable
                                            ? "public, max-age=" + std::to_string(kCacheMaxS)
                                            : std::string("no-store"));
  asked.responder.send(std::move(response));
}

}  // namespace

void serve_pki(Https& https, Asked asked) {
  send_published(asked, https.around().identity.published(asked.request.param("name")));
}

void serve_ocsp(Https& https, Asked asked) {
  send_published(asked, https.around().identity.ocsp(asked.request.body));
}

// "/ocsp/" and the request in base64. A slash of base64 should come as %2F; some send it bare.
void serve_ocsp_get(Https& https, Asked asked) {
  std::string text;
  for (std::size_t i = 1; i < asked.request.segments.size(); ++i) {
    text += (i > 1 ? "/" : "") + asked.request.segments[i];
  }
  const auto der = from_base64(text);
  send_published(asked, https.around().identity.ocsp(der ? View(*der) : View()));
}

}  // namespace holdfast::hub
