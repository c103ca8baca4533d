// For tests of identity: a server's core, devices and identity on a simulated machine.
#pragma once

#include <gtest/gtest.h>

#include "libs/crypto/csr.hpp"
#include "libs/est/est.hpp"
#include "server/core/bus.hpp"
#include "server/core/testing/test_store.hpp"
#include "server/devices/registry.hpp"
#include "server/devices/tables.hpp"
#include "server/identity/registrar.hpp"
#include "server/telemetry/testing/heard.hpp"

namespace holdfast::identity {

inline std::vector<core::Migration> fixture_migrations() {
  auto all = devices::migrations();
  for (auto& one : migrations()) all.push_back(one);
  return all;
}

class Fixture {
 public:
  explicit Fixture(std::uint64_t seed = 1) : t(seed, fixture_migrations()) {}

  Status open() {
    TRY(t.open());
    const os::System system = t.system();
    workers = system.threads.start_workers("test", 1, 1'000);
    bus = core::make_local_bus();
    dispatcher =
        TRY(core::Dispatcher::make(t.store(), *bus, *workers, t.node.loop(), t.log, t.metrics));
    jobs = TRY(core::Jobs::make(t.store(), *workers, t.node.loop(), t.log, t.metrics));
    t.store().on_commit([this](bool, bool) { dispatcher->wake(); });
    registry = TRY(devices::Registry::make(t.store(), *workers, t.node.loop(), t.log, t.metrics));
    const Bytes key(32, 0x17);
    auto keys = TRY(keys::make_file_key_store(system.files, system.entropy, "/data/ca/keys", key));
    authority =
        TRY(Authority::open(system, "/data/ca", std::move(keys), {"localhost", "127.0.0.1"}));
    registrar = TRY(Registrar::make(t.store(), *jobs, *dispatcher, *authority, *registry, telemetry,
                                    t.log, t.metrics));
    registrar->set_addresses({"192.0.2.10:8444", "192.0.2.10:8883"});
    TRY(dispatcher->start());
    return jobs->start();
  }
  void crash() {
    t.node.crash(os::sim::Crash::power);
    registrar.reset();
    authority.reset();
    registry.reset();
    jobs.reset();
    dispatcher.reset();
    bus.reset();
    workers.reset();
    t.close();
    t.node.restart();
  }
  ~Fixture() {
    if (dispatcher) dispatcher->stop();
    if (jobs) jobs->stop();
  }

  ClaimSecret claim(NewClaim wanted = {}) {
    return registrar->create_claim(core::test_caller(), wanted).value();
  }
  Result<Bytes> enrol(const std::string& secret, const Bytes& csr,
                      std::string from = "192.0.2.7:5000") {
    return registrar->enrol({secret, csr, std::move(from)});
  }

  core::TestStore t;
  telemetry::Heard telemetry;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<core::Bus> bus;
  std::unique_ptr<core::Dispatcher> dispatcher;
  std::unique_ptr<core::Jobs> jobs;
  std::unique_ptr<devices::Registry> registry;
  std::unique_ptr<Authority> authority;
  std::unique_ptr<Registrar> registrar;
};

struct Keyed {
  crypto::PrivateKey key;
  Bytes csr;
};
inline Keyed new_csr(std::string name = "pump", std::string serial = {},
                     crypto::KeyAlgorithm algorithm = crypto::KeyAlgorithm::p256) {
  Keyed out;
  out.key = crypto::PrivateKey::generate(algorithm).value();
  crypto::CsrSpec spec;
  spec.common_name = std::move(name);
  spec.serial_number = std::move(serial);
  out.csr = crypto::make_csr(spec, out.key).value();
  return out;
}
inline Code code_of(const Result<Bytes>& result) {
  return result ? Code::internal : result.error().code;
}

}  // namespace holdfast::identity
