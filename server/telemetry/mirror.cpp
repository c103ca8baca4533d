#include "server/telemetry/mirror.hpp"

#include "libs/base/guarded.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::telemetry {
namespace {

// The sentence of an event: text, the member whose value follows it ("" for none), and after a
// colon another one's.
struct Sentence {
  std::string_view notice;
  std::string_view kind;
  std::string_view severity;
  std::string_view text;
  std::string_view member;
  std::string_view second = "";
};

std::string member_text(const wire::JsonObject& body, std::string_view name) {
  const auto* member = body.if_contains(name);
  if (member == nullptr) return "";
  const auto value = wire::to_value(*member);
  if (!value) return "";
  const auto* text = std::get_if<std::string>(&*value);
  return text != nullptr ? *text : wire::value_text(*value);
}

// Notices carry times as microseconds since 1970; whoever reads an event wants to read them.
constexpr std::string_view kTimes[] = {"not_after", "deadline"};

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
    Sentence{"command.changed", "command", "info", "command ", "name", "new_state"},
    Sentence{"twin.desired_changed", "twin", "info", "desired state is now version ",
             "desired_version"},
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
    if (!sentence.member.empty()) event.message += member_text(body, sentence.member);
    if (!sentence.second.empty()) event.message += ": " + member_text(body, sentence.second);
    for (const auto& member : body) {
      if (member.key() == "device_id" || member.key() == "revision") continue;
      const std::string_view name = member.key();
      if (member.value().is_int64() && std::ranges::find(kTimes, name) != std::end(kTimes)) {
        event.fields[member.key()] = to_rfc3339(WallTime{member.value().get_int64()});
      } else if (const auto value = wire::to_value(member.value())) {
        event.fields[member.key()] = *value;
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
  Together(std::size_t count, core::Dispatcher::Done done)
      : left_(Left{count, {}}), done_(std::move(done)) {}
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
  return dispatcher.deliver(
      "telemetry.mirror", names,
      [&intake](const std::vector<core::Notice>& notices, core::Dispatcher::Done done) {
        const auto together = std::make_shared<Together>(notices.size(), std::move(done));
        for (const core::Notice& notice : notices) {
          const auto event = event_of(notice);
          if (!event || !*event) {  // what cannot be read never can: it must not hold up the others
            together->one({});
            continue;
          }
          intake.record_once(**event, notice.seq,
                             [together](const Status& stored) { together->one(stored); });
        }
      });
}

}  // namespace holdfast::telemetry
