// SQL of control. Payloads, results and twin documents are sealed; names, states and times are not.
#pragma once

#include "server/control/model.hpp"
#include "server/core/authz.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"

namespace holdfast::control {

std::vector<core::Migration> migrations();

Status insert_command(core::Change& change, const Command& command);
// State, times, result and error.
Status update_command(core::Change& change, const Command& command);
Result<std::optional<Command>> find_command(sql::Tx& tx, const seal::Sealer& sealer, CommandId id);
// Not acknowledged, not ended, deadline after `now`; oldest first.
Result<std::vector<Command>> waiting_commands(sql::Tx& tx, const seal::Sealer& sealer,
                                              DeviceId device, WallTime now, std::size_t limit);
Result<std::int64_t> count_waiting(sql::Tx& tx, DeviceId device);

struct CommandQuery {
  std::optional<DeviceId> device;
  std::vector<CommandState> states;
  std::optional<WallTime> from, to;  // created_at
  std::optional<CommandId> before;   // the last of the page before
  std::size_t limit = 50;
};
// Newest first.
Result<std::vector<Command>> list_commands(sql::Tx& tx, const seal::Sealer& sealer,
                                           const CommandQuery& query,
                                           const core::SiteFilter& scope);

Result<Twin> load_twin(sql::Tx& tx, const seal::Sealer& sealer, DeviceId device);
Status store_twin(core::Change& change, DeviceId device, const Twin& twin);

}  // namespace holdfast::control
