// A device in a test: an MQTT client that does what it is told. All on its loop.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "libs/crypto/transport.hpp"
#include "libs/wire/mqtt.hpp"

namespace holdfast::hub::testing {
namespace mqtt = wire::mqtt;

class DeviceClient {
 public:
  DeviceClient(os::Loop& loop, std::unique_ptr<crypto::Transport> transport,
               crypto::Credential credential, std::vector<Bytes> trust)
      : loop_(loop),
        transport_(std::move(transport)),
        credential_(std::move(credential)),
        trust_(std::move(trust)) {}
  ~DeviceClient() { *alive_ = false; }
  DeviceClient(const DeviceClient&) = delete;
  DeviceClient& operator=(const DeviceClient&) = delete;

  // Opens a connection and sends CONNECT; what comes lands in `received`.
  void connect(const os::Endpoint& to, mqtt::Connect packet) {
    hang_up();
    received.clear();
    closed = false;
    version_ = packet.version;
    decoder_ = mqtt::Decoder::for_client(version_, 1 << 20);
    open(to, [this, packet = std::move(packet)] { send(packet); });
  }
  void open(const os::Endpoint& to, os::Task then) {
    crypto::ClientSettings settings;
    settings.trust_der = trust_;
    settings.credential = credential_;
    settings.alpn = {"mqtt"};
    const auto generation = ++generation_;
    transport_->connect(loop_, to, std::move(settings), loop_.clock().mono() + seconds(20),
                        [this, alive = alive_, generation, then = std::move(then)](
                            Result<std::unique_ptr<crypto::SecureStream>> stream) mutable {
                          if (!*alive || generation != generation_) return;
                          if (!stream) {
                            closed = true;
                            return;
                          }
                          stream_ = std::move(*stream);
                          then();
                          read();
                        });
  }
  void hang_up() {
    ++generation_;
    stream_.reset();
  }

  void send(const mqtt::Packet& packet) {
    Bytes bytes;
    ASSERT_TRUE(mqtt::encode(packet, version_, bytes));
    send_raw(bytes);
  }
  void send_raw(View bytes) {
    if (stream_) static_cast<void>(stream_->write(bytes));
  }
  void publish(std::string topic, std::string_view payload, std::uint8_t qos, std::uint16_t id,
               bool dup = false) {
    mqtt::Publish packet;
    packet.topic = std::move(topic);
    packet.payload = view_of(payload);
    packet.qos = qos;
    packet.packet_id = qos > 0 ? id : std::uint16_t{0};
    packet.dup = dup;
    send(packet);
  }
  void subscribe(std::string filter, std::uint8_t qos = 1) {
    mqtt::Subscribe packet;
    packet.packet_id = 9'999;
    packet.subscriptions.push_back({std::move(filter), qos, false, false, 0});
    send(packet);
  }
  void puback(std::uint16_t id) {
    mqtt::Puback packet;
    packet.packet_id = id;
    send(packet);
  }
  // Leaves what comes unread, like a program that hangs.
  void stop_reading() { reading_ = false; }
  void go_on_reading() {
    reading_ = true;
    read();
  }

  const mqtt::Connack* connack() const {
    return received.empty() ? nullptr : std::get_if<mqtt::Connack>(&received.front());
  }
  bool live() const {
    return stream_ != nullptr && !closed && connack() != nullptr &&
           connack()->reason == mqtt::Reason::success;
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& packet : received) {
      if (const auto* each = std::get_if<T>(&packet)) found.push_back(*each);
    }
    return found;
  }
  std::vector<std::uint16_t> acked() const {
    std::vector<std::uint16_t> ids;
    for (const auto& each : all<mqtt::Puback>()) {
      if (!mqtt::is_error(each.reason)) ids.push_back(each.packet_id);
    }
    return ids;
  }

  std::vector<mqtt::Packet> received;
  bool closed = false;  // by the server, or broken
  std::function<void(const mqtt::Packet&)> on_packet;

 private:
  void read() {
    while (stream_ && reading_) {
      std::array<std::uint8_t, 16 * 1024> buffer;
      const auto got = stream_->read(buffer);
      if (!got && got.error().code == Code::would_block) {
        stream_->wait_readable([this, alive = alive_, generation = generation_] {
          if (*alive && generation == generation_) read();
        });
        return;
      }
      if (!got || *got == 0) {
        closed = true;
        return;
      }
      decoder_.feed(View(buffer).first(*got));
      take();
    }
  }
  void take() {
    for (;;) {
      auto packet = decoder_.next();
      ASSERT_TRUE(packet) << packet.error().message;
      if (!*packet) return;
      if (auto* publish = std::get_if<mqtt::Publish>(&**packet)) {
        payloads_.push_back(Bytes(publish->payload.begin(), publish->payload.end()));
        publish->payload = payloads_.back();
      }
      received.push_back(std::move(**packet));
      if (on_packet) on_packet(mqtt::Packet(received.back()));
    }
  }

  os::Loop& loop_;
  std::unique_ptr<crypto::Transport> transport_;
  crypto::Credential credential_;
  std::vector<Bytes> trust_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::uint64_t generation_ = 0;
  std::unique_ptr<crypto::SecureStream> stream_;
  mqtt::Version version_ = mqtt::Version::v5;
  mqtt::Decoder decoder_ = mqtt::Decoder::for_client(mqtt::Version::v5, 1 << 20);
  std::list<Bytes> payloads_;
  bool reading_ = true;
};

}  // namespace holdfast::hub::testing
