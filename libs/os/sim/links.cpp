#include "libs/os/sim/links.hpp"

#include <algorithm>
#include <cassert>

#include "libs/os/sim/connection.hpp"
#include "libs/os/sim/life.hpp"
#include "libs/os/sim/scheduler.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::os::sim {
namespace {

constexpr Duration kConnectMax = seconds(130);  // as long as Linux tries by itself
constexpr Duration kOwnDelayMin = microseconds(10);
constexpr Duration kOwnDelayMax = microseconds(50);
constexpr Duration kResumeMax = seconds(1);  // until the sender's kernel tries again after a cut
constexpr unsigned kBackoffMax = 4;          // doublings of a second between tries to connect

bool is_own(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

class SimListener final : public Listener {
 public:
  SimListener(Links& links, std::shared_ptr<ListenState> state)
      : links_(links), state_(std::move(state)) {}
  ~SimListener() override { links_.close_listener(state_); }
  Endpoint endpoint() const override { return state_->at; }
  void pause(bool paused) override { links_.pause(state_, paused); }

 private:
  Links& links_;
  const std::shared_ptr<ListenState> state_;
};

}  // namespace

Links::Links(Scheduler& scheduler, std::uint64_t seed, Duration delay_min, Duration delay_max)
    : scheduler_(scheduler), random_(seed, "links"), delay_{delay_min, delay_max} {}
Links::~Links() = default;

// ---- faults

void Links::set_delay(Duration low, Duration high) {
  delay_ = {low, high};
}

void Links::set_delay(const Node& from, const Node& to, Duration low, Duration high) {
  delays_[{from.index(), to.index()}] = {low, high};
}

void Links::cut(const Node& one, const Node& other) {
  cut_one_way(one, other);
  cut_one_way(other, one);
}

void Links::cut_one_way(const Node& from, const Node& to) {
  scheduler_.note(from.name(), "is cut from", to.name());
  cuts_.insert({from.index(), to.index()});
}

void Links::isolate(const Node& node) {
  scheduler_.note(node.name(), "is cut off");
  for (const auto& [index, host] : hosts_) {
    cuts_.insert({index, node.index()});
    cuts_.insert({node.index(), index});
  }
}

void Links::heal(const Node& one, const Node& other) {
  scheduler_.note(one.name(), "is joined to", other.name());
  cuts_.erase({one.index(), other.index()});
  cuts_.erase({other.index(), one.index()});
  resume();
}

void Links::heal_all() {
  scheduler_.note("all", "cuts heal");
  cuts_.clear();
  resume();
}

template <class F>
void Links::for_connections(const Node& one, const Node& other, F&& use) {
  const Pair pair = std::minmax(one.index(), other.index());
  for (const auto& [id, connection] : std::map(connections_)) {
    const auto& ends = connection->ends;
    if (Pair(std::minmax(ends[0].node, ends[1].node)) == pair) use(*connection);
  }
}

void Links::forget_connections(const Node& one, const Node& other) {
  scheduler_.note(one.name(), "is forgotten by the way to", other.name());
  for_connections(one, other, [](Connection& connection) { connection.forgotten = true; });
}

void Links::reset_connections(const Node& one, const Node& other) {
  scheduler_.note(one.name(), "is reset with", other.name());
  for_connections(one, other, [this](Connection& connection) {
    break_end(connection, 0);
    break_end(connection, 1);
    drop_if_done(connection.id);
  });
}

void Links::resume() {
  for (const auto& [id, connection] : connections_) {
    for (unsigned side = 0; side < 2; ++side) {
      Pipe& pipe = connection->pipes[side];
      if (!pipe.stalled || !passes(*connection, side)) continue;
      pipe.stalled = false;
      if (pipe.queue.empty()) continue;
      schedule_head(*connection, side, scheduler_.now() + random_.between(Duration{}, kResumeMax));
    }
  }
}

// ---- hosts

void Links::add_node(NodeIndex node, std::string name, std::string address) {
  hosts_[node] = {std::move(name), std::move(address)};
}

void Links::node_up(NodeIndex node, Life* /*life*/) {
  hosts_[node].powered = true;
  resume();
}

template <class F>
void Links::drop_attempts(F&& which) {
  for (const auto& [id, attempt] : std::map(attempts_)) {
    if (!which(*attempt)) continue;
    attempts_.erase(id);
    scheduler_.cancel(attempt->deadline);
    scheduler_.bury([done = std::exchange(attempt->done, {})] {});
  }
}

void Links::loop_closed(std::uint64_t loop) {
  const Scheduler::Wake wake(scheduler_);
  drop_attempts([&](const Attempt& attempt) { return attempt.loop == loop; });
  for (const auto& [id, connection] : connections_) {
    for (End& end : connection->ends) {
      if (end.loop != loop) continue;
      for (Task& wait : end.waits) scheduler_.bury(std::exchange(wait, {}));
    }
  }
}

void Links::node_down(NodeIndex node, bool powered) {
  hosts_[node].powered = powered;
  drop_attempts([&](const Attempt& attempt) { return attempt.from == node; });
  for (auto& [key, listeners] : listeners_) {
    if (key.first != node) continue;
    for (const auto& listener : listeners) listener->closed = true;
    listeners.clear();
  }
  for (const auto& [id, connection] : std::map(connections_)) {
    for (unsigned side = 0; side < 2; ++side) {
      End& end = connection->ends[side];
      if (end.node != node) continue;
      if (powered) {
        for (Task& wait : end.waits) scheduler_.bury(std::exchange(wait, {}));
        close(*connection, side);
      } else {
        bury_end(*connection, side);
      }
    }
    drop_if_done(id);
  }
}

Duration Links::draw_delay(NodeIndex from, NodeIndex to) {
  if (from == to) return random_.between(kOwnDelayMin, kOwnDelayMax);
  const auto found = delays_.find({from, to});
  const Delay& delay = found == delays_.end() ? delay_ : found->second;
  return random_.between(delay.low, delay.high);
}

bool Links::passes(NodeIndex from, NodeIndex to) const {
  const auto host = hosts_.find(to);
  if (host == hosts_.end() || !host->second.powered) return false;
  return from == to || !cuts_.contains({from, to});
}

NodeIndex Links::find_host(const Life& from, std::string_view name) const {
  if (is_own(name)) return from.node;
  for (const auto& [index, host] : hosts_) {
    if (host.name == name || host.address == name) return index;
  }
  return 0;
}

// ---- listening

std::uint16_t Links::take_port(NodeIndex node) {
  std::uint16_t& next = hosts_[node].next_port;
  while (true) {
    const std::uint16_t port = next;
    next = next == UINT16_MAX ? kFirstPort : static_cast<std::uint16_t>(next + 1);
    const auto taken = listeners_.find({node, port});
    if (taken == listeners_.end() || taken->second.empty()) return port;
  }
}

Result<std::unique_ptr<Listener>> Links::listen(Life& life, std::uint64_t loop, const Endpoint& at,
                                                AcceptFn accept) {
  if (!life.alive) return fail(Code::unavailable, "the machine is down");
  const std::string& address = hosts_[life.node].address;
  const bool any = at.host.empty() || at.host == "0.0.0.0" || at.host == "::";
  if (!any && find_host(life, at.host) != life.node) {
    return fail(Code::unavailable, at.host + " is no address of this machine, which is " + address);
  }
  auto state = std::make_shared<ListenState>();
  state->node = life.node;
  state->port = at.port != 0 ? at.port : take_port(life.node);
  state->at = {at.host.empty() ? "::" : at.host, state->port};
  state->own_node_only = is_own(at.host);
  state->life = &life;
  state->loop = loop;
  state->accept = std::move(accept);
  listeners_[{life.node, state->port}].push_back(state);
  return std::make_unique<SimListener>(*this, std::move(state));
}

void Links::pause(const std::shared_ptr<ListenState>& listener, bool paused) {
  listener->paused = paused;
  if (!paused) schedule_accept(listener);
}

void Links::close_listener(const std::shared_ptr<ListenState>& listener) {
  if (std::exchange(listener->closed, true)) return;
  std::erase(listeners_[{listener->node, listener->port}], listener);
  for (const std::uint64_t id : std::exchange(listener->backlog, {})) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    const auto connection = found->second;
    close(*connection, 1, true);
  }
}

