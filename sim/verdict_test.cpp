// The verdict must be able to say no: each promise is broken here on purpose.
#include "sim/verdict.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/app/folder.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::sim {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Violations judge(const std::set<double>& promised, const std::vector<double>& stored,
                 std::uint64_t snapshots = 9) {
  Violations out;
  judge_readings("agent1", "system.uptime_s", promised, stored, snapshots, out);
  return out;
}

TEST(VerdictTest, ReadingsThatAreThereOnceAreFine) {
  EXPECT_THAT(judge({}, {}), IsEmpty());
  EXPECT_THAT(judge({1, 2, 9}, {9, 1, 2}), IsEmpty());
  EXPECT_THAT(judge({1}, {1, 2}), IsEmpty()) << "stored, and its acknowledgement was lost";
}

TEST(VerdictTest, LostDoubledAndInventedReadingsAreViolations) {
  EXPECT_THAT(judge({1, 2}, {1}), Contains(HasSubstr("uptime_s = 2.0 was acknowledged and is lost")));
  EXPECT_THAT(judge({1}, {1, 1}), Contains(HasSubstr("stored 2 times")));
  EXPECT_THAT(judge({}, {3, 3}), SizeIs(1)) << "not even when it was never acknowledged";
  EXPECT_THAT(judge({}, {10}), Contains(HasSubstr("never measured")));
  EXPECT_THAT(judge({}, {0}), Contains(HasSubstr("never measured")));
}

TEST(VerdictTest, ThereIsAnEndToSentences) {
  std::set<double> promised;
  for (int i = 1; i < 500; ++i) promised.insert(i);
  EXPECT_THAT(judge(promised, {}, 500), SizeIs(40));
}

// A small fleet that has lived in peace, stopped.
class VerdictOfFleetTest : public testing::Test {
 protected:
  static constexpr RunOptions kPeace{.agents = 2,
                                     .trouble = seconds(10),
                                     .commands = 2,
                                     .faults = false};

  void live() {
    fleet.live_through_trouble();
    ASSERT_TRUE(fleet.settle()) << fleet.unwell();
    fleet.stop_agents();
    const MonoTime rest = fleet.world().now() + seconds(5);
    while (fleet.world().now() < rest) fleet.tick();
  }
  Violations by_database() {
    Violations out;
    judge_by_database(fleet, out);
    return out;
  }
  // Behind the server's back.
  void alter(std::string_view sql) {
    os::sim::Node& node = fleet.server().node();
    if (!node.up()) node.restart();
    Metrics metrics;
    const auto database = sql::open_sqlite(
        node.system(), metrics, {app::database_path(std::string(kDataFolder)), 2, true});
    ASSERT_TRUE(database);
    const Status done = (*database)->write([&](sql::Tx& tx) -> Status {
      TRY(tx.exec(sql));
      return {};
    });
    ASSERT_TRUE(done) << done.error().text();
  }

  Fleet fleet{5, kPeace};
};

TEST_F(VerdictOfFleetTest, PeaceIsGoodAndEachBrokenTableIsNot) {
  ASSERT_NO_FATAL_FAILURE(live());
  Violations by_api;
  judge_by_api(fleet, by_api);
  EXPECT_THAT(by_api, IsEmpty());
  EXPECT_THAT(by_database(), Contains(HasSubstr("does not stop"))) << "it still runs";
  fleet.stop_server();
  ASSERT_THAT(by_database(), IsEmpty());

  alter("UPDATE notice_cursor SET seq=0 WHERE subscriber='telemetry.mirror'");
  EXPECT_THAT(by_database(), Contains(HasSubstr("not handled by telemetry.mirror")));
  alter("UPDATE notice_cursor SET seq=(SELECT max(seq) FROM notice)");
  EXPECT_THAT(by_database(), IsEmpty());
  alter("INSERT INTO notice_cursor (subscriber,seq,touched_at) VALUES ('stranger',1,1)");
  EXPECT_THAT(by_database(), Contains(HasSubstr("stranger")));
  alter("DELETE FROM notice_cursor WHERE subscriber IN ('stranger','identity.revoke')");
  EXPECT_THAT(by_database(), Contains(HasSubstr("a subscriber of notices is gone")));
  alter("UPDATE claim SET spent=0 WHERE id=(SELECT min(id) FROM claim)");
  EXPECT_THAT(by_database(), Contains(HasSubstr("claims with a certificate and not spent: 1")));
  alter("UPDATE claim SET spent=1");
  alter("DELETE FROM certificate WHERE claim_id=(SELECT min(id) FROM claim)");
  EXPECT_THAT(by_database(), Contains(HasSubstr("claims spent without a certificate: 1")));
  alter("DELETE FROM audit WHERE seq=1");
  EXPECT_THAT(by_database(), Contains(HasSubstr("gaps in the audit: 1")));
}

TEST_F(VerdictOfFleetTest, AnEditedAuditIsSeenThroughTheApi) {
  ASSERT_NO_FATAL_FAILURE(live());
  fleet.stop_server();
  alter("UPDATE audit SET actor='somebody' WHERE seq=2");
  fleet.server().start_again();
  const MonoTime end = fleet.world().now() + seconds(10);
  while (!fleet.server().serving() && fleet.world().now() < end) fleet.tick();
  Violations out;
  judge_by_api(fleet, out);
  EXPECT_THAT(out, Contains(HasSubstr("the audit: ")));
}

}  // namespace
}  // namespace holdfast::sim
