#include "server/hub/wills.hpp"

namespace holdfast::hub {

WillSender::WillSender(std::shared_ptr<Upstream> upstream, LanePtr lane, Metrics& metrics,
                       Done done)
    : upstream_(std::move(upstream)),
      lane_(std::move(lane)),
      done_(std::move(done)),
      failed_(metrics.counter("holdfast_hub_wills_failed_total", "Wills that a domain refused")),
      dropped_(metrics.counter("holdfast_hub_wills_dropped_total",
                               "Wills dropped because too many waited")) {}

void WillSender::send(DeviceId device, FireWill will) {
  ++pending_;
  attempt({device, std::move(will)});
}

void WillSender::attempt(Waiting waiting) {
  const auto kept = std::make_shared<Waiting>(std::move(waiting));
  const auto topic = parse_up(kept->will.topic);  // checked when it was accepted
  if (!topic) return answered(std::move(*kept), std::unexpected(topic.error()));
  telemetry::Delivery delivery;
  if (kept->will.id != 0) delivery = {kept->will.id, 1, true, {}};
  upstream_->submit(
      {kept->device, *topic, kept->will.payload, std::move(delivery)},
      [self = shared_from_this(), kept](Status status) {
        self->lane_->post([self, kept, status] { self->answered(std::move(*kept), status); });
      });
}

void WillSender::answered(Waiting waiting, const Status& status) {
  if (!status && status.error().code == Code::overloaded) {
    if (again_.size() < kDelayedWillsMax) return again_.push_back(std::move(waiting));
    dropped_.add();
  } else if (!status) {
    failed_.add();
  }
  if (waiting.will.id != 0) done_(waiting.device, waiting.will.id);
  --pending_;
}

void WillSender::tick() {
  for (auto& waiting : std::exchange(again_, {})) attempt(std::move(waiting));
}

}  // namespace holdfast::hub
