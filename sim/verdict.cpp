#include "sim/verdict.hpp"

#include <algorithm>
#include <array>

#include "server/app/folder.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::sim {
namespace {

constexpr std::size_t kViolationsMax = 40;  // of a run

void add(Violations& out, std::string what) {
  if (out.size() < kViolationsMax) out.push_back(std::move(what));
}

std::string number_text(double value) {
  return wire::json_text(wire::Json(value));
}

// ---- by the API

class ByApi {
 public:
  ByApi(Fleet& fleet, Violations& out) : fleet_(fleet), out_(out), tick_(fleet.ticker()) {}

  void all() {
    check(devices(), "devices");
    for (const auto& agent : fleet_.agents()) {
      if (agent->device_id().empty()) continue;
      check(readings(*agent), "readings of " + agent->name());
      check(enrolled(*agent), "events of " + agent->name());
    }
    check(commands(), "commands");
    check(claims(), "claims");
    check(audit(), "audit");
  }

 private:
  void check(const Status& status, const std::string& what) {
    if (!status) add(out_, "cannot read " + what + ": " + status.error().text());
  }

  // The registry knows each device once, and that its session ended in good order.
  Status devices() {
    std::map<std::string, int> known;
    const auto items = TRY(fleet_.person().all("/v1/devices", {{"limit", "100"}}, "items", tick_));
    for (const wire::Json& item : items) {
      const auto& device = *TRY(wire::as_object(item));
      const auto& presence = *TRY(wire::get_object(device, "presence"));
      const std::string id = TRY(wire::get_string(device, "id"));
      ++known[id];
      const auto why = TRY(wire::find_string(presence, "last_disconnect_reason"));
      if (TRY(wire::get_bool(presence, "online"))) {
        add(out_, id + " has said good-bye and is shown online");
      } else if (!why) {
        add(out_, id + " is offline without a reason");
      }
    }
    for (const auto& agent : fleet_.agents()) {
      const std::string& id = agent->device_id();
      if (!id.empty() && known[id] != 1) {
        add(out_, agent->name() + " (" + id + ") is in the registry " + std::to_string(known[id]) +
                      " times");
      }
    }
    return {};
  }

  Status readings(const AgentHost& agent) {
    for (const std::string_view metric : kScriptedMetrics) {
      // From the beginning of time: clocks jump.
      const auto points = TRY(fleet_.person().all("/v1/devices/" + agent.device_id() + "/telemetry",
                                                  {{"metric", std::string(metric)},
                                                   {"from", "1970-01-01T00:00:00Z"},
                                                   {"to", "2100-01-01T00:00:00Z"}},
                                                  "points", tick_));
      std::vector<double> stored;
      for (const wire::Json& point : points) {
        stored.push_back(TRY(wire::get_double(*TRY(wire::as_object(point)), "value")));
      }
      const auto promised = agent.ledger().readings().find(std::string(metric));
      judge_readings(
          agent.name(), metric,
          promised == agent.ledger().readings().end() ? std::set<double>{} : promised->second,
          stored, agent.snapshots(), out_);
    }
    return {};
  }

  // The notice of its certificate reached the timeline once: the outbox's effect, seen from
  // outside.
  Status enrolled(const AgentHost& agent) {
    const auto items = TRY(fleet_.person().all("/v1/events",
                                               {{"device_id", agent.device_id()},
                                                {"kind", "enrolled"},
                                                {"from", "2020-01-01T00:00:00Z"},
                                                {"to", "2100-01-01T00:00:00Z"}},
                                               "items", tick_));
    if (items.size() != 1) {
      add(out_, agent.name() + " has " + std::to_string(items.size()) +
                    " entries on its timeline that it was enrolled, not one");
    }
    return {};
  }

