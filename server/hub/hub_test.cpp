#include "server/hub/hub.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/hub/testing/hub_world.hpp"

namespace holdfast::hub {
namespace {
using namespace testing;
using mqtt::Reason;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

TEST(Hub, stored_then_acknowledged) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5());
  world.telemetry.be_slow(&world.machine.node.loop(), [] { return milliseconds(100); });
  device.publish("telemetry/lab", "{\"t\":1}", 1, 7);
  world.run(milliseconds(50));
  EXPECT_TRUE(device.acked().empty());
  ASSERT_TRUE(world.until([&] { return !device.acked().empty(); }));
  ASSERT_EQ(world.telemetry.stored.size(), 1U);
  EXPECT_EQ(world.telemetry.stored[0].name, "lab");
  EXPECT_EQ(world.telemetry.stored[0].device, HubWorld::id_of(1));
  EXPECT_THAT(device.acked(), ElementsAre(7));
}

TEST(Hub, acknowledgements_keep_the_order_although_the_stores_do_not) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5());
  world.telemetry.be_slow(&world.machine.node.loop(), [&] {
    return milliseconds(static_cast<std::int64_t>(world.machine.world.random().below(500)));
  });
  std::vector<std::uint16_t> ids;
  for (std::uint16_t id = 1; id <= 40; ++id) {
    ids.push_back(id);
    device.publish(id % 10 == 0 ? "twin/reported" : "telemetry/lab", "{}", 1, id);
  }
  ASSERT_TRUE(world.until([&] { return device.acked().size() == 40; }));
  EXPECT_EQ(device.acked(), ids);
}

TEST(Hub, presence_and_timeline) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.client_id = "main"}));
  EXPECT_EQ(world.devices.online[HubWorld::id_of(1)], 1);
  device.send(mqtt::Disconnect{});
  ASSERT_TRUE(world.until([&] { return world.devices.online[HubWorld::id_of(1)] == 0; }));
  EXPECT_THAT(world.devices.log, ElementsAre("+mqtt-5.0", "-client"));
  EXPECT_THAT(world.telemetry.kinds(), ElementsAre("connect", "disconnect"));
  const auto* event = world.telemetry.last("connect");
  EXPECT_EQ(std::get<std::string>(event->fields.at("client_id")), "main");
  EXPECT_TRUE(std::get<std::string>(event->fields.at("address")).starts_with("10.0.0."));
}

TEST(Hub, no_device_sees_another) {
  HubWorld world;
  auto& one = world.device(1);
  auto& two = world.device(2);
  world.go_live(one, connect_5());
  world.go_live(two, connect_5());  // the same client id: another device, another session
  two.subscribe("#");
  one.subscribe("#");
  one.publish("telemetry/lab", "{}", 1, 1);
  world.control.add(HubWorld::id_of(1), "cmd_1");
  world.notice("command.created", "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\"}");
  ASSERT_TRUE(world.until([&] { return one.all<mqtt::Publish>().size() == 1; }));
  world.run(seconds(1));
  EXPECT_TRUE(two.all<mqtt::Publish>().empty());
  EXPECT_EQ(one.all<mqtt::Publish>().size(), 1U);  // the command, and not its own reading
  EXPECT_TRUE(one.live() && two.live());
}

TEST(Hub, a_new_connection_takes_the_session_over) {
  HubWorld world;
  auto& first = world.device(1, "a");
  auto& second = world.device(1, "b");
  world.go_live(first, connect_5({.clean = false, .expiry_s = 600}));
  first.subscribe("command/#");
  ASSERT_TRUE(world.until([&] { return !first.all<mqtt::Suback>().empty(); }));
  world.go_live(second, connect_5({.clean = false, .expiry_s = 600}));
  EXPECT_TRUE(second.connack()->session_present);
  ASSERT_TRUE(world.until([&] { return first.closed; }));
  ASSERT_EQ(first.all<mqtt::Disconnect>().size(), 1U);
  EXPECT_EQ(first.all<mqtt::Disconnect>()[0].reason, Reason::session_taken_over);
  world.control.add(HubWorld::id_of(1), "cmd_1");
  world.notice("command.created", "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\"}");
  ASSERT_TRUE(world.until([&] { return second.all<mqtt::Publish>().size() == 1; }));
  world.run(seconds(2));
  EXPECT_EQ(world.devices.online[HubWorld::id_of(1)], 1);
  EXPECT_THAT(world.devices.log,
              ElementsAre("+mqtt-5.0", "+mqtt-5.0", "-taken-over"));  // never offline
  EXPECT_EQ(world.metric("holdfast_hub_takeovers_total"), 1U);
}

