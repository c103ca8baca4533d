#include "server/telemetry/mirror.hpp"

#include "libs/base/guarded.hpp"
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
    Sentence{"device.decommissioned", "decommission", "warning", "decommissioned: ", "reason"},
    Sentence{"device.erased", "erased", "notice", "proved that it erased itself, with certificate ", "certificate"},
    Sentence{"device.erase_overdue", "erase_overdue", "error", "has not proved its erasure by the deadline", ""},
    Sentence{"device.replaced", "replaced", "warning", "other hardware took its place, with serial ", "new_serial"},
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

namespace {

// Calls `done` when all of a delivery's events are durable, with the first error if there was one.
class Together {
 public:
  Together(std::size_t count, core::Dispatcher::Done done) : left_(Left{count, {}}), done_(std::move(done)) {}
  void one(const Status& stored) {
    const std::optional<Status> all = left_.with([&](Left& left) -> std::optional<Status> {
      if (left.result && !stored) left.result = stored;
      if (--left.count > 0) return std::nullopt;
      return left.result;
    });
    if (all) done_(*all);
  }

 private:
  struct Left {
    std::size_t count;
    Status result;
  };
  Guarded<Left> left_;
  core::Dispatcher::Done done_;
};

}  // namespace

Status mirror_notices(core::Dispatcher& dispatcher, Intake& intake) {
  std::vector<std::string> names;
  for (const Sentence& sentence : kSentences) names.emplace_back(sentence.notice);
  return dispatcher.deliver("telemetry.mirror", names, [&intake](const std::vector<core::Notice>& notices,
                                                                 core::Dispatcher::Done done) {
    const auto together = std::make_shared<Together>(notices.size(), std::move(done));
    for (const core::Notice& notice : notices) {
      const auto event = event_of(notice);
      if (!event || !*event) {  // what cannot be read never can: it must not hold up the others
        together->one({});
        continue;
      }
      intake.record_once(**event, notice.seq, [together](const Status& stored) { together->one(stored); });
    }
  });
}

}  // namespace holdfast::telemetry
