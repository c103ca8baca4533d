// Simulation: many machines on one thread, with simulated time, disks and network. The same seed
// and the same program give the same run, event by event (trace_hash() says so).
//
//   Simulation world(seed);
//   Node& server = world.node("server");
//   auto app = std::make_unique<App>(server.system(), server.loop());
//   world.run_until([&] { return app->ready(); }, seconds(10));
//   server.crash();      // power cut: unsynced writes meet their fate, connections go silent
//   app.reset();         // 1. the owner drops its objects: nothing calls them any more
//   server.restart();    // 2. a new life: system() and loop() are new objects on the old disk
//   app = std::make_unique<App>(server.system(), server.loop());
//
// After crash() no task, timer or call-back of the old life runs again. Tasks still queued are
// destroyed at once (or, when the crash came from inside a call-back, right after that call-back),
// while the owner's objects are still there. The old life's files answer io_error, its streams
// `closed`, its posts are dropped. References from an old system() stay valid until the Simulation
// dies. Destroy the owner's objects before the Simulation.
//
// Order: events run by time, then in the order in which they were asked for. Work takes no
// simulated time, except on a slow disk. Threads: one, everything.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/os/sim/disk.hpp"
#include "libs/os/sim/links.hpp"
#include "libs/os/sim/random.hpp"
#include "libs/os/system.hpp"

namespace holdfast::os::sim {

class Simulation;
struct Life;

enum class Crash {
  power,    // the machine stops: unsynced files at risk, peers hear nothing until it is back
  process,  // kill -9: the kernel keeps what was written and closes the connections
};

struct Options {
  WallTime start{1'767'225'600'000'000};   // 2026-01-01T00:00:00Z
  Duration delay_min = microseconds(200);  // one way, between two nodes
  Duration delay_max = milliseconds(5);
};

// One machine. Its host name is `name`; others connect to that or to address().
class Node final {
 public:
  Node(Simulation& simulation, std::string name, unsigned index);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& name() const { return name_; }
  const std::string& address() const { return address_; }  // "10.0.0.1"
  System system();
  Loop& loop();  // the main loop; run() drives the whole simulation until stop()
  unsigned index() const { return index_; }
  bool up() const;
  unsigned life() const;                  // 1 at first
  void crash(Crash kind = Crash::power);  // nothing when it is down
  void restart();                         // asserts !up()
  Disk& disk();
  void jump_wall(Duration by);  // this node's wall clock only

 private:
  void start();
  Simulation& simulation_;
  const std::string name_;
  const std::string address_;
  const unsigned index_;
  Duration wall_offset_{};
  std::unique_ptr<Disk> disk_;
  std::vector<std::unique_ptr<Life>> lives_;
};

class Simulation final {
 public:
  explicit Simulation(std::uint64_t seed, Options options = {});
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  std::uint64_t seed() const { return seed_; }
  Node& node(std::string_view name);  // made on first use; lives as long as the Simulation
  MonoTime now() const;
  WallTime wall() const;
  void jump_wall(Duration by);  // all nodes' wall clocks

  // The next event; false when there is none. Never from inside an event.
  bool step();
  // True as soon as the condition holds, which is asked before the first and after each event;
  // false when it still does not after `within` of simulated time.
  bool run_until(const std::function<bool()>& condition, Duration within);
  void run_for(Duration time);

  Links& links() { return *links_; }    // delays, cuts, losses
  Random& random() { return random_; }  // the test's own choices, by the same seed

  std::uint64_t trace_hash() const;  // of every event so far
  void keep_trace(bool keep);
  std::string trace() const;  // one line an event; the last kTraceLinesMax of those kept

 private:
  friend class Node;
  const std::uint64_t seed_;
  WallTime start_;
  Random random_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Links> links_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace holdfast::os::sim
