// Devices that publish and obey, a network that breaks, a server that is killed: whatever was
// acknowledged is stored once, every command arrives, nothing is forgotten. Each seed is another
// run.
#include <gtest/gtest.h>

#include <deque>
#include <set>

#include "server/hub/testing/hub_world.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;

constexpr int kMessages = 60;
constexpr int kCommands = 12;
constexpr std::size_t kWindow = 10;
constexpr int kSeeds = 60;

// Publishes kMessages at QoS 1 and keeps each until it is acknowledged; takes commands.
class Publisher {
 public:
  Publisher(HubWorld& world, std::uint8_t number, bool v5)
      : world_(world),
        number_(number),
        v5_(v5),
        client_(world.device(number)),
        loop_(world.node_of(number).loop()) {
    client_.on_packet = [this](const mqtt::Packet& packet) { on_packet(packet); };
    tick();
  }

  bool done() const { return acked_.size() == kMessages && commands_.size() == kCommands; }
  std::string payload(int message) const {
    return "device " + std::to_string(number_) + " message " + std::to_string(message);
  }
  std::string state() const {
    return "acknowledged " + std::to_string(acked_.size()) + ", waiting " +
           std::to_string(unacked_.size()) + ", commands " + std::to_string(commands_.size()) +
           (live_ ? ", live" : "") + (client_.live() ? ", connected" : "") +
           (client_.closed ? ", closed" : "") + (connecting_ ? ", connecting" : "");
  }

 private:
  struct Unacked {
    int message;
    std::uint16_t id;
  };

  void tick() {
    if (client_.closed || (!connecting_ && !client_.live())) {
      connecting_ = true;
      live_ = false;
      auto connect = v5_ ? connect_5({.clean = false, .keep_alive_s = 5, .expiry_s = 600})
                         : connect_3("c1", false, 5);
      client_.connect(world_.mqtt, connect);
    } else if (live_) {
      client_.send(mqtt::Pingreq{});
      publish();
    }
    const auto wait = Duration{
        200'000 + static_cast<std::int64_t>(world_.machine.world.random().below(1'500'000))};
    loop_.after(wait, [this] { tick(); });
  }

  void on_packet(const mqtt::Packet& packet) {
    if (const auto* connack = std::get_if<mqtt::Connack>(&packet)) return on_connack(*connack);
    if (const auto* puback = std::get_if<mqtt::Puback>(&packet)) return on_puback(*puback);
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) return on_command(*publish);
  }

  void on_connack(const mqtt::Connack& connack) {
    if (connack.reason != mqtt::Reason::success) return;
    connecting_ = false;
    live_ = true;
    // The session was promised: it must not be lost. (CONNACK of the first one may not have
    // arrived.)
    if (was_live_) {
      EXPECT_TRUE(connack.session_present);
    }
    was_live_ = true;
    if (!connack.session_present) client_.subscribe("command/#");
    for (const auto& each : unacked_) {
      client_.publish("telemetry/lab", payload(each.message), 1, each.id, true);
    }
    publish();
  }

  void on_puback(const mqtt::Puback& puback) {
    ASSERT_EQ(puback.reason, mqtt::Reason::success);
    ASSERT_FALSE(unacked_.empty());
    EXPECT_EQ(unacked_.front().id, puback.packet_id);  // in the order of sending
    acked_.insert(unacked_.front().message);
    unacked_.pop_front();
    publish();
  }

  void on_command(const mqtt::Publish& publish) {
    const bool again = !commands_.insert(publish.topic).second;
    EXPECT_EQ(again && !publish.dup, false) << publish.topic << " came again, and does not say so";
    if (world_.machine.world.random().chance(20))
      return;  // forgets to acknowledge: it will come again
    client_.puback(publish.packet_id);
  }

  void publish() {
    while (live_ && unacked_.size() < kWindow && next_ < kMessages) {
      unacked_.push_back({next_++, id_++});
      client_.publish("telemetry/lab", payload(unacked_.back().message), 1, unacked_.back().id);
    }
  }

  HubWorld& world_;
  const std::uint8_t number_;
  const bool v5_;
  DeviceClient& client_;
  os::Loop& loop_;
  int next_ = 0;
  std::uint16_t id_ = 1;
  bool connecting_ = false;
  bool live_ = false;
  bool was_live_ = false;
  std::deque<Unacked> unacked_;
  std::set<int> acked_;
  std::set<std::string> commands_;
};

void be_slow(HubWorld& world) {
  world.telemetry.be_slow(&world.machine.node.loop(), [&world] {
    return Duration{static_cast<std::int64_t>(world.machine.world.random().below(40'000))};
  });
}

void break_something(HubWorld& world, std::uint64_t what) {
  auto& links = world.machine.world.links();
  auto& server = world.machine.node;
  auto& device = world.node_of(static_cast<std::uint8_t>(1 + what % 3));
  switch (what % 7) {
    case 0:
      return links.reset_connections(device, server);
    case 1:
      return links.forget_connections(device, server);
    case 2:
      return links.cut(device, server);
    case 3:
      return links.heal_all();
    case 4:
      return links.cut_one_way(server, device);
    default:
      break;
  }
  world.crash(what % 7 == 5 ? os::sim::Crash::power : os::sim::Crash::process);
  world.run(milliseconds(static_cast<std::int64_t>(what % 500)));
  world.start();
  be_slow(world);
}

void play(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  HubWorld world(seed);
  world.options.limits.connections = {1'000, 1'000};
  world.crash();  // so that the limit counts
  world.start();
  be_slow(world);
  if (seed % 4 == 0) world.telemetry.room = 5;
  auto& random = world.machine.world.random();
  for (std::uint8_t number = 1; number <= 3; ++number) {
    for (int i = 0; i < kCommands; ++i)
      world.control.add(HubWorld::id_of(number), "cmd_" + std::to_string(i));
  }
  std::vector<std::unique_ptr<Publisher>> devices;
  for (std::uint8_t number = 1; number <= 3; ++number) {
    devices.push_back(std::make_unique<Publisher>(world, number, number != 2));
  }
  for (int i = 0; i < 20; ++i) {
    world.run(Duration{static_cast<std::int64_t>(random.below(1'500'000))});
    break_something(world, random.next() >> 8);
  }
  world.machine.world.links().heal_all();
  const bool done = world.until(
      [&] { return std::ranges::all_of(devices, [](const auto& each) { return each->done(); }); },
      minutes(10));
  for (const auto& each : devices) {
    ASSERT_TRUE(done) << each->state() << " on the way " << world.telemetry.on_the_way << "\n"
                      << world.machine.metrics.text();
  }
  std::map<std::string, int> stored;
  for (const auto& each : world.telemetry.stored) ++stored[each.payload];
  for (const auto& device : devices) {
    for (int i = 0; i < kMessages; ++i)
      EXPECT_EQ(stored[device->payload(i)], 1) << device->payload(i);
  }
}

TEST(Crash, acknowledged_is_stored_once_and_every_command_arrives) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    play(seed);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace holdfast::hub
