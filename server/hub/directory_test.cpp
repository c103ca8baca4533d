#include "server/hub/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using testing::device_number;
using ::testing::ElementsAre;

class FakeSeat final : public Seat {
 public:
  void evict(const Error& why, bool continues) override {
    evicted.emplace_back(why.code, continues);
  }
  void wake() override { ++woken; }
  std::vector<std::pair<Code, bool>> evicted;
  int woken = 0;
};

class DirectoryTest : public ::testing::Test {
 protected:
  struct Guest {
    std::shared_ptr<FakeSeat> seat = std::make_shared<FakeSeat>();
    std::uint64_t id = 0;
    std::string client_id;
    std::optional<Result<Seated>> answer;
  };

  std::shared_ptr<Guest> enter(std::string client_id, std::uint8_t number = 1,
                               bool continues = true, std::string serial = "01",
                               std::optional<MonoTime> asked_at = {}) {
    auto guest = std::make_shared<Guest>();
    guest->id = directory->new_id();
    guest->client_id = client_id;
    SeatRequest request;
    request.seat = guest->seat;
    request.seat_id = guest->id;
    request.lane = lane;
    request.device = device_number(number);
    request.client_id = std::move(client_id);
    request.serial_hex = std::move(serial);
    request.continues = continues;
    request.asked_at = asked_at.value_or(world.now());
    request.done = [guest](Result<Seated> seated) { guest->answer = std::move(seated); };
    directory->enter(std::move(request));
    settle();
    return guest;
  }
  void leave(const Guest& guest, std::uint8_t number = 1) {
    directory->leave(device_number(number), guest.client_id, guest.id);
    settle();
  }
  void settle() { world.run_for(milliseconds(1)); }
  static bool seated(const Guest& guest) { return guest.answer && guest.answer->has_value(); }
  static Code refusal(const Guest& guest) {
    return guest.answer && !*guest.answer ? guest.answer->error().code : Code::internal;
  }
  static FireWill a_will(std::string topic, std::uint32_t delay_s) {
    return {std::move(topic), bytes_of("{}"), delay_s};
  }

  os::sim::Simulation world{1};
  Metrics metrics;
  LanePtr lane = std::make_shared<Lane>(world.node("server").loop());
  std::vector<std::string> wills;
  std::vector<std::uint64_t> dropped;
  Limits limits;
  std::shared_ptr<Directory> directory = std::make_shared<Directory>(
      world.node("server").loop(), lane, limits,
      Directory::WillFns{[this](DeviceId, const FireWill& will) { wills.push_back(will.topic); },
                         [this](DeviceId, std::uint64_t id) { dropped.push_back(id); }},
      metrics);
};

TEST_F(DirectoryTest, a_seat_is_taken_and_left) {
  const auto one = enter("a");
  ASSERT_TRUE(seated(*one));
  EXPECT_NE((*one->answer)->share, nullptr);
  EXPECT_EQ(directory->live(), 1U);
  leave(*one);
  EXPECT_EQ(directory->live(), 0U);
  leave(*one);
  EXPECT_EQ(directory->live(), 0U);
}

TEST_F(DirectoryTest, a_device_shares_its_allowance) {
  const auto one = enter("a");
  const auto two = enter("b");
  const auto other = enter("a", 2);
  EXPECT_EQ((*one->answer)->share, (*two->answer)->share);
  EXPECT_NE((*one->answer)->share, (*other->answer)->share);
}

TEST_F(DirectoryTest, four_and_not_five) {
  std::vector<std::shared_ptr<Guest>> guests;
  for (const auto* name : {"a", "b", "c", "d"}) guests.push_back(enter(name));
  for (const auto& guest : guests) EXPECT_TRUE(seated(*guest));
  EXPECT_EQ(refusal(*enter("e")), Code::session_limit);
  EXPECT_TRUE(seated(*enter("e", 2)));
  leave(*guests[0]);
  EXPECT_TRUE(seated(*enter("e")));
}

TEST_F(DirectoryTest, taking_over_waits_until_the_old_one_has_let_go) {
  const auto old = enter("a");
  const auto next = enter("a", 1, true);
  EXPECT_THAT(old->seat->evicted, ElementsAre(std::pair{Code::taken_over, true}));
  EXPECT_FALSE(next->answer);
  leave(*old);
  ASSERT_TRUE(seated(*next));
  EXPECT_TRUE((*next->answer)->took_over);
  EXPECT_EQ(directory->live(), 1U);
  leave(*old);  // late and twice: not the seat of the new one
  EXPECT_EQ(directory->live(), 1U);
}

