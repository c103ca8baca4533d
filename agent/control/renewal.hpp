// Renewal: a new key and certificate when the drawn moment has come (contract/device-protocol.md
// 3.4), by simplereenroll with the present one. The old stays until the new one has carried a
// connection (Agent). Asks again with growing delays; a request that is under way is kept on disk.
// On its loop; callbacks never run inside start().
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/control/server_time.hpp"
#include "agent/join/enrolment.hpp"
#include "agent/join/state_folder.hpp"
#include "agent/mqtt/backoff.hpp"

namespace holdfast::agent {

struct RenewalHandlers {
  std::function<ServerTime::Now()> now;          // as far as this machine knows
  std::function<void(const Identity&)> renewed;  // stored: identity.next is the new one
  std::function<void(const Error&, Duration wait)> failed;
};

class Renewal final {
 public:
  // Wall clocks jump, therefore the moment is looked at again and again.
  static constexpr Duration kLookInterval = hours(1);

  Renewal(os::System system, os::Loop& loop, crypto::Transport& transport, StateFolder& state,
          RenewalHandlers handlers);
  ~Renewal();
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;

  void start();
  void look_soon() { look_after({}); }  // the time has become known

 private:
  void look();
  Status begin();
  void issued(Result<Issued> result);
  Status store(const Issued& issued);
  void again(const Error& error);
  void look_after(Duration wait);

  os::System system_;
  os::Loop& loop_;
  crypto::Transport& transport_;
  StateFolder& state_;
  const RenewalHandlers handlers_;
  std::unique_ptr<Enrolment> enrolment_;
  bool asking_ = false;
  PendingRequest request_;
  Backoff backoff_;
  os::TimerId timer_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace holdfast::agent
