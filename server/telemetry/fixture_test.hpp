// For tests of telemetry: core, journal, series, events and intake on a simulated machine.
#pragma once

#include <gtest/gtest.h>

#include "server/core/testing/asker.hpp"
#include "server/devices/tables.hpp"
#include "server/store/events/store.hpp"
#include "server/store/journal/ring_keys.hpp"
#include "server/store/series/store.hpp"
#include "server/telemetry/intake.hpp"
#include "server/telemetry/live.hpp"

namespace holdfast::telemetry {

inline std::vector<core::Migration> plant_migrations() {
  auto all = devices::migrations();
  for (auto& one : migrations()) all.push_back(one);
  return all;
}

class Plant {
 public:
  explicit Plant(std::uint64_t seed = 1) : t(seed, plant_migrations()) { start(); }
  ~Plant() { drop(); }

  void start() {
    ASSERT_TRUE(t.open());
    const os::System system = t.system();
    keys = std::make_unique<journal::RingKeys>(t.ring());
    journal::Options options;
    options.folder = "/data/journal";
    options.segment_bytes = 256 * 1024;
    options.fill_bytes = 16 * 1024;
    options.headroom_bytes = 16 * 1024;
    journal = journal::Journal::open(system, *keys, t.log, t.metrics, options).value();
    series::StoreOptions readings;
    readings.folder = "/data/series";
    readings.limits.device_metrics_max = 5;
    series = series::Store::open(system, *keys, *journal, t.log, t.metrics, readings, {}).value();
    events::StoreOptions happened;
    happened.folder = "/data/events";
    events = events::Store::open(system, *keys, *journal, t.log, t.metrics, happened, {}).value();
    journal->attach(*series);
    journal->attach(*events);
    ASSERT_TRUE(journal->start());
    workers = system.threads.start_workers("test", 1, 10'000);
    intake = Intake::make(system, *journal, *series, t.store(), *workers, t.log, t.metrics).value();
    live = std::make_unique<Live>(*journal, t.node.loop(), *workers, t.metrics);
  }
  void drop() {
    live.reset();
    intake.reset();
    workers.reset();
    journal.reset();
    events.reset();
    series.reset();
    keys.reset();
  }
  void crash() {
    t.node.crash(os::sim::Crash::power);
    drop();
    t.crash();
    start();
  }
  void settle(Duration time = seconds(1)) { t.world.run_for(time); }

  DeviceId device() {
    DeviceId id;
    EXPECT_TRUE(t.store().record(core::Caller::system(), "test.device",
                                 [&](core::Change& change) -> Status {
                                   devices::Device one;
                                   one.id = id = change.new_id<DeviceId>();
                                   one.name = "pump";
                                   one.created_at = one.updated_at = change.now();
                                   return devices::insert_device(change, one);
                                 }));
    return id;
  }
  // What comes back for a message, once it is durable; nullopt when nothing comes.
  using Sent = std::shared_ptr<std::optional<Status>>;
  static Done into(const Sent& place) {
    return [place](Status stored) { *place = std::move(stored); };
  }
  Sent publish(DeviceId id, std::string_view stream, std::string_view payload,
               Delivery delivery = {}) {
    auto sent = std::make_shared<std::optional<Status>>();
    intake->reading(id, stream, view_of(payload), std::move(delivery), into(sent));
    return sent;
  }
  Code reading(DeviceId id, std::string_view stream, std::string_view payload,
               Delivery delivery = {}) {
    return code_of(publish(id, stream, payload, std::move(delivery)));
  }
  Code event(DeviceId id, std::string_view name, std::string_view payload, Delivery delivery = {}) {
    auto sent = std::make_shared<std::optional<Status>>();
    intake->event(id, name, view_of(payload), std::move(delivery), into(sent));
    return code_of(sent);
  }
  Code log(DeviceId id, std::string_view payload, Delivery delivery = {}) {
    auto sent = std::make_shared<std::optional<Status>>();
    intake->log(id, view_of(payload), std::move(delivery), into(sent));
    return code_of(sent);
  }
  // Code::internal: stored.
  Code code_of(const Sent& sent) {
    EXPECT_TRUE(t.world.run_until([&] { return sent->has_value(); }, seconds(10)));
    return *sent && !**sent ? (**sent).error().code : Code::internal;
  }
  std::vector<series::Point> points(DeviceId id, const std::string& metric) {
    series::RangeQuery query;
    query.device = id.ulid;
    query.metric = metric;
    query.range = {WallTime{0}, WallTime{INT64_MAX}};
    std::vector<series::Point> out;
    EXPECT_TRUE(series->range(query, [&](const std::vector<series::Point>& some) {
      out.insert(out.end(), some.begin(), some.end());
      return true;
    }));
    return out;
  }
  // Oldest first.
  std::vector<events::Event> happened(DeviceId id) {
    events::Query query;
    query.device = id.ulid;
    query.limit = 1'000;
    auto answer = events->query(query).value();
    return {answer.items.rbegin(), answer.items.rend()};
  }

  core::TestStore t;
  std::unique_ptr<journal::RingKeys> keys;
  std::unique_ptr<series::Store> series;
  std::unique_ptr<events::Store> events;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Live> live;
};
inline constexpr Code kStored = Code::internal;

}  // namespace holdfast::telemetry
