// Controller: the control domain's Service, and what operators do with twins and commands. Owned by
// main. A command ends by its reply, its deadline (job command.expire) or a cancellation, and
// whoever waits for its end is told. Threads: as service.hpp; operator calls block on SQL.
#pragma once

#include <functional>
#include <memory>

#include "libs/base/metrics.hpp"
#include "server/control/service.hpp"
#include "server/control/tables.hpp"
#include "server/core/jobs.hpp"
#include "server/core/notices.hpp"
#include "server/core/watchers.hpp"
#include "server/devices/service.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::control {

inline constexpr std::int64_t kWaitingMax = 10'000;  // commands of one device that have not ended
inline constexpr std::size_t kWaitersMax = 1'024;    // callers that wait for an end

class Controller final : public Service {
 public:
  static Result<std::unique_ptr<Controller>> make(core::Store& store, core::Jobs& jobs,
                                                  core::Dispatcher& dispatcher,
                                                  devices::Service& devices,
                                                  telemetry::Service& telemetry, Metrics& metrics);

  // ---- Service
  Result<std::vector<Down>> pending(DeviceId device, std::size_t limit) override;
  Result<std::optional<Down>> find_down(DeviceId device, std::string_view key) override;
  Result<TwinView> twin(DeviceId device) override;
  Status sent(DeviceId device, std::string_view key, WallTime at) override;
  Status delivered(DeviceId device, std::string_view key, WallTime at) override;
  Status reply(DeviceId device, std::string_view command_id, View payload) override;
  Status twin_reported(DeviceId device, View payload) override;

  // ---- operators
  struct NewCommand {
    std::string name;
    wire::Json payload;
    Duration limit = seconds(300);
  };
  Result<Command> run(const core::Caller& caller, DeviceId device, const NewCommand& wanted);
  Result<Command> cancel(const core::Caller& caller, CommandId id);
  Result<Command> command(const core::Caller& caller, CommandId id);
  Result<std::vector<Command>> commands(const core::Caller& caller, const CommandQuery& query);
  Result<Twin> twin(const core::Caller& caller, std::string_view permission, DeviceId device);
  using Matches = std::function<Status(std::int64_t version)>;
  // replace: the document; else a merge patch of it.
  Result<Twin> set_desired(const core::Caller& caller, DeviceId device, const wire::Json& document,
                           bool replace, const Matches& matches);

  // Calls back once, after the end is committed, on a worker; at once if it has ended. overloaded
  // beyond kWaitersMax. The number names the waiter for forget().
  using Ended = std::function<void()>;
  Result<std::uint64_t> when_ended(CommandId id, Ended ended);
  void forget(std::uint64_t waiter) { waiters_.forget(waiter); }

 private:
  Controller(core::Store& store, core::Jobs& jobs, devices::Service& devices,
             telemetry::Service& telemetry, Metrics& metrics);
  // Moves a command on inside a change: row, notice, job. False when the table of moves says no.
  Result<bool> move(core::Change& change, Command& command, CommandState to,
                    const std::optional<SiteId>& site);
  Status progress(DeviceId device, std::string_view key, CommandState to);
  Status device_gone(core::Change& change, const core::Notice& notice);
  Status expire(core::Change& change, CommandId id);

  core::Store& store_;
  core::Jobs& jobs_;
  devices::Service& devices_;
  telemetry::Service& telemetry_;
  core::Watchers<CommandId> waiters_{kWaitersMax};
  Counter& created_;
  Counter& late_replies_;
};

}  // namespace holdfast::control