TEST_F(DirectoryTest, of_those_who_wait_the_last_one_counts) {
  const auto old = enter("a");
  const auto second = enter("a", 1, false);
  const auto third = enter("a");
  EXPECT_EQ(refusal(*second), Code::taken_over);
  EXPECT_THAT(old->seat->evicted, ElementsAre(std::pair{Code::taken_over, false}));
  leave(*old);
  EXPECT_TRUE(seated(*third));
}

TEST_F(DirectoryTest, a_full_device_may_still_be_taken_over) {
  const auto old = enter("a");
  for (const auto* name : {"b", "c", "d"}) enter(name);
  const auto next = enter("a");
  leave(*old);
  EXPECT_TRUE(seated(*next));
}

TEST_F(DirectoryTest, waking_reaches_every_session_of_the_device) {
  const auto one = enter("a");
  const auto two = enter("b");
  const auto other = enter("a", 2);
  directory->wake(device_number(1));
  directory->wake(device_number(9));
  settle();
  EXPECT_EQ(one->seat->woken, 1);
  EXPECT_EQ(two->seat->woken, 1);
  EXPECT_EQ(other->seat->woken, 0);
}

TEST_F(DirectoryTest, eviction_by_device_and_by_certificate) {
  const auto one = enter("a", 1, true, "01");
  const auto two = enter("b", 1, true, "02");
  directory->evict_certificate(device_number(1), "02", failure(Code::certificate_revoked, "x"));
  settle();
  EXPECT_TRUE(one->seat->evicted.empty());
  EXPECT_EQ(two->seat->evicted.size(), 1U);
  directory->evict(device_number(1), failure(Code::device_quarantined, "x"));
  settle();
  EXPECT_EQ(one->seat->evicted.size(), 1U);
  EXPECT_EQ(two->seat->evicted.size(), 2U);
}

TEST_F(DirectoryTest, an_eviction_also_meets_those_who_are_on_their_way) {
  const auto asked_at = world.now();
  settle();
  directory->evict(device_number(1), failure(Code::device_quarantined, "x"));
  settle();
  EXPECT_EQ(refusal(*enter("a", 1, true, "01", asked_at)), Code::device_quarantined);
  EXPECT_TRUE(seated(*enter("a", 2, true, "01", asked_at)));
  EXPECT_TRUE(seated(*enter("a")));  // its state was looked at afterwards
  directory->evict_certificate(device_number(3), "0a", failure(Code::certificate_revoked, "x"));
  settle();
  EXPECT_EQ(refusal(*enter("a", 3, true, "0a", asked_at)), Code::certificate_revoked);
  EXPECT_TRUE(seated(*enter("b", 3, true, "0b", asked_at)));
}

TEST_F(DirectoryTest, an_eviction_meets_who_waits_to_take_over) {
  const auto old = enter("a");
  const auto next = enter("a");
  directory->evict(device_number(1), failure(Code::device_quarantined, "x"));
  settle();
  leave(*old);
  EXPECT_EQ(refusal(*next), Code::device_quarantined);
}