  // Each order that was taken is one command; each has ended; what succeeded was carried out, and
  // nothing was carried out twice.
  Status commands() {
    std::map<std::string, std::string> state_of;
    std::map<std::int64_t, int> of_order;
    const auto items = TRY(fleet_.person().all("/v1/commands", {{"limit", "100"}}, "items", tick_));
    for (const wire::Json& item : items) {
      const auto& command = *TRY(wire::as_object(item));
      const auto& payload = *TRY(wire::get_object(command, "payload"));
      const std::string id = TRY(wire::get_string(command, "id"));
      const std::string state = TRY(wire::get_string(command, "state"));
      state_of[id] = state;
      ++of_order[TRY(wire::get_int(payload, "number"))];
      if (state == "queued" || state == "sent" || state == "delivered") {
        add(out_, "command " + id + " has not ended: " + state);
      }
    }
    for (const Order& order : fleet_.orders()) {
      if (of_order[order.number] > 1) {
        add(out_, "order " + std::to_string(order.number) + " became " +
                      std::to_string(of_order[order.number]) + " commands");
      }
      if (order.id.empty()) continue;
      const auto& done = fleet_.agents()[order.agent]->carried_out();
      const auto times = done.find(order.id);
      if (!state_of.contains(order.id)) add(out_, "command " + order.id + " is lost");
      if (state_of[order.id] == "succeeded" && times == done.end()) {
        add(out_, "command " + order.id + " succeeded and was never carried out");
      }
      if (times != done.end() && times->second > 1) {
        add(out_,
            "command " + order.id + " was carried out " + std::to_string(times->second) + " times");
      }
    }
    return {};
  }

  // An agent's claim is spent when it has joined, and by its own device.
  Status claims() {
    std::map<std::string, std::string> spent;  // device, claim
    const auto items = TRY(fleet_.person().all("/v1/claims", {{"limit", "100"}}, "items", tick_));
    for (const wire::Json& item : items) {
      const auto& claim = *TRY(wire::as_object(item));
      if (TRY(wire::get_string(claim, "state")) != "spent") continue;
      const auto device = TRY(wire::find_string(claim, "device_id"));
      const std::string id = TRY(wire::get_string(claim, "id"));
      if (!device) add(out_, "claim " + id + " is spent by nobody");
      if (device && !spent.emplace(*device, id).second) {
        add(out_, "device " + *device + " has spent two claims");
      }
    }
    for (const auto& agent : fleet_.agents()) {
      if (!agent->device_id().empty() && !spent.contains(agent->device_id())) {
        add(out_, agent->name() + " has joined and its claim is not spent");
      }
    }
    return {};
  }

  Status audit() {
    wire::JsonArray notes;
    for (const std::string& note : fleet_.checkpoints()) notes.push_back(wire::Json(note));
    const auto answer = TRY(fleet_.person().insist("POST", "/v1/audit/verify",
                                                   wire::JsonObject{{"checkpoints", notes}}, "",
                                                   minutes(2), tick_));
    const auto& verdict = *TRY(wire::as_object(answer));
    if (!TRY(wire::get_bool(verdict, "ok"))) add(out_, "the audit: " + wire::json_text(answer));
    if (TRY(wire::get_int(verdict, "entries_checked")) == 0) add(out_, "the audit is empty");
    return {};
  }

