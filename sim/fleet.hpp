// Fleet: a server, its devices and its operator in one simulation, and what they do in a run: the
// devices join by claims and report, the operator sends commands, chaos strikes, all heals.
// One thread. At most one Fleet at a time: OpenSSL draws from the seed while it lives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/crypto/seeded.hpp"
#include "sim/chaos.hpp"
#include "sim/operator.hpp"

namespace holdfast::sim {

struct RunOptions {
  unsigned agents = 20;
  Duration trouble = seconds(90);       // how long things go wrong
  Duration strike_every = seconds(4);   // on average
  Duration settle_limit = minutes(16);  // above what TCP, back-off and keep-alive may take
  unsigned commands = 20;
  bool faults = true;
  bool keep_trace = false;  // the simulation's events and the hosts' debug lines
};

// A command as the operator wished for it.
struct Order {
  unsigned number = 0;
  std::size_t agent = 0;  // index
  std::string id;         // "" until the server has answered
  bool asked = false;     // a try is on the way
  std::string refused;    // why the server will never take it, or what became of the answer
  unsigned conflicts = 0;
};

class SeedEntropy final : public os::Entropy {
 public:
  explicit SeedEntropy(std::uint64_t seed) : random_(seed, "openssl") {}
  void fill(std::span<std::uint8_t> out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_.next() >> 56);
  }

 private:
  os::sim::Random random_;
};

class Fleet {
 public:
  Fleet(std::uint64_t seed, RunOptions options);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  void live_through_trouble();
  // Faults are over: waits until everybody is well. False when they are not within the limit.
  bool settle();
  void stop_agents();
  void stop_server();
  // A quarter of a second of everybody's life.
  void tick();
  std::function<void()> ticker() {
    return [this] { tick(); };
  }

  os::sim::Simulation& world() { return world_; }
  const RunOptions& options() const { return options_; }
  ServerHost& server() { return server_; }
  Operator& person() { return operator_; }
  Chaos& chaos() { return chaos_; }
  Journal& journal() { return journal_; }
  const std::vector<std::unique_ptr<AgentHost>>& agents() const { return agents_; }
  const std::vector<Order>& orders() const { return orders_; }
  const std::vector<std::string>& checkpoints() const { return checkpoints_; }
  // What the operator was refused for good; nothing should be, however often it was asked.
  const std::vector<std::string>& refusals() const { return refusals_; }
  // Whoever is not well, and why; "" for all well.
  std::string unwell() const;

 private:
  struct Claim {
    MonoTime wanted_at{};
    unsigned number = 0;  // of its Idempotency-Key
    bool asked = false;
    unsigned conflicts = 0;
  };
  void ask_for_claims();
  void place_orders();
  void keep_checkpoint();

  static constexpr Duration kTick = milliseconds(250);
  static constexpr Duration kCheckpointEvery = seconds(30);

  const RunOptions options_;
  SeedEntropy entropy_;
  crypto::SeededRandom openssl_;
  os::sim::Simulation world_;
  Journal journal_;
  ServerHost server_;
  std::vector<std::unique_ptr<AgentHost>> agents_;
  Operator operator_;
  Chaos chaos_;
  std::vector<Claim> claims_;  // by agent
  std::vector<Order> orders_;
  std::vector<MonoTime> order_at_;
  std::vector<std::string> refusals_;
  std::vector<std::string> checkpoints_;  // notes, as the operator keeps them elsewhere
  MonoTime next_checkpoint_{};
  bool asking_checkpoint_ = false;
};

}  // namespace holdfast::sim
