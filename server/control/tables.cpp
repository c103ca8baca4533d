#include "server/control/tables.hpp"

namespace holdfast::control {
namespace {

constexpr std::string_view kFirst = R"(
CREATE TABLE command (
  id {id} PRIMARY KEY, device_id {id} NOT NULL REFERENCES device (id), name {text} NOT NULL,
  payload {blob} NOT NULL, state {text} NOT NULL, created_by {text} NOT NULL,
  created_at {int} NOT NULL, deadline {int} NOT NULL, updated_at {int} NOT NULL, finished_at {int},
  result {blob}, error {blob}
) {strict};
CREATE INDEX command_by_device ON command (device_id, id);
CREATE INDEX command_waiting ON command (device_id, state, deadline);
CREATE TABLE twin (
  device_id {id} PRIMARY KEY REFERENCES device (id),
  desired {blob} NOT NULL, desired_version {int} NOT NULL, desired_at {int},
  reported {blob} NOT NULL, reported_version {int} NOT NULL, reported_at {int}
) {strict};
)";

constexpr std::string_view kColumns =
    "c.id,c.device_id,c.name,c.payload,c.state,c.created_by,c.created_at,c.deadline,c.updated_at,c."
    "finished_at,c.result,"
    "c.error";

struct RawCommand {
  Command command;
  Bytes payload;
  std::optional<Bytes> result, error;
};

RawCommand read_command(sql::Row& row) {
  RawCommand raw;
  Command& command = raw.command;
  command.id = row.id<CommandId>(0);
  command.device = row.id<DeviceId>(1);
  command.name = row.text(2);
  raw.payload = row.blob(3);
  const auto state = command_state_named(row.text(4));
  if (!state) row.damaged("a command has an unknown state");
  command.state = state.value_or(CommandState::failed);
  command.created_by = row.text(5);
  command.created_at = row.time(6);
  command.deadline = row.time(7);
  command.updated_at = row.time(8);
  command.finished_at = row.maybe_time(9);
  raw.result = row.maybe_blob(10);
  raw.error = row.maybe_blob(11);
  return raw;
}

Result<wire::Json> open_json(const seal::Sealer& sealer, const seal::Place& place, View sealed) {
  return wire::parse_json(TRY(sealer.open_text(place, sealed)), wire::kJsonDevice);
}

Result<Bytes> seal_json(const seal::Sealer& sealer, const seal::Place& place,
                        const wire::Json& json) {
  return sealer.seal(place, wire::json_text(json));
}

Result<Command> opened(const seal::Sealer& sealer, RawCommand raw) {
  Command& command = raw.command;
  const View row = command.id.ulid;
  command.payload = TRY(open_json(sealer, {"command", row, "payload"}, raw.payload));
  if (raw.result) command.result = TRY(open_json(sealer, {"command", row, "result"}, *raw.result));
  if (raw.error) command.error = TRY(open_json(sealer, {"command", row, "error"}, *raw.error));
  return std::move(command);
}

Result<std::vector<Command>> select(sql::Tx& tx, const seal::Sealer& sealer,
                                    const std::string& where, const sql::Params& params) {
  auto raws = TRY(tx.list("SELECT " + std::string(kColumns) + " FROM command c " + where, params,
                          read_command));
  std::vector<Command> commands;
  for (RawCommand& raw : raws) commands.push_back(TRY(opened(sealer, std::move(raw))));
  return commands;
}

}  // namespace

std::vector<core::Migration> migrations() {
  return {{"control", 1, "commands and twins", kFirst, {}}};
}

Status insert_command(core::Change& change, const Command& command) {
  const Bytes payload =
      TRY(seal_json(change.sealer(), {"command", command.id.ulid, "payload"}, command.payload));
  TRY(change.tx().exec(
      "INSERT INTO command "
      "(id,device_id,name,payload,state,created_by,created_at,deadline,updated_at)"
      " VALUES (?,?,?,?,?,?,?,?,?)",
      {command.id, command.device, command.name, payload, name_of(command.state),
       command.created_by, command.created_at, command.deadline, command.updated_at}));
  return {};
}

