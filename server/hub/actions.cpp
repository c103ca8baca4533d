// What a session asks for, carried out: the connection's way to directory, store and domains.
#include <atomic>
#include <utility>

#include "server/hub/connection.hpp"
#include "server/hub/down.hpp"

namespace holdfast::hub {
namespace mqtt = wire::mqtt;

namespace {

constexpr Duration kAdmitAgain = milliseconds(200);
constexpr Duration kTryAgain = milliseconds(50);
constexpr Duration kLinger = milliseconds(2'500);
// A session that is taken over is not offline: its successor is given time to come online first.
constexpr Duration kHandOver = seconds(1);

std::string_view protocol_name(mqtt::Version version) {
  return version == mqtt::Version::v5 ? "mqtt-5.0" : "mqtt-3.1.1";
}

}  // namespace

// ---- a message and its answer, which may come before submit() returns, on any thread

struct Connection::Ticket {
  enum State { inside, returned, answered };
  std::weak_ptr<Connection> owner;
  LanePtr lane;
  std::uint64_t number = 0;
  Up kind = Up::hello;
  std::atomic<int> state{inside};
  Status status;

  static void told(const std::shared_ptr<Ticket>& ticket, Status status) {
    ticket->status = std::move(status);
    int now = inside;
    if (ticket->state.compare_exchange_strong(now, answered)) return;  // submit() takes it
    if (ticket->number == 0 && !one_at_a_time(ticket->kind)) return;   // QoS 0: nobody waits
    ticket->lane->post([ticket] {
      const auto self = ticket->owner.lock();
      if (!self) return;
      self->stored(ticket->number, ticket->kind, ticket->status);
      self->go_on();
    });
  }
};

// False: no room, and nothing was taken.
bool Connection::submit(std::uint64_t number, UpTopic topic, View payload,
                        const telemetry::Delivery& delivery) {
  auto ticket = std::make_shared<Ticket>();
  ticket->owner = weak_from_this();
  ticket->lane = around_->lane;
  ticket->number = number;
  ticket->kind = topic.kind;
  const bool one = one_at_a_time(topic.kind);
  if (one) {
    one_busy_ = true;
    ++outstanding_;
  }
  around_->upstream->submit({device_, topic, payload, delivery},
                            [ticket](Status status) { Ticket::told(ticket, std::move(status)); });
  int now = Ticket::inside;
  if (ticket->state.compare_exchange_strong(now, Ticket::returned)) return true;
  const bool full = !ticket->status && ticket->status.error().code == Code::overloaded;
  if (full && one) {
    one_busy_ = false;
    --outstanding_;
  }
  if (!full) stored(number, topic.kind, ticket->status);
  return !full;
}

void Connection::stored(std::uint64_t number, Up kind, const Status& status) {
  if (one_at_a_time(kind)) {
    one_busy_ = false;
    --outstanding_;
  }
  if (number != 0) session_.stored(number, status, around_->now(), out_);
  unpark();
  finalize();
}

void Connection::perform(Publish& action) {
  const auto& topic = action.topic;
  const bool wait = one_at_a_time(topic.kind) && one_busy_;
  if (!wait && submit(action.ticket, topic, action.payload, action.delivery)) return;
  if (!wait) around_->counters->paused_full.add();
  parked_ = std::make_unique<Parked>(Parked{action.ticket, topic.kind, std::string(topic.name),
                                            Bytes(action.payload.begin(), action.payload.end()),
                                            std::move(action.delivery)});
  unpark();
}

// Tries the message that found no room again: when another one is done, and after a while.
void Connection::unpark() {
  if (!parked_ || session_.phase() == Phase::closed) return;
  if (one_at_a_time(parked_->kind) && one_busy_) return;
  const auto parked = std::exchange(parked_, {});
  if (submit(parked->ticket, {parked->kind, parked->name}, parked->payload, parked->delivery))
    return;
  parked_ = std::make_unique<Parked>(std::move(*parked));
  around_->loop.cancel(park_timer_);
  park_timer_ = around_->loop.after(kTryAgain, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->unpark();
    self->go_on();
  });
}

// ---- asking others

void Connection::apply() {
  if (std::exchange(applying_, true)) return;
  for (std::size_t i = 0; i < out_.actions.size(); ++i) {  // each may add more
    auto action = std::move(out_.actions[i]);
    std::visit([this](auto& each) { perform(each); }, action);
  }
  out_.actions.clear();
  applying_ = false;
  count();
  arm();
}

template <class Answer>
std::move_only_function<void(Answer)> Connection::answer(void (Connection::*then)(Answer)) {
  ++outstanding_;
  return [weak = weak_from_this(), lane = around_->lane, then](Answer result) {
    lane->post([weak, then, result = std::move(result)]() mutable {
      const auto self = weak.lock();
      if (!self) return;
      --self->outstanding_;
      ((*self).*then)(std::move(result));
      self->go_on();
      self->finalize();
    });
  };
}

template <class Answer>
void Connection::on_worker(std::move_only_function<Answer()> work,
                           void (Connection::*then)(Answer)) {
  auto give = std::make_shared<std::move_only_function<void(Answer)>>(answer(then));
  if (around_->workers.post([work = std::move(work), give]() mutable { (*give)(work()); })) return;
  (*give)(fail(Code::overloaded, "all workers are busy"));
}

void Connection::admit() {
  const auto& der = stream_->peer().certificate_der;
  if (!der)
    return session_.admitted(fail(Code::certificate_required, "no certificate"), around_->now(),
                             out_);
  asked_at_ = around_->now().mono;
  on_worker<Result<identity::Admission>>(
      [&identity = around_->identity, der = *der, address = stream_->peer().address] {
        return identity.admit(der, identity::Purpose::connect, address);
      },
      &Connection::admitted);
}

void Connection::admitted(Result<identity::Admission> admission) {
  if (!admission && admission.error().code == Code::overloaded &&
      session_.phase() == Phase::connecting) {
    // Clients that are refused by CONNACK often stay away for good: an overload is waited for.
    around_->loop.after(kAdmitAgain, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self || self->session_.phase() != Phase::connecting || !self->stream_) return;
      self->admit();
      self->go_on();
    });
    return;
  }
  if (!admission)
    return session_.admitted(std::unexpected(admission.error()), around_->now(), out_);
  device_ = admission->device;
  serial_ = std::move(admission->serial_hex);
  session_.admitted(Admitted{device_, admission->not_after}, around_->now(), out_);
}

