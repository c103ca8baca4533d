#include "libs/os/sim/simulation.hpp"

#include <cassert>

#include "libs/os/sim/life.hpp"
#include "libs/os/sim/scheduler.hpp"

namespace holdfast::os::sim {
namespace {

// Each node, disk and life draws from a stream of its own: adding a node shifts no other's numbers.
std::uint64_t seed_of(std::uint64_t seed, const std::string& name, std::uint64_t number) {
  return Random(seed + number * 0x9E3779B97F4A7C15ULL, name).next();
}

}  // namespace

// ---- Node

Node::Node(Simulation& simulation, std::string name, unsigned index)
    : simulation_(simulation),
      name_(std::move(name)),
      address_("10.0." + std::to_string(index / 256) + "." + std::to_string(index % 256)),
      index_(index) {
  disk_ = std::make_unique<Disk>(*simulation_.scheduler_, name_,
                                 seed_of(simulation_.seed_, name_ + "/disk", 0));
  disk_->on_crash([this] { crash(Crash::power); });
  simulation_.links_->add_node(index_, name_, address_);
  start();
}

Node::~Node() = default;

void Node::start() {
  lives_.push_back(std::make_unique<Life>(
      *simulation_.scheduler_, *simulation_.links_, *disk_, index_, name_, address_,
      seed_of(simulation_.seed_, name_, lives_.size() + 1), simulation_.start_, wall_offset_));
  simulation_.links_->node_up(index_, lives_.back().get());
}

System Node::system() {
  Life& life = *lives_.back();
  return {life.clock, life.files, life.network, life.entropy, life.process, life.threads};
}

Loop& Node::loop() {
  return lives_.back()->main_loop;
}
bool Node::up() const {
  return lives_.back()->alive;
}
unsigned Node::life() const {
  return static_cast<unsigned>(lives_.size());
}
Disk& Node::disk() {
  return *disk_;
}

void Node::crash(Crash kind) {
  if (!up()) return;
  Scheduler& scheduler = *simulation_.scheduler_;
  const Scheduler::Wake wake(scheduler);
  scheduler.note(name_, kind == Crash::power ? "loses power" : "is killed");
  lives_.back()->end();
  simulation_.links_->node_down(index_, kind == Crash::process);
  if (kind == Crash::power) disk_->lose_power();
}

void Node::restart() {
  assert(!up());
  simulation_.scheduler_->note(name_, "starts");
  start();
}

void Node::jump_wall(Duration by) {
  simulation_.scheduler_->note(name_, "clock jumps", {}, static_cast<std::uint64_t>(by.us));
  wall_offset_ = wall_offset_ + by;
}

// ---- Simulation

Simulation::Simulation(std::uint64_t seed, Options options)
    : seed_(seed),
      start_(options.start),
      random_(seed, "test"),
      scheduler_(std::make_unique<Scheduler>()),
      links_(std::make_unique<Links>(*scheduler_, seed, options.delay_min, options.delay_max)) {}

Simulation::~Simulation() {
  // Whatever tasks still own dies while everything is still there.
  for (const auto& node : nodes_) node->crash(Crash::power);
}

Node& Simulation::node(std::string_view name) {
  for (const auto& node : nodes_) {
    if (node->name() == name) return *node;
  }
  const auto index = static_cast<unsigned>(nodes_.size()) + 1;
  nodes_.push_back(std::make_unique<Node>(*this, std::string(name), index));
  return *nodes_.back();
}

MonoTime Simulation::now() const {
  return scheduler_->now();
}
WallTime Simulation::wall() const {
  return start_ + (now() - kStart);
}

void Simulation::jump_wall(Duration by) {
  scheduler_->note("all", "clocks jump", {}, static_cast<std::uint64_t>(by.us));
  start_ = start_ + by;
}

bool Simulation::step() {
  assert(!scheduler_->running());
  return scheduler_->step(kNever);
}

bool Simulation::run_until(const std::function<bool()>& condition, Duration within) {
  assert(!scheduler_->running());
  const MonoTime end = now() + within;
  while (!condition()) {
    if (scheduler_->step(end)) continue;
    scheduler_->advance(end);
    return condition();
  }
  return true;
}

void Simulation::run_for(Duration time) {
  run_until([] { return false; }, time);
}

std::uint64_t Simulation::trace_hash() const {
  return scheduler_->trace().hash();
}
void Simulation::keep_trace(bool keep) {
  scheduler_->trace().keep(keep);
}
std::string Simulation::trace() const {
  return scheduler_->trace().text();
}

}  // namespace holdfast::os::sim
