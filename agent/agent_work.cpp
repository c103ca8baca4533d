// Agent, the side of the machine: samples, inventory, commands, desired state.
#include <algorithm>

#include "agent/agent.hpp"
#include "agent/inventory/inventory.hpp"

namespace holdfast::agent {
namespace {

constexpr Duration kWarningInterval = seconds(30);  // at most one log entry to the server in it
constexpr std::uint64_t kUnspooledTag = 5ULL << 56;

}  // namespace

TimeMark Agent::mark() const {
  const ServerTime::Now told = now();
  return {told.wall, loop_.clock().mono(), run_, told.trusted};
}

// ---- up

void Agent::sample_timer() {
  sample_timer_ = timer(applied_.settings.sample_interval, &Agent::sample_timer);
  sample();
  pump();
}

void Agent::sample() {
  // Two samples of one device time would be one reading: the second would replace the first.
  if (sampled_ && loop_.clock().mono() == last_sample_) return;
  Snapshot snapshot = probe_.snapshot();
  std::vector<SpoolRecord> records;
  const TimeMark at = mark();
  for (StreamSample& each : sample_of(last_ ? &*last_ : nullptr, snapshot)) {
    const auto payload =
        wire::encode_telemetry({wire::Reading{std::nullopt, {}, std::move(each.fields)}});
    if (payload) {
      records.push_back({SpoolClass::reading, "telemetry/" + each.stream, *payload, at});
    }
  }
  last_ = std::move(snapshot);
  last_sample_ = loop_.clock().mono();
  sampled_ = true;
  ++counters_.samples;
  keep(std::move(records));
}

// On disk first. A disk that is broken does not silence the device while it is connected.
void Agent::keep(std::vector<SpoolRecord> records) {
  const auto kept = spool_->append(records);
  if (kept) return;
  log_.warning("the spool cannot be written", {{"why", kept.error().text()}});
  const TimeMark moment = mark();
  for (const SpoolRecord& record : records) {
    if (!link_->online() || link_->window() == 0) return;
    if (send(record.topic, with_time(record.payload, device_time(record.mark, moment)),
             kUnspooledTag)) {
      ++counters_.unspooled;
    }
  }
}

void Agent::inventory_timer() {
  inventory_timer_ = timer(options_.inventory_interval, &Agent::inventory_timer);
  refresh_inventory();
  pump();
}

void Agent::refresh_inventory() {
  inventory_ = wire::json_text(inventory_of(probe_.facts(), options_.version));
}

// To the own log, and now and then to the server's.
void Agent::warn(std::string_view message, std::string_view detail) {
  log_.warning(message, {{"why", detail}});
  const MonoTime at = loop_.clock().mono();
  if (warned_ && at - last_warning_ < kWarningInterval) return;
  warned_ = true;
  last_warning_ = at;
  wire::LogEntry entry;
  entry.message = std::string(message);
  entry.severity = wire::Severity::warning;
  entry.fields["why"] = std::string(detail);
  keep({{SpoolClass::event, "log", wire::encode_log(entry), mark()}});
}

// ---- down

void Agent::on_incoming(const Incoming& message) {
  if (message.topic == "twin/desired") return on_desired(message);
  if (auto command = command_topic(message.topic)) return on_command(message, *std::move(command));
  log_.debug("a message for which this agent has no use", {{"topic", message.topic}});
  link_->acknowledge(message);
}

// Acknowledged when the book says what became of it: until then the server sends it again.
void Agent::on_command(const Incoming& message, Command command) {
  const std::string id = command.id;
  if (!book_->find(id)) {
    if (const auto begun = book_->begin(id); !begun) {
      // Not acknowledged: it comes again with the next connection.
      return warn("a command could not be written down", begun.error().text());
    }
    auto parsed = parse_command(std::move(command), message.payload);
    const std::string reply =
        parsed ? carry_out(*parsed) : failed_reply("malformed", parsed.error().text());
    if (const auto finished = book_->finish(id, reply); !finished) {
      warn("a command's reply could not be written down", finished.error().text());
    }
  }
  link_->acknowledge(message);
  if (std::ranges::find(replies_due_, id) == replies_due_.end()) replies_due_.push_back(id);
  pump();
}

std::string Agent::carry_out(const Command& command) {
  const ServerTime::Now told = now();
  if (command.deadline && told.trusted && told.wall > *command.deadline) {
    return failed_reply("deadline-passed", "the command came after its deadline");
  }
  ++counters_.commands_run;
  log_.info("command", {{"name", command.name}, {"id", command.id}});
  if (command.name == "ping") {
    return ok_reply(wire::JsonObject{{"time", to_rfc3339(told.wall)}, {"echo", command.payload}});
  }
  if (command.name == "report") {
    sample();
    refresh_inventory();
    return ok_reply(wire::JsonObject{{"waiting", spool_->waiting()}});
  }
  if (command.name == "log-level") {
    const auto* object = command.payload.if_object();
    const auto* text = object && object->if_contains("level")
                           ? object->if_contains("level")->if_string()
                           : nullptr;
    const auto level = text ? level_named(*text) : std::nullopt;
    if (!level) {
      return failed_reply("invalid-argument",
                          "payload {\"level\": ...} with debug, info, warning or error is wanted");
    }
    Applied changed = applied_;
    changed.settings.log_level = *level;
    use(std::move(changed));
    return ok_reply(wire::JsonObject{{"level", level_name(*level)}});
  }
  return failed_reply("unknown-command", "this agent has no command \"" + command.name +
                                             "\"; it has ping, report, log-level");
}

void Agent::on_desired(const Incoming& message) {
  const auto desired = parse_desired(message.payload);
  if (!desired) {
    link_->acknowledge(message);
    return warn("the desired state cannot be read", desired.error().text());
  }
  if (desired->version > desired_.version) {
    if (const auto saved = save_desired(*state_, *desired); !saved) {
      return warn("the desired state could not be stored", saved.error().text());
    }
    desired_ = *desired;
    const Duration interval = applied_.settings.sample_interval;
    use(apply_desired(desired_.state, options_.settings));
    if (applied_.settings.sample_interval != interval) {
      loop_.cancel(sample_timer_);
      sample_timer_ = timer(applied_.settings.sample_interval, &Agent::sample_timer);
    }
  }
  link_->acknowledge(message);
  pump();
}

void Agent::use(Applied applied) {
  applied_ = std::move(applied);
  log_ = Log(sink_, applied_.settings.log_level);
  reported_ = wire::json_text(reported_of(applied_, desired_.version));
}

}  // namespace holdfast::agent
