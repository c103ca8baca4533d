// Devices that prove their key by a TPM (contract/device-protocol.md 3.7 and 3.8): JSON in and out,
// decisions by identity.
#include "libs/wire/json.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

Result<wire::Json> body_of(const Asked& asked) {
  auto body = wire::parse_json(asked.request.body, wire::kJsonDevice);
  if (!body) return std::unexpected(wire::as_payload(body.error()));
  return body;
}

void answer(Asked& asked, int status, const Result<wire::Json>& result) {
  if (!result) return refuse(asked, result.error());
  auto response = http::json(status, wire::json_text(*result));
  response.headers.set("Cache-Control", "no-store");
  asked.responder.send(std::move(response));
}

}  // namespace

void serve_attest_begin(Https& https, Asked asked) {
  const auto body = body_of(asked);
  if (!body) return refuse(asked, body.error());
  answer(asked, 201, https.around().identity.attest_begin(*body, asked.request.peer.address));
}

void serve_attest_finish(Https& https, Asked asked) {
  const auto body = body_of(asked);
  if (!body) return refuse(asked, body.error());
  answer(asked, 200,
         https.around().identity.attest_finish(asked.request.param("id"), *body,
                                               asked.request.peer.address));
}

void serve_check_begin(Https& https, Asked asked) {
  answer(asked, 201, https.around().identity.check_begin(asked.device));
}

void serve_check_finish(Https& https, Asked asked) {
  const auto body = body_of(asked);
  if (!body) return refuse(asked, body.error());
  answer(asked, 200,
         https.around().identity.check_finish(asked.device, asked.request.param("id"), *body));
}

}  // namespace holdfast::hub
