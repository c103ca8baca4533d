#include "libs/os/sim/life.hpp"

#include <cassert>

namespace holdfast::os::sim {
namespace {

constexpr Duration kTaskTimeMax = microseconds(200);

// Tasks run as events a random moment later. One thread keeps their order; several do not, as
// nothing would promise it on a machine.
class SimWorkers final : public Workers {
 public:
  SimWorkers(Life& life, unsigned threads, std::size_t queue_max, Random random)
      : life_(life),
        loop_(life.open_loop()),
        threads_(threads),
        queue_max_(queue_max),
        random_(random) {
    assert(threads > 0);
  }

  ~SimWorkers() override {
    ended_ = true;
    // Posted tasks are finished, as by real workers; of a dead life none is left.
    Scheduler& scheduler = life_.scheduler;
    for (Task& task : scheduler.take(loop_)) {
      const Scheduler::Wake wake(scheduler);
      if (life_.alive) task();
    }
    life_.close_loop(loop_);
  }

  bool post(Task task) override {
    if (ended_ || queued_ >= queue_max_) return false;
    if (!life_.alive) return true;  // as all that a dead machine was asked to do
    Scheduler& scheduler = life_.scheduler;
    MonoTime when = scheduler.now() + random_.between(Duration{}, kTaskTimeMax);
    if (threads_ == 1) when = last_ = std::max(when, last_);
    ++queued_;
    scheduler.at(when, loop_, [this, task = std::move(task)]() mutable {
      --queued_;
      task();
    });
    return true;
  }

  void call(Task task) override { task(); }

 private:
  Life& life_;
  const LoopId loop_;
  const unsigned threads_;
  const std::size_t queue_max_;
  Random random_;
  std::size_t queued_ = 0;
  bool ended_ = false;
  MonoTime last_{};
};

}  // namespace

// ---- entropy, process, threads

void SimEntropy::fill(std::span<std::uint8_t> out) {
  for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(random_.next() >> 56);
}

Result<Exit> SimProcess::run(const std::vector<std::string>& argv, std::string_view /*input*/,
                             Duration /*limit*/, std::size_t /*output_max*/) {
  return fail(Code::unsupported, "no programs run in a simulation" +
                                     (argv.empty() ? std::string() : ": " + argv.front()));
}

std::unique_ptr<Workers> SimThreads::start_workers(std::string_view /*name*/, unsigned threads,
                                                   std::size_t queue_max) {
  return std::make_unique<SimWorkers>(life_, threads, queue_max, Random(random_.next()));
}

std::unique_ptr<Loop> SimThreads::start_loop(std::string_view /*name*/) {
  return std::make_unique<SimLoop>(life_);
}

// ---- network: all of it is in Links

Result<std::unique_ptr<Listener>> SimNetwork::listen(Loop& loop, const Endpoint& at,
                                                     AcceptFn accept) {
  return links_.listen(life_, dynamic_cast<SimLoop&>(loop).id(), at, std::move(accept));
}

void SimNetwork::connect(Loop& loop, const Endpoint& to, MonoTime deadline, ConnectFn done) {
  links_.connect(life_, dynamic_cast<SimLoop&>(loop).id(), to, deadline, std::move(done));
}

// ---- loop

SimLoop::SimLoop(Life& life) : life_(life), id_(life.open_loop()) {}
SimLoop::~SimLoop() {
  life_.close_loop(id_);
  life_.links.loop_closed(id_);
}

const Clock& SimLoop::clock() const {
  return life_.clock;
}

void SimLoop::post(Task task) {
  life_.scheduler.post(id_, std::move(task));
}

TimerId SimLoop::at(MonoTime when, Task task) {
  return TimerId{life_.scheduler.at(when, id_, std::move(task))};
}

void SimLoop::cancel(TimerId timer) {
  life_.scheduler.cancel(static_cast<std::uint64_t>(timer));
}

void SimLoop::run() {
  assert(!life_.scheduler.running());
  while (!stop_ && life_.alive && life_.scheduler.step(kNever)) {
  }
  stop_ = false;
}

// ---- life

Life::Life(Scheduler& of, Links& net, Disk& disk, NodeIndex node_index, const std::string& name,
           const std::string& address, std::uint64_t seed, const WallTime& start,
           const Duration& offset)
    : scheduler(of),
      links(net),
      node(node_index),
      clock(of, start, offset),
      files(*this, disk),
      network(*this, net, name, address),
      entropy(Random(seed, "entropy")),
      threads(*this, Random(seed, "threads")),
      main_loop(*this) {}

Life::~Life() = default;

LoopId Life::open_loop() {
  if (!alive) return UINT64_MAX;  // of a dead life: never open
  const LoopId loop = scheduler.open_loop();
  loops.insert(loop);
  return loop;
}

void Life::close_loop(LoopId loop) {
  if (loops.erase(loop) > 0) scheduler.close_loop(loop);
}

void Life::end() {
  alive = false;
  for (const LoopId loop : std::exchange(loops, {})) scheduler.close_loop(loop);
}

}  // namespace holdfast::os::sim
