// SessionStore: sessions on their way to SQL. Calls never block: each is queued, those of one
// device are carried out in order, and answered on a worker when durable. Several that wait share a
// commit.
//
// Errors: overloaded (kStoreQueueMax wait, or the workers do), and those of SQL. An answer may come
// before the call returns. Threads: any. Held by shared_ptr: work that is queued keeps it.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/workers.hpp"
#include "server/core/change.hpp"
#include "server/hub/store/tables.hpp"

namespace holdfast::hub {

class SessionStore final : public std::enable_shared_from_this<SessionStore> {
 public:
  using Done = std::move_only_function<void(Status)>;
  using Opened = std::move_only_function<void(Result<std::optional<Kept>>)>;

  using OverFn = std::function<void(std::uint64_t tag)>;  // told when it is durable; any thread

  SessionStore(core::Store& store, os::Workers& workers, Metrics& metrics, OverFn over);
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  // ---- blocking: on a worker
  Status begin();
  Status expire();
  // What the last process left: calls for each will that waits, with the time that is left in it.
  Status wills(const std::function<void(DeviceId, std::string client_id, FireWill)>& waits);
  // The keys that the device has acknowledged over HTTPS and may be offered again.
  Result<std::vector<std::string>> mailbox(DeviceId device);
  Status mailbox_settle(DeviceId device, std::string_view key);

  void open(DeviceId device, tables::Kind kind, Open request, Opened done);
  void save(DeviceId device, std::uint64_t tag, std::vector<Granted> granted, Done done);
  void prepare(DeviceId device, std::uint64_t tag, std::vector<InFlight> rows, Done done);
  void settle(DeviceId device, std::uint64_t tag, std::string key, Done done = {});
  void forget(DeviceId device, std::uint64_t tag, std::vector<std::string> keys, Done done = {});
  void leave(DeviceId device, std::uint64_t tag, std::uint32_t expiry_s, Done done = {});
  void end_all(DeviceId device, Done done = {});
  void delay_will(DeviceId device, std::uint64_t id, std::uint32_t delay_s);
  void drop_will(DeviceId device, std::uint64_t id);
  // Operations queued or running.
  std::size_t busy() const { return busy_.load(); }

 private:
  struct Operation {
    std::function<Status(core::Change&)> run;  // may run twice: only its last run counts
    Done done;
  };
  struct Line {
    std::deque<Operation> waiting;
    bool running = false;
  };
  static constexpr std::size_t kLines = 4;
  static constexpr std::size_t kShared = 64;  // operations in one commit

  void push(DeviceId device, Operation operation);
  void work(std::size_t line);
  void drop(std::size_t line);
  void run(std::deque<Operation>& batch);
  Status commit(const std::function<Status(core::Change&)>& mutate);

  // An operation that may end sessions, which are told of once it is durable.
  using Ending = std::function<Status(core::Change&, tables::Over&)>;
  Operation ending(Ending run, Done done);

  core::Store& store_;
  os::Workers& workers_;
  const OverFn over_;
  Counter& operations_;
  Counter& refused_;
  Counter& failed_;
  std::atomic<std::size_t> busy_{0};
  std::array<Guarded<Line>, kLines> lines_;
};

}  // namespace holdfast::hub
