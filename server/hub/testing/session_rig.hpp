// A session in a test: packets in, packets and actions out, answers given by hand or by itself.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <list>

#include "server/hub/session/session.hpp"

namespace holdfast::hub::testing {
namespace mqtt = wire::mqtt;

class CountingEntropy final : public os::Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = ++next_;
  }

 private:
  std::uint8_t next_ = 0;
};

inline DeviceId device_number(std::uint8_t number) {
  DeviceId id;
  id.ulid.back() = number;
  id.ulid.front() = 1;
  return id;
}

struct Options5 {
  bool clean = true;
  std::string client_id = "c1";
  std::uint16_t keep_alive_s = 60;
  std::uint32_t expiry_s = 0;
  std::uint16_t receive_max = 0;  // 0: not said
  std::uint32_t packet_max = 0;   // 0: not said
  std::optional<mqtt::Will> will = std::nullopt;
  std::uint32_t will_delay_s = 0;
  bool problem_info = true;
};

inline mqtt::Connect connect_5(const Options5& options = {}) {
  mqtt::Connect connect;
  connect.version = mqtt::Version::v5;
  connect.clean_start = options.clean;
  connect.client_id = options.client_id;
  connect.keep_alive_s = options.keep_alive_s;
  connect.will = options.will;
  auto& properties = connect.properties;
  if (options.expiry_s > 0) properties.set(mqtt::PropertyId::session_expiry, options.expiry_s);
  if (options.receive_max > 0)
    properties.set(mqtt::PropertyId::receive_maximum, options.receive_max);
  if (options.packet_max > 0)
    properties.set(mqtt::PropertyId::maximum_packet_size, options.packet_max);
  if (!options.problem_info) properties.set(mqtt::PropertyId::request_problem_information, 0);
  if (options.will_delay_s > 0) {
    connect.will->properties.set(mqtt::PropertyId::will_delay, options.will_delay_s);
  }
  return connect;
}

inline mqtt::Connect connect_3(std::string client_id = "c1", bool clean = true,
                               std::uint16_t keep_alive_s = 60) {
  mqtt::Connect connect;
  connect.version = mqtt::Version::v3_1_1;
  connect.clean_start = clean;
  connect.client_id = std::move(client_id);
  connect.keep_alive_s = keep_alive_s;
  return connect;
}

inline mqtt::Will a_will(std::string topic, std::string_view payload, std::uint8_t qos = 1) {
  mqtt::Will will;
  will.topic = std::move(topic);
  will.payload = bytes_of(payload);
  will.qos = qos;
  return will;
}

inline control::Down command(std::string name, std::optional<WallTime> deadline = {}) {
  return {"command:" + name, "command/blink/" + name, bytes_of(R"({"payload":null})"), deadline};
}
inline control::Down twin(int version) {
  return {"twin:" + std::to_string(version),
          "twin/desired",
          bytes_of("{\"version\":" + std::to_string(version) + ",\"desired\":{}}"),
          {}};
}

class Rig {
 public:
  explicit Rig(WallTime not_after = WallTime{INT64_MAX}) : not_after_(not_after) {}

  Now now{MonoTime{1'000'000'000}, WallTime{1'767'225'600'000'000}};
  CountingEntropy entropy;
  Session session{entropy, now, now.mono + seconds(10)};
  std::deque<Action> actions;

  void pass(Duration time) {
    now.mono = now.mono + time;
    now.wall = now.wall + time;
  }