TEST(Hub, a_session_is_taken_over_from_a_connection_that_hangs) {
  HubWorld world;
  auto& first = world.device(1, "a");
  world.go_live(first, connect_5({.clean = false, .expiry_s = 600}));
  world.machine.world.links().isolate(world.machine.world.node("a"));
  auto& second = world.device(1, "b");
  world.go_live(second, connect_5({.clean = false, .expiry_s = 600}));
  EXPECT_TRUE(second.connack()->session_present);
}

TEST(Hub, four_live_sessions_and_not_five) {
  HubWorld world;
  for (int i = 1; i <= 4; ++i) {
    world.go_live(world.device(1, "m" + std::to_string(i)),
                  connect_5({.client_id = "c" + std::to_string(i)}));
  }
  auto& fifth = world.device(1, "m5");
  fifth.connect(world.mqtt, connect_5({.client_id = "c5"}));
  ASSERT_TRUE(world.until([&] { return fifth.closed; }));
  ASSERT_NE(fifth.connack(), nullptr);
  EXPECT_EQ(fifth.connack()->reason, Reason::quota_exceeded);
  EXPECT_EQ(world.telemetry.last("refused")->device, HubWorld::id_of(1));
  world.device(1, "m1").send(mqtt::Disconnect{});
  ASSERT_TRUE(world.until([&] { return world.devices.online[HubWorld::id_of(1)] == 3; }));
  world.go_live(fifth, connect_5({.client_id = "c5"}));
}

TEST(Hub, quarantine_ends_a_live_session_within_a_second) {
  HubWorld world;
  auto& device = world.device(1);
  auto& other = world.device(2);
  world.go_live(device, connect_5({.clean = false, .expiry_s = 600}));
  world.go_live(other, connect_5());
  world.identity.refused[HubWorld::id_of(1)] = Code::device_quarantined;
  world.notice("device.quarantined",
               "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\",\"reason\":\"odd\"}");
  ASSERT_TRUE(world.until([&] { return device.closed; }, seconds(1)));
  EXPECT_EQ(device.all<mqtt::Disconnect>().at(0).reason, Reason::not_authorized);
  EXPECT_TRUE(other.live());
  device.connect(world.mqtt, connect_5());
  ASSERT_TRUE(world.until([&] { return device.closed; }));
  EXPECT_EQ(device.connack()->reason, Reason::not_authorized);
  EXPECT_THAT(world.devices.log, Contains("-device-quarantined"));
}

TEST(Hub, a_revoked_certificate_ends_the_sessions_that_it_opened) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_3());
  const auto other = "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\",\"serial\":\"00ff\"}";
  world.notice("certificate.revoked", other);
  world.run(seconds(1));
  EXPECT_TRUE(device.live());
  const auto certificate = crypto::parse_certificate(world.credential_of(1).chain_der.front());
  world.notice("certificate.revoked", "{\"device_id\":\"" + HubWorld::id_of(1).text() +
                                          "\",\"serial\":\"" + to_hex(certificate->serial) + "\"}");
  ASSERT_TRUE(world.until([&] { return device.closed; }, seconds(1)));
  EXPECT_EQ(device.received.size(), 1U);  // 3.1.1: closed without a word
}

