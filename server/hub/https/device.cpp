// The device routes (contract/device-protocol.md, section 9): the same messages as by MQTT, on the
// same way to the domains.
#include "libs/http/conditional.hpp"
#include "server/hub/https/https.hpp"

namespace holdfast::hub {
namespace {

// 204 when stored.
void submit(Https& https, Asked asked, Up kind, std::string_view name) {
  if (!name.empty() && !valid_name(name)) {
    return refuse(asked, failure(Code::not_found, "a name is 1 to 64 of A-Z a-z 0-9 _ -"));
  }
  telemetry::Delivery delivery;
  if (const auto type = asked.request.header("Content-Type")) delivery.content_type = *type;
  const auto shared = std::make_shared<Asked>(std::move(asked));
  const UpMessage message{shared->device, {kind, name}, shared->request.body, std::move(delivery)};
  https.around().upstream->submit(message, [shared](Status status) {
    if (!status) return refuse(*shared, status.error());
    shared->responder.send(http::no_content());
  });
}

std::string name_from(const Asked& asked, std::string_view parameter) {
  const auto name = asked.request.param(parameter);
  return name.empty() ? "?"
                      : std::string(name);  // an empty name is refused like any other wrong one
}

}  // namespace

void serve_hello(Https& https, Asked asked) {
  submit(https, std::move(asked), Up::hello, {});
}
void serve_inventory(Https& https, Asked asked) {
  submit(https, std::move(asked), Up::inventory, {});
}
void serve_log(Https& https, Asked asked) {
  submit(https, std::move(asked), Up::log, {});
}
void serve_reported(Https& https, Asked asked) {
  submit(https, std::move(asked), Up::twin_reported, {});
}

void serve_event(Https& https, Asked asked) {
  const auto name = name_from(asked, "name");
  submit(https, std::move(asked), Up::event, name);
}
void serve_telemetry(Https& https, Asked asked) {
  const auto name = name_from(asked, "stream");
  submit(https, std::move(asked), Up::telemetry, name);
}
void serve_reply(Https& https, Asked asked) {
  const auto name = name_from(asked, "id");
  submit(https, std::move(asked), Up::reply, name);
}

void serve_twin(Https& https, Asked asked) {
  const auto twin = https.around().control.twin(asked.device);
  if (!twin) return refuse(asked, twin.error());
  const auto tag = http::etag(static_cast<std::uint64_t>(twin->version));
  http::Response response;
  if (http::none_match_hits(asked.request, tag)) {
    response.status = 304;
  } else {
    response = http::json(200, "{\"version\":" + std::to_string(twin->version) +
                                   ",\"desired\":" + string_of(twin->desired) +
                                   ",\"reported\":" + string_of(twin->reported) + "}");
  }
  response.headers.set("ETag", tag);
  asked.responder.send(std::move(response));
}

// `delivered` first: a crash before the mailbox knows lets the message come once more.
void serve_ack(Https& https, Asked asked) {
  auto& around = https.around();
  const std::string key(asked.request.param("id"));
  const auto told = around.control.delivered(asked.device, key, around.now().wall);
  if (!told && told.error().code != Code::conflict) return refuse(asked, told.error());
  if (!key.starts_with("command:")) {  // a command that was delivered is not offered again
    const auto kept = around.sessions->mailbox_settle(asked.device, key);
    if (!kept) return refuse(asked, kept.error());
  }
  asked.responder.send(http::no_content());
}

}  // namespace holdfast::hub
