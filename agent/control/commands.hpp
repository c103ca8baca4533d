// Commands that the server sends (contract/device-protocol.md 6.7, 6.8): reading them, and the
// durable book of those carried out, by which a command that comes twice runs once. A command is
// written down before it starts and again with its reply; one that was interrupted in between is
// answered as failed, not started anew.
// Errors: payload_malformed; of the book also those of StateFolder. One owner thread.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/join/state_folder.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::agent {

struct Command {
  std::string name;
  std::string id;
  wire::Json payload;
  std::optional<WallTime> deadline;
};

// nullopt: the topic is none of a command.
std::optional<Command> command_topic(std::string_view topic);
Result<Command> parse_command(Command from_topic, View payload);

std::string ok_reply(wire::Json result);
std::string failed_reply(std::string_view code, std::string_view message);

struct CommandEntry {
  std::string id;
  std::string reply;       // "": started
  bool delivered = false;  // the server has the reply
};

class CommandBook final {
 public:
  static constexpr std::size_t kEntriesMax = 64;
  static constexpr std::size_t kReplyBytesMax = 7'000;  // all of them, escaped, fit one sealed file

  static Result<std::unique_ptr<CommandBook>> open(StateFolder& state);

  const CommandEntry* find(std::string_view id) const;
  Status begin(const std::string& id);
  Status finish(const std::string& id, std::string reply);
  void mark_delivered(std::string_view id);  // on disk with the next change
  const std::deque<CommandEntry>& entries() const { return entries_; }

 private:
  explicit CommandBook(StateFolder& state) : state_(state) {}
  Status save();

  StateFolder& state_;
  std::deque<CommandEntry> entries_;  // oldest first
};

}  // namespace holdfast::agent