// The state is looked up before the seat is taken: an eviction in between must not be missed.
TEST(Hub, quarantined_while_it_connects) {
  for (int step = 1; step < 60; ++step) {
    HubWorld world(static_cast<std::uint64_t>(step));
    auto& device = world.device(1);
    device.connect(world.mqtt, connect_5());
    for (int i = 0; i < step; ++i) world.machine.world.step();
    world.identity.refused[HubWorld::id_of(1)] = Code::device_quarantined;
    world.notice("device.quarantined",
                 "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\",\"reason\":\"odd\"}");
    ASSERT_TRUE(world.until([&] { return device.closed; }, seconds(2))) << step;
  }
}

TEST(Hub, a_command_is_resent_with_dup_after_a_reconnection) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.clean = false, .expiry_s = 600}));
  device.subscribe("command/#");
  world.control.add(HubWorld::id_of(1), "cmd_1");
  world.control.add(HubWorld::id_of(1), "cmd_2");
  ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 2; }));
  EXPECT_EQ(world.control.commands[HubWorld::id_of(1)][0].state, "sent");
  const auto first = device.all<mqtt::Publish>();
  device.hang_up();
  world.run(seconds(1));
  world.control.add(HubWorld::id_of(1), "cmd_3");
  world.go_live(device, connect_5({.clean = false, .expiry_s = 600}));
  ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 3; }));
  const auto again = device.all<mqtt::Publish>();
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(again[i].topic, first[i].topic);
    EXPECT_EQ(again[i].packet_id, first[i].packet_id);
    EXPECT_TRUE(again[i].dup);
  }
  EXPECT_FALSE(again[2].dup);
  for (const auto& publish : again) device.puback(publish.packet_id);
  ASSERT_TRUE(world.until([&] { return world.control.delivered_keys.size() == 3; }));
  EXPECT_EQ(world.control.commands[HubWorld::id_of(1)][2].state, "delivered");
}

TEST(Hub, in_flight_messages_and_subscriptions_survive_a_crash) {
  for (const auto kind : {os::sim::Crash::power, os::sim::Crash::process}) {
    HubWorld world;
    auto& device = world.device(1);
    world.go_live(device, connect_3("c1", false));
    device.subscribe("#");
    world.control.add(HubWorld::id_of(1), "cmd_1");
    ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 1; }));
    const auto id = device.all<mqtt::Publish>()[0].packet_id;
    device.hang_up();
    world.crash(kind);
    world.start();
    world.go_live(device, connect_3("c1", false));
    EXPECT_TRUE(device.connack()->session_present);
    ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 1; }));
    EXPECT_EQ(device.all<mqtt::Publish>()[0].packet_id, id);
    EXPECT_TRUE(device.all<mqtt::Publish>()[0].dup);
    device.puback(id);
    ASSERT_TRUE(world.until([&] { return world.control.delivered_keys.size() == 1; }));
    world.run(seconds(1));
    EXPECT_EQ(device.all<mqtt::Publish>().size(), 1U);
  }
}

TEST(Hub, the_twin_comes_once_and_again_when_it_changes) {
  HubWorld world;
  auto& device = world.device(1);
  world.control.set_twin(HubWorld::id_of(1), 7);
  world.go_live(device, connect_5({.clean = false, .expiry_s = 600}));
  device.subscribe("twin/desired");
  ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 1; }));
  EXPECT_EQ(text_of(device.all<mqtt::Publish>()[0].payload), R"({"version":7,"desired":{"v":7}})");
  device.puback(device.all<mqtt::Publish>()[0].packet_id);
  world.run(seconds(1));
  world.crash();
  world.start();
  world.go_live(device, connect_5({.clean = false, .expiry_s = 600}));
  world.run(seconds(1));
  EXPECT_TRUE(device.all<mqtt::Publish>().empty());
  world.control.set_twin(HubWorld::id_of(1), 8);
  world.notice("twin.desired_changed",
               "{\"device_id\":\"" + HubWorld::id_of(1).text() + "\",\"desired_version\":8}");
  ASSERT_TRUE(world.until([&] { return device.all<mqtt::Publish>().size() == 1; }));
  EXPECT_EQ(text_of(device.all<mqtt::Publish>()[0].payload), R"({"version":8,"desired":{"v":8}})");
}