  // ---- in
  void packet(mqtt::Packet packet) {
    packets_.push_back(std::move(packet));
    session.packet(packets_.back(), now, out_);
    settle();
  }
  void publish(std::string topic, std::string_view payload, std::uint8_t qos = 1,
               std::uint16_t id = 1, bool dup = false) {
    mqtt::Publish publish;
    publish.topic = std::move(topic);
    publish.payload = view_of(payload);
    publish.qos = qos;
    publish.packet_id = qos > 0 ? id : std::uint16_t{0};
    publish.dup = dup;
    packet(std::move(publish));
  }
  void subscribe(std::string filter, std::uint8_t qos = 1, std::uint8_t retain_handling = 0) {
    mqtt::Subscribe subscribe;
    subscribe.packet_id = 77;
    subscribe.subscriptions.push_back({std::move(filter), qos, false, false, retain_handling});
    packet(std::move(subscribe));
  }
  void puback(std::uint16_t id, mqtt::Reason reason = mqtt::Reason::success) {
    mqtt::Puback puback;
    puback.packet_id = id;
    puback.reason = reason;
    packet(std::move(puback));
  }
  void refused(mqtt::Refusal refusal, std::optional<mqtt::Version> version) {
    session.refused(refusal, version, now, out_);
    settle();
  }
  void admitted() {
    session.admitted(Admitted{device_number(1), not_after_}, now, out_);
    settle();
  }
  void admission_fails(Code code) {
    session.admitted(fail(code, "no"), now, out_);
    settle();
  }
  void entered(Status status = {}) {
    session.entered(std::move(status), now, out_);
    settle();
  }
  void opened(Result<std::optional<Kept>> kept = std::optional<Kept>{}) {
    session.opened(std::move(kept), now, out_);
    settle();
  }
  void stored(std::uint64_t ticket, Status status = {}) {
    session.stored(ticket, status, now, out_);
    settle();
  }
  void saved(Status status = {}) {
    session.saved(status, now, out_);
    settle();
  }
  void fetched(Fetched fetched) {
    session.fetched(std::move(fetched), now, out_);
    settle();
  }
  void fetch_fails() {
    session.fetched(fail(Code::io_error, "no"), now, out_);
    settle();
  }
  void prepared(Result<Prepared> prepared = Prepared{}) {
    session.prepared(std::move(prepared), now, out_);
    settle();
  }
  void wake() {
    session.wake(out_);
    settle();
  }
  void evict(Code code, bool continues = false) {
    session.evict(failure(code, "evicted"), continues, now, out_);
    settle();
  }
  void lost() {
    session.lost(failure(Code::closed, "gone"), now, out_);
    settle();
  }
  void time() {
    session.time(now, out_);
    settle();
  }
  void blocked(bool blocked) {
    session.blocked(blocked, out_);
    settle();
  }

  // Up to CONNACK, with everybody's consent.
  void go_live(mqtt::Connect connect, std::optional<Kept> kept = {}) {
    version_ = connect.version;
    packet(std::move(connect));
    admitted();
    entered();
    opened(std::move(kept));
    ASSERT_EQ(session.phase(), Phase::live);
  }
  // The same, and nothing left to look at.
  void go_quiet(mqtt::Connect connect, std::optional<Kept> kept = {}) {
    go_live(std::move(connect), std::move(kept));
    sent();
    actions.clear();
  }

  // ---- out
  // Packets written since the last call.
  std::vector<mqtt::Packet> sent() {
    std::vector<mqtt::Packet> packets;
    auto decoder = mqtt::Decoder::for_client(version_, 1 << 20);
    written_.push_back(std::exchange(bytes_, {}));
    decoder.feed(written_.back());
    for (;;) {
      auto packet = decoder.next();
      EXPECT_TRUE(packet) << packet.error().message;
      if (!packet || !*packet) break;
      if (auto* publish = std::get_if<mqtt::Publish>(&**packet)) {
        written_.push_back(Bytes(publish->payload.begin(), publish->payload.end()));
        publish->payload = written_.back();
      }
      packets.push_back(std::move(**packet));
    }
    EXPECT_EQ(decoder.buffered(), 0U);
    return packets;
  }
  template <class T>
  T sent_one() {
    const auto packets = sent();
    EXPECT_EQ(packets.size(), 1U);
    if (packets.size() != 1 || !std::holds_alternative<T>(packets.front())) {
      ADD_FAILURE() << "no such packet";
      return {};
    }
    return std::get<T>(packets.front());
  }
  Bytes raw() { return std::exchange(bytes_, {}); }
  void speaks(mqtt::Version version) { version_ = version; }

  // The first action of this kind, taken out.
  template <class T>
  std::optional<T> took() {
    for (auto each = actions.begin(); each != actions.end(); ++each) {
      if (!std::holds_alternative<T>(*each)) continue;
      T found = std::get<T>(std::move(*each));
      actions.erase(each);
      return found;
    }
    return std::nullopt;
  }
  template <class T>
  std::size_t count() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        actions, [](const Action& each) { return std::holds_alternative<T>(each); }));
  }

 private:
  void settle() {
    append(bytes_, out_.bytes);
    out_.bytes.clear();
    for (auto& action : out_.actions) actions.push_back(std::move(action));
    out_.actions.clear();
  }

  WallTime not_after_;
  mqtt::Version version_ = mqtt::Version::v5;
  Output out_;
  Bytes bytes_;
  std::list<mqtt::Packet> packets_;  // kept: actions look into them
  std::list<Bytes> written_;
};

}  // namespace holdfast::hub::testing
