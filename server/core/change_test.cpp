#include "server/core/change.hpp"

#include <gtest/gtest.h>

#include "libs/crypto/hash.hpp"
#include "server/core/audit.hpp"
#include "server/core/notices.hpp"
#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

std::vector<Migration> thing_table() {
  return {{"test", 1, "things",
           "CREATE TABLE thing (id {text} PRIMARY KEY, value {int} NOT NULL) {strict}", nullptr}};
}

class ChangeTest : public testing::Test {
 protected:
  ChangeTest() : t_(7, thing_table()) {
    const Status opened = t_.open();
    EXPECT_TRUE(opened) << opened.error().text();
  }

  Status put(std::string_view id, int value, const Caller& caller = test_caller()) {
    return t_.store().change(caller, "put_thing", [&](Change& change) -> Status {
      TRY(
          change.tx().exec("INSERT INTO thing (id, value) VALUES (?,?) ON CONFLICT (id) DO UPDATE "
                           "SET value=excluded.value",
                           {id, value}));
      TRY(change.audit(id, "", "{\"value\":" + std::to_string(value) + "}"));
      return change.notice("site.created", "{\"site_id\":\"x\",\"revision\":1}");
    });
  }
  std::int64_t count(std::string_view table) {
    std::int64_t rows = -1;
    EXPECT_TRUE(t_.store().read([&](sql::Tx& tx) -> Status {
      rows = TRY(tx.number("SELECT count(*) FROM " + std::string(table)));
      return {};
    }));
    return rows;
  }
  std::vector<audit::Entry> entries(audit::Query query = {}) {
    std::vector<audit::Entry> out;
    const Status read = t_.store().read([&](sql::Tx& tx) -> Status {
      out = TRY(audit::list(tx, t_.sealer(), query));
      return {};
    });
    EXPECT_TRUE(read) << read.error().text();
    return out;
  }

  TestStore t_;
};

TEST_F(ChangeTest, StateAuditAndNoticeAreOne) {
  ASSERT_TRUE(put("a", 1));
  EXPECT_EQ(count("thing"), 1);
  EXPECT_EQ(count("audit"), 1);
  EXPECT_EQ(count("notice"), 1);
  const Status failed =
      t_.store().change(test_caller(), "put_thing", [&](Change& change) -> Status {
        TRY(change.tx().exec("INSERT INTO thing (id, value) VALUES ('b', 1)"));
        TRY(change.audit("b", "", "{}"));
        TRY(change.notice("site.created", "{}"));
        return fail(Code::conflict, "not now");
      });
  EXPECT_EQ(failed.error().code, Code::conflict);
  EXPECT_EQ(count("thing"), 1);
  EXPECT_EQ(count("audit"), 1);
  EXPECT_EQ(count("notice"), 1);
}

TEST_F(ChangeTest, AChangeWithoutAnAuditEntryIsRefused) {
  const Status silent =
      t_.store().change(test_caller(), "put_thing", [&](Change& change) -> Status {
        TRY(change.tx().exec("INSERT INTO thing (id, value) VALUES ('b', 1)"));
        return {};
      });
  EXPECT_EQ(silent.error().code, Code::internal);
  EXPECT_EQ(count("thing"), 0);
  const Status recorded =
      t_.store().record(Caller::system(), "flush", [&](Change& change) -> Status {
        TRY(change.tx().exec("INSERT INTO thing (id, value) VALUES ('b', 1)"));
        return {};
      });
  EXPECT_TRUE(recorded);
  EXPECT_EQ(count("thing"), 1);
  EXPECT_EQ(count("audit"), 0);
}

TEST_F(ChangeTest, AnUndeclaredNoticeIsRefused) {
  const Status wrong = t_.store().change(test_caller(), "put_thing", [&](Change& change) -> Status {
    TRY(change.audit("a", "", "{}"));
    return change.notice("thing.exploded", "{}");
  });
  EXPECT_EQ(wrong.error().code, Code::internal);
  EXPECT_EQ(count("audit"), 0);
}

TEST_F(ChangeTest, AnEntryNamesActorActionObjectAndRequest) {
  ASSERT_TRUE(put("thing_1", 5));
  const auto all = entries();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].seq, 0U);
  EXPECT_EQ(all[0].actor, test_caller().id);
  EXPECT_EQ(all[0].action, "put_thing");
  EXPECT_EQ(all[0].object, "thing_1");
  EXPECT_EQ(all[0].request_id, "req_TEST");
  EXPECT_EQ(all[0].before, "");
  EXPECT_EQ(all[0].after, "{\"value\":5}");
  EXPECT_EQ(all[0].time, t_.world.wall());
  EXPECT_FALSE(all[0].erased);
}

TEST_F(ChangeTest, TheChainHoldsAndTheBytesAreAsSpecified) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put("thing_" + std::to_string(i), i));
  audit::Query query;
  query.from_seq = 0;
  const auto all = entries(query);
  ASSERT_EQ(all.size(), 5U);
  Bytes previous(32);
  for (const audit::Entry& entry : all) {
    EXPECT_EQ(entry.prev_hash, previous);
    EXPECT_EQ(entry.payload_digest, audit::payload_digest(entry.salt, entry.before, entry.after));
    const std::string bytes = audit::entry_bytes(entry);
    const auto digest = crypto::sha256(view_of(bytes));
    EXPECT_EQ(entry.hash, Bytes(digest.begin(), digest.end()));
    previous = entry.hash;
  }
  EXPECT_EQ(
      audit::entry_bytes(all[0]),
      "{\"v\":1,\"seq\":0,\"time\":\"2026-01-01T00:00:00Z\",\"actor\":\"usr_"
      "0000000000000000000000TEST\","
      "\"action\":\"put_thing\",\"object\":\"thing_0\",\"request_id\":\"req_TEST\",\"payload\":\"" +
          to_hex(all[0].payload_digest) + "\",\"prev_hash\":\"" + std::string(64, '0') + "\"}");
}

