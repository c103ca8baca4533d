// Hub: where devices come in. MQTT 3.1.1 and 5.0 on one port, HTTPS (EST, device routes, downloads)
// on the other, both over authenticated streams (contract/device-protocol.md). The hub knows who
// speaks, what a session is and which topics a device has; what messages mean is the domains'
// matter.
//
// Each of its loops listens on both ports and owns what it accepts. Calls into the domains that may
// block run on the workers that were passed in; ingest runs on the loops.
// Threads: make(), start() and stop() from the owner's thread. To end: stop(), wait for its
// call-back, stop the dispatcher, end the workers (their tasks may hold answers), destroy the hub.
// In a simulation whose machine has crashed it is just destroyed. Without stop() all connections
// are cut without a word.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/crypto/transport.hpp"
#include "libs/os/system.hpp"
#include "server/control/service.hpp"
#include "server/core/downloads.hpp"
#include "server/core/jobs.hpp"
#include "server/core/migrate.hpp"
#include "server/core/notices.hpp"
#include "server/devices/service.hpp"
#include "server/hub/limits.hpp"
#include "server/identity/service.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::hub {

// What the hub works with; all of it outlives the hub.
struct Parts {
  os::System system;
  crypto::Transport& transport;
  core::Store& store;
  core::Dispatcher& dispatcher;  // not yet started: the hub follows notices
  devices::Service& devices;
  identity::Service& identity;
  control::Service& control;
  telemetry::Service& telemetry;
  os::Workers& workers;  // for calls that block
  const Log& log;
  Metrics& metrics;
};

struct Options {
  os::Endpoint mqtt;                  // port 0: any
  os::Endpoint device;                // HTTPS
  std::optional<os::Endpoint> clear;  // CRLs and OCSP without TLS, only where it is switched on
  unsigned loops = 1;                 // threads that talk to devices
  std::shared_ptr<const core::Downloads> downloads;  // none: nothing to download
  Limits limits;
};

class Hub {
 public:
  static Result<std::unique_ptr<Hub>> make(Parts parts, Options options);
  virtual ~Hub() = default;

  // Takes up the sessions of the last run, then listens; posts the answer to `on`. Errors: those of
  // identity and of listen(). May block on SQL before it returns.
  virtual void start(os::Loop& on, std::move_only_function<void(Status)> started) = 0;
  virtual os::Endpoint mqtt_endpoint() const = 0;  // with the real port, once started
  virtual os::Endpoint device_endpoint() const = 0;
  virtual std::optional<os::Endpoint> clear_endpoint() const = 0;

  // Stops listening, says good-bye to all (0x8B), waits for what is on its way to the disk and to
  // devices, at most `limit`, then posts `done` to `on`. Once.
  virtual void stop(Duration limit, os::Loop& on, os::Task done) = 0;

  // For core::Jobs::every("hub.expire_sessions", ...): removes sessions whose time is over.
  virtual core::JobHandler expire_sessions() = 0;
};

std::vector<core::Migration> hub_migrations();

}  // namespace holdfast::hub
