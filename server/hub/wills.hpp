// WillSender: wills on their way to the domains. Those that find no room are tried again, since
// nobody else will. One that was stored has a number: told twice, after a crash between, it is kept
// once. Threads: send() and tick() on the lane's loop; pending() from any.
#pragma once

#include <atomic>
#include <deque>
#include <memory>

#include "server/hub/lane.hpp"
#include "server/hub/session/model.hpp"
#include "server/hub/upstream.hpp"

namespace holdfast::hub {

class WillSender final : public std::enable_shared_from_this<WillSender> {
 public:
  using Done = std::function<void(DeviceId device, std::uint64_t id)>;  // on the lane's loop

  WillSender(std::shared_ptr<Upstream> upstream, LanePtr lane, Metrics& metrics, Done done);
  WillSender(const WillSender&) = delete;
  WillSender& operator=(const WillSender&) = delete;

  void send(DeviceId device, FireWill will);
  void tick();
  std::size_t pending() const { return pending_.load(); }

 private:
  struct Waiting {
    DeviceId device;
    FireWill will;
  };
  void attempt(Waiting waiting);
  void answered(Waiting waiting, const Status& status);

  const std::shared_ptr<Upstream> upstream_;
  const LanePtr lane_;
  const Done done_;
  Counter& failed_;
  Counter& dropped_;
  std::atomic<std::size_t> pending_{0};
  std::deque<Waiting> again_;
};

}  // namespace holdfast::hub