TEST(Hub, without_room_reading_stops_and_nothing_is_lost) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_3());
  world.telemetry.room = 3;
  world.telemetry.be_slow(&world.machine.node.loop(), [] { return milliseconds(30); });
  for (int i = 1; i <= 200; ++i)
    device.publish("telemetry/lab", std::to_string(i), static_cast<std::uint8_t>(i % 2),
                   static_cast<std::uint16_t>(i));
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 200; }, seconds(60)));
  for (int i = 1; i <= 200; ++i)
    EXPECT_EQ(world.telemetry.stored[static_cast<std::size_t>(i - 1)].payload, std::to_string(i));
  EXPECT_GT(world.telemetry.turned_away, 0U);
  ASSERT_TRUE(world.until([&] { return device.acked().size() == 100; }));
  EXPECT_GT(world.metric("holdfast_hub_pauses_total{why=\"overload\"}"), 0U);
  EXPECT_TRUE(device.live());
}

TEST(Hub, too_many_messages_are_read_later) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_3());
  const auto began = world.machine.world.now();
  std::function<void()> more = [&, sent = 0]() mutable {
    for (int i = 0; i < 100 && sent < 7'000; ++i, ++sent)
      device.publish("telemetry/lab", "1", 0, 0);
    if (sent < 7'000) world.node_of(1).loop().after(milliseconds(1), [&] { more(); });
  };
  more();
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 7'000; }, seconds(60)));
  const auto took = world.machine.world.now() - began;
  EXPECT_GT(took, milliseconds(1'900));  // 5,000 at once, the rest at 1,000 a second
  EXPECT_LT(took, milliseconds(2'500));
  EXPECT_TRUE(device.live());
}

TEST(Hub, messages_that_workers_store_keep_their_order) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5());
  std::vector<std::string> expected;
  for (int i = 1; i <= 30; ++i) {
    expected.push_back("{\"n\":" + std::to_string(i) + "}");
    device.publish("twin/reported", expected.back(), 1, static_cast<std::uint16_t>(i));
  }
  ASSERT_TRUE(world.until([&] { return device.acked().size() == 30; }));
  EXPECT_EQ(world.control.reported, expected);
}

TEST(Hub, every_kind_finds_its_domain) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5());
  world.control.add(HubWorld::id_of(1), "cmd_1");
  device.publish("hello", R"({"version":"agent 1","protocol":1})", 1, 1);
  device.publish("inventory", R"({"components":[]})", 1, 2);
  device.publish("event/door", "{}", 1, 3);
  device.publish("log", R"({"message":"x"})", 1, 4);
  device.publish("reply/cmd_1", R"({"status":"ok"})", 1, 5);
  ASSERT_TRUE(world.until([&] { return device.acked().size() == 5; }));
  EXPECT_EQ(world.devices.hellos.size(), 1U);
  EXPECT_EQ(world.devices.inventories.size(), 1U);
  EXPECT_EQ(world.telemetry.stored.size(), 2U);
  EXPECT_EQ(world.control.replies.size(), 1U);
}

TEST(Hub, what_does_not_parse_is_kept_as_an_event) {
  HubWorld world;
  auto& five = world.device(1);
  auto& three = world.device(2);
  world.go_live(five, connect_5());
  world.go_live(three, connect_3());
  five.publish("hello", "[1]", 1, 1);
  three.publish("hello", "[1]", 1, 1);
  five.publish("reply/cmd_none", "{}", 1, 2);
  ASSERT_TRUE(world.until([&] {
    return five.all<mqtt::Puback>().size() == 2 && three.all<mqtt::Puback>().size() == 1;
  }));
  EXPECT_EQ(five.all<mqtt::Puback>()[0].reason, Reason::payload_format_invalid);
  EXPECT_EQ(five.all<mqtt::Puback>()[1].reason, Reason::not_authorized);
  EXPECT_TRUE(three.live());
  const auto* event = world.telemetry.last("payload_malformed");
  ASSERT_NE(event, nullptr);
  EXPECT_EQ(std::get<std::string>(event->fields.at("payload_base64")), to_base64(bytes_of("[1]")));
  EXPECT_EQ(std::get<std::string>(world.telemetry.last("refused")->fields.at("topic")),
            "reply/cmd_none");
}

TEST(Hub, a_will_is_stored_when_the_connection_breaks) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.will = a_will("event/gone", "{\"a\":1}")}));
  device.hang_up();
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 1; }));
  EXPECT_EQ(world.telemetry.stored[0].name, "gone");
  EXPECT_EQ(world.telemetry.stored[0].payload, "{\"a\":1}");
}

