// The last thing that a device does (contract/device-protocol.md, section 13): it fetches the order
// to erase itself, and proves that it did. Its certificate is revoked by then; the key still proves
// it.
#include "libs/wire/json.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {

void serve_erase_order(Https& https, Asked asked) {
  const auto order = https.around().identity.erase_order(*asked.request.peer.certificate_der);
  if (!order) return refuse(asked, order.error());
  auto response =
      http::json(200, wire::json_text(wire::JsonObject{{"device_id", order->device.text()},
                                                       {"nonce", order->nonce},
                                                       {"deadline", to_rfc3339(order->deadline)}}));
  response.headers.set("Cache-Control", "no-store");
  asked.responder.send(std::move(response));
}

void serve_erase_proof(Https& https, Asked asked) {
  const auto read = [&]() -> Result<std::pair<Bytes, Bytes>> {
    const auto json = TRY(wire::parse_json(text_of(asked.request.body)));
    const auto& body = *TRY(wire::as_object(json));
    return std::pair{TRY(from_base64(TRY(wire::get_string(body, "statement")))),
                     TRY(from_base64(TRY(wire::get_string(body, "signature"))))};
  }();
  if (!read) return refuse(asked, wire::as_payload(read.error()));
  const auto taken = https.around().identity.erase_proven(*asked.request.peer.certificate_der,
                                                          read->first, read->second);
  if (!taken) return refuse(asked, taken.error());
  asked.responder.send(http::no_content());
}

}  // namespace holdfast::hub
