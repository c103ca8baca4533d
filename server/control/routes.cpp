#include "server/control/routes.hpp"

#include <charconv>

#include "libs/http/conditional.hpp"
#include "server/control/json.hpp"
#include "server/core/answers.hpp"

namespace holdfast::control {
namespace {

using core::Call;
using http::Response;

Response twin_response(const Twin& twin) {
  return core::object_response(200, twin_json(twin), twin.desired_version);
}

Response command_response(int status, const Command& command) {
  return core::json_response(status, command_json(command));
}

Result<Response> set_desired(Controller& controller, const Call& call, bool replace) {
  const auto id = TRY(call.id<DeviceId>("device_id", "twin.write"));
  TRY(controller.twin(call.caller, "twin.write", id));
  TRY(http::require_if_match(call.request));
  return twin_response(
      TRY(controller.set_desired(call.caller, id, call.body, replace, [&](std::int64_t version) {
        return http::require_match(call.request, static_cast<std::uint64_t>(version));
      })));
}

Result<Controller::NewCommand> new_command(const wire::Json& json) {
  const auto& body = *TRY(wire::as_object(json));
  TRY(wire::only_members(body, {"name", "payload", "deadline_s"}));
  Controller::NewCommand wanted;
  wanted.name = TRY(wire::get_string(body, "name"));
  if (const wire::Json* payload = body.if_contains("payload")) wanted.payload = *payload;
  if (const auto limit = TRY(wire::find_int(body, "deadline_s", "", 1, kDeadlineSecondsMax))) {
    wanted.limit = seconds(*limit);
  }
  return wanted;
}

Result<Duration> wait_of(const Call& call) {
  const auto text = call.query("wait_s");
  if (!text) return seconds(0);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < 0 || value > 60) {
    return std::unexpected(core::bad_parameter("wait_s", "give a number from 0 to 60"));
  }
  return seconds(value);
}

// One caller that waits for the end of a command; whichever comes first of end and limit answers.
struct Wait {
  http::Responder responder;
  core::Caller caller;
  CommandId id;
};

void answer(Controller& controller, Wait& wait) {
  auto command = controller.command(wait.caller, wait.id);
  if (!command) {
    wait.responder.fail(command.error());
  } else {
    wait.responder.send(command_response(201, *command));
  }
}

void wait_for_end(Controller& controller, os::Loop& loop, os::Workers& workers,
                  const core::Caller& caller, CommandId id, Duration limit,
                  http::Responder responder) {
  auto wait =
      std::make_shared<Guarded<std::optional<Wait>>>(Wait{std::move(responder), caller, id});
  const auto finish = [&controller, &workers, wait] {
    auto taken =
        wait->with([](std::optional<Wait>& held) { return std::exchange(held, std::nullopt); });
    if (!taken) return;
    auto shared = std::make_shared<Wait>(*std::move(taken));
    const bool posted = workers.post([&controller, shared] { answer(controller, *shared); });
    if (!posted)
      shared->responder.fail(
          {Code::overloaded, "too much at once: ask for the command", {}, {}, {}});
  };
  const auto waiter = controller.when_ended(id, finish);
  if (!waiter) return finish();
  loop.post([&loop, &controller, finish, limit, number = *waiter] {
    loop.after(limit, [&controller, finish, number] {
      controller.forget(number);
      finish();
    });
  });
}

Result<Response> run_command(Controller& controller, const Call& call) {
  const auto id = TRY(call.id<DeviceId>("device_id", "command.run"));
  TRY(controller.twin(call.caller, "command.run", id));
  const auto wanted = TRY(new_command(call.body));
  TRY(wait_of(call));
  return command_response(201, TRY(controller.run(call.caller, id, wanted)));
}

// The wait lies outside of what an Idempotency-Key keeps: a repeat waits for the same command.
bool wait_for_command(Controller& controller, os::Loop& loop, os::Workers& workers,
                      const Call& call, const Response& first, http::Responder& responder) {
  const auto wait = wait_of(call);
  if (!wait || wait->us == 0) return false;
  const auto json = wire::parse_json(text_of(first.body));
  const auto* body = json ? json->if_object() : nullptr;
  const auto* text = body == nullptr ? nullptr : body->if_contains("id");
  if (text == nullptr || !text->is_string()) return false;
  const auto id = CommandId::parse(std::string(text->as_string()));
  if (!id) return false;
  wait_for_end(controller, loop, workers, call.caller, *id, *wait, std::move(responder));
  return true;
}

Result<Response> list(Controller& controller, const Call& call) {
  const core::Page page = TRY(core::page_of(call));
  const core::Span span = TRY(core::span_of(call));
  CommandQuery query;
  query.from = span.from;
  query.to = span.to;
  query.limit = page.limit + 1;
  if (!page.cursor.empty()) query.before = TRY(CommandId::parse(page.cursor));
  if (const auto device = call.query("device_id")) query.device = TRY(DeviceId::parse(*device));
  for (const std::string_view text : call.request.query_values("state")) {
    const auto state = command_state_named(text);
    if (!state) {
      return std::unexpected(
          core::bad_parameter("state", "there is no state \"" + std::string(text) + "\""));
    }
    query.states.push_back(*state);
  }
  return core::list_response(TRY(controller.commands(call.caller, query)), page.limit, command_json,
                             [](const Command& command) { return command.id.text(); });
}

}  // namespace

Status add_routes(core::Operations& operations, Controller& controller, os::Loop& loop,
                  os::Workers& workers) {
  TRY(operations.add("get_twin", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "twin.read"));
    return twin_response(TRY(controller.twin(call.caller, "twin.read", id)));
  }));
  TRY(operations.add("replace_desired",
                     [&](const Call& call) { return set_desired(controller, call, true); }));
  TRY(operations.add("update_desired",
                     [&](const Call& call) { return set_desired(controller, call, false); }));
  TRY(operations.add("diff_twin", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<DeviceId>("device_id", "twin.read"));
    return http::json(
        200, wire::json_text(diff_json(TRY(controller.twin(call.caller, "twin.read", id)))));
  }));
  TRY(operations.add(
      "run_command", [&](const Call& call) { return run_command(controller, call); },
      [&](const Call& call, const Response& first, http::Responder& responder) {
        return wait_for_command(controller, loop, workers, call, first, responder);
      }));
  TRY(operations.add("list_commands", [&](const Call& call) { return list(controller, call); }));
  TRY(operations.add("get_command", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<CommandId>("command_id", "command.read"));
    return command_response(200, TRY(controller.command(call.caller, id)));
  }));
  return operations.add("cancel_command", [&](const Call& call) -> Result<Response> {
    const auto id = TRY(call.id<CommandId>("command_id", "command.run"));
    return command_response(200, TRY(controller.cancel(call.caller, id)));
  });
}

}  // namespace holdfast::control
