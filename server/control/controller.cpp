#include "server/control/controller.hpp"

#include "server/control/json.hpp"
#include "server/control/rules.hpp"

namespace holdfast::control {
namespace {

constexpr std::string_view kExpire = "command.expire";
constexpr std::string_view kCommandKey = "command:";
constexpr std::string_view kTwinKey = "twin:";

Down down_of(const Command& command) {
  const std::string text = wire::json_text(
      wire::JsonObject{{"payload", command.payload}, {"deadline", to_rfc3339(command.deadline)}});
  return {std::string(kCommandKey) + command.id.text(),
          "command/" + command.name + "/" + command.id.text(), bytes_of(text), command.deadline};
}

Down down_of(const Twin& twin) {
  const std::string text = wire::json_text(
      wire::JsonObject{{"version", twin.desired_version}, {"desired", twin.desired}});
  return {std::string(kTwinKey) + std::to_string(twin.desired_version), "twin/desired",
          bytes_of(text), std::nullopt};
}

std::optional<CommandId> command_of(std::string_view key) {
  if (!key.starts_with(kCommandKey)) return std::nullopt;
  const auto id = CommandId::parse(key.substr(kCommandKey.size()));
  return id ? std::optional(*id) : std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Controller>> Controller::make(core::Store& store, core::Jobs& jobs,
                                                     core::Dispatcher& dispatcher,
                                                     devices::Service& devices,
                                                     telemetry::Service& telemetry,
                                                     Metrics& metrics) {
  std::unique_ptr<Controller> controller(new Controller(store, jobs, devices, telemetry, metrics));
  TRY(jobs.handle(std::string(kExpire),
                  [raw = controller.get()](const core::Job& job) -> Result<core::JobEffect> {
                    const CommandId id = TRY(CommandId::parse(job.object));
                    return core::JobEffect(
                        [raw, id](core::Change& change) { return raw->expire(change, id); });
                  }));
  // Told by the notice, so after the commit: whoever asks then sees the end.
  TRY(dispatcher.follow({"command.changed"}, [raw = controller.get()](const core::Notice& notice) {
    const auto payload = wire::parse_json(notice.payload);
    if (!payload || !payload->is_object()) return;
    const auto state = wire::get_string(*payload->if_object(), "new_state");
    const auto id = wire::get_string(*payload->if_object(), "command_id");
    if (!state || !id) return;
    const auto named = command_state_named(*state);
    const auto command = CommandId::parse(*id);
    if (named && has_ended(*named) && command) raw->waiters_.tell_last(*command);
  }));
  TRY(dispatcher.subscribe(
      "control.decommissioned", {"device.decommissioned"},
      [raw = controller.get()](core::Change& change, const core::Notice& notice) {
        return raw->device_gone(change, notice);
      }));
  return controller;
}

// Nobody will carry them out any more.
Status Controller::device_gone(core::Change& change, const core::Notice& notice) {
  const auto json = TRY(wire::parse_json(notice.payload));
  const auto& body = *TRY(wire::as_object(json));
  const DeviceId device = TRY(DeviceId::parse(TRY(wire::get_string(body, "device_id"))));
  for (;;) {
    auto waiting = TRY(waiting_commands(change.tx(), change.sealer(), device, change.now(), 100));
    if (waiting.empty()) return {};
    for (Command& command : waiting) {
      const std::string before = audit_text(command);
      if (!TRY(move(change, command, CommandState::cancelled, notice.site))) {
        return fail(Code::internal, "a waiting command cannot be cancelled");
      }
      TRY(change.audit(command.id.text(), before, audit_text(command)));
    }
  }
}

Controller::Controller(core::Store& store, core::Jobs& jobs, devices::Service& devices,
                       telemetry::Service& telemetry, Metrics& metrics)
    : store_(store),
      jobs_(jobs),
      devices_(devices),
      telemetry_(telemetry),
      created_(metrics.counter("holdfast_control_commands_total", "Commands that operators sent")),
      late_replies_(metrics.counter("holdfast_control_late_replies_total",
                                    "Replies to commands that had ended; kept as events")) {}

Result<bool> Controller::move(core::Change& change, Command& command, CommandState to,
                              const std::optional<SiteId>& site) {
  const CommandState from = command.state;
  if (!may_follow(from, to)) return false;
  command.state = to;
  command.updated_at = change.now();
  if (has_ended(to)) {
    command.finished_at = change.now();
    TRY(jobs_.cancel(change, kExpire, command.id.text()));
  }
  TRY(update_command(change, command));
  TRY(change.notice("command.changed",
                    wire::json_text(wire::JsonObject{{"command_id", command.id.text()},
                                                     {"device_id", command.device.text()},
                                                     {"name", command.name},
                                                     {"old_state", name_of(from)},
                                                     {"new_state", name_of(to)}}),
                    site));
  return true;
}

Result<std::vector<Down>> Controller::pending(DeviceId device, std::size_t limit) {
  std::vector<Down> out;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    const Twin twin = TRY(load_twin(tx, store_.sealer(), device));
    if (twin.desired_version > 0 && limit > 0) out.push_back(down_of(twin));
    for (const Command& command : TRY(waiting_commands(
             tx, store_.sealer(), device, store_.clock().wall(), limit - out.size()))) {
      out.push_back(down_of(command));
    }
    return {};
  }));
  return out;
}

