#include "sim/agent_host.hpp"

#include "sim/server_host.hpp"

namespace holdfast::sim {

agent::Snapshot ScriptedProbe::snapshot() {
  agent::Snapshot out;
  out.mono = world_.now();
  const auto number = static_cast<double>(++taken_);
  out.uptime_s = number;
  out.load = agent::LoadAverage{number, 0.5, 0.25};
  return out;
}

agent::Facts ScriptedProbe::facts() {
  agent::Facts out;
  out.os_release = "ID=sim\nNAME=\"Simulated\"\n";
  out.kernel = "6.1.0";
  out.host_name = name_;
  out.architecture = "x86_64";
  out.memory_bytes = 1ULL << 30;
  return out;
}

AgentHost::AgentHost(os::sim::Simulation& world, Journal& journal, std::string name)
    : world_(world), node_(world.node(name)), journal_(journal), probe_(world, name) {}

AgentHost::~AgentHost() { drop(); }

void AgentHost::drop() {
  agent_.reset();
  joining_.reset();
  witness_.reset();
  transport_.reset();
  metrics_.reset();
}

agent::AgentOptions AgentHost::options() const {
  agent::AgentOptions out;
  out.version = "1.0.0";
  out.state = "/data/agent";
  out.seal_path = "/data/agent.seal";
  out.spool_bytes = 1024 * 1024;
  out.keep_alive_s = 30;
  return out;
}

void AgentHost::tick() {
  if (!node_.up()) {
    drop();
    if (stopping_ || world_.now() < next_try_) return;
    node_.restart();
  }
  if (stopping_) {
    if (ended_ || !agent_) drop();
    return;
  }
  if (joining_) {
    if (joining_->result) finish_join();
    return;
  }
  if (agent_ || world_.now() < next_try_) return;
  if (!transport_) {
    metrics_ = std::make_unique<Metrics>();
    transport_ = crypto::make_plain_transport(node_.system().network, *metrics_);
    witness_ = std::make_unique<Witness>(*transport_, kMqttPort, ledger_);
  }
  if (!device_id_.empty()) return start_agent();
  if (!code_.empty()) start_join();
}

void AgentHost::later(const Error& why) {
  why_ = why.text();
  journal_.note(name(), why_);
  next_try_ = world_.now() + kRetry;
}

void AgentHost::start_join() {
  auto folder = agent::StateFolder::open(node_.system(), options().state, options().seal_path);
  if (!folder) return later(folder.error());
  joining_ = std::make_unique<Joining>();
  joining_->folder = *std::move(folder);
  joining_->join = std::make_unique<agent::Join>(node_.system(), node_.loop(), *witness_,
                                                 *joining_->folder);
  joining_->join->run(code_, false, [joining = joining_.get()](Result<agent::Joined> joined) {
    joining->result = std::move(joined);
  });
}

void AgentHost::finish_join() {
  const Result<agent::Joined> joined = *std::move(joining_->result);
  joining_.reset();
  if (!joined) {
    const Code code = joined.error().code;
    // A person would ask for another code.
    if (code == Code::claim_expired || code == Code::claim_unknown) code_.clear();
    if (code == Code::claim_spent && trouble_.empty()) {
      trouble_ = "its claim was spent by no certificate that it got: " + joined.error().text();
    }
    return later(joined.error());
  }
  device_id_ = joined->device_id;
  why_.clear();
  journal_.note(name(), "joined as " + device_id_);
}

void AgentHost::start_agent() {
  auto agent = agent::Agent::open(node_.system(), node_.loop(), *witness_, probe_, options(),
                                  [this](std::string_view line) { logged(line); });
  if (!node_.up()) return;
  if (!agent) {
    const bool lost = agent.error().code == Code::certificate_required;
    if (lost && trouble_.empty()) trouble_ = "its identity is gone: " + agent.error().text();
    return later(agent.error());
  }
  why_.clear();
  agent_ = *std::move(agent);
  agent_->start();
}

// {"...","message":"command","name":"ping","id":"cmd_..."}: the agent says so just before it acts.
void AgentHost::logged(std::string_view line) {
  journal_.note(name(), line);
  if (line.find("\"message\":\"command\"") == std::string_view::npos) return;
  constexpr std::string_view kId = "\"id\":\"";
  const auto at = line.find(kId);
  if (at == std::string_view::npos) return;
  const std::string_view rest = line.substr(at + kId.size());
  ++carried_out_[std::string(rest.substr(0, rest.find('"')))];
}

void AgentHost::crash(os::sim::Crash kind, Duration pause) {
  node_.crash(kind);
  drop();
  next_try_ = world_.now() + pause;
}

void AgentHost::stop() {
  stopping_ = true;
  if (agent_ && node_.up()) agent_->stop([this] { ended_ = true; });
}

std::string AgentHost::state() const {
  if (!node_.up()) return "powered off";
  if (online()) return "online, " + std::to_string(agent_->waiting()) + " messages wait";
  if (agent_) return "running, not connected";
  if (joining_) return "joining";
  return code_.empty() && device_id_.empty() ? "has no code" : "not running: " + why_;
}

}  // namespace holdfast::sim
