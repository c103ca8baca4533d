#include "server/app/app.hpp"

#include "server/api/audit_routes.hpp"
#include "server/api/job_routes.hpp"
#include "server/api/live_routes.hpp"
#include "server/api/people_routes.hpp"
#include "server/api/system_routes.hpp"
#include "server/app/addresses.hpp"
#include "server/app/backup.hpp"
#include "server/app/jobs.hpp"
#include "server/app/parts.hpp"
#include "server/control/routes.hpp"
#include "server/core/nats_bus.hpp"
#include "server/core/settings.hpp"
#include "server/devices/routes.hpp"
#include "server/hub/store/tables.hpp"
#include "server/identity/routes.hpp"
#include "server/store/sql/carry.hpp"
#include "server/store/sql/postgres/postgres.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"
#include "server/telemetry/mirror.hpp"

namespace holdfast::app {
namespace {

constexpr Duration kStopLimit = seconds(4);
constexpr unsigned kWorkers = 32;
constexpr std::size_t kQueueMax = 16'384;

// Nothing of ours was ever in it.
Result<bool> is_fresh(sql::Database& database) {
  if (database.engine() != sql::Engine::postgresql) return false;
  std::int64_t tables = 0;
  TRY(database.read([&](sql::Tx& tx) -> Status {
    tables =
        TRY(tx.number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = "
                      "current_schema() AND table_name = ?",
                      {core::kMigrationTable}));
    return {};
  }));
  return tables == 0;
}

class Running final : public App {
 public:
  Running(const os::System& system, os::Loop& loop, crypto::Transport& transport,
          const config::Config& config, Extras extras, const Log& log, Metrics& metrics)
      : system_(system),
        loop_(loop),
        transport_(transport),
        config_(config),
        extras_(std::move(extras)),
        log_(log),
        metrics_(metrics) {}
  ~Running() override;

  Status open();
  void start(std::move_only_function<void(Result<Ready>)> ready) override;
  void stop(os::Task done) override;

 private:
  Result<std::unique_ptr<sql::Database>> open_database();
  Status check_ports() const;
  Status take_over_file();
  Status open_store();
  Status open_segments();
  Status open_core();
  Status open_domains();
  Status open_faces();
  Status add_operations();
  Status before_ready();
  Ready ready_now() const;
  os::Endpoint endpoint(std::string_view key) const;
  crypto::Credential operator_credential() const;
  unsigned loops() const;

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  const config::Config& config_;
  Extras extras_;
  const Log& log_;
  Metrics& metrics_;
  api::SystemInfo info_;
  Parts p_;
  Backup backup_{system_, p_, extras_.version, log_};
  bool started_ = false;
};

// What may still run must end before what it uses goes: workers first, then all in reverse.
Running::~Running() {
  if (p_.dispatcher) p_.dispatcher->stop();
  if (p_.jobs) p_.jobs->stop();
  p_.api.reset();
  p_.workers.reset();
  p_.notice_workers.reset();
  p_.job_workers.reset();
}

// Two faces on one port would take each other's connections.
Status Running::check_ports() const {
  std::vector<std::string_view> faces{"api.listen", "mqtt.listen", "device.listen"};
  if (!config_.text("pki.listen").empty()) faces.push_back("pki.listen");
  for (std::size_t i = 0; i < faces.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (!clash(endpoint(faces[i]), endpoint(faces[j]))) continue;
      return fail(Code::invalid_argument, std::string(faces[j]) + " and " + std::string(faces[i]) +
                                              " name one port: give each its own");
    }
  }
  return {};
}

Status Running::open() {
  TRY(check_ports());
  TRY(with_context(open_store(), "opening the database"));
  TRY(with_context(open_segments(), "opening readings and events"));
  TRY(with_context(open_core(), "starting the core"));
  TRY(with_context(open_domains(), "starting the domains"));
  TRY(with_context(open_faces(), "starting hub and API"));
  return add_operations();
}

