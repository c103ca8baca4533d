#include "server/hub/hub.hpp"

#include "libs/crypto/x509.hpp"
#include "server/hub/memory.hpp"
#include "server/hub/notices.hpp"
#include "server/hub/shard.hpp"
#include "server/hub/wills.hpp"

namespace holdfast::hub {
namespace {

constexpr Duration kTick = milliseconds(500);
constexpr Duration kQuietCheck = milliseconds(20);
constexpr std::size_t kReadBufferBytes = 64 * 1024;
constexpr Rate kRefusedEvents{5, 100};     // entries in timelines, of one loop
constexpr std::size_t kTrimAfter = 1'000;  // connections that ended

// Ends a shard when it dies: as a task, run by the loop or dropped by it, but never after the loop.
class ShardEnd {
 public:
  explicit ShardEnd(std::shared_ptr<std::unique_ptr<Shard>> shard) : shard_(std::move(shard)) {}
  ShardEnd(ShardEnd&&) = default;
  ~ShardEnd() {
    if (shard_) shard_->reset();
  }

 private:
  std::shared_ptr<std::unique_ptr<Shard>> shard_;
};

class RealHub final : public Hub {
 public:
  RealHub(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  Status build();
  ~RealHub() override;
  void start(os::Loop& on, std::move_only_function<void(Status)> started) override;
  os::Endpoint mqtt_endpoint() const override { return options_.mqtt; }
  os::Endpoint device_endpoint() const override { return options_.device; }
  std::optional<os::Endpoint> clear_endpoint() const override { return options_.clear; }
  void stop(Duration limit, os::Loop& on, os::Task done) override;
  core::JobHandler expire_sessions() override;

 private:
  struct Place {
    std::unique_ptr<os::Loop> loop;
    LanePtr lane;
    std::shared_ptr<Surroundings> around;
    std::shared_ptr<std::unique_ptr<Shard>> shard;  // made and destroyed on the loop
  };
  using Started = std::move_only_function<void(Status)>;

  void add_place(std::size_t index);
  Status open_doors();
  crypto::ServerSettings settings(crypto::Credential credential, std::vector<Bytes> trust,
                                  bool mqtt) const;
  Status renew_credential();
  void listen_on(std::size_t index, std::shared_ptr<Started> answer);
  void carry_out(const Order& order);
  void tick();
  void trim();
  void wait_for_quiet(MonoTime until, std::shared_ptr<os::Task> answer);
  bool quiet() const;
  void gauges();

  Parts parts_;
  Options options_;
  std::shared_ptr<HubCounters> counters_;
  std::shared_ptr<SessionStore> sessions_;
  std::shared_ptr<Upstream> upstream_;
  std::shared_ptr<Directory> directory_;
  std::shared_ptr<WillSender> wills_;
  std::shared_ptr<RequestRates> rates_;
  std::shared_ptr<void> token_ = std::make_shared<int>(0);
  std::shared_ptr<Guarded<Bucket>> refused_events_;
  Doors doors_;
  std::vector<Place> places_;
  os::Loop* first_loop_ = nullptr;  // of places_, also while they are being destroyed
  std::size_t connections_peak_ = 0;
  MonoTime trimmed_at_;
};

Status RealHub::build() {
  auto& system = parts_.system;
  counters_ = std::make_shared<HubCounters>(parts_.metrics);
  sessions_ = std::make_shared<SessionStore>(
      parts_.store, parts_.workers, parts_.metrics,
      [&telemetry = parts_.telemetry](std::uint64_t tag) { telemetry.session_over(tag); });
  upstream_ = std::make_shared<Upstream>(system.clock, parts_.workers, parts_.devices,
                                         parts_.control, parts_.telemetry, parts_.metrics);
  rates_ = std::make_shared<RequestRates>(options_.limits.requests);
  refused_events_ = std::make_shared<Guarded<Bucket>>(Bucket(kRefusedEvents, system.clock.mono()));
  for (unsigned i = 0; i < std::max(1U, options_.loops); ++i) {
    Place place;
    place.loop = system.threads.start_loop("hub-" + std::to_string(i));
    place.lane = std::make_shared<Lane>(*place.loop);
    places_.push_back(std::move(place));
  }
  const auto& first = places_.front();
  first_loop_ = first.loop.get();
  const auto drop = [sessions = sessions_](DeviceId device, std::uint64_t id) {
    if (id != 0) sessions->drop_will(device, id);
  };
  wills_ = std::make_shared<WillSender>(
      upstream_, first.lane, parts_.metrics,
      [drop, &telemetry = parts_.telemetry](DeviceId device, std::uint64_t id) {
        drop(device, id);
        telemetry.session_over(id);
      });
  directory_ = std::make_shared<Directory>(
      *first.loop, first.lane, options_.limits,
      Directory::WillFns{
          [wills = wills_](DeviceId device, const FireWill& will) { wills->send(device, will); },
          drop},
      parts_.metrics);
  for (std::size_t i = 0; i < places_.size(); ++i) add_place(i);
  gauges();
  return follow_notices(parts_.dispatcher, [this](const Order& order) { carry_out(order); });
}

void RealHub::add_place(std::size_t index) {
  auto& place = places_[index];
  auto& system = parts_.system;
  place.around = std::make_shared<Surroundings>(
      Surroundings{system.clock, *place.loop, place.lane, parts_.workers, system.entropy,
                   parts_.devices, parts_.identity, parts_.control, parts_.telemetry, sessions_,
                   directory_, upstream_, counters_, options_.limits,
                   Bucket(kRefusedEvents, system.clock.mono()), Bytes(kReadBufferBytes)});
  place.shard = std::make_shared<std::unique_ptr<Shard>>();
}

void RealHub::gauges() {
  auto& metrics = parts_.metrics;
  metrics.gauge("holdfast_hub_connections", "Open MQTT connections", [counters = counters_] {
    return static_cast<double>(counters->connections.load());
  });
  metrics.gauge("holdfast_hub_sessions_live", "MQTT sessions that are connected",
                [counters = counters_] { return static_cast<double>(counters->live.load()); });
  metrics.gauge("holdfast_hub_session_writes_waiting",
                "Changes of stored sessions on their way to SQL",
                [sessions = sessions_] { return static_cast<double>(sessions->busy()); });
}

RealHub::~RealHub() {
  for (auto& place : places_) {
    place.lane->close();
    place.loop->post([end = ShardEnd(place.shard)] {});
  }
  for (auto& place : places_) place.loop.reset();
}

// ---- starting

crypto::ServerSettings RealHub::settings(crypto::Credential credential, std::vector<Bytes> trust,
                                         bool mqtt) const {
  crypto::ServerSettings settings;
  settings.credential = std::move(credential);
  settings.trust_der = std::move(trust);
  settings.client =
      mqtt ? crypto::ClientCertificate::required : crypto::ClientCertificate::optional;
  settings.allow_tls12 = !mqtt;
  settings.alpn = {mqtt ? "mqtt" : "http/1.1"};
  settings.write_pending_max = 2 * kOutputBytesMax;
  settings.refused = [counters = counters_, events = refused_events_, &telemetry = parts_.telemetry,
                      &clock = parts_.system.clock](const crypto::Refusal& refusal) {
    counters->handshakes_refused.add();
    // Whoever only knocks is no news; who shows a certificate that does not hold is.
    if (!refusal.certificate_der ||
        !events->with([&](Bucket& bucket) { return bucket.may(clock.mono()); }))
      return;
    telemetry::ServerEvent event{{}, "authentication_failed", "warning", refusal.why.text(), {}};
    event.fields.emplace("address", refusal.address);
    event.fields.emplace("code", std::string(row_of(refusal.why.code).name));
    if (const auto shown = crypto::parse_certificate(*refusal.certificate_der)) {
      event.fields.emplace("shown_subject", shown->subject);  // not proven
    }
    telemetry.record(std::move(event));
  };
  return settings;
}

Status RealHub::open_doors() {
  const auto credential = TRY(parts_.identity.server_credential());
  const auto trust = TRY(parts_.identity.device_trust_der());
  doors_.mqtt = TRY(parts_.transport.make_context(settings(credential, trust, true)));
  doors_.https = TRY(parts_.transport.make_context(settings(credential, trust, false)));
  return {};
}

Status RealHub::renew_credential() {
  const auto credential = TRY(parts_.identity.server_credential());
  const auto trust = TRY(parts_.identity.device_trust_der());
  if (!doors_.mqtt) return {};  // not started
  TRY(doors_.mqtt->replace(settings(credential, trust, true)));
  return doors_.https->replace(settings(credential, trust, false));
}

void RealHub::start(os::Loop& on, Started started) {
  auto answer =
      std::make_shared<Started>([&on, started = std::move(started)](Status status) mutable {
        on.post([started = std::move(started), status = std::move(status)]() mutable {
          started(std::move(status));
        });
      });
  const auto ready = [&]() -> Status {
    TRY(with_context(sessions_->begin(), "taking up sessions"));
    TRY(with_context(sessions_->wills([&](DeviceId device, std::string client_id, FireWill will) {
      directory_->will(device, std::move(client_id), std::move(will));
    }),
                     "taking up wills"));
    return open_doors();
  }();
  if (!ready) return (*answer)(ready);
  for (auto& place : places_) {
    const auto https = std::make_shared<Https>(place.around, options_.downloads, rates_, token_);
    place.lane->post(
        [shard = place.shard, around = place.around, https, &workers = parts_.workers] {
          *shard = std::make_unique<Shard>(around, https, workers);
        });
  }
  listen_on(0, std::move(answer));
}

// One after the other: the first finds the ports, the others join them.
void RealHub::listen_on(std::size_t index, std::shared_ptr<Started> answer) {
  if (index == places_.size()) {
    tick();
    return (*answer)({});
  }
  places_[index].lane->post([this, index, answer, shard = places_[index].shard] {
    auto listening = (*shard)->listen(parts_.transport, doors_, options_.mqtt, options_.device);
    if (listening && options_.clear) {
      listening = (*shard)->listen_clear(parts_.system.network, *options_.clear);
    }
    if (!listening) return (*answer)(listening);
    const std::size_t next = (index + 1) % places_.size();
    places_[next].lane->post([this, index, answer] { listen_on(index + 1, answer); });
  });
}

// ---- while it runs

void RealHub::carry_out(const Order& order) {
  switch (order.kind) {
    case Order::Kind::wake:
      return directory_->wake(order.device);
    case Order::Kind::evict:
      directory_->evict(order.device, order.why);
      // One in quarantine may be released, and goes on where it was.
      if (order.why.code != Code::device_quarantined) sessions_->end_all(order.device);
      return;
    case Order::Kind::evict_certificate:
      return directory_->evict_certificate(order.device, order.serial_hex, order.why);
    case Order::Kind::renew_credential:
      if (const auto renewed = renew_credential(); !renewed) {
        parts_.log.error("the renewed server certificate cannot be used",
                         {{"why", renewed.error().text()}});
      }
      return;
  }
}

// On the first loop.
void RealHub::tick() {
  directory_->tick();
  wills_->tick();
  for (auto& place : places_) {
    place.lane->post([shard = place.shard] {
      if (*shard) (*shard)->tick();
    });
  }
  trim();
  first_loop_->after(kTick, [this] { tick(); });
}

void RealHub::trim() {
  const auto now = parts_.system.clock.mono();
  const auto connections = counters_->connections.load();
  connections_peak_ = std::max(connections_peak_, connections);
  if (now < trimmed_at_ + options_.limits.trim_every ||
      connections_peak_ < connections + kTrimAfter)
    return;
  if (!parts_.workers.post([] { give_memory_back(); })) return;
  connections_peak_ = connections;
  trimmed_at_ = now;
}

core::JobHandler RealHub::expire_sessions() {
  return [sessions = sessions_](const core::Job&) -> Result<core::JobEffect> {
    TRY(sessions->expire());
    return core::JobEffect{};
  };
}

// ---- stopping

void RealHub::stop(Duration limit, os::Loop& on, os::Task done) {
  const auto why = failure(Code::server_shutting_down, "the server is shutting down");
  for (auto& place : places_) {
    place.lane->post([shard = place.shard] {
      if (*shard) (*shard)->stop_listening();
    });
  }
  directory_->evict_all(why);
  for (auto& place : places_) {  // also those that have no seat yet
    place.lane->post([shard = place.shard, why] {
      if (*shard) (*shard)->evict_all(why);
    });
  }
  const auto until = parts_.system.clock.mono() + limit;
  auto answer = std::make_shared<os::Task>(
      [&on, done = std::move(done)]() mutable { on.post(std::move(done)); });
  places_.front().lane->post([this, until, answer] { wait_for_quiet(until, answer); });
}

bool RealHub::quiet() const {
  const auto idle =
      static_cast<long>(1 + places_.size());  // this hub's own, and one for each Https
  return counters_->connections.load() == 0 && sessions_->busy() == 0 && wills_->pending() == 0 &&
         token_.use_count() <= idle;
}

// On the first loop.
void RealHub::wait_for_quiet(MonoTime until, std::shared_ptr<os::Task> answer) {
  const bool late = parts_.system.clock.mono() >= until;
  if (late) parts_.log.warning("the hub stops with work on its way", {});
  if (late || quiet()) return (*answer)();
  first_loop_->after(kQuietCheck, [this, until, answer] { wait_for_quiet(until, answer); });
}

}  // namespace

Result<std::unique_ptr<Hub>> Hub::make(Parts parts, Options options) {
  auto hub = std::make_unique<RealHub>(parts, std::move(options));
  TRY(hub->build());
  return hub;
}

}  // namespace holdfast::hub
