#include "server/core/notices.hpp"

#include <gtest/gtest.h>

#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

std::vector<Migration> effect_table() {
  return {{"test", 1, "effects",
           "CREATE TABLE effect (seq {int} NOT NULL, who {text} NOT NULL) {strict}", nullptr}};
}

// A store with a dispatcher on it, that can be crashed and started again.
class Site {
 public:
  explicit Site(std::uint64_t seed = 3) : t(seed, effect_table()) { EXPECT_TRUE(t.open()); }
  ~Site() { stop(); }

  // Subscribes with a handler that writes one row per notice.
  Status start(std::vector<std::string> subscribers = {"telemetry"}) {
    bus = make_local_bus();
    workers = t.system().threads.start_workers("core", 2, 64);
    dispatcher = TRY(Dispatcher::make(t.store(), *bus, *workers, t.node.loop(), t.log, t.metrics));
    for (const std::string& who : subscribers) {
      TRY(dispatcher->subscribe(who, {"site.created", "site.deleted"},
                                [this, who](Change& change, const Notice& notice) {
                                  return handle(change, notice, who);
                                }));
    }
    TRY(dispatcher->follow({"site.created"},
                           [this](const Notice& notice) { followed.push_back(notice.seq); }));
    if (delivery) TRY(dispatcher->deliver("outside", {"site.created", "site.deleted"}, delivery));
    TRY(dispatcher->start());
    t.store().on_commit([this](bool, bool noticed) {
      if (noticed) dispatcher->wake();
    });
    return {};
  }
  void stop() {
    dispatcher.reset();
    workers.reset();
    bus.reset();
  }
  Status handle(Change& change, const Notice& notice, const std::string& who) {
    ++calls;
    TRY(change.tx().exec("INSERT INTO effect (seq, who) VALUES (?,?)", {notice.seq, who}));
    if (notice.payload == fails_on) return fail(Code::unavailable, "not today");
    return {};
  }
  Status publish(std::string_view name = "site.created", std::string_view payload = "{}") {
    return t.store().change(test_caller(), "create_site", [&](Change& change) -> Status {
      TRY(change.audit("site_1", "", "{}"));
      return change.notice(name, payload, SiteId{Ulid{1}});
    });
  }
  std::vector<std::int64_t> effects(std::string_view who = "telemetry") {
    std::vector<std::int64_t> seqs;
    EXPECT_TRUE(t.store().read([&](sql::Tx& tx) -> Status {
      seqs = TRY(tx.list("SELECT seq FROM effect WHERE who = ?", {who},
                         [](sql::Row& row) { return row.integer(0); }));
      return {};
    }));
    return seqs;
  }
  std::int64_t number(std::string_view sql) {
    std::int64_t value = -1;
    EXPECT_TRUE(t.store().read([&](sql::Tx& tx) -> Status {
      value = TRY(tx.number(sql));
      return {};
    }));
    return value;
  }

  TestStore t;
  std::unique_ptr<Bus> bus;
  std::unique_ptr<os::Workers> workers;
  std::unique_ptr<Dispatcher> dispatcher;
  Dispatcher::Delivery delivery;  // of "outside", when set before start()
  std::vector<std::int64_t> followed;
  std::string fails_on = "never";
  int calls = 0;
};

using Seqs = std::vector<std::int64_t>;

TEST(Notices, EachSubscriberHandlesEachOnceInOrder) {
  Site site;
  ASSERT_TRUE(site.start({"telemetry", "identity"}));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(site.publish());
  ASSERT_TRUE(site.publish("device.created"));  // not subscribed to
  ASSERT_TRUE(site.publish("site.deleted"));
  EXPECT_TRUE(
      site.t.world.run_until([&] { return site.effects("identity").size() == 6; }, seconds(1)));
  EXPECT_EQ(site.effects(), (Seqs{1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(site.effects("identity"), (Seqs{1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(site.followed, (Seqs{1, 2, 3, 4, 5}));
  site.t.world.run_for(seconds(30));
  EXPECT_EQ(site.calls, 12) << "nothing is handled twice";
}

TEST(Notices, AWakeUpThatIsLostCostsSecondsOnly) {
  Site site;
  ASSERT_TRUE(site.start());
  site.t.store().on_commit(nullptr);
  ASSERT_TRUE(site.publish());
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 1; }, seconds(6)));
}

TEST(Notices, WhatANoticeCarries) {
  Site site;
  ASSERT_TRUE(site.publish("site.created", "{\"site_id\":\"x\"}"));
  std::vector<Notice> found;
  ASSERT_TRUE(site.t.store().read([&](sql::Tx& tx) -> Status {
    found = TRY(notices_after(tx, 0, {}, 10));
    EXPECT_EQ(TRY(first_notice(tx)), 1);
    EXPECT_EQ(TRY(last_notice(tx)), 1);
    EXPECT_TRUE(TRY(notices_after(tx, 1, {}, 10)).empty());
    EXPECT_TRUE(TRY(notices_after(tx, 0, {"device.created"}, 10)).empty());
    return {};
  }));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "site.created");
  EXPECT_EQ(found[0].payload, "{\"site_id\":\"x\"}");
  EXPECT_EQ(found[0].actor, test_caller().id);
  EXPECT_EQ(found[0].request_id, "req_TEST");
  EXPECT_EQ(found[0].audit_seq, 0);
  EXPECT_EQ(found[0].site, SiteId{Ulid{1}});
  EXPECT_EQ(found[0].time, site.t.world.wall());
}

TEST(Notices, ANewSubscriberStartsAtWhatComesAfterItsFirstStart) {
  Site site;
  ASSERT_TRUE(site.publish());
  ASSERT_TRUE(site.start());
  ASSERT_TRUE(site.publish());
  EXPECT_TRUE(site.t.world.run_until([&] { return !site.effects().empty(); }, seconds(1)));
  EXPECT_EQ(site.effects(), Seqs{2});
  // While it is away nothing is lost.
  site.stop();
  site.t.store().on_commit(nullptr);
  ASSERT_TRUE(site.publish());
  ASSERT_TRUE(site.start());
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 2; }, seconds(1)));
  EXPECT_EQ(site.effects(), (Seqs{2, 3}));
}

