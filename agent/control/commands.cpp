#include "agent/control/commands.hpp"

#include <algorithm>

#include "libs/wire/telemetry.hpp"

namespace holdfast::agent {
namespace {

constexpr std::string_view kCommandPrefix = "command/";
constexpr std::string_view kBookName = "commands";
constexpr std::size_t kEntryOverheadMax = 256;  // id, member names
static_assert(CommandBook::kEntriesMax * (2 * CommandBook::kReplyBytesMax + kEntryOverheadMax) <=
                  StateFolder::kFileBytesMax,
              "a full book, its replies escaped, must be readable again");

}  // namespace

std::optional<Command> command_topic(std::string_view topic) {
  if (!topic.starts_with(kCommandPrefix)) return std::nullopt;
  topic.remove_prefix(kCommandPrefix.size());
  const auto slash = topic.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == topic.size() ||
      topic.find('/', slash + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  Command out;
  out.name = topic.substr(0, slash);
  out.id = topic.substr(slash + 1);
  return out;
}

Result<Command> parse_command(Command out, View payload) {
  auto json = wire::parse_json(payload, wire::kJsonDevice);
  if (!json) return std::unexpected(wire::as_payload(json.error()));
  const auto& object = *TRY(wire::as_object(*json));
  if (const auto* inner = object.if_contains("payload")) out.payload = *inner;
  if (const auto* deadline = object.if_contains("deadline"); deadline && !deadline->is_null()) {
    out.deadline = TRY(wire::device_time_of(*deadline, "/deadline"));
  }
  return out;
}

std::string ok_reply(wire::Json result) {
  return wire::json_text(wire::JsonObject{{"status", "ok"}, {"result", std::move(result)}});
}

std::string failed_reply(std::string_view code, std::string_view message) {
  return wire::json_text(wire::JsonObject{
      {"status", "failed"}, {"error", wire::JsonObject{{"code", code}, {"message", message}}}});
}

Result<std::unique_ptr<CommandBook>> CommandBook::open(StateFolder& state) {
  std::unique_ptr<CommandBook> book(new CommandBook(state));
  const auto bytes = TRY(state.load_sealed(std::string(kBookName)));
  if (!bytes) return book;
  const auto json = TRY(wire::parse_json(*bytes));
  for (const auto& each : *TRY(wire::as_array(json))) {
    const auto& object = *TRY(wire::as_object(each));
    book->entries_.push_back({TRY(wire::get_string(object, "id")),
                              TRY(wire::get_string(object, "reply")),
                              TRY(wire::get_bool(object, "delivered"))});
  }
  // What was under way when the agent ended cannot be told; its caller hears that much.
  for (CommandEntry& entry : book->entries_) {
    if (!entry.reply.empty()) continue;
    entry.reply = failed_reply("interrupted", "the agent ended while it carried out the command");
  }
  return book;
}

const CommandEntry* CommandBook::find(std::string_view id) const {
  const auto at = std::ranges::find(entries_, id, &CommandEntry::id);
  return at == entries_.end() ? nullptr : &*at;
}

Status CommandBook::begin(const std::string& id) {
  entries_.push_back({id, "", false});
  if (entries_.size() > kEntriesMax) entries_.pop_front();
  auto saved = save();
  if (!saved) entries_.pop_back();
  return saved;
}

Status CommandBook::finish(const std::string& id, std::string reply) {
  if (reply.size() > kReplyBytesMax) {
    reply = failed_reply("reply-too-large", "the result is larger than a reply may be");
  }
  const auto at = std::ranges::find(entries_, id, &CommandEntry::id);
  if (at == entries_.end()) return fail(Code::not_found, "no such command is under way: " + id);
  at->reply = std::move(reply);
  return save();
}

void CommandBook::mark_delivered(std::string_view id) {
  const auto at = std::ranges::find(entries_, id, &CommandEntry::id);
  if (at != entries_.end()) at->delivered = true;
}

Status CommandBook::save() {
  wire::JsonArray array;
  for (const CommandEntry& entry : entries_) {
    array.push_back(
        wire::JsonObject{{"id", entry.id}, {"reply", entry.reply}, {"delivered", entry.delivered}});
  }
  return state_.save_sealed(std::string(kBookName), view_of(wire::json_text(array)));
}

}  // namespace holdfast::agent