Result<std::optional<Down>> Controller::find_down(DeviceId device, std::string_view key) {
  std::optional<Down> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    if (key.starts_with(kTwinKey)) {
      const Twin twin = TRY(load_twin(tx, store_.sealer(), device));
      if (twin.desired_version > 0 && down_of(twin).key == key) found = down_of(twin);
      return {};
    }
    const auto id = command_of(key);
    if (!id) return {};
    const auto command = TRY(find_command(tx, store_.sealer(), *id));
    if (command && command->device == device && !has_ended(command->state) &&
        command->deadline > store_.clock().wall()) {
      found = down_of(*command);
    }
    return {};
  }));
  return found;
}

Result<TwinView> Controller::twin(DeviceId device) {
  Twin twin;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    twin = TRY(load_twin(tx, store_.sealer(), device));
    return {};
  }));
  return TwinView{twin.desired_version, bytes_of(wire::json_text(twin.desired)),
                  bytes_of(wire::json_text(twin.reported))};
}

Status Controller::progress(DeviceId device, std::string_view key, CommandState to) {
  const auto id = command_of(key);
  if (!id) return {};  // a twin's delivery is the session's own matter
  return store_.record(core::Caller::device(device), "command.progress",
                       [&](core::Change& change) -> Status {
                         auto command = TRY(find_command(change.tx(), change.sealer(), *id));
                         if (!command || command->device != device) return {};
                         const auto owner = TRY(devices_.look(change.tx(), device));
                         TRY(move(change, *command, to, owner ? owner->site : std::nullopt));
                         return {};
                       });
}

Status Controller::sent(DeviceId device, std::string_view key, WallTime) {
  return progress(device, key, CommandState::sent);
}

Status Controller::delivered(DeviceId device, std::string_view key, WallTime) {
  return progress(device, key, CommandState::delivered);
}

