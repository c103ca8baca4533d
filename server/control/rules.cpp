#include "server/control/rules.hpp"

#include <algorithm>

namespace holdfast::control {
namespace {

struct StateName {
  CommandState state;
  std::string_view name;
};
constexpr std::array kNames{
    StateName{CommandState::queued, "queued"},
    StateName{CommandState::sent, "sent"},
    StateName{CommandState::delivered, "delivered"},
    StateName{CommandState::succeeded, "succeeded"},
    StateName{CommandState::failed, "failed"},
    StateName{CommandState::expired, "expired"},
    StateName{CommandState::cancelled, "cancelled"},
};

// How far a command has come: it only moves forward, and what has ended stays.
int rank(CommandState state) {
  switch (state) {
    case CommandState::queued:
      return 0;
    case CommandState::sent:
      return 1;
    case CommandState::delivered:
      return 2;
    case CommandState::succeeded:
    case CommandState::failed:
    case CommandState::expired:
    case CommandState::cancelled:
      return 3;
  }
  return 3;
}

std::size_t depth_of(const wire::Json& json) {
  std::size_t below = 0;
  if (const auto* object = json.if_object()) {
    for (const auto& member : *object) below = std::max(below, depth_of(member.value()));
  } else if (const auto* array = json.if_array()) {
    for (const auto& item : *array) below = std::max(below, depth_of(item));
  } else {
    return 0;
  }
  return below + 1;
}

void compare(const wire::Json& desired, const wire::Json* reported, const std::string& at,
             std::vector<Difference>& out) {
  if (reported != nullptr && *reported == desired) return;
  const auto* wanted = desired.if_object();
  const auto* given = reported == nullptr ? nullptr : reported->if_object();
  if (wanted != nullptr && given != nullptr) {
    for (const auto& member : *wanted) {
      compare(member.value(), given->if_contains(member.key()), wire::pointer_to(at, member.key()),
              out);
    }
    return;
  }
  out.push_back({at, desired, reported == nullptr ? std::nullopt : std::optional(*reported)});
}

}  // namespace

std::string_view name_of(CommandState state) {
  for (const StateName& row : kNames) {
    if (row.state == state) return row.name;
  }
  return "queued";
}

std::optional<CommandState> command_state_named(std::string_view name) {
  for (const StateName& row : kNames) {
    if (row.name == name) return row.state;
  }
  return std::nullopt;
}

bool has_ended(CommandState state) {
  return rank(state) == 3;
}

bool may_follow(CommandState from, CommandState to) {
  return rank(from) < rank(to);
}

Status check_command_name(std::string_view name) {
  const bool fine = !name.empty() && name.size() <= kCommandNameMax &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
                    });
  if (fine) return {};
  return std::unexpected(Error{
      Code::invalid_argument, "a command's name has 1 to 64 of A-Z a-z 0-9 _ -", {}, {}, "/name"});
}

wire::Json merge_patch(const wire::Json& target, const wire::Json& patch) {
  const auto* changes = patch.if_object();
  if (changes == nullptr) return patch;
  wire::JsonObject merged = target.is_object() ? *target.if_object() : wire::JsonObject{};
  for (const auto& change : *changes) {
    if (change.value().is_null()) {
      merged.erase(change.key());
      continue;
    }
    const wire::Json* now = merged.if_contains(change.key());
    merged[change.key()] = merge_patch(now == nullptr ? wire::Json(nullptr) : *now, change.value());
  }
  return merged;
}

Status check_twin(const wire::Json& document, std::string_view what, std::size_t depth_max) {
  if (!document.is_object())
    return fail(Code::invalid_argument, std::string(what) + " is a JSON object");
  if (depth_of(document) > depth_max) {
    return fail(Code::invalid_argument,
                std::string(what) + " is at most " + std::to_string(depth_max) + " deep");
  }
  if (wire::json_text(document).size() > kTwinBytesMax) {
    return fail(Code::body_too_large, std::string(what) + " has at most 65536 bytes");
  }
  return {};
}

Status check_payload(const wire::Json& payload) {
  const auto wrong = [](Code code, std::string message) {
    return std::unexpected(Error{code, std::move(message), {}, {}, "/payload"});
  };
  if (depth_of(payload) > kDownDepthMax) {
    return wrong(Code::invalid_argument, "a command's payload is at most 15 deep");
  }
  if (wire::json_text(payload).size() > kPayloadBytesMax) {
    return wrong(Code::body_too_large, "a command's payload has at most 65536 bytes");
  }
  return {};
}

std::vector<Difference> differences(const wire::Json& desired, const wire::Json& reported) {
  std::vector<Difference> out;
  compare(desired, &reported, "", out);
  return out;
}

Result<Reply> parse_reply(View payload) {
  if (payload.size() > kPayloadBytesMax)
    return fail(Code::payload_too_large, "a reply has at most 65536 bytes");
  const auto json = wire::parse_json(payload, wire::kJsonDevice);
  if (!json) return std::unexpected(wire::as_payload(json.error()));
  const auto malformed = [](Error error) {
    return std::unexpected(wire::as_payload(std::move(error)));
  };
  const auto object = wire::as_object(*json);
  if (!object) return malformed(object.error());
  const auto status = wire::get_string(**object, "status");
  if (!status) return malformed(status.error());
  if (*status != "ok" && *status != "failed")
    return fail(Code::payload_malformed, "status is \"ok\" or \"failed\"");
  Reply reply;
  reply.ok = *status == "ok";
  if (const wire::Json* result = (*object)->if_contains("result")) reply.result = *result;
  const auto error = wire::find_object(**object, "error");
  if (!error) return malformed(error.error());
  if (*error != nullptr) {
    const auto message = wire::get_string(**error, "message", "/error");
    if (!message) return malformed(message.error());
    reply.error = **error;
  }
  if (!reply.ok && reply.error.is_null()) {
    reply.error = wire::JsonObject{{"message", "the device gave no reason"}};
  }
  return reply;
}

}  // namespace holdfast::control
