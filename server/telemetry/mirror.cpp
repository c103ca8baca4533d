#include "server/telemetry/mirror.hpp"

#include "libs/wire/json.hpp"

namespace holdfast::telemetry {
namespace {

// The sentence of an event: text, and the member whose value ends it ("" for none).
struct Sentence {
  std::string_view notice;
  std::string_view kind;
  std::string_view severity;
  std::string_view text;
  std::string_view member;
};
constexpr std::array kSentences{
    Sentence{"device.quarantined", "quarantine", "warning", "quarantined: ", "reason"},
    Sentence{"device.released", "release", "notice", "released from quarantine", ""},
    Sentence{"device.revoked", "revoke", "warning", "certificates revoked: ", "reason"},
    Sentence{"device.changed", "audit", "info", "changed by an operator", ""},
    Sentence{"device.inventory_changed", "inventory", "info", "reported a new inventory", ""},
    Sentence{"certificate.issued", "enrolled", "notice", "enrolled with certificate ", "serial"},
    Sentence{"certificate.renewed", "renewed", "info", "renewed its certificate: ", "serial"},
    Sentence{"command.changed", "command", "info", "command ", "new_state"},
    Sentence{"twin.desired_changed", "twin", "info", "desired state is now version ", "desired_version"},
};

}  // namespace

Result<std::optional<ServerEvent>> event_of(const core::Notice& notice) {
  for (const Sentence& sentence : kSentences) {
    if (sentence.notice != notice.name) continue;
    const auto json = TRY(wire::parse_json(notice.payload));
    const auto& body = *TRY(wire::as_object(json));
    ServerEvent event;
    event.device = TRY(DeviceId::parse(TRY(wire::get_string(body, "device_id"))));
    event.kind = sentence.kind;
    event.severity = sentence.severity;
    event.message = sentence.text;
    for (const auto& member : body) {
      if (member.key() == "device_id" || member.key() == "revision") continue;
      if (const auto value = wire::to_value(member.value())) {
        event.fields[member.key()] = *value;
        if (member.key() == sentence.member) {
          const auto* text = std::get_if<std::string>(&*value);
          event.message += text != nullptr ? *text : wire::value_text(*value);
        }
      } else {
        event.fields[member.key()] = wire::json_text(member.value());
      }
    }
    if (!notice.actor.empty()) event.fields["actor"] = notice.actor;
    if (notice.audit_seq) event.fields["audit_seq"] = *notice.audit_seq;
    return event;
  }
  return std::nullopt;
}

Status mirror_notices(core::Dispatcher& dispatcher, Intake& intake) {
  std::vector<std::string> names;
  for (const Sentence& sentence : kSentences) names.emplace_back(sentence.notice);
  return dispatcher.subscribe("telemetry.mirror", names, [&intake](core::Change&, const core::Notice& notice) -> Status {
    const auto event = TRY(event_of(notice));
    if (!event) return {};
    return intake.record_once(*event, notice.seq);
  });
}

}  // namespace holdfast::telemetry
