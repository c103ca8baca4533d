// Twin: the desired state that the server wants (contract/device-protocol.md 6.5, 6.6), what this
// agent makes of it, and what it reports back. Known members: sample_interval_s (1 to 3600),
// log_level. Unknown ones are reported as refused, so that a misspelt setting is seen.
// Pure but for load and save, which go through StateFolder. Values.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "agent/join/state_folder.hpp"
#include "libs/base/log.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

struct Desired {
  std::int64_t version = 0;
  wire::JsonObject state;
};
// Errors: payload_malformed.
Result<Desired> parse_desired(View payload);

// The settings that may change while the agent runs.
struct LiveSettings {
  Duration sample_interval = seconds(10);
  Level log_level = Level::info;
  bool operator==(const LiveSettings&) const = default;
};

struct Applied {
  LiveSettings settings;
  std::map<std::string, std::string> refused;  // member: why
};
// Members that are absent fall back to `configured`.
Applied apply_desired(const wire::JsonObject& desired, const LiveSettings& configured);

wire::JsonObject reported_of(const Applied& applied, std::int64_t version);

std::optional<Level> level_named(std::string_view name);
std::string_view level_name(Level level);

Result<Desired> load_desired(StateFolder& state);  // version 0 when there is none
Status save_desired(StateFolder& state, const Desired& desired);

}  // namespace holdfast::agent