void Links::schedule_accept(const std::shared_ptr<ListenState>& listener) {
  if (listener->closed || listener->paused || listener->scheduled) return;
  if (listener->backlog.empty()) return;
  listener->scheduled = true;
  scheduler_.post(listener->loop, [this, listener] { accept_next(listener); });
}

void Links::accept_next(const std::shared_ptr<ListenState>& listener) {
  listener->scheduled = false;
  if (listener->closed || listener->paused || listener->backlog.empty()) return;
  const auto found = connections_.find(listener->backlog.front());
  listener->backlog.pop_front();
  if (found != connections_.end()) {
    listener->accept(make_sim_stream(*this, found->second, 1));
  }
  schedule_accept(listener);
}

// ---- connecting

void Links::connect(Life& life, std::uint64_t loop, const Endpoint& to, MonoTime deadline,
                    ConnectFn done) {
  if (!life.alive) return;
  auto attempt = std::make_shared<Attempt>();
  attempt->id = next_id_++;
  attempt->from = life.node;
  attempt->host = find_host(life, to.host);
  attempt->life = &life;
  attempt->loop = loop;
  attempt->to = to;
  attempt->done = std::move(done);
  attempts_.emplace(attempt->id, attempt);
  const MonoTime now = scheduler_.now();
  if (attempt->host == 0) {
    scheduler_.at(now + kOwnDelayMax, kWorld, [this, attempt] {
      finish(*attempt, fail(Code::unavailable, "cannot look up \"" + attempt->to.host + "\""));
    });
    return;
  }
  const bool gives_up = deadline > now + kConnectMax;
  attempt->deadline =
      scheduler_.at(gives_up ? now + kConnectMax : deadline, kWorld, [this, attempt, gives_up] {
        finish(*attempt, fail(gives_up ? Code::unavailable : Code::deadline_exceeded,
                              "no connection to " + attempt->to.text() + " in time"));
      });
  scheduler_.at(now + draw_delay(attempt->from, attempt->host), kWorld,
                [this, attempt] { knock(attempt); });
}