void Connection::perform(Enter& action) {
  SeatRequest request;
  request.seat = weak_from_this();
  request.seat_id = id_;
  request.lane = around_->lane;
  request.device = device_;
  request.client_id = std::move(action.client_id);
  request.serial_hex = std::exchange(serial_, {});
  request.continues = action.continues;
  request.asked_at = asked_at_;
  request.done = answer(&Connection::on_seated);
  around_->directory->enter(std::move(request));
}

void Connection::on_seated(Result<Seated> seated) {
  seated_ = seated.has_value();
  if (!seated) return session_.entered(std::unexpected(seated.error()), around_->now(), out_);
  share_ = std::move(seated->share);
  session_.entered({}, around_->now(), out_);
}

void Connection::perform(Open& action) {
  tag_ = action.tag;
  around_->sessions->open(device_, tables::Kind::mqtt, std::move(action),
                          answer(&Connection::on_opened));
}

void Connection::on_opened(Result<std::optional<Kept>> kept) {
  opened_ = kept.has_value();
  if (kept && *kept) tag_ = (*kept)->tag;
  session_.opened(std::move(kept), around_->now(), out_);
}

void Connection::perform(SaveGranted& action) {
  around_->sessions->save(device_, tag_, std::move(action.granted), answer(&Connection::on_saved));
}
void Connection::on_saved(Status status) {
  session_.saved(status, around_->now(), out_);
}

void Connection::perform(Fetch& action) {
  on_worker<Result<Fetched>>([&control = around_->control, device = device_,
                              asked = std::move(action)] { return fetch(control, device, asked); },
                             &Connection::on_fetched);
}
void Connection::on_fetched(Result<Fetched> fetched) {
  session_.fetched(std::move(fetched), around_->now(), out_);
}

// The domain hears of it first: then a crash between the two sends again, and never too little.
void Connection::perform(Prepare& action) {
  auto give = std::make_shared<std::move_only_function<void(Result<Prepared>)>>(
      answer(&Connection::on_prepared));
  const bool stored = session_.kept();
  const bool taken = around_->workers.post(
      [&control = around_->control, sessions = around_->sessions, device = device_, tag = tag_,
       at = around_->now().wall, stored, give, action = std::move(action)]() mutable {
        auto prepared = tell_sent(control, device, action.keys, at);
        if (!prepared || !stored) return (*give)(std::move(prepared));
        std::erase_if(action.rows, [&](const InFlight& row) {
          return std::ranges::find(prepared->dropped, row.key) != prepared->dropped.end();
        });
        sessions->prepare(device, tag, std::move(action.rows),
                          [give, prepared = std::move(*prepared)](Status status) mutable {
                            if (!status) return (*give)(std::unexpected(status.error()));
                            (*give)(std::move(prepared));
                          });
      });
  if (!taken) (*give)(fail(Code::overloaded, "all workers are busy"));
}
void Connection::on_prepared(Result<Prepared> prepared) {
  session_.prepared(std::move(prepared), around_->now(), out_);
}

void Connection::perform(Settle& action) {
  on_worker<Status>(
      [&control = around_->control, sessions = around_->sessions, device = device_, tag = tag_,
       stored = session_.kept(), at = around_->now().wall,
       action = std::move(action)]() mutable -> Status {
        const auto told = action.delivered ? control.delivered(device, action.key, at) : Status{};
        if (stored) sessions->settle(device, tag, std::move(action.key));
        return told;
      },
      &Connection::on_settled);
}
// Without it the message is sent again on the next connection: no loss.
void Connection::on_settled(Status status) {
  if (!status) around_->counters->settle_failed.add();
}