Status update_command(core::Change& change, const Command& command) {
  const View row = command.id.ulid;
  sql::Param result = nullptr;
  sql::Param error = nullptr;
  if (!command.result.is_null())
    result = TRY(seal_json(change.sealer(), {"command", row, "result"}, command.result));
  if (!command.error.is_null())
    error = TRY(seal_json(change.sealer(), {"command", row, "error"}, command.error));
  TRY(change.tx().exec(
      "UPDATE command SET state=?,updated_at=?,finished_at=?,result=?,error=? WHERE id=?",
      {name_of(command.state), command.updated_at, command.finished_at, std::move(result),
       std::move(error), command.id}));
  return {};
}

Result<std::optional<Command>> find_command(sql::Tx& tx, const seal::Sealer& sealer, CommandId id) {
  auto found = TRY(select(tx, sealer, "WHERE c.id=?", {id}));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Result<std::vector<Command>> waiting_commands(sql::Tx& tx, const seal::Sealer& sealer,
                                              DeviceId device, WallTime now, std::size_t limit) {
  return select(
      tx, sealer,
      "WHERE c.device_id=? AND c.state IN ('queued','sent') AND c.deadline>? ORDER BY c.id LIMIT " +
          std::to_string(limit),
      {device, now});
}

Result<std::int64_t> count_waiting(sql::Tx& tx, DeviceId device) {
  return tx.number(
      "SELECT count(*) FROM command WHERE device_id=? AND state IN ('queued','sent','delivered')",
      {device});
}

Result<std::vector<Command>> list_commands(sql::Tx& tx, const seal::Sealer& sealer,
                                           const CommandQuery& query,
                                           const core::SiteFilter& scope) {
  std::string where = "JOIN device d ON d.id=c.device_id WHERE " + scope.sql;
  sql::Params params = scope.params;
  const auto add = [&](std::string_view text, sql::Param param) {
    where += " AND " + std::string(text);
    params.push_back(std::move(param));
  };
  if (query.device) add("c.device_id=?", *query.device);
  if (query.from) add("c.created_at>=?", *query.from);
  if (query.to) add("c.created_at<?", *query.to);
  if (query.before) add("c.id<?", *query.before);
  if (!query.states.empty()) {
    where += " AND c.state IN (" + sql::placeholders(query.states.size()) + ")";
    for (const CommandState state : query.states) params.emplace_back(name_of(state));
  }
  return select(tx, sealer, where + " ORDER BY c.id DESC LIMIT " + std::to_string(query.limit),
                params);
}

Result<Twin> load_twin(sql::Tx& tx, const seal::Sealer& sealer, DeviceId device) {
  Twin twin;
  Bytes desired;
  Bytes reported;
  const auto found =
      TRY(tx.one("SELECT desired,desired_version,desired_at,reported,reported_version,reported_at "
                 "FROM twin WHERE device_id=?",
                 {device}, [&](sql::Row& row) {
                   desired = row.blob(0);
                   twin.desired_version = row.integer(1);
                   twin.desired_at = row.maybe_time(2);
                   reported = row.blob(3);
                   twin.reported_version = row.integer(4);
                   twin.reported_at = row.maybe_time(5);
                   return true;
                 }));
  if (!found) return twin;
  twin.desired = TRY(open_json(sealer, {"twin", device.ulid, "desired"}, desired));
  twin.reported = TRY(open_json(sealer, {"twin", device.ulid, "reported"}, reported));
  return twin;
}

Status store_twin(core::Change& change, DeviceId device, const Twin& twin) {
  const Bytes desired =
      TRY(seal_json(change.sealer(), {"twin", device.ulid, "desired"}, twin.desired));
  const Bytes reported =
      TRY(seal_json(change.sealer(), {"twin", device.ulid, "reported"}, twin.reported));
  TRY(change.tx().exec(
      "INSERT INTO twin "
      "(device_id,desired,desired_version,desired_at,reported,reported_version,reported_at)"
      " VALUES (?,?,?,?,?,?,?) ON CONFLICT (device_id) DO UPDATE SET desired=excluded.desired,"
      "desired_version=excluded.desired_version,desired_at=excluded.desired_at,reported=excluded."
      "reported,"
      "reported_version=excluded.reported_version,reported_at=excluded.reported_at",
      {device, desired, twin.desired_version, twin.desired_at, reported, twin.reported_version,
       twin.reported_at}));
  return {};
}

}  // namespace holdfast::control
