// How fast certificates are issued: parse and check of the request, lint, signature, row, audit
// entry, notice, group commit with a sync to a real disk. Prints JSON. Run by bench/identity.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "libs/crypto/csr.hpp"
#include "libs/os/system.hpp"
#include "server/core/bus.hpp"
#include "server/devices/registry.hpp"
#include "server/devices/tables.hpp"
#include "server/identity/registrar.hpp"
#include "server/store/seal/ring.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

using namespace holdfast;

namespace {

class Nothing final : public telemetry::Service {
 public:
  void reading(DeviceId, std::string_view, View, telemetry::Delivery,
               telemetry::Done done) override {
    done({});
  }
  void event(DeviceId, std::string_view, View, telemetry::Delivery, telemetry::Done done) override {
    done({});
  }
  void log(DeviceId, View, telemetry::Delivery, telemetry::Done done) override { done({}); }
  void record(telemetry::ServerEvent) override {}
  void session_over(std::uint64_t) override {}
};

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "bench: %s\n", result.error().text().c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

double cpu_seconds() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds_of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "/tmp/holdfast-bench-identity";
  const int count = argc > 2 ? std::atoi(argv[2]) : 10'000;
  const int callers = argc > 3 ? std::atoi(argv[3]) : 64;
  auto real = must(os::RealSystem::make());
  const os::System system = real->system();
  Metrics metrics;
  const Log log([](std::string_view) {}, Level::error);
  must(system.files.make_folder(folder));
  sql::SqliteSettings settings;
  settings.path = folder + "/bench.db";
  auto database = must(sql::open_sqlite(system, metrics, settings));
  auto all = core::core_migrations();
  for (auto more : {devices::migrations(), identity::migrations()})
    all.insert(all.end(), more.begin(), more.end());
  must(core::migrate(*database, all, system.clock.wall()));
  auto ring = must(seal::Ring::make(system, folder + "/bench.ring", seal::SecretKey(Bytes(32, 7))));
  seal::Sealer sealer(*ring, system.entropy);
  core::Store store(*database, system, sealer, metrics);
  auto workers = system.threads.start_workers("bench", 2, 1'000);
  auto loop = system.threads.start_loop("bench");
  auto bus = core::make_local_bus();
  auto dispatcher = must(core::Dispatcher::make(store, *bus, *workers, *loop, log, metrics));
  auto jobs = must(core::Jobs::make(store, *workers, *loop, log, metrics));
  auto registry = must(devices::Registry::make(store, *workers, *loop, log, metrics));
  auto keys = must(
      keys::make_file_key_store(system.files, system.entropy, folder + "/ca/keys", Bytes(32, 1)));
  auto authority =
      must(identity::Authority::open(system, folder + "/ca", std::move(keys), {"localhost"}));
  Nothing nothing;
  auto registrar = must(identity::Registrar::make(store, *jobs, *dispatcher, *authority, *registry,
                                                  nothing, log, metrics));
  registrar->approvals().let_wait(true);
  core::Caller admin = core::Caller::system();
  admin.roles = {core::Role::administrator};
  must(registrar->approvals().import(admin, "serial\nD-*\n", false));

  std::vector<Bytes> requests(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const auto key = must(crypto::PrivateKey::generate(crypto::KeyAlgorithm::p256));
    crypto::CsrSpec spec;
    spec.common_name = "device";
    spec.serial_number = "D-" + std::to_string(i);
    requests[static_cast<std::size_t>(i)] = must(crypto::make_csr(spec, key));
  }
  std::atomic<int> next = 0, failed = 0;
  const double cpu_before = cpu_seconds();
  const auto begin = system.clock.mono();
  std::vector<std::thread> threads;
  for (int t = 0; t < callers; ++t) {
    threads.emplace_back([&] {
      for (int i = next++; i < count; i = next++) {
        const auto done = registrar->enrol_unknown(
            requests[static_cast<std::size_t>(i)],
            "192.0." + std::to_string(i / 8 % 250) + "." + std::to_string(i / 2'000) + ":1");
        if (!done || !done->certificate) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const double wall = static_cast<double>((system.clock.mono() - begin).us) / 1e6;
  const double cpu = cpu_seconds() - cpu_before;
  std::printf(
      "{\"certificates\":%d,\"failed\":%d,\"callers\":%d,\"seconds\":%.3f,\"cpu_seconds\":%.3f,"
      "\"per_second\":%.0f,\"per_cpu_second\":%.0f}\n",
      count, failed.load(), callers, wall, cpu, count / wall, count / cpu);
  return failed == 0 ? 0 : 1;
}
