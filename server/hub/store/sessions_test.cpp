#include "server/hub/store/sessions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/core/testing/test_store.hpp"
#include "server/hub/hub.hpp"
#include "server/hub/testing/session_rig.hpp"

namespace holdfast::hub {
namespace {
using testing::device_number;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Open asks(std::string client_id, std::uint64_t tag, std::uint32_t expiry_s = 60,
          bool clean = false) {
  Open open;
  open.client_id = std::move(client_id);
  open.tag = tag;
  open.expiry_s = expiry_s;
  open.clean = clean;
  return open;
}

// Of a will that waits: device, client id, topic, payload, seconds left.
using StoredTuple = std::tuple<int, std::string, std::string, std::string, std::uint32_t>;

class Sessions : public ::testing::Test {
 protected:
  void SetUp() override { start(); }
  void start() {
    ASSERT_TRUE(machine.open());
    workers = machine.node.system().threads.start_workers("w", 4, queue_max);
    store = std::make_shared<SessionStore>(machine.store(), *workers, machine.metrics,
                                           [this](std::uint64_t tag) { over.push_back(tag); });
  }
  void crash() {
    machine.node.crash(os::sim::Crash::power);
    store.reset();
    workers.reset();
    machine.close();
    machine.node.restart();
    start();
  }
  void run() { machine.world.run_for(milliseconds(10)); }

  std::optional<Kept> open(Open request, DeviceId device = device_number(1)) {
    std::optional<Kept> kept;
    bool answered = false;
    store->open(device, tables::Kind::mqtt, std::move(request),
                [&](Result<std::optional<Kept>> result) {
                  ASSERT_TRUE(result) << result.error().text();
                  kept = std::move(*result);
                  answered = true;
                });
    run();
    EXPECT_TRUE(answered);
    return kept;
  }
  SessionStore::Done expect_ok() {
    return [](const Status& status) { EXPECT_TRUE(status); };
  }
  std::int64_t rows(const std::string& table) {
    std::int64_t count = 0;
    EXPECT_TRUE(machine.store().read([&](sql::Tx& tx) -> Status {
      count = TRY(tx.number("SELECT COUNT(*) FROM " + table));
      return {};
    }));
    return count;
  }

  std::vector<StoredTuple> wills() {
    std::vector<StoredTuple> all;
    EXPECT_TRUE(store->wills([&](DeviceId device, std::string client_id, const FireWill& will) {
      all.emplace_back(device.ulid.back(), client_id, will.topic, string_of(will.payload),
                       will.delay_s);
    }));
    return all;
  }

