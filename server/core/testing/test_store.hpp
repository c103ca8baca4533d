// For tests of core and of the domains: a store on a simulated machine, with its key ring, that can
// be crashed and opened again.
//
//   TestStore t(seed, devices::migrations());
//   ASSERT_TRUE(t.open());
//   t.store().change(...);
//   t.crash();              // power cut; drop what you built on the store, then
//   ASSERT_TRUE(t.open());
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/sim/simulation.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/store/seal/ring.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::core {

class TestStore {
 public:
  explicit TestStore(std::uint64_t seed = 1, std::vector<Migration> more = {})
      : world(seed), node(world.node("server")), migrations_(core_migrations()) {
    migrations_.insert(migrations_.end(), more.begin(), more.end());
  }

  // Makes everything on the first call; afterwards opens what is there.
  Status open() {
    const os::System system = node.system();
    const seal::SecretKey seal_key(Bytes(seal::kKeyBytes, 0x42));
    const bool first = !os::exists(system.files, "/data.ring");
    TRY(system.files.make_folder("/data"));
    ring_ = first ? TRY(seal::Ring::make(system, "/data.ring", seal_key))
                  : TRY(seal::Ring::open(system, "/data.ring", seal_key));
    sealer_ = std::make_unique<seal::Sealer>(*ring_, system.entropy);
    sql::SqliteSettings settings;
    settings.path = "/data/holdfast.db";
    database_ = TRY(sql::open_sqlite(system, metrics, settings));
    TRY(migrate(*database_, migrations_, system.clock.wall()));
    store_ = std::make_unique<Store>(*database_, system, *sealer_, metrics);
    return {};
  }
  void close() {
    store_.reset();
    database_.reset();
    sealer_.reset();
    ring_.reset();
  }
  // Ends the machine's life, if it has not ended by itself, and starts the next. Drop what you
  // built on the store before.
  void crash(os::sim::Crash kind = os::sim::Crash::power) {
    node.crash(kind);
    close();
    node.restart();
  }

  Store& store() { return *store_; }
  sql::Database& database() { return *database_; }
  seal::Ring& ring() { return *ring_; }
  seal::Sealer& sealer() { return *sealer_; }
  os::System system() { return node.system(); }

  os::sim::Simulation world;
  os::sim::Node& node;
  Metrics metrics;
  std::string log_lines;
  Log log{[this](std::string_view line) { log_lines += std::string(line) + "\n"; }, Level::debug};

 private:
  std::vector<Migration> migrations_;
  std::unique_ptr<seal::Ring> ring_;
  std::unique_ptr<seal::Sealer> sealer_;
  std::unique_ptr<sql::Database> database_;
  std::unique_ptr<Store> store_;
};

// A caller with these roles and no site limits.
inline Caller test_caller(Roles roles = {Role::administrator}, Sites sites = {}) {
  Caller caller;
  caller.kind = Caller::Kind::user;
  caller.id = "usr_0000000000000000000000TEST";
  caller.name = "tester";
  caller.user_id = caller.id;
  caller.roles = roles;
  caller.sites = std::move(sites);
  caller.request_id = "req_TEST";
  caller.address = "192.0.2.7";
  return caller;
}

}  // namespace holdfast::core
