#include "sim/fleet.hpp"

namespace holdfast::sim {
namespace {

constexpr Duration kClaimLife = hours(24);
constexpr unsigned kOrderDeadline_s = 60;

std::string text_of_member(const wire::Json& json, std::string_view name) {
  const auto object = wire::as_object(json);
  if (!object) return "";
  return wire::get_string(**object, name).value_or("");
}

// "Still being carried out" passes; that the answer is lost must not be.
constexpr unsigned kConflictsMax = 3;

// Whether the server may answer otherwise next time.
bool may_pass(const Error& error, unsigned& conflicts) {
  if (error.code == Code::conflict) return ++conflicts < kConflictsMax;
  const int status = row_of(error.code).http_status;
  return status == 0 || status >= 500 || status == 401 || status == 429;
}

}  // namespace

Fleet::Fleet(std::uint64_t seed, RunOptions options)
    : options_(options),
      entropy_(seed),
      openssl_(entropy_),
      world_(seed),
      journal_(world_),
      server_(world_, journal_, options.keep_trace ? Level::debug : Level::info),
      operator_(world_, server_),
      chaos_(world_, journal_, server_, agents_) {
  world_.keep_trace(options_.keep_trace);
  os::sim::Random random(seed, "fleet");
  const MonoTime start = world_.now();
  for (unsigned i = 0; i < options_.agents; ++i) {
    agents_.push_back(
        std::make_unique<AgentHost>(world_, journal_, "agent" + std::to_string(i + 1)));
    // Most join in the calm of the first seconds, some while things go wrong.
    const Duration latest = random.chance(70) ? seconds(3) : options_.trouble;
    claims_.push_back({start + random.between({}, latest), 0, false, 0});
  }
  for (unsigned i = 0; i < options_.commands; ++i) {
    orders_.push_back({i + 1, random.below(options_.agents), "", false, "", 0});
    order_at_.push_back(start + random.between(seconds(3), options_.trouble));
  }
}

Fleet::~Fleet() = default;

void Fleet::tick() {
  world_.run_for(kTick);
  chaos_.tick();
  server_.tick();
  for (const auto& agent : agents_) agent->tick();
  ask_for_claims();
  place_orders();
  keep_checkpoint();
}

void Fleet::ask_for_claims() {
  if (!server_.serving()) return;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    Claim& claim = claims_[i];
    if (claim.asked || !agents_[i]->wants_code() || claim.wanted_at > world_.now()) continue;
    claim.asked = true;
    const wire::JsonObject body{{"name", agents_[i]->name()},
                                {"expires_in_s", kClaimLife.us / 1'000'000}};
    const std::string key = "claim-" + agents_[i]->name() + "-" + std::to_string(claim.number);
    operator_.ask("POST", "/v1/claims", body, key, [this, i](Result<wire::Json> made) {
      Claim& mine = claims_[i];
      mine.asked = false;
      if (made) {
        ++mine.number;
        return agents_[i]->give_code(text_of_member(*made, "code"));
      }
      mine.wanted_at = world_.now() + seconds(1);
      if (!may_pass(made.error(), mine.conflicts)) {
        refusals_.push_back("no claim for " + agents_[i]->name() + ": " + made.error().text());
        ++mine.number;
        mine.conflicts = 0;
      }
      journal_.note("operator", "no claim for " + agents_[i]->name() + ": " + made.error().text());
    });
  }
}

void Fleet::place_orders() {
  if (!server_.serving()) return;
  for (std::size_t i = 0; i < orders_.size(); ++i) {
    Order& order = orders_[i];
    const std::string& device = agents_[order.agent]->device_id();
    const bool done = !order.id.empty() || !order.refused.empty();
    if (done || order.asked || device.empty() || order_at_[i] > world_.now()) continue;
    order.asked = true;
    const wire::JsonObject body{{"name", order.number % 3 == 0 ? "report" : "ping"},
                                {"payload", wire::JsonObject{{"number", order.number}}},
                                {"deadline_s", kOrderDeadline_s}};
    operator_.ask(
        "POST", "/v1/devices/" + device + "/commands", body,
        "order-" + std::to_string(order.number), [this, i](Result<wire::Json> taken) {
          Order& mine = orders_[i];
          mine.asked = false;
          if (taken) {
            mine.id = text_of_member(*taken, "id");
          } else if (may_pass(taken.error(), mine.conflicts)) {
            order_at_[i] = world_.now() + seconds(1);
          } else {
            mine.refused = taken.error().text();
            refusals_.push_back("order " + std::to_string(mine.number) + ": " + mine.refused);
          }
        });
  }
}

// What a careful operator does: keeps what the audit has signed at another place.
void Fleet::keep_checkpoint() {
  if (!server_.serving() || asking_checkpoint_ || next_checkpoint_ > world_.now()) return;
  asking_checkpoint_ = true;
  next_checkpoint_ = world_.now() + kCheckpointEvery;
  operator_.ask("GET", "/v1/audit/checkpoint", nullptr, "", [this](Result<wire::Json> got) {
    asking_checkpoint_ = false;
    if (got) checkpoints_.push_back(text_of_member(*got, "note"));
  });
}

void Fleet::live_through_trouble() {
  os::sim::Random random(world_.seed(), "strikes");
  const MonoTime end = world_.now() + options_.trouble;
  MonoTime next = world_.now() + seconds(1);
  while (world_.now() < end) {
    if (options_.faults && world_.now() >= next) {
      chaos_.strike();
      next = world_.now() + random.between({}, options_.strike_every * 2);
    }
    tick();
  }
  chaos_.heal();
}

bool Fleet::settle() {
  const MonoTime end = world_.now() + options_.settle_limit;
  // A link that fell silent is believed in for a while: only an acknowledgement proves one.
  std::vector<std::uint64_t> before;
  for (const auto& agent : agents_) before.push_back(agent->ledger().messages());
  std::vector<bool> drained(agents_.size(), false);
  while (world_.now() < end) {
    tick();
    bool all = server_.serving();
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      const AgentHost& agent = *agents_[i];
      const bool proven = agent.online() && agent.ledger().messages() > before[i];
      drained[i] = drained[i] || (proven && agent.drained());
      all = all && drained[i] && agent.online();
    }
    for (const Order& order : orders_) all = all && (!order.id.empty() || !order.refused.empty());
    if (all) return true;
  }
  return false;
}

std::string Fleet::unwell() const {
  std::string out;
  if (!server_.serving()) out += "server: " + server_.trouble() + "; ";
  for (const auto& agent : agents_) {
    if (!agent->online() || !agent->drained()) out += agent->name() + ": " + agent->state() + "; ";
  }
  for (const Order& order : orders_) {
    if (order.id.empty() && order.refused.empty()) {
      out += "order " + std::to_string(order.number) + " was not taken; ";
    }
  }
  return out;
}

void Fleet::stop_agents() {
  for (const auto& agent : agents_) agent->stop();
  const MonoTime end = world_.now() + seconds(10);
  const auto all_stopped = [&] {
    return std::ranges::all_of(agents_, [](const auto& agent) { return agent->stopped(); });
  };
  while (!all_stopped() && world_.now() < end) tick();
}

void Fleet::stop_server() {
  server_.stop(ServerHost::kNeverAgain);
  const MonoTime end = world_.now() + seconds(20);
  while (!server_.stopped() && world_.now() < end) tick();
}

}  // namespace holdfast::sim