TEST(Notices, AFailingOneIsTriedAgainAndHoldsOnlyItself) {
  Site site;
  ASSERT_TRUE(site.start());
  site.fails_on = "{\"bad\":1}";
  ASSERT_TRUE(site.publish());
  ASSERT_TRUE(site.publish("site.created", "{\"bad\":1}"));
  ASSERT_TRUE(site.publish());
  site.t.world.run_for(seconds(2));
  EXPECT_EQ(site.effects(), Seqs{1}) << "the next waits for it: order counts";
  site.fails_on = "never";
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 3; }, minutes(2)));
  EXPECT_EQ(site.effects(), (Seqs{1, 2, 3}));
  EXPECT_TRUE(site.t.log_lines.contains("a notice was not handled"));
}

TEST(Notices, OneThatNeverWorksIsPutAsideAndKept) {
  Site site;
  ASSERT_TRUE(site.start());
  site.fails_on = "{\"bad\":1}";
  ASSERT_TRUE(site.publish("site.created", "{\"bad\":1}"));
  ASSERT_TRUE(site.publish());
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 1; }, minutes(30)));
  EXPECT_EQ(site.effects(), Seqs{2});
  EXPECT_EQ(
      site.number("SELECT count(*) FROM notice_parked WHERE seq = 1 AND code = 'unavailable'"), 1);
  EXPECT_TRUE(site.t.metrics.text().contains("holdfast_notices_parked_total 1"));
  EXPECT_EQ(site.calls, 1 + static_cast<int>(kAttemptsMax) + 1)
      << "in a batch, alone at each attempt, the other";
}

TEST(Notices, TrimmingKeepsWhatIsNotHandledAndTheCount) {
  Site site;
  ASSERT_TRUE(site.start());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(site.publish());
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 4; }, seconds(1)));
  site.fails_on = "{\"bad\":1}";
  ASSERT_TRUE(site.publish("site.created", "{\"bad\":1}"));
  ASSERT_TRUE(site.publish());
  site.t.world.run_for(seconds(10));
  ASSERT_TRUE(site.dispatcher->trim(days(1)));
  EXPECT_EQ(site.number("SELECT count(*) FROM notice"), 6) << "too young";
  ASSERT_TRUE(site.dispatcher->trim(seconds(5)));
  EXPECT_EQ(site.number("SELECT min(seq) FROM notice"), 5);
  EXPECT_EQ(site.number("SELECT count(*) FROM notice"), 2);
  site.fails_on = "never";
  EXPECT_TRUE(site.t.world.run_until([&] { return site.effects().size() == 6; }, minutes(2)));
  site.t.world.run_for(minutes(1));
  ASSERT_TRUE(site.dispatcher->trim(seconds(5)));
  EXPECT_EQ(site.number("SELECT count(*) FROM notice"), 1) << "the newest holds the count";
  ASSERT_TRUE(site.publish());
  EXPECT_EQ(site.number("SELECT max(seq) FROM notice"), 7);
}

// What a delivery was told, and its word that the effect is durable.
struct Told {
  std::vector<Seqs> all;
  std::vector<Dispatcher::Done> done;
  Dispatcher::Delivery delivery() {
    return [this](const std::vector<Notice>& notices, Dispatcher::Done when) {
      Seqs seqs;
      for (const Notice& notice : notices) seqs.push_back(notice.seq);
      all.push_back(std::move(seqs));
      done.push_back(std::move(when));
    };
  }
};
constexpr std::string_view kOutside = "SELECT seq FROM notice_cursor WHERE subscriber='outside'";