TEST(Hub, a_will_that_waits_is_dropped_when_the_session_goes_on) {
  HubWorld world;
  auto& device = world.device(1);
  const auto connect = connect_5(
      {.clean = false, .expiry_s = 600, .will = a_will("event/gone", "{}"), .will_delay_s = 10});
  world.go_live(device, connect);
  device.hang_up();
  world.run(seconds(5));
  world.go_live(device, connect);
  world.run(seconds(20));
  EXPECT_TRUE(world.telemetry.stored.empty());
  device.hang_up();
  world.run(seconds(9));
  EXPECT_TRUE(world.telemetry.stored.empty());
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 1; }, seconds(3)));
  world.go_live(device, connect);
  device.hang_up();
  world.run(seconds(1));
  auto clean = connect;
  clean.clean_start = true;
  world.go_live(device, clean);  // ends the session that the will belongs to
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 2; }, seconds(1)));
}

TEST(Hub, wills_outlive_a_crash) {
  HubWorld world;
  const auto connect = [](std::string name) {
    return connect_5({.clean = false,
                      .expiry_s = 600,
                      .will = a_will("event/" + name, "{}"),
                      .will_delay_s = 10});
  };
  world.go_live(world.device(1), connect("waits"));
  world.go_live(world.device(2), connect("lives"));
  world.go_live(world.device(3), connect("comes_back"));
  world.go_live(world.device(4), connect_5({.will = a_will("event/at_once", "{}")}));
  world.device(1).hang_up();
  world.run(seconds(4));
  world.crash(os::sim::Crash::power);
  world.run(seconds(1));
  EXPECT_TRUE(world.telemetry.stored.empty());
  world.start();
  world.go_live(world.device(3), connect("comes_back"));
  const auto names = [&] {
    std::vector<std::string> all;
    for (const auto& each : world.telemetry.stored) all.push_back(each.name);
    return all;
  };
  ASSERT_TRUE(world.until([&] { return names().size() == 1; }, seconds(1)));
  ASSERT_TRUE(world.until([&] { return names().size() == 2; }, seconds(6)));
  ASSERT_TRUE(world.until([&] { return names().size() == 3; }, seconds(11)));
  EXPECT_THAT(names(), ElementsAre("at_once", "waits", "lives"));
  world.run(seconds(20));
  EXPECT_EQ(names().size(), 3U);
  world.crash();
  world.start();
  world.run(seconds(5));
  EXPECT_EQ(names().size(), 3U);  // and are published once
}

TEST(Hub, a_will_on_its_way_at_a_crash_is_kept_once) {
  for (const int after_ms : {1, 10, 40, 60, 100, 300}) {
    HubWorld world;
    world.go_live(world.device(1), connect_5({.will = a_will("event/gone", "{}")}));
    world.telemetry.be_slow(&world.machine.node.loop(), [] { return milliseconds(40); });
    world.device(1).hang_up();
    world.run(milliseconds(after_ms));
    world.crash(os::sim::Crash::power);
    world.start();
    world.run(seconds(2));
    EXPECT_EQ(world.telemetry.stored.size(), 1U) << after_ms;
  }
}

