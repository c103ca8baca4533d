// The hub as it runs: real loops and workers, TLS over loopback, a real database. What a simulation
// on one thread cannot show: that nothing is touched by two threads, and that ending it is clean.
#include "server/hub/testing/site.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;

constexpr int kFleet = 24;
constexpr std::uint16_t kReadings = 20;

TEST(Threads, a_fleet_over_tls) {
  Site site;
  ASSERT_TRUE(site.start());
  std::vector<DeviceClient*> fleet;
  for (int number = 1; number <= kFleet; ++number) {
    fleet.push_back(&site.client(number));
    fleet.back()->connect(site.mqtt(), number % 2 == 0
                                           ? connect_3("c1", false)
                                           : connect_5({.clean = false, .expiry_s = 600}));
  }
  ASSERT_TRUE(site.until(
      [&] { return std::ranges::all_of(fleet, [](const auto* each) { return each->live(); }); }));
  EXPECT_EQ(site.devices.online.load(), kFleet);
  for (auto* each : fleet) {
    each->on_packet = [each](const mqtt::Packet& packet) {
      if (const auto* publish = std::get_if<mqtt::Publish>(&packet))
        each->puback(publish->packet_id);
    };
    each->subscribe("command/#");
    for (std::uint16_t id = 1; id <= kReadings; ++id) {
      each->publish(id % 5 == 0 ? "twin/reported" : "telemetry/lab", "{}", 1, id);
    }
  }
  ASSERT_TRUE(site.until([&] {
    return std::ranges::all_of(
               fleet, [](const auto* each) { return each->acked().size() == kReadings; }) &&
           site.control.delivered_to() == kFleet;
  }));
  std::vector<std::uint16_t> in_order(kReadings);
  for (std::uint16_t i = 0; i < kReadings; ++i) in_order[i] = static_cast<std::uint16_t>(i + 1);
  for (int number = 1; number <= kFleet; ++number) {
    EXPECT_EQ(fleet[static_cast<std::size_t>(number - 1)]->acked(), in_order);
    EXPECT_EQ(site.telemetry->stored(device_number(static_cast<std::uint8_t>(number))),
              kReadings - kReadings / 5U);
  }
  EXPECT_EQ(site.control.reported.load(), kFleet * (kReadings / 5));

  // All again, each taking over from itself.
  std::vector<DeviceClient*> second;
  for (int number = 1; number <= kFleet; ++number) {
    second.push_back(&site.client(number));
    second.back()->connect(site.mqtt(), number % 2 == 0
                                            ? connect_3("c1", false)
                                            : connect_5({.clean = false, .expiry_s = 600}));
  }
  ASSERT_TRUE(site.until([&] {
    return std::ranges::all_of(second, [](const auto* each) { return each->live(); }) &&
           std::ranges::all_of(fleet, [](const auto* each) { return each->closed; });
  }));
  for (const auto* each : second) EXPECT_TRUE(each->connack()->session_present);

  ASSERT_TRUE(site.stop());
  ASSERT_TRUE(site.until(
      [&] { return std::ranges::all_of(second, [](const auto* each) { return each->closed; }); }));
}

TEST(Threads, ending_without_a_word) {
  Site site;
  ASSERT_TRUE(site.start());
  for (int number = 1; number <= 8; ++number) {
    auto& client = site.client(number);
    client.connect(site.mqtt(), connect_5());
    client.on_packet = [&client](const mqtt::Packet&) {
      for (std::uint16_t id = 1; id <= 3; ++id) client.publish("telemetry/lab", "{}", 1, id);
    };
  }
  ASSERT_TRUE(site.until([&] { return site.telemetry->events.load() >= 4; }));
  // The site goes down with connections half open and messages on their way.
}

}  // namespace
}  // namespace holdfast::hub
