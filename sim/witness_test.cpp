#include "sim/witness.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/testing.hpp"
#include "libs/os/sim/simulation.hpp"
#include "libs/wire/mqtt.hpp"

namespace holdfast::sim {
namespace {

namespace mqtt = wire::mqtt;
constexpr std::uint16_t kPort = 8883;

// A device that speaks through a witness to a server that says what the test wants.
class WitnessTest : public testing::Test {
 protected:
  WitnessTest() {
    crypto::ServerSettings settings;
    settings.credential = pki.server({"server"});
    settings.trust_der = pki.trust();
    settings.client = crypto::ClientCertificate::none;
    auto context = server_transport->make_context(std::move(settings));
    EXPECT_TRUE(context);
    for (const std::uint16_t port : {kPort, std::uint16_t{8444}}) {
      auto listening = server_transport->listen(
          server.loop(), {"", port}, *context,
          [this](std::unique_ptr<crypto::SecureStream> stream) { accepted = std::move(stream); });
      EXPECT_TRUE(listening);
      listeners.push_back(std::move(*listening));
    }
  }

  void connect(std::uint16_t port) {
    crypto::ClientSettings settings;
    settings.trust_der = {pki.root_der()};
    settings.server_name = "server";
    witness.connect(device.loop(), {"server", port}, std::move(settings), world.now() + seconds(5),
                    [this](Result<std::unique_ptr<crypto::SecureStream>> stream) {
                      ASSERT_TRUE(stream) << stream.error().text();
                      stream_ = *std::move(stream);
                    });
    ASSERT_TRUE(world.run_until([&] { return stream_ && accepted; }, seconds(5)));
  }
  void send(const mqtt::Packet& packet) {
    Bytes bytes;
    ASSERT_TRUE(mqtt::encode(packet, mqtt::Version::v5, bytes));
    ASSERT_TRUE(stream_->write(bytes));
  }
  void publish(std::string topic, const std::string& payload, std::uint16_t id) {
    mqtt::Publish packet;
    packet.topic = std::move(topic);
    packet.payload = view_of(payload);
    packet.packet_id = id;
    packet.qos = 1;
    send(packet);
  }
  // The server says so, and the device reads it.
  void answer(const mqtt::Packet& packet) {
    Bytes bytes;
    ASSERT_TRUE(mqtt::encode(packet, mqtt::Version::v5, bytes));
    say(bytes);
  }
  void say(View bytes) {
    ASSERT_TRUE(accepted->write(bytes));
    world.run_for(seconds(1));
    std::array<std::uint8_t, 1024> into{};
    EXPECT_TRUE(stream_->read(into));
  }
  static mqtt::Puback puback(std::uint16_t id, mqtt::Reason reason = mqtt::Reason::success) {
    mqtt::Puback packet;
    packet.packet_id = id;
    packet.reason = reason;
    return packet;
  }

  os::sim::Simulation world{1};
  os::sim::Node& server = world.node("server");
  os::sim::Node& device = world.node("device");
  crypto::testing::Pki pki{world.wall()};
  Metrics metrics;
  std::unique_ptr<crypto::Transport> server_transport =
      crypto::make_plain_transport(server.system().network, metrics);
  std::unique_ptr<crypto::Transport> device_transport =
      crypto::make_plain_transport(device.system().network, metrics);
  Ledger ledger;
  Witness witness{*device_transport, kPort, ledger};
  std::vector<std::unique_ptr<os::Listener>> listeners;
  std::unique_ptr<crypto::SecureStream> accepted;
  std::unique_ptr<crypto::SecureStream> stream_;
};

TEST_F(WitnessTest, WhatTheDeviceHasReadAsAcknowledgedIsPromised) {
  connect(kPort);
  send(mqtt::Connect{});
  publish("telemetry/system", R"({"uptime_s":1})", 1);
  publish("telemetry/system", R"({"uptime_s":2})", 2);
  publish("telemetry/system", R"({"uptime_s":3})", 3);
  answer(puback(1));
  answer(puback(3, mqtt::Reason::quota_exceeded));
  EXPECT_EQ(ledger.readings().at("system.uptime_s"), std::set<double>{1});
  EXPECT_EQ(ledger.messages(), 1U);
  EXPECT_EQ(ledger.confusion(), "");
}

TEST_F(WitnessTest, AnAcknowledgementThatIsOnTheWayIsNoPromise) {
  connect(kPort);
  send(mqtt::Connect{});
  publish("telemetry/system", R"({"uptime_s":1})", 1);
  Bytes bytes;
  mqtt::encode_puback(1, bytes);
  ASSERT_TRUE(accepted->write(bytes));
  world.run_for(seconds(1));
  EXPECT_EQ(ledger.messages(), 0U) << "the device has not read it";
}

TEST_F(WitnessTest, AnAcknowledgementOfNothingIsToldAsConfusion) {
  connect(kPort);
  send(mqtt::Connect{});
  answer(puback(9));
  EXPECT_NE(ledger.confusion().find("packet 9"), std::string::npos) << ledger.confusion();
}

TEST_F(WitnessTest, BytesThatAreNoMqttAreToldAsConfusion) {
  connect(kPort);
  send(mqtt::Connect{});
  const Bytes nonsense{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
  say(nonsense);
  EXPECT_NE(ledger.confusion().find("no MQTT"), std::string::npos) << ledger.confusion();
}

TEST_F(WitnessTest, OtherPortsPassUnread) {
  connect(8444);
  const std::string text = "GET / HTTP/1.1\r\n\r\n";
  ASSERT_TRUE(stream_->write(view_of(text)));
  say(view_of(text));
  EXPECT_EQ(ledger.confusion(), "");
  EXPECT_EQ(ledger.messages(), 0U);
}

}  // namespace
}  // namespace holdfast::sim