std::shared_ptr<ListenState> Links::find_listener(NodeIndex from, NodeIndex to,
                                                  std::uint16_t port) {
  const auto found = listeners_.find({to, port});
  if (found == listeners_.end()) return nullptr;
  std::vector<std::shared_ptr<ListenState>> fit;
  for (const auto& listener : found->second) {
    if (!listener->own_node_only || from == to) fit.push_back(listener);
  }
  if (fit.empty()) return nullptr;
  return fit[static_cast<std::size_t>(random_.below(fit.size()))];
}

// The first packet arrives, or does not.
void Links::knock(const std::shared_ptr<Attempt>& attempt) {
  if (!attempt->done) return;
  const NodeIndex from = attempt->from;
  const NodeIndex to = attempt->host;
  const bool reachable = passes(from, to) && passes(to, from);
  const auto listener = reachable ? find_listener(from, to, attempt->to.port) : nullptr;
  if (!reachable || (listener && listener->backlog.size() >= kBacklogMax)) {
    const Duration pause = seconds(1LL << std::min(attempt->tries++, kBackoffMax));
    scheduler_.at(scheduler_.now() + pause, kWorld, [this, attempt] { knock(attempt); });
    return;
  }
  if (listener) {
    establish(attempt, *listener);
    return schedule_accept(listener);
  }
  scheduler_.at(scheduler_.now() + draw_delay(to, from), kWorld, [this, attempt] {
    finish(*attempt,
           fail(Code::unavailable, "connect to " + attempt->to.text() + ": connection refused"));
  });
}

void Links::establish(const std::shared_ptr<Attempt>& attempt, ListenState& listener) {
  const NodeIndex from = attempt->from;
  const NodeIndex to = attempt->host;
  auto connection = std::make_shared<Connection>();
  connection->id = next_id_++;
  const bool own = from == to;
  const Endpoint client{own ? "127.0.0.1" : hosts_[from].address, take_port(from)};
  const Endpoint server{own ? "127.0.0.1" : hosts_[to].address, attempt->to.port};
  End& one = connection->ends[0];
  one.node = from;
  one.life = attempt->life;
  one.loop = attempt->loop;
  one.peer = server.text();
  End& other = connection->ends[1];
  other.node = to;
  other.life = listener.life;
  other.loop = listener.loop;
  other.peer = client.text();
  connections_.emplace(connection->id, connection);
  listener.backlog.push_back(connection->id);
  scheduler_.note(hosts_[to].name, "is called by", other.peer, connection->id);
  scheduler_.at(scheduler_.now() + draw_delay(to, from), kWorld, [this, attempt, connection] {
    if (attempt->done) return finish(*attempt, make_sim_stream(*this, connection, 0));
    close(*connection, 0, true);  // the caller's deadline passed meanwhile
  });
}

void Links::finish(Attempt& attempt, Result<std::unique_ptr<Stream>> result) {
  if (!attempt.done) return;
  scheduler_.cancel(attempt.deadline);
  scheduler_.post(attempt.loop,
                  [done = std::exchange(attempt.done, {}), result = std::move(result)]() mutable {
                    done(std::move(result));
                  });
  attempts_.erase(attempt.id);
}

}  // namespace holdfast::os::sim
