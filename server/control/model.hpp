// Commands and twins. Values.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/id.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::control {

enum class CommandState { queued, sent, delivered, succeeded, failed, expired, cancelled };
inline constexpr std::array kCommandStates{
    CommandState::queued, CommandState::sent,    CommandState::delivered, CommandState::succeeded,
    CommandState::failed, CommandState::expired, CommandState::cancelled};
std::string_view name_of(CommandState state);
std::optional<CommandState> command_state_named(std::string_view name);

struct Command {
  CommandId id;
  DeviceId device;
  std::string name;
  wire::Json payload;
  CommandState state = CommandState::queued;
  std::string created_by;
  WallTime created_at, deadline, updated_at;
  std::optional<WallTime> finished_at;
  wire::Json result;  // null: none
  wire::Json error;   // object or null
};

struct Twin {
  wire::Json desired = wire::JsonObject{};
  std::int64_t desired_version = 0;  // 0: never set
  std::optional<WallTime> desired_at;
  wire::Json reported = wire::JsonObject{};
  std::int64_t reported_version = 0;
  std::optional<WallTime> reported_at;
};

// One pointer that is desired and not so reported.
struct Difference {
  std::string pointer;
  wire::Json desired;
  std::optional<wire::Json> reported;
};

struct Reply {
  bool ok = false;
  wire::Json result;
  wire::Json error;
};

}  // namespace holdfast::control