TEST_F(DirectoryTest, too_many_evictions_make_old_answers_worthless) {
  const auto asked_at = world.now();
  settle();
  for (int i = 0; i < 10'001; ++i)
    directory->evict(device_number(200), failure(Code::device_quarantined, "x"));
  settle();
  EXPECT_EQ(refusal(*enter("a", 1, true, "01", asked_at)), Code::unavailable);
  EXPECT_TRUE(seated(*enter("a", 1)));
}

TEST_F(DirectoryTest, connecting_has_a_rate) {
  for (int i = 0; i < 60; ++i) {
    const auto guest = enter("a");
    ASSERT_TRUE(seated(*guest)) << i;
    leave(*guest);
  }
  EXPECT_EQ(refusal(*enter("a")), Code::overloaded);
  world.run_for(seconds(1));
  EXPECT_TRUE(seated(*enter("a")));
}

TEST_F(DirectoryTest, the_allowance_outlives_the_connection_but_not_for_ever) {
  const auto guest = enter("a");
  const std::weak_ptr<DeviceShare> share = (*guest->answer)->share;
  guest->answer.reset();
  leave(*guest);
  for (int i = 0; i < 16; ++i) directory->tick();
  EXPECT_FALSE(share.expired());  // one connection was just made
  world.run_for(seconds(20));
  for (int i = 0; i < 16; ++i) directory->tick();
  EXPECT_TRUE(share.expired());
}

TEST_F(DirectoryTest, shutting_down) {
  const auto one = enter("a");
  const auto next = enter("a");
  std::optional<Woken> woken;
  directory->watch(device_number(1), directory->new_id(), lane, [&](Woken why) { woken = why; });
  settle();
  directory->evict_all(failure(Code::server_shutting_down, "x"));
  settle();
  EXPECT_EQ(one->seat->evicted.back().first, Code::server_shutting_down);
  EXPECT_EQ(refusal(*next), Code::server_shutting_down);
  EXPECT_EQ(refusal(*enter("b")), Code::server_shutting_down);
  EXPECT_EQ(woken, Woken::over);
}

TEST_F(DirectoryTest, watching) {
  std::vector<std::pair<int, Woken>> calls;
  const auto watch = [&](int who) {
    const auto id = directory->new_id();
    directory->watch(device_number(1), id, lane,
                     [&calls, who](Woken why) { calls.emplace_back(who, why); });
    settle();
    return id;
  };
  watch(1);
  directory->wake(device_number(1));
  settle();
  EXPECT_THAT(calls, ElementsAre(std::pair{1, Woken::message}));
  directory->wake(device_number(1));
  settle();
  EXPECT_EQ(calls.size(), 1U);  // once
  const auto older = watch(2);
  watch(3);
  EXPECT_EQ(calls.back(), (std::pair{2, Woken::over}));
  directory->watch(device_number(1), older, lane, [&](Woken why) { calls.emplace_back(4, why); });
  settle();
  EXPECT_EQ(calls.back(), (std::pair{4, Woken::over}));  // an older poll does not end a newer one
  directory->unwatch(device_number(1), older);
  directory->wake(device_number(1));
  settle();
  EXPECT_EQ(calls.back(), (std::pair{3, Woken::message}));
}

TEST_F(DirectoryTest, wills_wait_and_are_cancelled) {
  directory->will(device_number(1), "a", a_will("now", 0));
  directory->will(device_number(1), "b", a_will("later", 5));
  directory->will(device_number(1), "c", a_will("cancelled", 5));
  directory->will(device_number(1), "d", a_will("ended", 5));
  settle();
  EXPECT_THAT(wills, ElementsAre("now"));
  enter("c", 1, true);
  enter("d", 1, false);
  EXPECT_THAT(wills, ElementsAre("now", "ended"));
  EXPECT_EQ(dropped.size(), 1U);
  world.run_for(seconds(4));
  directory->tick();
  EXPECT_EQ(wills.size(), 2U);
  world.run_for(seconds(1));
  directory->tick();
  EXPECT_THAT(wills, ElementsAre("now", "ended", "later"));
}

TEST_F(DirectoryTest, a_newer_will_replaces_an_older_one) {
  directory->will(device_number(1), "a", a_will("first", 5));
  directory->will(device_number(1), "a", a_will("second", 50));
  settle();
  world.run_for(seconds(10));
  directory->tick();
  EXPECT_TRUE(wills.empty());
  world.run_for(seconds(41));
  directory->tick();
  EXPECT_THAT(wills, ElementsAre("second"));
  EXPECT_EQ(dropped.size(), 1U);
}

TEST_F(DirectoryTest, at_the_end_wills_that_wait_stay_in_store) {
  directory->evict_all(failure(Code::server_shutting_down, "x"));
  directory->will(device_number(1), "a", a_will("now", 0));
  directory->will(device_number(1), "b", a_will("later", 1));
  settle();
  world.run_for(seconds(2));
  directory->tick();
  EXPECT_THAT(wills, ElementsAre("now"));
  EXPECT_TRUE(dropped.empty());
}

TEST_F(DirectoryTest, wills_that_wait_are_bounded) {
  for (std::size_t i = 0; i < kDelayedWillsMax + 3; ++i)
    directory->will(device_number(1), std::to_string(i), a_will("x", 5));
  settle();
  EXPECT_EQ(wills.size(), 3U);
}

TEST(Lane, drops_what_comes_after_its_end) {
  os::sim::Simulation world(1);
  Lane lane(world.node("server").loop());
  int ran = 0;
  lane.post([&] { ++ran; });
  lane.close();
  lane.post([&] { ++ran; });
  world.run_for(milliseconds(1));
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace holdfast::hub
