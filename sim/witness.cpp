#include "sim/witness.hpp"

#include <map>
#include <optional>

#include "libs/wire/mqtt.hpp"

namespace holdfast::sim {
namespace {

namespace mqtt = wire::mqtt;
constexpr std::uint32_t kPacketMax = 1024 * 1024;

// Of one connection: what was published and not yet acknowledged. A resend on a later connection
// is a PUBLISH of that one again.
class Conversation {
 public:
  explicit Conversation(Ledger& ledger)
      : ledger_(ledger), up_(mqtt::Decoder::for_server(kPacketMax)) {}

  void sent(View bytes) {
    up_.feed(bytes);
    each(up_, "sent", [this](const mqtt::Packet& packet) {
      const auto* publish = std::get_if<mqtt::Publish>(&packet);
      if (publish == nullptr || publish->qos == 0) return;
      waiting_[publish->packet_id] = {publish->topic, std::string(text_of(publish->payload))};
    });
  }
  void received(View bytes) {
    if (!up_.version()) return ledger_.confused("the server spoke before CONNECT");
    if (!down_) down_ = mqtt::Decoder::for_client(*up_.version(), kPacketMax);
    down_->feed(bytes);
    each(*down_, "received", [this](const mqtt::Packet& packet) {
      if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) acknowledged(*puback);
    });
  }

 private:
  struct Message {
    std::string topic, payload;
  };

  template <class F>
  void each(mqtt::Decoder& decoder, std::string_view which, F use) {
    while (true) {
      const auto packet = decoder.next();
      if (!packet) {
        return ledger_.confused("what was " + std::string(which) + " is no MQTT: " +
                                packet.error().message);
      }
      if (!*packet) return;
      use(**packet);
    }
  }
  void acknowledged(const mqtt::Puback& puback) {
    const auto at = waiting_.find(puback.packet_id);
    if (at == waiting_.end()) {
      return ledger_.confused("PUBACK for packet " + std::to_string(puback.packet_id) +
                              ", which was not sent on this connection");
    }
    if (!mqtt::is_error(puback.reason)) ledger_.acknowledged(at->second.topic, at->second.payload);
    waiting_.erase(at);
  }

  Ledger& ledger_;
  mqtt::Decoder up_;
  std::optional<mqtt::Decoder> down_;
  std::map<std::uint16_t, Message> waiting_;
};

class HeardStream final : public crypto::SecureStream {
 public:
  HeardStream(std::unique_ptr<crypto::SecureStream> inner, Ledger& ledger)
      : inner_(std::move(inner)), conversation_(ledger) {}

  const crypto::Peer& peer() const override { return inner_->peer(); }
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    const std::size_t got = TRY(inner_->read(into));
    if (got > 0) conversation_.received(into.first(got));
    return got;
  }
  Status write(View bytes) override {
    TRY(inner_->write(bytes));
    conversation_.sent(bytes);
    return {};
  }
  std::size_t write_pending() const override { return inner_->write_pending(); }
  void wait_readable(os::Task ready) override { inner_->wait_readable(std::move(ready)); }
  void wait_drained(os::Task drained) override { inner_->wait_drained(std::move(drained)); }
  void shut() override { inner_->shut(); }

 private:
  const std::unique_ptr<crypto::SecureStream> inner_;
  Conversation conversation_;
};

}  // namespace

void Witness::connect(os::Loop& loop, const os::Endpoint& to, crypto::ClientSettings settings,
                      MonoTime deadline, crypto::SecureConnectFn done) {
  if (to.port != mqtt_port_) {
    return inner_.connect(loop, to, std::move(settings), deadline, std::move(done));
  }
  inner_.connect(loop, to, std::move(settings), deadline,
                 [&ledger = ledger_, done = std::move(done)](
                     Result<std::unique_ptr<crypto::SecureStream>> stream) mutable {
                   if (!stream) return done(std::move(stream));
                   done(std::make_unique<HeardStream>(*std::move(stream), ledger));
                 });
}

}  // namespace holdfast::sim