void Connection::perform(Forget& action) {
  if (session_.kept()) around_->sessions->forget(device_, tag_, std::move(action.keys));
}

void Connection::perform(Record& action) {
  around_->telemetry.record(std::move(action.event));
}

void Connection::perform(DropWill& action) {
  around_->sessions->drop_will(device_, action.id);
}

void Connection::perform(FireWill& action) {
  if (action.delay_s > 0) around_->sessions->delay_will(device_, action.id, action.delay_s);
  around_->directory->will(device_, session_.client_id(), std::move(action));
}

// ---- coming and going

void Connection::perform(Accepted&) {
  decoder_.set_packet_max(kPacketBytesMax);
  say_online();
}

void Connection::say_online() {
  auto& counters = *around_->counters;
  ++counters.live;
  (session_.version() == mqtt::Version::v5 ? counters.accepted_5 : counters.accepted_3).add();
  around_->devices.connected(device_, protocol_name(session_.version()), stream_->peer().address,
                             around_->now().wall);
  record("connect", "info", "connected", nullptr);
}

void Connection::say_offline(const Close& close) {
  const std::string reason(close.by_client ? "client" : row_of(close.code).name);
  around_->counters->ended(reason).add();
  if (!close.was_live) {
    if (!device_.empty() && close.flush && around_->events.may(around_->now().mono)) {
      record("refused", "warning", "a connection was refused: " + close.detail, &close);
    }
    return;
  }
  --around_->counters->live;
  const devices::Disconnect why{reason, close.detail};
  if (close.code == Code::taken_over) {
    around_->loop.after(kHandOver,
                        [around = around_, device = device_, why, at = around_->now().wall] {
                          around->devices.disconnected(device, why, at);
                        });
  } else {
    around_->devices.disconnected(device_, why, around_->now().wall);
  }
  record("disconnect", close.by_client ? "info" : "notice",
         close.by_client ? "disconnected" : "the connection ended: " + reason, &close);
}

void Connection::record(std::string_view kind, std::string_view severity, std::string message,
                        const Close* close) {
  telemetry::ServerEvent event{
      device_, std::string(kind), std::string(severity), std::move(message), {}};
  event.fields.emplace("client_id", session_.client_id());
  event.fields.emplace("protocol", std::string(protocol_name(session_.version())));
  event.fields.emplace("address", stream_->peer().address);
  if (close != nullptr) {
    event.fields.emplace("reason",
                         std::string(close->by_client ? "client" : row_of(close->code).name));
    if (!close->detail.empty()) event.fields.emplace("detail", close->detail);
  }
  around_->telemetry.record(std::move(event));
}

void Connection::perform(Close& action) {
  close_ = std::make_unique<Close>(std::move(action));
  flush();
  say_offline(*close_);
  parked_.reset();
  lingering_ = close_->flush;
  if (lingering_) {
    stream_->shut();
    linger();
    around_->loop.after(kLinger, [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self && std::exchange(self->lingering_, false)) self->release();
    });
  }
  finalize();
}

// Takes what the peer still sends, so that its machine does not throw away what we said last.
void Connection::linger() {
  if (!lingering_) return;
  Result<std::size_t> got = 0;
  std::size_t left = kPacketBytesMax;
  do {
    got = stream_->read(around_->read_buffer);
    left -= std::min(left, got.value_or(0));
  } while (got && *got > 0 && left > 0);
  if (!got && got.error().code == Code::would_block) {
    stream_->wait_readable([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->linger();
    });
    return;
  }
  lingering_ = false;
  release();
}

// When all that was asked for is answered, the seat is free: whoever comes next finds all in store.
void Connection::finalize() {
  if (!close_ || outstanding_ > 0 || finalized_) return;
  finalized_ = true;
  if (opened_ && session_.kept()) {
    around_->sessions->leave(device_, tag_, close_->expiry_s);
  } else if (opened_) {
    around_->telemetry.session_over(tag_);
  }
  if (seated_) around_->directory->leave(device_, session_.client_id(), id_);
  release();
}

void Connection::release() {
  if (!finalized_ || lingering_) return;
  // Not now: this may run inside a call of the stream, or of itself.
  around_->loop.post([self = shared_from_this()] { self->gone_(*self); });
}

void Connection::count() {
  const auto tally = session_.take_tally();
  auto& counters = *around_->counters;
  const auto add = [](Counter& counter, std::uint32_t n) {
    if (n > 0) counter.add(n);
  };
  add(counters.up_qos0, tally.up_qos0);
  add(counters.up_qos1, tally.up_qos1 + tally.up_resent);
  add(counters.up_resent, tally.up_resent);
  add(counters.up_refused, tally.up_refused);
  add(counters.down_sent, tally.down_sent);
  add(counters.down_resent, tally.down_resent);
  add(counters.down_acked, tally.down_acked);
  add(counters.down_dropped, tally.down_expired + tally.down_too_large);
  add(counters.keys_dropped, tally.settled_dropped);
  add(counters.acks_unknown, tally.acks_unknown);
  add(counters.suppressed, tally.events_suppressed);
}

}  // namespace holdfast::hub