TEST_F(ChangeTest, EntriesAreFoundByWhoWhatAndWhen) {
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(put("thing_" + std::to_string(i % 2), i));
  audit::Query query;
  query.limit = 2;
  EXPECT_EQ(entries(query)[0].seq, 5U);
  query.from_seq = 1;
  query.to_seq = 4;
  query.limit = 10;
  const auto range = entries(query);
  ASSERT_EQ(range.size(), 4U);
  EXPECT_EQ(range[0].seq, 1U);
  query = {};
  query.object = "thing_1";
  EXPECT_EQ(entries(query).size(), 3U);
  query.actor = "nobody";
  EXPECT_TRUE(entries(query).empty());
  query = {};
  query.action = "put_thing";
  EXPECT_EQ(entries(query).size(), 6U);
}

TEST_F(ChangeTest, AnErasedPayloadLeavesTheChainWhole) {
  ASSERT_TRUE(put("dev_X", 1));
  ASSERT_TRUE(put("dev_Y", 2));
  const Bytes hash = entries()[1].hash;
  ASSERT_TRUE(t_.store().change(test_caller(), "erase", [&](Change& change) -> Status {
    EXPECT_EQ(TRY(audit::erase_payloads(change.tx(), "dev_X")), 1U);
    return change.audit("dev_X", "", "");
  }));
  const auto all = entries();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_TRUE(all[2].erased);
  EXPECT_EQ(all[2].after, "");
  EXPECT_EQ(all[2].hash, hash);
  EXPECT_FALSE(all[1].erased);
  // Destroying the key erases what old copies hold.
  ASSERT_TRUE(t_.ring().destroy(*t_.ring().current(audit::payload_purpose("dev_Y"))));
  EXPECT_TRUE(entries()[1].erased);
}

TEST_F(ChangeTest, NothingReadableLiesInTheFile) {
  ASSERT_TRUE(t_.store().change(test_caller(), "put_thing", [&](Change& change) {
    return change.audit("dev_X", "{\"password\":\"hunter2hunter2\"}",
                        "{\"secret\":\"hunter3hunter3\"}");
  }));
  ASSERT_TRUE(t_.database().maintain());
  for (const char* name : {"/data/holdfast.db", "/data/holdfast.db-wal"}) {
    const auto content = os::read_file(t_.system().files, name, 1 << 24);
    ASSERT_TRUE(content);
    EXPECT_FALSE(text_of(*content).contains("hunter2")) << name;
    EXPECT_FALSE(text_of(*content).contains("hunter3")) << name;
  }
}

TEST_F(ChangeTest, ALargePayloadIsRefused) {
  const Status large = t_.store().change(test_caller(), "put_thing", [&](Change& change) {
    return change.audit("a", "", std::string(audit::kPayloadBytesMax + 1, 'x'));
  });
  EXPECT_EQ(large.error().code, Code::body_too_large);
}

TEST_F(ChangeTest, CommitsWakeWhoAsked) {
  int audited = 0;
  int noticed = 0;
  t_.store().on_commit([&](bool a, bool n) {
    audited += a ? 1 : 0;
    noticed += n ? 1 : 0;
  });
  ASSERT_TRUE(put("a", 1));
  EXPECT_FALSE(t_.store().change(test_caller(), "x", [](Change&) -> Status { return {}; }));
  ASSERT_TRUE(t_.store().record(Caller::system(), "x", [](Change&) -> Status { return {}; }));
  EXPECT_EQ(audited, 1);
  EXPECT_EQ(noticed, 1);
}

// The power goes at every write, sync, rename of a change: afterwards it is there as a whole or not
// at all, and what was answered is there.
TEST(ChangeCrash, LeavesAllOrNothingAtEveryCut) {
  std::uint64_t operations = 0;
  {
    TestStore t(1, thing_table());
    ASSERT_TRUE(t.open());
    operations = t.node.disk().operations();
  }
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    TestStore t(extra, thing_table());
    ASSERT_TRUE(t.open());
    t.node.disk().crash_at(operations + extra);
    int acknowledged = 0;
    for (int i = 0; i < 3; ++i) {
      const Status done = t.store().change(test_caller(), "put", [&](Change& change) -> Status {
        TRY(change.tx().exec("INSERT INTO thing (id, value) VALUES (?,?)",
                             {"t" + std::to_string(i), i}));
        TRY(change.audit("t" + std::to_string(i), "", "{}"));
        return change.notice("site.created", "{}");
      });
      if (!done) break;
      ++acknowledged;
    }
    if (t.node.up()) break;  // the scenario has no more operations
    ++cuts;
    t.crash();
    const Status opened = t.open();
    ASSERT_TRUE(opened) << extra << ": " << opened.error().text();
    std::array<std::int64_t, 3> rows{};
    ASSERT_TRUE(t.store().read([&](sql::Tx& tx) -> Status {
      rows = {TRY(tx.number("SELECT count(*) FROM thing")),
              TRY(tx.number("SELECT count(*) FROM audit")),
              TRY(tx.number("SELECT count(*) FROM notice"))};
      return {};
    }));
    EXPECT_EQ(rows[0], rows[1]) << extra;
    EXPECT_EQ(rows[0], rows[2]) << extra;
    EXPECT_GE(rows[0], acknowledged) << extra;
    EXPECT_LE(rows[0], acknowledged + 1) << extra;
  }
  EXPECT_GT(cuts, 5);
  std::printf("cut points of a change: %d\n", cuts);
}

}  // namespace
}  // namespace holdfast::core
