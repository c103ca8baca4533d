// Private to the app: everything that runs, in the order in which it depends on what stands above
// it; C++ destroys it the other way round.
#pragma once

#include "server/api/agent_routes.hpp"
#include "server/api/api.hpp"
#include "server/app/folder.hpp"
#include "server/app/live_feed.hpp"
#include "server/control/controller.hpp"
#include "server/core/audit_log.hpp"
#include "server/core/bus.hpp"
#include "server/core/jobs.hpp"
#include "server/core/operation.hpp"
#include "server/core/people.hpp"
#include "server/devices/places.hpp"
#include "server/devices/registry.hpp"
#include "server/hub/hub.hpp"
#include "server/identity/registrar.hpp"
#include "server/store/events/store.hpp"
#include "server/store/journal/ring_keys.hpp"
#include "server/store/seal/sealer.hpp"
#include "server/store/series/store.hpp"
#include "server/telemetry/intake.hpp"
#include "server/telemetry/keeping_routes.hpp"
#include "server/telemetry/routes.hpp"

namespace holdfast::app {

struct Parts {
  // store
  Folder folder;
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<seal::Sealer> sealer;
  std::unique_ptr<core::Store> store;
  std::unique_ptr<journal::RingKeys> keys;
  std::unique_ptr<series::Store> series;  // consumers die after the journal that calls them
  std::unique_ptr<events::Store> events;
  std::unique_ptr<journal::Journal> journal;
  // core
  std::unique_ptr<os::Workers> workers;  // domain calls that block
  std::unique_ptr<os::Workers> notice_workers;
  std::unique_ptr<os::Workers> job_workers;
  std::unique_ptr<core::Bus> bus;
  std::unique_ptr<core::Dispatcher> dispatcher;
  std::unique_ptr<core::Jobs> jobs;
  std::unique_ptr<core::AuditLog> audit;
  std::unique_ptr<core::People> people;
  core::Operations operations;
  // domains
  std::unique_ptr<devices::Registry> devices;
  std::unique_ptr<devices::Places> places;
  std::unique_ptr<telemetry::Keeping> keeping;
  std::unique_ptr<telemetry::Intake> intake;
  std::unique_ptr<telemetry::Live> live;
  std::unique_ptr<telemetry::Units> units;
  std::unique_ptr<telemetry::Sources> sources;
  std::unique_ptr<control::Controller> control;
  std::unique_ptr<identity::Authority> authority;
  std::unique_ptr<identity::Registrar> identity;
  // faces
  api::AgentPage agents;
  std::unique_ptr<api::LiveHub> live_hub;
  std::unique_ptr<LiveFeed> live_feed;
  std::unique_ptr<hub::Hub> hub;
  std::unique_ptr<api::Api> api;
};

}  // namespace holdfast::app