// Engines are chosen by configuration alone.
Result<std::unique_ptr<sql::Database>> Running::open_database() {
  const auto readers = static_cast<unsigned>(config_.integer("sql.readers"));
  const std::string& url = config_.text("sql.url");
  if (!url.empty()) return sql::open_postgres(system_, metrics_, {url, readers});
  sql::SqliteSettings settings;
  settings.path = database_path(p_.folder.data);
  settings.readers_max = readers;
  return sql::open_sqlite(system_, metrics_, settings);
}

// A restored backup, or a server that moves to PostgreSQL: the folder has a database of its own and
// the new one is empty. It is carried over once; then the file is put aside.
Status Running::take_over_file() {
  const std::string path = database_path(p_.folder.data);
  if (p_.database->engine() != sql::Engine::postgresql || !os::exists(system_.files, path))
    return {};
  sql::SqliteSettings settings;
  settings.path = path;
  Metrics uncounted;
  {
    const auto file = TRY(sql::open_sqlite(system_, uncounted, settings));
    TRY(core::migrate(*file, all_migrations(), system_.clock.wall()));
    const auto rows =
        TRY(sql::carry_rows(*file, *p_.database, {std::string(core::kMigrationTable)}));
    log_.info("the database was carried into PostgreSQL", {{"rows", std::to_string(rows)}});
  }
  return system_.files.rename(path, path + ".carried");
}

Status Running::open_store() {
  p_.folder = TRY(open_folder(system_, config_, log_));
  p_.database = TRY(open_database());
  const bool fresh = TRY(is_fresh(*p_.database));
  for (const core::Migrated& done :
       TRY(core::migrate(*p_.database, all_migrations(), system_.clock.wall()))) {
    log_.info("migrated", {{"domain", done.domain}, {"to", std::to_string(done.to)}});
  }
  if (fresh) TRY(with_context(take_over_file(), "carrying holdfast.db into PostgreSQL"));
  p_.sealer = std::make_unique<seal::Sealer>(*p_.folder.ring, system_.entropy);
  p_.store = std::make_unique<core::Store>(*p_.database, system_, *p_.sealer, metrics_);
  return {};
}

Status Running::open_segments() {
  p_.keys = std::make_unique<journal::RingKeys>(*p_.folder.ring);
  const auto alarm = [this](std::string_view what) { log_.error("storage", {{"what", what}}); };
  journal::Options options;
  options.folder = os::join(p_.folder.data, "journal");
  options.durability = config_.text("hub.durability") == "memory" ? journal::Durability::memory
                                                                  : journal::Durability::disk;
  p_.journal = TRY(journal::Journal::open(system_, *p_.keys, log_, metrics_, options, alarm));
  series::StoreOptions readings;
  readings.folder = os::join(p_.folder.data, "series");
  readings.limits.device_metrics_max =
      static_cast<std::uint32_t>(config_.integer("limits.metrics_per_device"));
  readings.limits.metrics_max = static_cast<std::uint64_t>(config_.integer("limits.metrics"));
  readings.classes.front().keep = config_.duration("retention.readings");
  p_.series =
      TRY(series::Store::open(system_, *p_.keys, *p_.journal, log_, metrics_, readings, alarm));
  events::StoreOptions happened;
  happened.folder = os::join(p_.folder.data, "events");
  p_.events =
      TRY(events::Store::open(system_, *p_.keys, *p_.journal, log_, metrics_, happened, alarm));
  TRY(p_.events->set_retention(config_.duration("retention.events"), std::nullopt));
  p_.journal->attach(*p_.series);
  p_.journal->attach(*p_.events);
  return p_.journal->start();
}

