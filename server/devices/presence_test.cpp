#include "server/devices/presence.hpp"

#include <gtest/gtest.h>

namespace holdfast::devices {
namespace {

DeviceId device(std::uint8_t n) {
  DeviceId id;
  id.ulid[15] = n;
  return id;
}
constexpr WallTime kT{1'000'000'000};

TEST(Presence, OneSessionComesAndGoes) {
  PresenceBook book;
  std::vector<std::pair<DeviceId, bool>> told;
  book.on_change([&](DeviceId id, bool online) { told.emplace_back(id, online); });
  book.connected(device(1), "mqtt-5.0", "192.0.2.7:5000", kT);
  EXPECT_TRUE(book.of(device(1)).online_at(kT));
  EXPECT_EQ(book.of(device(1)).since, kT);
  book.disconnected(device(1), {"keep-alive-timeout", ""}, kT + seconds(60));
  const Presence after = book.of(device(1));
  EXPECT_FALSE(after.online_at(kT + seconds(60)));
  EXPECT_EQ(after.since, kT + seconds(60));
  EXPECT_EQ(after.last_disconnect_reason, "keep-alive-timeout");
  EXPECT_EQ(told, (std::vector<std::pair<DeviceId, bool>>{{device(1), true}, {device(1), false}}));
}

TEST(Presence, TheSecondSessionKeepsItOnline) {
  PresenceBook book;
  book.connected(device(1), "mqtt-5.0", "a", kT);
  book.connected(device(1), "mqtt-3.1.1", "b", kT + seconds(1));
  book.disconnected(device(1), {"client", ""}, kT + seconds(2));
  EXPECT_TRUE(book.of(device(1)).online_at(kT + seconds(3)));
  EXPECT_EQ(book.of(device(1)).since, kT) << "it never went offline";
  EXPECT_EQ(book.online_count(kT + seconds(3)), 1U);
}

TEST(Presence, HttpsIsOnlineForTwoMinutes) {
  PresenceBook book;
  book.https_seen(device(1), "192.0.2.7", kT);
  EXPECT_TRUE(book.of(device(1)).online_at(kT + seconds(119)));
  EXPECT_FALSE(book.of(device(1)).online_at(kT + seconds(120)));
  book.https_seen(device(1), "192.0.2.7", kT + seconds(100));
  EXPECT_EQ(book.of(device(1)).since, kT);
  book.https_seen(device(1), "192.0.2.7", kT + seconds(1000));
  EXPECT_EQ(book.of(device(1)).since, kT + seconds(1000)) << "it had gone offline between";
}

TEST(Presence, TransitionsAreWrittenBeforeTheRest) {
  PresenceBook book;
  book.connected(device(1), "mqtt-5.0", "a", kT);
  book.connected(device(2), "mqtt-5.0", "a", kT);
  EXPECT_EQ(book.take(false).size(), 2U);
  EXPECT_TRUE(book.take(false).empty()) << "taken means written";
  book.seen(device(1), kT + seconds(5));
  book.disconnected(device(2), {"client", ""}, kT + seconds(6));
  const auto urgent = book.take(true);
  ASSERT_EQ(urgent.size(), 1U);
  EXPECT_EQ(urgent[0].device, device(2));
  const auto rest = book.take(false);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].device, device(1));
}

TEST(Presence, AFailedWriteComesBack) {
  PresenceBook book;
  book.connected(device(1), "mqtt-5.0", "a", kT);
  const auto rows = book.take(false);
  book.untake(rows);
  EXPECT_EQ(book.take(true).size(), 1U);
}

TEST(Presence, SessionsOfADeadProcessEndAtStart) {
  PresenceBook book;
  Presence row;
  row.sessions = 2;
  row.since = kT;
  row.last_seen = kT + seconds(30);
  book.load({{device(1), row}}, kT + seconds(100));
  const Presence after = book.of(device(1));
  EXPECT_FALSE(after.online_at(kT + seconds(100)));
  EXPECT_EQ(after.since, kT + seconds(30)) << "the last sign of life";
  EXPECT_EQ(after.last_disconnect_reason, "server-shutting-down");
  EXPECT_EQ(book.take(true).size(), 1U);
}

TEST(Presence, TimeNeverRunsBack) {
  PresenceBook book;
  book.seen(device(1), kT + seconds(5));
  book.seen(device(1), kT);
  EXPECT_EQ(book.of(device(1)).last_seen, kT + seconds(5));
}

}  // namespace
}  // namespace holdfast::devices
