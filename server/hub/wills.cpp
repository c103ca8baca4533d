#include "server/hub/wills.hpp"

namespace holdfast::hub {

WillSender::WillSender(std::shared_ptr<Upstream> upstream, LanePtr lane, Metrics& metrics)
    : upstream_(std::move(upstream)),
      lane_(std::move(lane)),
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
  upstream_->submit({kept->device, *topic, kept->will.payload, {}}, [self = shared_from_this(),
                                                                     kept](Status status) {
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
  --pending_;
}

void WillSender::tick() {
  for (auto& waiting : std::exchange(again_, {})) attempt(std::move(waiting));
}

}  // namespace holdfast::hub