Status Running::open_core() {
  p_.workers = system_.threads.start_workers("domain", kWorkers, kQueueMax);
  p_.notice_workers = system_.threads.start_workers("notice", 4, kQueueMax);
  p_.job_workers = system_.threads.start_workers("job", core::kJobsRunningMax, 1'024);
  const std::string& bus = config_.text("bus.url");
  p_.bus = bus.empty() ? core::make_local_bus() : TRY(core::make_nats_bus(bus));
  p_.dispatcher =
      TRY(core::Dispatcher::make(*p_.store, *p_.bus, *p_.notice_workers, loop_, log_, metrics_));
  p_.jobs = TRY(core::Jobs::make(*p_.store, *p_.job_workers, loop_, log_, metrics_));
  p_.people = TRY(core::People::make(*p_.store, system_.threads, metrics_));
  p_.audit = TRY(
      core::AuditLog::make(*p_.store, system_, *p_.job_workers, log_, metrics_,
                           {os::join(p_.folder.data, "audit"), core::checkpoint_folder(config_)}));
  p_.store->on_commit([this](bool audited, bool noticed) {
    if (audited) p_.audit->wake();
    if (noticed) p_.dispatcher->wake();
  });
  return p_.audit->start();
}

Status Running::open_domains() {
  p_.devices = TRY(devices::Registry::make(*p_.store, *p_.workers, loop_, log_, metrics_));
  p_.devices->set_devices_max(config_.integer("limits.devices"));
  p_.places = std::make_unique<devices::Places>(*p_.store);
  p_.intake = TRY(telemetry::Intake::make(system_, *p_.journal, *p_.series, *p_.store, *p_.workers,
                                          log_, metrics_));
  // Sessions are the hub's, which comes later; their table is there.
  const auto sessions = [this](DeviceId device) -> Result<std::vector<std::uint64_t>> {
    std::vector<std::uint64_t> out;
    TRY(p_.store->read([&](sql::Tx& tx) -> Status {
      out = TRY(hub::tables::tags(tx, device));
      return {};
    }));
    return out;
  };
  p_.keeping = TRY(telemetry::Keeping::make(
      {*p_.store, *p_.journal, *p_.series, *p_.events, sessions},
      config_.duration("retention.readings"), config_.duration("retention.events")));
  p_.intake->classify(
      [&keeping = *p_.keeping](std::string_view stream) { return keeping.class_of(stream); });
  TRY(telemetry::mirror_notices(*p_.dispatcher, *p_.intake));
  p_.live = std::make_unique<telemetry::Live>(*p_.journal, loop_, *p_.workers, metrics_);
  p_.units = std::make_unique<telemetry::Units>([this](TypeId id) -> Result<wire::Json> {
    return TRY(p_.places->type(core::Caller::system(), "type.read", id)).streams;
  });
  TRY(p_.units->follow(*p_.dispatcher));
  p_.sources = std::make_unique<telemetry::Sources>(*p_.store, *p_.devices, *p_.series, *p_.events,
                                                    *p_.live, *p_.units);
  p_.control = TRY(control::Controller::make(*p_.store, *p_.jobs, *p_.dispatcher, *p_.devices,
                                             *p_.intake, metrics_));

  const auto ca_key = TRY(p_.folder.ring->get(TRY(p_.folder.ring->current("ca"))));
  const std::string ca_folder = os::join(p_.folder.data, "ca");
  auto keys = TRY(keys::make_file_key_store(system_.files, system_.entropy,
                                            os::join(ca_folder, "keys"), ca_key.view()));
  const std::string& public_url = config_.text("pki.public_url");
  if (!public_url.empty() && (!public_url.starts_with("http") || public_url.ends_with('/'))) {
    return fail(
        Code::invalid_argument,
        "pki.public_url: a URL such as http://pki.example:8080, without a slash at its end");
  }
  auto names = identity::server_names(system_.network, config_.list("server.names"));
  p_.authority = TRY(
      identity::Authority::open(system_, ca_folder, std::move(keys), std::move(names), public_url));
  p_.identity = TRY(identity::Registrar::make(*p_.store, *p_.jobs, *p_.dispatcher, *p_.authority,
                                              *p_.devices, *p_.intake, log_, metrics_));
  p_.identity->approvals().let_wait(config_.text("enrolment.unknown") == "wait");
  p_.identity->decommissions().on_erase_data([this](DeviceId device) -> Status {
    TRY(p_.series->erase(device.ulid));
    TRY(p_.events->erase(device.ulid));
    return {};
  });
  return {};
}

Status Running::open_faces() {
  p_.agents.downloads = core::Downloads::make(system_.files, extras_.agents, log_);
  p_.agents.version = extras_.version;
  p_.agents.ca_fingerprint = to_hex(p_.authority->root().fingerprint);
  p_.agents.ca_pem = crypto::certificates_to_pem({p_.authority->root().der});
  p_.agents.device_url = [this] { return "https://" + p_.identity->addresses().device; };
  p_.live_hub = std::make_unique<api::LiveHub>(to_hex(system_.entropy.bytes(6)), metrics_);
  p_.live_feed =
      std::make_unique<LiveFeed>(*p_.live_hub, *p_.store, *p_.devices, *p_.live, *p_.workers);
  TRY(p_.live_feed->connect(*p_.dispatcher));
  hub::Options at_devices;
  at_devices.mqtt = endpoint("mqtt.listen");
  at_devices.device = endpoint("device.listen");
  if (!config_.text("pki.listen").empty()) at_devices.clear = endpoint("pki.listen");
  at_devices.loops = loops();
  at_devices.downloads = p_.agents.downloads;
  at_devices.limits.connections_max =
      static_cast<std::size_t>(config_.integer("hub.connections_max"));
  p_.hub = TRY(hub::Hub::make({system_, transport_, *p_.store, *p_.dispatcher, *p_.devices,
                               *p_.identity, *p_.control, *p_.intake, *p_.workers, log_, metrics_},
                              at_devices));
  api::Options operators;
  operators.listen = endpoint("api.listen");
  operators.credential = operator_credential();
  operators.connections_max = static_cast<std::size_t>(config_.integer("api.sessions_max"));
  operators.body_max = static_cast<std::size_t>(config_.integer("api.body_max"));
  operators.console = std::move(extras_.console);
  p_.api = TRY(
      api::Api::make({system_, transport_, *p_.store, *p_.people, p_.operations, log_, metrics_},
                     std::move(operators)));
  p_.identity->on_server_certificate([this] {
    if (!p_.api->replace(operator_credential()))
      log_.error("the renewed certificate could not be put in place");
  });
  return add_jobs(p_, config_);
}

Status Running::add_operations() {
  info_.version = extras_.version;
  info_.commit = extras_.commit;
  info_.started_at = system_.clock.wall();
  info_.ready = [this]() -> Status {
    if (!started_) return fail(Code::unavailable, "the server is starting");
    if (p_.journal->state().disk_full)
      return fail(Code::disk_full, "the disk is full: readings wait");
    return p_.store->read([](sql::Tx& tx) -> Status {
      TRY(tx.number("SELECT 1"));
      return {};
    });
  };
  core::Operations& operations = p_.operations;
  TRY(devices::add_routes(operations, *p_.devices, *p_.places));
  TRY(telemetry::add_routes(operations, *p_.sources));
  TRY(telemetry::add_keeping_routes(operations, *p_.keeping));
  TRY(control::add_routes(operations, *p_.control, loop_, *p_.workers));
  TRY(identity::add_routes(operations, *p_.identity, *p_.workers));
  TRY(api::add_session_routes(operations, *p_.people));
  TRY(api::add_user_routes(operations, *p_.people));
  TRY(api::add_token_routes(operations, *p_.people));
  TRY(api::add_live_routes(operations, *p_.live_hub));
  TRY(api::add_job_routes(operations, *p_.jobs));
  TRY(api::add_audit_routes(operations, *p_.store, *p_.audit));
  TRY(api::add_agent_routes(operations, p_.agents));
  TRY(backup_.add_routes(operations));
  return api::add_system_routes(operations, info_, metrics_, config_);
}

void Running::start(std::move_only_function<void(Result<Ready>)> ready) {
  Status core = p_.dispatcher->start();
  if (core) core = p_.jobs->start();
  if (!core) return ready(std::unexpected(core.error()));
  auto told = std::make_shared<std::move_only_function<void(Result<Ready>)>>(std::move(ready));
  p_.hub->start(loop_, [this, told](Status hub) {
    if (!hub) return (*told)(std::unexpected(hub.error()));
    p_.api->start(loop_, [this, told](Status api) {
      if (!api) return (*told)(std::unexpected(api.error()));
      started_ = true;
      const Status prepared = before_ready();
      if (!prepared) return (*told)(std::unexpected(prepared.error()));
      (*told)(ready_now());
    });
  });
}

// Secrets that whoever starts the server may read, in files of mode 0600 that no backup holds.
Status Running::before_ready() {
  const auto interfaces = system_.network.interface_addresses();
  const auto names = config_.list("server.names");
  const auto reach = [&](const os::Endpoint& at) {
    return os::Endpoint{reachable_host(at, names, interfaces, system_.network.host_name()), at.port}
        .text();
  };
  p_.identity->set_addresses({reach(p_.hub->device_endpoint()), reach(p_.hub->mqtt_endpoint())});
  const std::string token = TRY(p_.people->make_bootstrap_token());
  TRY(os::replace_file(system_.files, os::join(p_.folder.data, "admin-token"), view_of(token)));
  const std::string link = os::join(p_.folder.data, "setup-link");
  if (TRY(p_.people->setup_open())) {
    const std::string secret = TRY(p_.people->make_setup_secret());
    TRY(os::replace_file(system_.files, link, view_of(ready_now().api + "/setup#" + secret)));
  } else if (os::exists(system_.files, link)) {
    TRY(system_.files.remove(link));
  }
  return {};
}

Ready Running::ready_now() const {
  const auto text = [](const os::Endpoint& at) {
    return os::Endpoint{device_host(at), at.port}.text();
  };
  const os::Endpoint api = p_.api->endpoint();
  const auto clear = p_.hub->clear_endpoint();
  return {"https://" + os::Endpoint{local_host(api), api.port}.text(),
          text(p_.hub->mqtt_endpoint()), "https://" + text(p_.hub->device_endpoint()),
          os::join(os::join(p_.folder.data, "ca"), "root.pem"),
          clear ? "http://" + text(*clear) : std::string()};
}

void Running::stop(os::Task done) {
  started_ = false;
  auto both = std::make_shared<int>(2);
  auto told = std::make_shared<os::Task>(std::move(done));
  const auto one = [this, both, told] {
    if (--*both > 0) return;
    p_.dispatcher->stop();
    p_.jobs->stop();
    (void)p_.devices->flush();
    (void)p_.people->flush();
    (*told)();
  };
  p_.hub->stop(kStopLimit, loop_, one);
  p_.api->stop(kStopLimit, loop_, one);
}

os::Endpoint Running::endpoint(std::string_view key) const {
  // The configuration has checked it.
  return os::parse_endpoint(config_.text(key)).value_or(os::Endpoint{"127.0.0.1", 0});
}

// With the root, so that `holdfast login --fingerprint` can find it in the chain.
crypto::Credential Running::operator_credential() const {
  crypto::Credential credential = p_.authority->server_credential();
  credential.chain_der.push_back(p_.authority->root().der);
  return credential;
}

unsigned Running::loops() const {
  const auto wanted = static_cast<unsigned>(config_.integer("threads"));
  return wanted == 0 ? extras_.processors : wanted;
}

}  // namespace

std::vector<core::Migration> all_migrations() {
  std::vector<core::Migration> all = core::core_migrations();
  for (auto more : {devices::migrations(), identity::migrations(), control::migrations(),
                    telemetry::migrations(), hub::hub_migrations()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

Result<std::unique_ptr<App>> App::open(const os::System& system, os::Loop& loop,
                                       crypto::Transport& transport, const config::Config& config,
                                       Extras extras, const Log& log, Metrics& metrics) {
  auto app =
      std::make_unique<Running>(system, loop, transport, config, std::move(extras), log, metrics);
  TRY(app->open());
  return app;
}

}  // namespace holdfast::app
