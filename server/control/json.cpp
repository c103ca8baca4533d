#include "server/control/json.hpp"

#include "server/core/answers.hpp"

namespace holdfast::control {

using core::time_or_null;

wire::Json command_json(const Command& command) {
  return wire::JsonObject{{"id", command.id.text()},
                          {"device_id", command.device.text()},
                          {"name", command.name},
                          {"payload", command.payload},
                          {"state", name_of(command.state)},
                          {"created_by", command.created_by},
                          {"created_at", to_rfc3339(command.created_at)},
                          {"deadline", to_rfc3339(command.deadline)},
                          {"updated_at", to_rfc3339(command.updated_at)},
                          {"finished_at", time_or_null(command.finished_at)},
                          {"result", command.result},
                          {"error", command.error}};
}

wire::Json twin_json(const Twin& twin) {
  return wire::JsonObject{{"desired", twin.desired},
                          {"desired_version", twin.desired_version},
                          {"desired_at", time_or_null(twin.desired_at)},
                          {"reported", twin.reported},
                          {"reported_version", twin.reported_version},
                          {"reported_at", time_or_null(twin.reported_at)}};
}

wire::Json diff_json(const Twin& twin) {
  wire::JsonArray changes;
  for (const Difference& difference : differences(twin.desired, twin.reported)) {
    wire::JsonObject change{{"pointer", difference.pointer}, {"desired", difference.desired}};
    if (difference.reported) change["reported"] = *difference.reported;
    changes.push_back(std::move(change));
  }
  const bool in_sync = changes.empty();
  return wire::JsonObject{{"in_sync", in_sync},
                          {"desired_version", twin.desired_version},
                          {"reported_version", twin.reported_version},
                          {"changes", std::move(changes)}};
}

std::string audit_text(const Command& command) {
  return wire::json_text(wire::JsonObject{{"device_id", command.device.text()},
                                          {"name", command.name},
                                          {"payload", command.payload},
                                          {"state", name_of(command.state)},
                                          {"deadline", to_rfc3339(command.deadline)}});
}

}  // namespace holdfast::control