TEST(Hub, when_a_session_is_over_the_journal_forgets_it) {
  HubWorld world;
  auto& device = world.device(1);
  const auto kept = connect_5({.clean = false, .expiry_s = 600});
  world.go_live(device, kept);
  device.publish("event/a", "{}", 1, 1);
  ASSERT_TRUE(world.until([&] { return !world.telemetry.stored.empty(); }));
  const auto tag = world.telemetry.stored[0].tag;
  device.hang_up();
  world.run(seconds(1));
  world.go_live(device, kept);
  EXPECT_THAT(world.telemetry.over, Not(Contains(tag)));
  world.notice("device.revoked", R"({"device_id":")" + HubWorld::id_of(1).text() + R"("})");
  ASSERT_TRUE(world.until([&] { return device.closed; }));
  ASSERT_TRUE(world.until([&] { return !world.telemetry.over.empty(); }));
  EXPECT_THAT(world.telemetry.over, Contains(tag));
  auto& other = world.device(2);
  world.go_live(other, connect_5({.clean = true}));
  other.publish("event/a", "{}", 1, 1);
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 2; }));
  other.hang_up();
  world.run(seconds(1));
  EXPECT_THAT(world.telemetry.over, Contains(world.telemetry.stored[1].tag));
}

TEST(Hub, the_end_of_a_certificate_ends_its_session_at_the_second) {
  HubWorld world;
  world.identity.ends_at = world.machine.world.wall() + seconds(100);
  world.go_live(world.device(1), connect_5({.keep_alive_s = 1'200}));
  world.go_live(world.device(2), connect_3("c", true, 1'200));
  world.run(seconds(98));
  EXPECT_FALSE(world.device(1).closed || world.device(2).closed);
  ASSERT_TRUE(
      world.until([&] { return world.device(1).closed && world.device(2).closed; }, seconds(3)));
  EXPECT_EQ(world.device(1).all<mqtt::Disconnect>().at(0).reason, Reason::not_authorized);
  EXPECT_THAT(world.devices.log, Contains("-certificate-expired"));
}

TEST(Hub, a_will_that_finds_no_room_is_tried_again) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.will = a_will("event/gone", "{}")}));
  world.telemetry.room = 0;
  device.hang_up();
  world.run(seconds(3));
  EXPECT_TRUE(world.telemetry.stored.empty());
  world.telemetry.room = 10;
  ASSERT_TRUE(world.until([&] { return world.telemetry.stored.size() == 1; }, seconds(2)));
}

TEST(Hub, silence_before_connect_is_ended) {
  HubWorld world;
  auto& device = world.device(1);
  device.open(world.mqtt, [] {});
  world.run(seconds(5));
  EXPECT_FALSE(device.closed);
  ASSERT_TRUE(world.until([&] { return device.closed; }, seconds(6)));
}

TEST(Hub, a_packet_before_connect_has_a_smaller_bound) {
  HubWorld world;
  auto& device = world.device(1);
  auto large = connect_5();
  large.will = a_will("event/gone", std::string(5'000, 'x'));
  device.connect(world.mqtt, large);
  ASSERT_TRUE(world.until([&] { return device.closed; }, seconds(2)));
  EXPECT_EQ(world.devices.online[HubWorld::id_of(1)], 0);
}

TEST(Hub, garbage_ends_only_its_own_connection) {
  HubWorld world;
  auto& good = world.device(1);
  auto& bad = world.device(2);
  world.go_live(good, connect_5());
  bad.open(world.mqtt, [&] { bad.send_raw(Bytes(100, 0xFF)); });
  ASSERT_TRUE(world.until([&] { return bad.closed; }, seconds(2)));
  EXPECT_TRUE(good.live());
}

TEST(Hub, keep_alive) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.keep_alive_s = 4}));
  for (int i = 0; i < 5; ++i) {
    world.run(seconds(3));
    device.send(mqtt::Pingreq{});
  }
  EXPECT_TRUE(device.live());
  EXPECT_EQ(device.all<mqtt::Pingresp>().size(), 4U);
  ASSERT_TRUE(world.until([&] { return device.closed; }, milliseconds(6'100)));
  EXPECT_EQ(device.all<mqtt::Disconnect>().at(0).reason, Reason::keep_alive_timeout);
  EXPECT_THAT(world.devices.log, Contains("-keep-alive-timeout"));
}

TEST(Hub, admission_that_has_no_room_is_waited_for) {
  HubWorld world;
  world.identity.busy = 10;
  auto& device = world.device(1);
  world.go_live(device, connect_5());
  EXPECT_EQ(world.identity.admissions, 11);
}

TEST(Hub, a_device_that_connects_too_often_is_refused) {
  HubWorld world;
  auto& device = world.device(1);
  for (int i = 0; i < 10; ++i) {
    world.go_live(device, connect_5());
    device.hang_up();
  }
  device.connect(world.mqtt, connect_5());
  ASSERT_TRUE(world.until([&] { return device.closed; }));
  EXPECT_EQ(device.connack()->reason, Reason::server_busy);
  world.run(seconds(3));
  world.go_live(device, connect_5());
}

TEST(Hub, a_client_that_takes_nothing_is_not_read_and_then_ended) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.keep_alive_s = 20}));
  device.stop_reading();
  Bytes pings;
  for (int i = 0; i < 20'000; ++i) append(pings, Bytes{0xC0, 0});
  std::function<void()> flood = [&] {
    device.send_raw(pings);
    world.node_of(1).loop().after(milliseconds(20), [&] { flood(); });
  };
  flood();
  ASSERT_TRUE(world.until(
      [&] { return world.metric("holdfast_hub_pauses_total{why=\"slow_client\"}") > 0; },
      seconds(30)));
  ASSERT_TRUE(
      world.until([&] { return world.devices.online[HubWorld::id_of(1)] == 0; }, seconds(40)));
}

