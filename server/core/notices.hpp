// Notices: what the server tells itself after a change (contract/notices.yaml), through an outbox
// table that is written in the change's own transaction. Each subscriber has a durable cursor; its
// effect and the cursor's advance commit together, so each notice is handled exactly once in
// effect, in order of seq, also across a kill at any moment.
//
// Threads: subscribe() and follow() before start(); handlers run on a worker, one at a time per
// subscriber. A handler that fails is tried again with back-off; after kAttemptsMax its notice is
// put aside (a row in notice_parked, a counter, an error in the log) and the subscriber goes on.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/core/bus.hpp"
#include "server/core/change.hpp"

namespace holdfast::core {

inline constexpr unsigned kAttemptsMax = 12;
inline constexpr std::size_t kSubscribersMax = 64;
inline constexpr std::size_t kNoticesPerTurn = 64;

struct Notice {
  std::int64_t seq = 0;
  std::string name;
  WallTime time;
  std::string payload;  // JSON object
  std::string actor;
  std::string request_id;  // empty: none
  std::optional<std::int64_t> audit_seq;
  std::optional<SiteId> site;
};

// Is the name declared in contract/notices.yaml?
bool notice_declared(std::string_view name);
// Notices after `after_seq`, oldest first: for live streams that resume. Empty names: all.
Result<std::vector<Notice>> notices_after(sql::Tx& tx, std::int64_t after_seq,
                                          const std::vector<std::string>& names, std::size_t limit);
Result<std::int64_t> last_notice(sql::Tx& tx);   // 0: none yet
Result<std::int64_t> first_notice(sql::Tx& tx);  // oldest kept; 0: none

class Dispatcher {
 public:
  // The effect on stored state, inside the transaction that advances the cursor.
  using Handler = std::function<Status(Change&, const Notice&)>;
  // An effect elsewhere: up to kNoticesPerTurn notices, oldest first; `done` is called once, from any
  // thread, when their effect is durable there. On an error, and after a crash, they are told again
  // together, until it is none: whoever takes them must know those that it has by their seq.
  using Done = std::move_only_function<void(Status)>;
  using Delivery = std::function<void(const std::vector<Notice>&, Done done)>;
  // Live only: from now on, at least once while this process lives, no cursor. For caches and
  // sockets.
  using Follower = std::function<void(const Notice&)>;

  // `workers` and `loop` outlive the dispatcher.
  static Result<std::unique_ptr<Dispatcher>> make(Store& store, Bus& bus, os::Workers& workers,
                                                  os::Loop& loop, const Log& log, Metrics& metrics);
  virtual ~Dispatcher() = default;

  // `subscriber` is a stable name ("telemetry", "identity.claims"): its cursor is kept under it. A
  // new subscriber starts at the notices that come after its first start. An undeclared notice name
  // is Code::internal.
  virtual Status subscribe(std::string subscriber, std::vector<std::string> names,
                           Handler handler) = 0;
  virtual Status deliver(std::string subscriber, std::vector<std::string> names,
                         Delivery delivery) = 0;
  virtual Status follow(std::vector<std::string> names, Follower follower) = 0;
  virtual Status start() = 0;
  virtual void stop() = 0;  // on the loop; no handler starts after it
  // Something was committed: look now. From any thread; cheap.
  virtual void wake() = 0;
  // Deletes notices older than `keep` that every subscriber has handled. For a job.
  virtual Status trim(Duration keep) = 0;
};

}  // namespace holdfast::core
