// SQLite on a simulated disk: what was answered is there, at every cut and after every failed
// operation.
#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"
#include "server/store/sql/sqlite/sqlite.hpp"

namespace holdfast::sql {
namespace {

class Machine {
 public:
  explicit Machine(std::uint64_t seed) : world(seed), node(world.node("server")) {}
  Status open(bool durable = true) {
    SqliteSettings settings;
    settings.path = "/data/test.db";
    settings.durable = durable;
    database = TRY(open_sqlite(node.system(), metrics, settings));
    return database->write([](Tx& tx) {
      return tx.script("CREATE TABLE IF NOT EXISTS t (n {int} PRIMARY KEY, pad {blob}) {strict}");
    });
  }
  Status put(int n, std::size_t pad = 100) {
    return database->write([&](Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO t VALUES (?,?)", {n, Bytes(pad, static_cast<std::uint8_t>(n))}));
      return {};
    });
  }
  Result<std::vector<std::int64_t>> rows() {
    std::vector<std::int64_t> found;
    TRY(database->read([&](Tx& tx) -> Status {
      found =
          TRY(tx.list("SELECT n FROM t ORDER BY n", {}, [](Row& row) { return row.integer(0); }));
      return {};
    }));
    return found;
  }
  void crash(os::sim::Crash kind = os::sim::Crash::power) {
    node.crash(kind);
    database.reset();
    node.restart();
  }

  os::sim::Simulation world;
  os::sim::Node& node;
  Metrics metrics;
  std::unique_ptr<Database> database;
};

// Every acknowledged row, and at most the one whose answer never came.
void expect_rows(Machine& machine, int acknowledged, std::uint64_t at) {
  const auto rows = machine.rows();
  ASSERT_TRUE(rows) << rows.error().text() << " at " << at;
  EXPECT_GE(rows->size(), static_cast<std::size_t>(acknowledged)) << at;
  EXPECT_LE(rows->size(), static_cast<std::size_t>(acknowledged) + 1) << at;
  for (std::size_t i = 0; i < rows->size(); ++i)
    EXPECT_EQ((*rows)[i], static_cast<std::int64_t>(i));
  // A fault that was planned for later than the rows took meets the first of these.
  Status maintained = machine.database->maintain();
  if (!maintained) maintained = machine.database->maintain();
  EXPECT_TRUE(maintained) << at;
}

TEST(SqliteFaults, NothingAcknowledgedIsLostAtAnyCut) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Machine machine(extra);
    ASSERT_TRUE(machine.open());
    machine.node.disk().crash_at(machine.node.disk().operations() + extra);
    int acknowledged = 0;
    // Maintenance moves everything from the WAL into the file meanwhile.
    while (acknowledged < 6 && machine.put(acknowledged)) {
      ++acknowledged;
      if (acknowledged == 3 && !machine.database->maintain()) break;
    }
    if (machine.node.up()) break;
    ++cuts;
    machine.crash();
    const Status opened = machine.open();
    ASSERT_TRUE(opened) << opened.error().text() << " at " << extra;
    expect_rows(machine, acknowledged, extra);
  }
  EXPECT_GT(cuts, 15);
  std::printf("cut points of SQLite: %d\n", cuts);
}

TEST(SqliteFaults, AFolderCutWhileItIsMadeOpensAgain) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Machine machine(extra);
    machine.node.disk().crash_at(machine.node.disk().operations() + extra);
    (void)machine.open();
    if (machine.node.up()) break;
    ++cuts;
    machine.crash();
    const Status opened = machine.open();
    ASSERT_TRUE(opened) << opened.error().text() << " at " << extra;
    ASSERT_TRUE(machine.put(0));
    expect_rows(machine, 1, extra);
  }
  EXPECT_GT(cuts, 5);
}

TEST(SqliteFaults, AKilledProcessLosesNothing) {
  Machine machine(1);
  ASSERT_TRUE(machine.open());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(machine.put(i));
  machine.crash(os::sim::Crash::process);
  ASSERT_TRUE(machine.open());
  expect_rows(machine, 5, 0);
}

TEST(SqliteFaults, AFailedOperationFailsItsCallerAndTheNextWorks) {
  for (std::uint64_t extra = 1; extra < 25; ++extra) {
    Machine machine(extra);
    ASSERT_TRUE(machine.open());
    machine.node.disk().fail_at(machine.node.disk().operations() + extra,
                                extra % 2 == 0 ? Code::disk_full : Code::io_error);
    int stored = 0;
    int failures = 0;
    while (stored < 6) {
      const Status done = machine.put(stored);
      if (done) {
        ++stored;
        continue;
      }
      const Code code = done.error().code;
      EXPECT_TRUE(code == Code::disk_full || code == Code::io_error || code == Code::already_exists)
          << done.error().text();
      // A row whose commit failed late may be there after all.
      if (code == Code::already_exists) ++stored;
      ASSERT_LT(++failures, 4) << "one fault does not last, at " << extra;
    }
    expect_rows(machine, 6, extra);
    machine.crash();
    ASSERT_TRUE(machine.open());
    expect_rows(machine, 6, extra);
  }
}

TEST(SqliteFaults, AFullDiskIsSaidAndSpaceComesBack) {
  Machine machine(3);
  ASSERT_TRUE(machine.open());
  ASSERT_TRUE(machine.put(0));
  machine.node.disk().set_capacity(machine.node.disk().used() + 20'000);
  int stored = 1;
  Status last;
  while (stored < 100 && (last = machine.put(stored, 4'000))) ++stored;
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::disk_full) << last.error().text();
  EXPECT_EQ(machine.rows()->size(), static_cast<std::size_t>(stored)) << "reading goes on";
  machine.node.disk().set_capacity(UINT64_MAX);
  ASSERT_TRUE(machine.put(stored, 4'000));
  EXPECT_EQ(machine.rows()->size(), static_cast<std::size_t>(stored) + 1);
}

TEST(SqliteFaults, AFlippedBitInTheFileIsDamageNotData) {
  Machine machine(4);
  ASSERT_TRUE(machine.open());
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(machine.put(i, 500));
  ASSERT_TRUE(machine.database->maintain());
  machine.crash();
  // The type byte of the table's root page.
  ASSERT_TRUE(machine.node.disk().flip_bit("/data/test.db", 4'096, 7));
  SqliteSettings settings;
  settings.path = "/data/test.db";
  auto opened = open_sqlite(machine.node.system(), machine.metrics, settings);
  ASSERT_TRUE(opened);
  machine.database = std::move(*opened);
  EXPECT_EQ(machine.rows().error().code, Code::corrupt);
  EXPECT_EQ(machine.database->maintain().error().code, Code::corrupt);
}

TEST(SqliteFaults, AFailedReadIsAnErrorAndTheNextReadWorks) {
  Machine machine(5);
  ASSERT_TRUE(machine.open());
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(machine.put(i));
  ASSERT_TRUE(machine.database->maintain());
  // A connection with nothing in its cache.
  machine.crash(os::sim::Crash::process);
  ASSERT_TRUE(machine.open());
  machine.node.disk().fail_read_at(machine.node.disk().reads() + 1);
  const auto failed = machine.rows();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::io_error);
  EXPECT_EQ(machine.rows()->size(), 10U);
}

TEST(SqliteFaults, TheSameSeedGivesTheSameRun) {
  const auto run = [] {
    Machine machine(99);
    EXPECT_TRUE(machine.open());
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(machine.put(i));
    machine.crash();
    EXPECT_TRUE(machine.open());
    return std::pair(machine.world.trace_hash(), machine.node.disk().operations());
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace holdfast::sql