Status Controller::reply(DeviceId device, std::string_view command_id, View payload) {
  const auto id = CommandId::parse(command_id);
  if (!id) return fail(Code::topic_refused, "reply/<id> wants the id of a command");
  const Reply reply = TRY(parse_reply(payload));
  bool late = false;
  TRY(store_.record(
      core::Caller::device(device), "command.reply", [&](core::Change& change) -> Status {
        auto command = TRY(find_command(change.tx(), change.sealer(), *id));
        if (!command || command->device != device) {
          return fail(Code::topic_refused, "there is no such command of this device");
        }
        // A reply that came twice is the same reply; one after the end is told to the timeline
        // instead.
        late = has_ended(command->state);
        if (late) return {};
        command->result = reply.result;
        command->error = reply.error;
        const auto owner = TRY(devices_.look(change.tx(), device));
        TRY(move(change, *command, reply.ok ? CommandState::succeeded : CommandState::failed,
                 owner ? owner->site : std::nullopt));
        return {};
      }));
  if (late) {
    late_replies_.add();
    telemetry_.record(
        {device,
         "command",
         "notice",
         "a reply came after the command had ended",
         {{"command_id", id->text()}, {"status", std::string(reply.ok ? "ok" : "failed")}}});
  }
  return {};
}

Status Controller::twin_reported(DeviceId device, View payload) {
  if (payload.size() > kTwinBytesMax)
    return fail(Code::payload_too_large, "a reported state has at most 65536 bytes");
  auto document = wire::parse_json(payload, wire::kJsonDevice);
  if (!document) return std::unexpected(wire::as_payload(document.error()));
  Status fits = check_twin(*document, "a reported state");
  if (!fits) {
    fits.error().code = fits.error().code == Code::body_too_large ? Code::payload_too_large
                                                                  : Code::payload_malformed;
    return fits;
  }
  return store_.record(
      core::Caller::device(device), "twin.reported", [&](core::Change& change) -> Status {
        Twin twin = TRY(load_twin(change.tx(), change.sealer(), device));
        if (twin.reported_version > 0 && twin.reported == *document) return {};
        twin.reported = *document;
        ++twin.reported_version;
        twin.reported_at = change.now();
        TRY(store_twin(change, device, twin));
        const auto owner = TRY(devices_.look(change.tx(), device));
        return change.notice(
            "twin.reported_changed",
            wire::json_text(wire::JsonObject{{"device_id", device.text()},
                                             {"reported_version", twin.reported_version}}),
            owner ? owner->site : std::nullopt);
      });
}

Result<Command> Controller::run(const core::Caller& caller, DeviceId device,
                                const NewCommand& wanted) {
  TRY(check_command_name(wanted.name));
  TRY(check_payload(wanted.payload));
  Command command;
  TRY(store_.change(caller, "run_command", [&](core::Change& change) -> Status {
    const auto owner =
        TRY(devices::require_device(devices_, change.tx(), caller, "command.run", device));
    if (owner.state == devices::State::decommissioned)
      return fail(Code::conflict, "the device is decommissioned");
    if (TRY(count_waiting(change.tx(), device)) >= kWaitingMax) {
      return fail(Code::quota_exceeded, "10000 commands wait for this device: cancel some first");
    }
    command = {};
    command.id = change.new_id<CommandId>();
    command.device = device;
    command.name = wanted.name;
    command.payload = wanted.payload;
    command.created_by = caller.id;
    command.created_at = command.updated_at = change.now();
    command.deadline = change.now() + wanted.limit;
    TRY(insert_command(change, command));
    core::NewJob expire;
    expire.kind = kExpire;
    expire.object = command.id.text();
    expire.key = command.id.text();
    expire.run_at = command.deadline;
    TRY(jobs_.schedule(change, expire));
    TRY(change.audit(command.id.text(), "", audit_text(command)));
    return change.notice("command.created",
                         wire::json_text(wire::JsonObject{{"command_id", command.id.text()},
                                                          {"device_id", device.text()},
                                                          {"deadline", command.deadline.us}}),
                         owner.site);
  }));
  created_.add();
  jobs_.wake();
  return command;
}

Result<Command> Controller::cancel(const core::Caller& caller, CommandId id) {
  Command after;
  TRY(store_.change(caller, "cancel_command", [&](core::Change& change) -> Status {
    auto command = TRY(find_command(change.tx(), change.sealer(), id));
    if (!command)
      return std::unexpected(
          core::refuse_missing(caller, "command.run", "there is no command " + id.text()));
    const auto owner =
        TRY(devices::require_device(devices_, change.tx(), caller, "command.run", command->device));
    const std::string before = audit_text(*command);
    if (!TRY(move(change, *command, CommandState::cancelled, owner.site))) {
      return fail(Code::conflict, "the command has ended: " + std::string(name_of(command->state)));
    }
    after = *command;
    return change.audit(id.text(), before, audit_text(after));
  }));
  return after;
}

