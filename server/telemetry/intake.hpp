// Intake: the telemetry domain's Service. Payloads are decoded and bounded, given to the journal,
// and answered when they are durable. Owned by main. Threads: as service.hpp.
#pragma once

#include <memory>
#include <unordered_set>

#include "libs/base/guarded.hpp"
#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "libs/wire/telemetry.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/store/events/events.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/series/series.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::telemetry {

std::vector<core::Migration> migrations();

class Intake final : public Service {
 public:
  // All outlive the intake. Loads which devices have reported before.
  static Result<std::unique_ptr<Intake>> make(const os::System& system, journal::Journal& journal,
                                              series::Series& series, core::Store& store,
                                              os::Workers& workers, const Log& log,
                                              Metrics& metrics);

  // Which retention class a stream has; before the first reading.
  void classify(std::function<series::ClassId(std::string_view stream)> class_of) {
    class_of_ = std::move(class_of);
  }

  void reading(DeviceId device, std::string_view stream, View payload, Delivery delivery,
               Done done) override;
  void event(DeviceId device, std::string_view name, View payload, Delivery delivery,
             Done done) override;
  void log(DeviceId device, View payload, Delivery delivery, Done done) override;
  void record(ServerEvent event) override;
  void session_over(std::uint64_t session_tag) override { journal_.forget(session_tag); }

  // The same as record(), stored once for this number however often it is told within the last 64:
  // for notices. `done` is called once, from any thread, when it is durable or has failed.
  void record_once(const ServerEvent& event, std::int64_t seq, Done done);

 private:
  Intake(const os::System& system, journal::Journal& journal, series::Series& series,
         core::Store& store, os::Workers& workers, const Log& log, Metrics& metrics);
  Status take_reading(DeviceId device, std::string_view stream, View payload,
                      const Delivery& delivery, Done& done);
  Status take_entries(DeviceId device, std::string_view topic, View payload,
                      const std::vector<events::NewEvent>& entries, const Delivery& delivery,
                      Done& done);
  void finish(Status taken, DeviceId device, const std::string& topic, View payload, Done& done);
  void keep_malformed(DeviceId device, const std::string& topic, View payload, const Error& why);
  void keep_refused(DeviceId device, const std::string& topic, const Error& why);
  bool room_for_refusal();
  void first_reading(DeviceId device, std::string metric, WallTime at);

  std::function<series::ClassId(std::string_view)> class_of_;
  os::System system_;
  journal::Journal& journal_;
  series::Series& series_;
  core::Store& store_;
  os::Workers& workers_;
  const Log& log_;
  Guarded<std::unordered_set<DeviceId>> reported_;  // bounded by the registry
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  struct Second {
    std::int64_t number = 0;
    std::uint32_t count = 0;
  };
  Guarded<Second> malformed_;
  Counter& messages_;
  Counter& samples_;
  Counter& refused_;
  Counter& suppressed_;
  Counter& lost_events_;
};

// Pure: the journal's form of what devices and the server report.
events::NewEvent new_event(const wire::LogEntry& entry, std::string kind);

}  // namespace holdfast::telemetry