TEST(Hub, stopping_says_good_bye_and_waits_for_what_is_on_its_way) {
  HubWorld world;
  auto& five = world.device(1);
  auto& three = world.device(2);
  world.go_live(five, connect_5({.will = a_will("event/gone", "{}")}));
  world.go_live(three, connect_3());
  auto& waiting = world.device(3);
  waiting.open(world.mqtt, [] {});
  world.run(milliseconds(100));
  bool stopped = false;
  world.hub->stop(seconds(5), world.machine.node.loop(), [&] { stopped = true; });
  ASSERT_TRUE(world.until([&] { return stopped; }, seconds(6)));
  world.run(milliseconds(50));
  EXPECT_EQ(five.all<mqtt::Disconnect>().at(0).reason, Reason::server_shutting_down);
  EXPECT_TRUE(five.closed && three.closed && waiting.closed);
  EXPECT_EQ(world.telemetry.stored.size(), 1U);
  EXPECT_THAT(world.devices.log, Contains("-server-shutting-down"));
  EXPECT_EQ(world.metric("holdfast_hub_connections"), 0U);
  five.connect(world.mqtt, connect_5());
  ASSERT_TRUE(world.until([&] { return five.closed; }));
}

TEST(Hub, sessions_expire_by_the_job) {
  HubWorld world;
  auto& device = world.device(1);
  world.go_live(device, connect_5({.clean = false, .expiry_s = 60}));
  device.send(mqtt::Disconnect{});
  world.run(seconds(61));
  const auto job = world.hub->expire_sessions();
  EXPECT_TRUE(job({}));
  std::int64_t rows = -1;
  ASSERT_TRUE(world.machine.store().read([&](sql::Tx& tx) -> Status {
    rows = TRY(tx.number("SELECT COUNT(*) FROM hub_session"));
    return {};
  }));
  EXPECT_EQ(rows, 0);
}

TEST(Hub, a_renewed_server_certificate_is_shown_to_newcomers) {
  HubWorld world;
  auto& old = world.device(1);
  world.go_live(old, connect_5());
  crypto::testing::Pki other(world.machine.world.wall());
  world.identity.credential = other.server({"server"});
  world.notice("server_certificate.renewed", R"({"serial":"01","names":[]})");
  world.run(seconds(1));
  EXPECT_TRUE(old.live());
  auto& newcomer = world.device(2);
  newcomer.connect(world.mqtt, connect_5());
  ASSERT_TRUE(world.until([&] { return newcomer.closed; }));  // it does not trust the other CA
}

}  // namespace
}  // namespace holdfast::hub
