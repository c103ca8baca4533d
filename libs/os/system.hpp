// System: everything outside, as main hands it down. real_system() is this machine; a simulation
// builds its own (libs/os/sim/simulation.hpp).
#pragma once

#include <memory>

#include "libs/os/entropy.hpp"
#include "libs/os/files.hpp"
#include "libs/os/loop.hpp"
#include "libs/os/network.hpp"
#include "libs/os/process.hpp"
#include "libs/os/workers.hpp"

namespace holdfast::os {

struct System {
  Clock& clock;
  Files& files;
  Network& network;
  Entropy& entropy;
  Process& process;
  Threads& threads;
};

// Owns the real implementations; main() holds it for the life of the program.
class RealSystem {
 public:
  static Result<std::unique_ptr<RealSystem>> make();
  virtual ~RealSystem() = default;
  virtual System system() = 0;
  // The loop that the calling thread runs with Loop::run().
  virtual Loop& main_loop() = 0;
  // Calls back on the main loop for SIGINT and SIGTERM (and ignores SIGPIPE).
  virtual void on_stop_signal(Task stop) = 0;
};

}  // namespace holdfast::os
