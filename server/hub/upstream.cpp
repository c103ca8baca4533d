#include "server/hub/upstream.hpp"

#include "libs/wire/json.hpp"
#include "server/hub/payloads.hpp"

namespace holdfast::hub {
namespace {

constexpr Rate kMalformedEvents{20, 200};           // of all devices, on timelines
constexpr std::size_t kMalformedBytesKept = 1'024;  // of a payload that does not parse

std::string topic_text(UpTopic topic) {
  switch (topic.kind) {
    case Up::telemetry:
      return "telemetry/" + std::string(topic.name);
    case Up::event:
      return "event/" + std::string(topic.name);
    case Up::reply:
      return "reply/" + std::string(topic.name);
    case Up::twin_reported:
      return "twin/reported";
    default:
      return std::string(name_of(topic.kind));
  }
}

}  // namespace

bool one_at_a_time(Up kind) {
  return kind == Up::hello || kind == Up::inventory || kind == Up::twin_reported ||
         kind == Up::reply;
}

Upstream::Upstream(const os::Clock& clock, os::Workers& workers, devices::Service& devices,
                   control::Service& control, telemetry::Service& telemetry, Metrics& metrics)
    : clock_(clock),
      workers_(workers),
      devices_(devices),
      control_(control),
      telemetry_(telemetry),
      overloaded_(metrics.counter("holdfast_hub_messages_overloaded_total",
                                  "Messages up that found no room")),
      malformed_(
          metrics.counter("holdfast_hub_payloads_malformed_total", "Payloads that did not parse")),
      suppressed_(metrics.counter("holdfast_hub_events_suppressed_total",
                                  "Entries left out of timelines because there were too many")),
      events_(Bucket(kMalformedEvents, clock.mono())) {
  for (std::size_t i = 0; i < kUpKinds; ++i) {
    messages_[i] = &metrics.counter("holdfast_hub_messages_up_total", "Messages from devices",
                                    "kind=\"" + std::string(name_of(static_cast<Up>(i))) + "\"");
  }
}

void Upstream::submit(const UpMessage& message, telemetry::Done done) {
  messages_[static_cast<std::size_t>(message.topic.kind)]->add();
  switch (message.topic.kind) {
    case Up::telemetry:
      return telemetry_.reading(message.device, message.topic.name, message.payload,
                                message.delivery, std::move(done));
    case Up::event:
      return telemetry_.event(message.device, message.topic.name, message.payload, message.delivery,
                              std::move(done));
    case Up::log:
      return telemetry_.log(message.device, message.payload, message.delivery, std::move(done));
    default:
      return work(message, std::move(done));
  }
}

void Upstream::work(const UpMessage& message, telemetry::Done done) {
  auto shared =
      std::make_shared<telemetry::Done>(std::move(done));  // to answer when there is no room
  const bool taken =
      workers_.post([self = shared_from_this(), shared, device = message.device,
                     kind = message.topic.kind, name = std::string(message.topic.name),
                     payload = Bytes(message.payload.begin(), message.payload.end())] {
        (*shared)(self->handle(device, {kind, name}, payload));
      });
  if (taken) return;
  overloaded_.add();
  (*shared)(fail(Code::overloaded, "all workers are busy"));
}

Status Upstream::handle(DeviceId device, UpTopic topic, View payload) {
  const Status status = [&]() -> Status {
    switch (topic.kind) {
      case Up::hello:
        return devices_.hello(device, TRY(parse_hello(payload)));
      case Up::inventory:
        return devices_.inventory(device, TRY(parse_inventory(payload)));
      case Up::twin_reported:
        return control_.twin_reported(device, payload);
      case Up::reply:
        return control_.reply(device, topic.name, payload);
      default:
        return fail(Code::internal, "this kind of message has a way of its own");
    }
  }();
  if (status) return status;
  if (status.error().code == Code::payload_malformed) malformed_.add();
  const bool refused = topic.kind == Up::reply && status.error().code == Code::topic_refused;
  if (refused || status.error().code == Code::payload_malformed)
    keep_as_event(device, topic, payload, status.error());
  return status;
}

void Upstream::keep_as_event(DeviceId device, UpTopic topic, View payload, const Error& why) {
  const auto now = clock_.mono();
  if (!events_.with([&](Bucket& bucket) { return bucket.may(now); })) return suppressed_.add();
  const bool malformed = why.code == Code::payload_malformed;
  telemetry::ServerEvent event{
      device, malformed ? "payload_malformed" : "refused", "warning", why.text(), {}};
  event.fields.emplace("topic", topic_text(topic));
  event.fields.emplace("code", std::string(row_of(why.code).name));
  if (malformed) {
    event.fields.emplace("payload_base64",
                         to_base64(payload.first(std::min(payload.size(), kMalformedBytesKept))));
    event.fields.emplace("payload_bytes", static_cast<std::int64_t>(payload.size()));
  }
  telemetry_.record(std::move(event));
}

}  // namespace holdfast::hub