  std::size_t queue_max = 1'000;
  std::vector<std::uint64_t> over;
  core::TestStore machine{1, hub_migrations()};
  std::unique_ptr<os::Workers> workers;
  std::shared_ptr<SessionStore> store;
};

TEST_F(Sessions, a_new_one_is_stored_and_taken_up_again) {
  EXPECT_FALSE(open(asks("c1", 11)));
  store->save(device_number(1), 11, {{"#", 1}, {"twin/desired", 0}}, expect_ok());
  store->prepare(device_number(1), 11, {{5, "command:a"}, {6, "twin:1"}}, expect_ok());
  store->settle(device_number(1), 11, "twin:1", expect_ok());
  store->prepare(device_number(1), 11, {{7, "command:b"}}, expect_ok());
  run();
  const auto kept = open(asks("c1", 12));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->tag, 11U);
  EXPECT_THAT(kept->granted, ElementsAre(Granted{"#", 1}, Granted{"twin/desired", 0}));
  EXPECT_THAT(kept->in_flight, ElementsAre(InFlight{5, "command:a"}, InFlight{7, "command:b"}));
  EXPECT_THAT(kept->settled, ElementsAre("twin:1"));
}

TEST_F(Sessions, survive_a_power_cut) {
  open(asks("c1", 0xFFFF'FFFF'FFFF'FFF0ULL));  // tags use all 64 bits
  store->save(device_number(1), 0xFFFF'FFFF'FFFF'FFF0ULL, {{"#", 1}}, expect_ok());
  store->prepare(device_number(1), 0xFFFF'FFFF'FFFF'FFF0ULL, {{5, "command:a"}}, expect_ok());
  run();
  crash();
  ASSERT_TRUE(store->begin());
  const auto kept = open(asks("c1", 2));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->tag, 0xFFFF'FFFF'FFFF'FFF0ULL);
  EXPECT_THAT(kept->in_flight, ElementsAre(InFlight{5, "command:a"}));
}

TEST_F(Sessions, are_apart_by_device_and_client_id) {
  open(asks("c1", 1));
  open(asks("c2", 2));
  open(asks("c1", 3), device_number(2));
  EXPECT_EQ(open(asks("c1", 9))->tag, 1U);
  EXPECT_EQ(open(asks("c2", 9))->tag, 2U);
  EXPECT_EQ(open(asks("c1", 9), device_number(2))->tag, 3U);
  EXPECT_FALSE(open(asks("C1", 9)));
}

TEST_F(Sessions, a_clean_start_ends_the_old_one) {
  open(asks("c1", 1));
  store->save(device_number(1), 1, {{"#", 1}}, expect_ok());
  store->prepare(device_number(1), 1, {{5, "command:a"}}, expect_ok());
  EXPECT_FALSE(open(asks("c1", 2, 60, true)));
  EXPECT_EQ(rows("hub_session"), 1);
  EXPECT_EQ(rows("hub_subscription"), 0);
  EXPECT_EQ(rows("hub_inflight"), 0);
  EXPECT_EQ(open(asks("c1", 3))->tag, 2U);
}

TEST_F(Sessions, without_expiry_nothing_is_stored) {
  EXPECT_FALSE(open(asks("c1", 1, 0, true)));
  EXPECT_EQ(rows("hub_session"), 0);
  open(asks("c1", 2));
  const auto kept = open(asks("c1", 3, 0));  // goes on, but ends with this connection
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->tag, 2U);
  EXPECT_EQ(rows("hub_session"), 0);
}

TEST_F(Sessions, end_when_their_time_is_over) {
  open(asks("c1", 1, 60));
  store->leave(device_number(1), 1, 60, expect_ok());
  run();
  machine.world.run_for(seconds(59));
  EXPECT_TRUE(open(asks("c1", 2, 60)));
  store->leave(device_number(1), 1, 60, expect_ok());
  run();
  machine.world.run_for(seconds(60));
  EXPECT_FALSE(open(asks("c1", 3, 60)));
  EXPECT_EQ(rows("hub_session"), 1);
}

TEST_F(Sessions, go_at_once_when_the_client_says_so) {
  open(asks("c1", 1, 60));
  store->leave(device_number(1), 1, 0, expect_ok());
  run();
  EXPECT_EQ(rows("hub_session"), 0);
}

TEST_F(Sessions, time_goes_on_while_the_server_is_down) {
  open(asks("left", 1, 60));
  store->leave(device_number(1), 1, 60, expect_ok());
  open(asks("live", 2, 60));
  run();
  crash();
  machine.world.run_for(seconds(61));
  ASSERT_TRUE(store->begin());
  EXPECT_FALSE(open(asks("left", 3, 60)));
  EXPECT_TRUE(open(asks("live", 4, 60)));  // its time begins when it is known to be gone
}

TEST_F(Sessions, of_many_offline_ones_the_oldest_go) {
  for (std::uint64_t i = 1; i <= kOfflineSessionsMax + 2; ++i) {
    open(asks("c" + std::to_string(i), i));
    store->leave(device_number(1), i, 60, expect_ok());
    run();
    machine.world.run_for(seconds(1));
  }
  open(asks("other", 99), device_number(2));
  EXPECT_FALSE(open(asks("c1", 100)));
  EXPECT_FALSE(open(asks("c2", 101)));
  EXPECT_TRUE(open(asks("c3", 102)));
  EXPECT_TRUE(open(asks("c10", 103)));
  EXPECT_TRUE(open(asks("other", 104), device_number(2)));
}

TEST_F(Sessions, the_job_removes_what_is_over) {
  for (std::uint64_t i = 1; i <= 5; ++i) {
    open(asks("c", i, 10), device_number(static_cast<std::uint8_t>(i)));
    store->leave(device_number(static_cast<std::uint8_t>(i)), i, i <= 3 ? 10 : 1'000, expect_ok());
  }
  run();
  machine.world.run_for(seconds(20));
  ASSERT_TRUE(store->expire());
  EXPECT_EQ(rows("hub_session"), 2);
}

TEST_F(Sessions, whose_end_is_told_once_it_is_durable) {
  open(asks("taken up", 1));
  open(asks("taken up", 2));
  EXPECT_THAT(over, IsEmpty());
  open(asks("taken up", 3, 60, true));
  EXPECT_THAT(over, ElementsAre(1));
  store->leave(device_number(1), 3, 0);
  run();
  EXPECT_THAT(over, ElementsAre(1, 3));
  open(asks("expired", 4, 10));
  store->leave(device_number(1), 4, 10);
  run();
  machine.world.run_for(seconds(20));
  ASSERT_TRUE(store->expire());
  EXPECT_THAT(over, ElementsAre(1, 3, 4));
  open(asks("goes on to its connection's end", 5));
  open(asks("goes on to its connection's end", 6, 0));
  EXPECT_THAT(over, ElementsAre(1, 3, 4));
}

TEST_F(Sessions, of_a_device_that_may_not_come_back_go) {
  open(asks("a", 1));
  open(asks("b", 2));
  open(asks("a", 3), device_number(2));
  ASSERT_TRUE(store->mailbox_settle(device_number(1), "twin:1"));
  store->end_all(device_number(1), expect_ok());
  run();
  EXPECT_EQ(rows("hub_session"), 1);
  EXPECT_THAT(over, ::testing::IsSupersetOf({1U, 2U}));
  EXPECT_TRUE(open(asks("a", 4), device_number(2)));
}

TEST_F(Sessions, wills_of_a_process_that_died_wait_for_their_delay) {
  const auto with_will = [](std::uint64_t tag, FireWill will) {
    auto request = asks("c" + std::to_string(tag), tag);
    request.will = std::move(will);
    return request;
  };
  open(with_will(1, {"event/live", bytes_of("{\"secret\":1}"), 30, 101}));
  open(with_will(2, {"event/waits", bytes_of("2"), 30, 102}));
  open(with_will(3, {"event/dropped", bytes_of("3"), 30, 103}));
  open(with_will(4, {"event/now", bytes_of("4"), 0, 0xFFFF'FFFF'FFFF'FFF0ULL}));
  store->delay_will(device_number(1), 102, 30);
  store->drop_will(device_number(1), 103);
  run();
  EXPECT_THAT(wills(), ElementsAre(StoredTuple{1, "c2", "event/waits", "2", 30}));
  machine.world.run_for(seconds(10));
  crash();
  ASSERT_TRUE(store->begin());
  EXPECT_THAT(wills(), ::testing::UnorderedElementsAre(
                           StoredTuple{1, "c1", "event/live", "{\"secret\":1}", 30},
                           StoredTuple{1, "c2", "event/waits", "2", 20},
                           StoredTuple{1, "c4", "event/now", "4", 0}));
  ASSERT_TRUE(store->begin());  // a second start does not begin anew
  machine.world.run_for(seconds(25));
  EXPECT_THAT(wills(), ::testing::Contains(StoredTuple{1, "c2", "event/waits", "2", 0}));
}

TEST_F(Sessions, a_will_that_cannot_be_opened_is_dropped) {
  auto request = asks("c1", 1);
  request.will = FireWill{"event/gone", bytes_of("x"), 30, 101};
  open(std::move(request));
  store->delay_will(device_number(1), 101, 30);
  run();
  ASSERT_TRUE(
      machine.store().record(core::Caller::system(), "test", [](core::Change& change) -> Status {
        TRY(change.tx().exec("UPDATE hub_will SET id = 102"));  // another row's seal
        return {};
      }));
  EXPECT_THAT(wills(), IsEmpty());
  run();
  EXPECT_EQ(rows("hub_will"), 0);
}

TEST_F(Sessions, many_wills_come_in_pages) {
  for (std::uint64_t i = 1; i <= 2 * tables::kWillsPage + 1; ++i) {
    auto request = asks("c" + std::to_string(i), i);
    request.will = FireWill{"event/gone", bytes_of("x"), 30, i};
    store->open(device_number(1), tables::Kind::mqtt, std::move(request), [](const auto&) {});
  }
  run();
  ASSERT_TRUE(store->begin());
  EXPECT_EQ(wills().size(), 2 * tables::kWillsPage + 1);
}

TEST_F(Sessions, what_comes_late_for_one_that_is_over_leaves_nothing) {
  open(asks("c1", 1));
  store->leave(device_number(1), 1, 0, expect_ok());
  store->save(device_number(1), 1, {{"#", 1}}, expect_ok());
  store->prepare(device_number(1), 1, {{5, "command:a"}}, expect_ok());
  store->settle(device_number(1), 1, "twin:1", expect_ok());
  run();
  EXPECT_EQ(rows("hub_subscription") + rows("hub_inflight") + rows("hub_session"), 0);
}

TEST_F(Sessions, a_settled_key_flies_again_when_asked) {
  open(asks("c1", 1));
  store->prepare(device_number(1), 1, {{5, "twin:1"}}, expect_ok());
  store->settle(device_number(1), 1, "twin:1", expect_ok());
  store->prepare(device_number(1), 1, {{6, "twin:1"}}, expect_ok());
  store->forget(device_number(1), 1, {"command:none"}, expect_ok());
  const auto kept = open(asks("c1", 2));
  EXPECT_THAT(kept->in_flight, ElementsAre(InFlight{6, "twin:1"}));
  EXPECT_THAT(kept->settled, IsEmpty());
  store->forget(device_number(1), 1, {"twin:1"}, expect_ok());
  EXPECT_THAT(open(asks("c1", 3))->in_flight, IsEmpty());
}

TEST_F(Sessions, operations_of_a_device_keep_their_order) {
  std::vector<int> order;
  for (int i = 0; i < 200; ++i) {
    store->open(device_number(1), tables::Kind::mqtt, asks("c", static_cast<std::uint64_t>(i + 1)),
                [&order, i](const Result<std::optional<Kept>>& kept) {
                  EXPECT_TRUE(kept);
                  order.push_back(i);
                });
  }
  EXPECT_EQ(store->busy(), 200U);
  run();
  ASSERT_EQ(order.size(), 200U);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(store->busy(), 0U);
}

TEST_F(Sessions, one_that_fails_does_not_fail_the_others) {
  int good = 0, bad = 0;
  open(asks("c1", 1));
  const auto count = [&](const Result<std::optional<Kept>>& kept) { ++(kept ? good : bad); };
  store->open(device_number(1), tables::Kind::mqtt, asks("c2", 2), count);
  store->open(device_number(1), tables::Kind::mqtt, asks("c3", 1), count);  // the tag is taken
  store->open(device_number(1), tables::Kind::mqtt, asks("c4", 4), count);
  run();
  EXPECT_EQ(good, 2);
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(rows("hub_session"), 3);
}

TEST_F(Sessions, a_full_queue_is_told_at_once) {
  int refused = 0;
  const std::size_t line = kStoreQueueMax / 4;
  for (std::size_t i = 0; i < line + 5; ++i) {
    store->settle(device_number(1), 1, "twin:1", [&](const Status& status) {
      if (!status && status.error().code == Code::overloaded) ++refused;
    });
  }
  EXPECT_EQ(refused, 5);
  run();
  EXPECT_EQ(store->busy(), 0U);
}

TEST_F(Sessions, the_mailbox_holds_the_newest_key_for_a_week) {
  EXPECT_THAT(*store->mailbox(device_number(1)), IsEmpty());
  ASSERT_TRUE(store->mailbox_settle(device_number(1), "twin:1"));
  ASSERT_TRUE(store->mailbox_settle(device_number(1), "twin:2"));
  EXPECT_THAT(*store->mailbox(device_number(1)), ElementsAre("twin:2"));
  EXPECT_THAT(*store->mailbox(device_number(2)), IsEmpty());
  machine.world.run_for(days(6));
  EXPECT_THAT(*store->mailbox(device_number(1)),
              ElementsAre("twin:2"));  // and this use prolongs it
  machine.world.run_for(days(6));
  EXPECT_THAT(*store->mailbox(device_number(1)), ElementsAre("twin:2"));
  machine.world.run_for(days(7) + seconds(1));
  EXPECT_THAT(*store->mailbox(device_number(1)), IsEmpty());
  ASSERT_TRUE(store->mailbox_settle(device_number(1), "twin:3"));
  EXPECT_THAT(*store->mailbox(device_number(1)), ElementsAre("twin:3"));
  ASSERT_TRUE(store->begin());
  EXPECT_THAT(*store->mailbox(device_number(1)), ElementsAre("twin:3"));
}

}  // namespace
}  // namespace holdfast::hub
