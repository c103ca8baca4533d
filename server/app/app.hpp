// App: the server as one object: opens the data folder, builds core, stores, domains, hub and API
// on the system that it is given, and takes them down in order. main.cpp runs it on the real
// system; the simulation runs it on a simulated one, with a plain transport.
//
// Threads: open(), start() and stop() from the main loop's thread.
#pragma once

#include <memory>
#include <string>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/config/config.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/os/system.hpp"
#include "server/api/console_files.hpp"
#include "server/core/downloads.hpp"
#include "server/core/migrate.hpp"

namespace holdfast::app {

struct Extras {
  api::ConsoleFiles console;
  std::vector<core::AgentBinary> agents;
  std::string version = "0.1.0";
  std::string commit;
  unsigned processors = 2;  // of this machine
};

// What the ready line says.
struct Ready {
  std::string api;     // "https://localhost:8443"
  std::string mqtt;    // "127.0.0.1:8883"
  std::string device;  // "https://127.0.0.1:8444"
  std::string ca;      // path of the root certificate
  std::string pki;     // "http://127.0.0.1:8080": CRLs and OCSP in the clear; empty: switched off
};

// Of all domains: what database::migrate() brings any of our databases to.
std::vector<core::Migration> all_migrations();

class App {
 public:
  // All outlive the app. Errors: seal_key_missing, seal_key_wrong, folder_newer, folder_locked,
  // corrupt, ...
  static Result<std::unique_ptr<App>> open(const os::System& system, os::Loop& loop,
                                           crypto::Transport& transport,
                                           const config::Config& config, Extras extras,
                                           const Log& log, Metrics& metrics);
  virtual ~App() = default;

  // Listens; `ready` is called on the loop.
  virtual void start(std::move_only_function<void(Result<Ready>)> ready) = 0;
  // Says good-bye to devices and operators, flushes, and calls `done` on the loop; within 8
  // seconds.
  virtual void stop(os::Task done) = 0;
};

}  // namespace holdfast::app