Status Controller::expire(core::Change& change, CommandId id) {
  auto command = TRY(find_command(change.tx(), change.sealer(), id));
  if (!command) return {};
  const std::string before = audit_text(*command);
  const auto owner = TRY(devices_.look(change.tx(), command->device));
  if (!TRY(move(change, *command, CommandState::expired, owner ? owner->site : std::nullopt)))
    return {};
  return change.audit(id.text(), before, audit_text(*command));
}

Result<Command> Controller::command(const core::Caller& caller, CommandId id) {
  std::optional<Command> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(find_command(tx, store_.sealer(), id));
    if (!found)
      return std::unexpected(
          core::refuse_missing(caller, "command.read", "there is no command " + id.text()));
    TRY(devices::require_device(devices_, tx, caller, "command.read", found->device));
    return {};
  }));
  return *std::move(found);
}

Result<std::vector<Command>> Controller::commands(const core::Caller& caller,
                                                  const CommandQuery& query) {
  const auto scope = TRY(core::site_filter(caller, "command.read", "d.site_id"));
  std::vector<Command> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    if (query.device)
      TRY(devices::require_device(devices_, tx, caller, "command.read", *query.device));
    found = TRY(list_commands(tx, store_.sealer(), query, scope));
    return {};
  }));
  return found;
}

Result<Twin> Controller::twin(const core::Caller& caller, std::string_view permission,
                              DeviceId device) {
  Twin twin;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    TRY(devices::require_device(devices_, tx, caller, permission, device));
    twin = TRY(load_twin(tx, store_.sealer(), device));
    return {};
  }));
  return twin;
}

Result<Twin> Controller::set_desired(const core::Caller& caller, DeviceId device,
                                     const wire::Json& document, bool replace,
                                     const Matches& matches) {
  Twin twin;
  TRY(store_.change(
      caller, replace ? "replace_desired" : "update_desired", [&](core::Change& change) -> Status {
        const auto owner =
            TRY(devices::require_device(devices_, change.tx(), caller, "twin.write", device));
        twin = TRY(load_twin(change.tx(), change.sealer(), device));
        TRY(matches(twin.desired_version));
        if (!document.is_object())
          return fail(Code::invalid_argument, "a desired state is a JSON object");
        const std::string before = wire::json_text(twin.desired);
        twin.desired = replace ? document : merge_patch(twin.desired, document);
        TRY(check_twin(twin.desired, "a desired state", kDownDepthMax));
        ++twin.desired_version;
        twin.desired_at = change.now();
        TRY(store_twin(change, device, twin));
        TRY(change.audit(device.text(), before, wire::json_text(twin.desired)));
        return change.notice(
            "twin.desired_changed",
            wire::json_text(wire::JsonObject{{"device_id", device.text()},
                                             {"desired_version", twin.desired_version}}),
            owner.site);
      }));
  return twin;
}

Result<std::uint64_t> Controller::when_ended(CommandId id, Ended ended) {
  const auto waiter = waiters_.add(id, std::move(ended));
  if (!waiter) {
    return fail(Code::overloaded, "too many callers wait for commands: ask for the command later");
  }
  // It may have ended before the waiter was there.
  std::optional<Command> found;
  const Status looked = store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(find_command(tx, store_.sealer(), id));
    return {};
  });
  if (!looked) {
    waiters_.forget(*waiter);
    return std::unexpected(looked.error());
  }
  if (!found || has_ended(found->state)) waiters_.tell_last(id);
  return *waiter;
}

}  // namespace holdfast::control