  Fleet& fleet_;
  Violations& out_;
  const std::function<void()> tick_;
};

// ---- by the database

// Who handles which notices, as SQL. A subscriber that is not listed is a violation: add it.
struct Subscription {
  std::string_view subscriber;
  std::string_view names;
};
constexpr std::array kSubscriptions{
    Subscription{"identity.steps", "'device.first_connected','device.first_reading'"},
    Subscription{"identity.revoke", "'device.revoked'"},
    Subscription{"control.decommissioned", "'device.decommissioned'"},
    Subscription{"telemetry.mirror",
                 "'device.quarantined','device.released','device.revoked','device.changed',"
                 "'device.inventory_changed','certificate.issued','certificate.renewed',"
                 "'command.changed','twin.desired_changed'"},
};

struct Count {
  std::string_view what;
  std::string_view sql;
};
constexpr std::array kMustBeNone{
    Count{"claims spent without a certificate",
          "SELECT count(*) FROM claim WHERE spent AND NOT EXISTS"
          " (SELECT 1 FROM certificate WHERE claim_id=claim.id)"},
    Count{"claims with a certificate and not spent",
          "SELECT count(*) FROM claim WHERE NOT spent AND EXISTS"
          " (SELECT 1 FROM certificate WHERE claim_id=claim.id)"},
    Count{"claims with two first certificates",
          "SELECT count(*) FROM (SELECT claim_id FROM certificate WHERE claim_id IS NOT NULL"
          " GROUP BY claim_id HAVING count(*)>1)"},
    Count{"notices put aside", "SELECT count(*) FROM notice_parked"},
    Count{"gaps in the audit", "SELECT max(seq)+1-count(*) FROM audit"},
};

Status judge_tables(sql::Tx& tx, Violations& out) {
  for (const Count& row : kMustBeNone) {
    const std::int64_t count = TRY(tx.number(row.sql));
    if (count != 0) add(out, std::string(row.what) + ": " + std::to_string(count));
  }
  const auto subscribers = TRY(tx.list("SELECT subscriber FROM notice_cursor", {},
                                       [](sql::Row& row) { return row.text(0); }));
  for (const std::string& subscriber : subscribers) {
    const auto known = std::ranges::find(kSubscriptions, subscriber, &Subscription::subscriber);
    if (known == kSubscriptions.end()) {
      add(out, "the simulation does not know what " + subscriber + " handles");
      continue;
    }
    const std::int64_t waiting =
        TRY(tx.number("SELECT count(*) FROM notice WHERE name IN (" + std::string(known->names) +
                          ") AND seq > (SELECT seq FROM notice_cursor WHERE subscriber=?)",
                      {subscriber}));
    if (waiting != 0) {
      add(out, std::to_string(waiting) + " notices not handled by " + subscriber);
    }
  }
  if (subscribers.size() < kSubscriptions.size()) add(out, "a subscriber of notices is gone");
  return {};
}

}  // namespace

void judge_readings(std::string_view who, std::string_view metric, const std::set<double>& promised,
                    const std::vector<double>& stored, std::uint64_t snapshots, Violations& out) {
  std::map<double, int> times;
  for (const double value : stored) ++times[value];
  const std::string name = std::string(who) + " " + std::string(metric) + " = ";
  for (const double value : promised) {
    if (!times.contains(value))
      add(out, name + number_text(value) + " was acknowledged and is lost");
  }
  for (const auto& [value, count] : times) {
    if (count > 1)
      add(out, name + number_text(value) + " is stored " + std::to_string(count) + " times");
    if (value < 1 || value > static_cast<double>(snapshots)) {
      add(out, name + number_text(value) + " was never measured");
    }
  }
}

void judge_by_api(Fleet& fleet, Violations& out) {
  for (const auto& agent : fleet.agents()) {
    if (!agent->trouble().empty()) add(out, agent->name() + ": " + agent->trouble());
    if (!agent->ledger().confusion().empty()) {
      add(out, agent->name() + ": " + agent->ledger().confusion());
    }
    if (agent->device_id().empty()) add(out, agent->name() + " has not joined: " + agent->state());
  }
  for (const std::string& refusal : fleet.refusals()) add(out, "refused for good: " + refusal);
  ByApi(fleet, out).all();
}

void judge_by_database(Fleet& fleet, Violations& out) {
  if (!fleet.server().stopped()) return add(out, "the server does not stop");
  os::sim::Node& node = fleet.server().node();
  if (!node.up()) node.restart();
  Metrics metrics;
  const auto judge = [&]() -> Status {
    const auto database = TRY(sql::open_sqlite(
        node.system(), metrics, {app::database_path(std::string(kDataFolder)), 2, true}));
    return database->read([&](sql::Tx& tx) { return judge_tables(tx, out); });
  };
  const Status judged = judge();
  if (!judged) add(out, "the stopped server's database: " + judged.error().text());
}

}  // namespace holdfast::sim
