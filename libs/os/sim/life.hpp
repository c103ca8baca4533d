// Life: what a node's program sees from one start to the next crash; the simulated System. A dead
// life stays until the Simulation ends, so that references to it fail politely instead of dangling.
// Inside the simulation only. Threads: one.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "libs/os/sim/disk.hpp"
#include "libs/os/sim/links.hpp"
#include "libs/os/sim/random.hpp"
#include "libs/os/sim/scheduler.hpp"
#include "libs/os/system.hpp"

namespace holdfast::os::sim {

class SimClock final : public Clock {
 public:
  // Start and offset are read at each call: tests jump them.
  SimClock(const Scheduler& scheduler, const WallTime& start, const Duration& offset)
      : scheduler_(scheduler), start_(start), offset_(offset) {}
  WallTime wall() const override { return start_ + (scheduler_.now() - kStart) + offset_; }
  MonoTime mono() const override { return scheduler_.now(); }

 private:
  const Scheduler& scheduler_;
  const WallTime& start_;
  const Duration& offset_;
};

class SimFiles final : public Files {
 public:
  SimFiles(const Life& life, Disk& disk) : life_(life), disk_(disk) {}
  Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Result<std::vector<Entry>> list(const std::string& folder) override;
  Status make_folder(const std::string& path) override;
  Status sync_dir(const std::string& folder) override;
  Result<Entry> stat(const std::string& path) override;
  Result<Space> space(const std::string& path) override;

 private:
  const Life& life_;
  Disk& disk_;
};

class SimNetwork final : public Network {
 public:
  SimNetwork(Life& life, Links& links, std::string host_name, std::string address)
      : life_(life),
        links_(links),
        host_name_(std::move(host_name)),
        address_(std::move(address)) {}
  Result<std::unique_ptr<Listener>> listen(Loop& loop, const Endpoint& at,
                                           AcceptFn accept) override;
  void connect(Loop& loop, const Endpoint& to, MonoTime deadline, ConnectFn done) override;
  std::string host_name() const override { return host_name_; }
  std::vector<std::string> interface_addresses() const override { return {address_}; }

 private:
  Life& life_;
  Links& links_;
  const std::string host_name_;
  const std::string address_;
};

class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(Random random) : random_(random) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  Random random_;
};

class SimProcess final : public Process {
 public:
  Result<Exit> run(const std::vector<std::string>& argv, std::string_view input, Duration limit,
                   std::size_t output_max) override;
};

class SimThreads final : public Threads {
 public:
  SimThreads(Life& life, Random random) : life_(life), random_(random) {}
  std::unique_ptr<Workers> start_workers(std::string_view name, unsigned threads,
                                         std::size_t queue_max) override;
  std::unique_ptr<Loop> start_loop(std::string_view name) override;

 private:
  Life& life_;
  Random random_;
};

class SimLoop final : public Loop {
 public:
  explicit SimLoop(Life& life);
  ~SimLoop() override;
  const Clock& clock() const override;
  void post(Task task) override;
  TimerId at(MonoTime when, Task task) override;
  void cancel(TimerId timer) override;
  void run() override;
  void stop() override { stop_ = true; }
  LoopId id() const { return id_; }

 private:
  Life& life_;
  const LoopId id_;
  bool stop_ = false;
};

struct Life {
  Life(Scheduler& of, Links& net, Disk& disk, NodeIndex node_index, const std::string& name,
       const std::string& address, std::uint64_t seed, const WallTime& start,
       const Duration& offset);
  ~Life();
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  LoopId open_loop();
  void close_loop(LoopId loop);
  void end();  // no event of this life runs again

  Scheduler& scheduler;
  Links& links;
  const NodeIndex node;
  bool alive = true;
  std::set<LoopId> loops;  // and pools of workers
  SimClock clock;
  SimFiles files;
  SimNetwork network;
  SimEntropy entropy;
  SimProcess process;
  SimThreads threads;
  SimLoop main_loop;
};

}  // namespace holdfast::os::sim