TEST(Notices, ADeliveryCountsWhenItsEffectIsDurable) {
  Told told;
  Site site;
  site.delivery = told.delivery();
  ASSERT_TRUE(site.start());
  ASSERT_TRUE(site.publish());
  site.t.world.run_for(seconds(20));
  ASSERT_EQ(told.all, std::vector<Seqs>{{1}}) << "told once, however long it takes";
  EXPECT_EQ(site.number(kOutside), 0);
  ASSERT_TRUE(site.publish());
  told.done[0]({});
  site.t.world.run_for(seconds(1));
  EXPECT_EQ(site.number(kOutside), 1);
  ASSERT_EQ(told.all, (std::vector<Seqs>{{1}, {2}}));
  told.done[1](fail(Code::io_error, "not today"));
  EXPECT_TRUE(site.t.world.run_until([&] { return told.all.size() == 3; }, seconds(5)));
  EXPECT_EQ(told.all[2], Seqs{2}) << "what failed is told again";
  told.done[2]({});
  site.t.world.run_for(seconds(1));
  EXPECT_EQ(site.number(kOutside), 2);
  EXPECT_EQ(site.effects(), (Seqs{1, 2})) << "others did not wait for it";
}

TEST(Notices, ADeliveryThatACrashCutShortIsToldAgain) {
  Told told;
  Site site;
  site.delivery = told.delivery();
  ASSERT_TRUE(site.start());
  ASSERT_TRUE(site.publish());
  site.t.world.run_for(seconds(1));
  ASSERT_EQ(told.all.size(), 1U);
  site.t.node.crash();
  site.stop();
  told.done[0]({});  // too late: nobody is there any more
  site.t.crash();
  ASSERT_TRUE(site.t.open());
  ASSERT_TRUE(site.start());
  EXPECT_TRUE(site.t.world.run_until([&] { return told.all.size() == 2; }, seconds(6)));
  EXPECT_EQ(told.all[1], Seqs{1});
}

TEST(Notices, WrongSubscriptionsAreRefused) {
  Site site;
  ASSERT_TRUE(site.start());
  const auto nothing = [](Change&, const Notice&) -> Status { return {}; };
  EXPECT_EQ(site.dispatcher->subscribe("late", {"site.created"}, nothing).error().code,
            Code::internal);
  const auto other = std::move(*Dispatcher::make(site.t.store(), *site.bus, *site.workers,
                                                 site.t.node.loop(), site.t.log, site.t.metrics));
  EXPECT_EQ(other->subscribe("x", {"site.exploded"}, nothing).error().code, Code::internal);
  EXPECT_EQ(other->follow({"site.exploded"}, [](const Notice&) {}).error().code, Code::internal);
  EXPECT_TRUE(other->subscribe("x", {"site.created"}, nothing));
  EXPECT_EQ(other->subscribe("x", {"site.created"}, nothing).error().code, Code::internal);
  EXPECT_TRUE(notice_declared("device.created"));
  EXPECT_FALSE(notice_declared("device.create"));
}

TEST(Notices, NothingIsHandledAfterStop) {
  Site site;
  ASSERT_TRUE(site.start());
  site.dispatcher->stop();
  ASSERT_TRUE(site.publish());
  site.t.world.run_for(minutes(1));
  EXPECT_TRUE(site.effects().empty());
}

// The power goes at every operation of the disk between publishing and handling: each notice is
// handled exactly once in effect.
TEST(NoticesCrash, EachIsHandledOnceInEffectAtEveryCut) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Site site(extra);
    ASSERT_TRUE(site.start());
    site.t.node.disk().crash_at(site.t.node.disk().operations() + extra);
    int acknowledged = 0;
    for (int i = 0; i < 3 && site.t.node.up(); ++i) {
      acknowledged += site.publish() ? 1 : 0;
      site.t.world.run_for(milliseconds(5));
    }
    site.t.world.run_for(seconds(1));
    if (site.t.node.up()) break;
    ++cuts;
    site.stop();
    site.t.crash();
    ASSERT_TRUE(site.t.open());
    ASSERT_TRUE(site.start());
    site.t.world.run_for(seconds(1));
    const std::int64_t last = site.number("SELECT max(seq) FROM notice");
    EXPECT_GE(last, acknowledged);
    Seqs expected;
    for (std::int64_t seq = 1; seq <= last; ++seq) expected.push_back(seq);
    EXPECT_EQ(site.effects(), expected) << "cut at " << extra;
  }
  EXPECT_GT(cuts, 10);
  std::printf("cut points of publishing and handling: %d\n", cuts);
}

}  // namespace
}  // namespace holdfast::core
