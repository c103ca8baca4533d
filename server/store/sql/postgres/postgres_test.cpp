#include "server/store/sql/postgres/postgres.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "libs/os/system.hpp"
#include "server/store/sql/testing/postgres_server.hpp"

namespace holdfast::sql {
namespace {

class Postgres : public testing::Test {
 protected:
  void SetUp() override {
    os_ = std::move(*os::RealSystem::make());
    auto server = PostgresServer::shared(os_->system());
    ASSERT_TRUE(server) << server.error().text();
    server_ = *server;
    url_ = *server_->new_database();
    db_ = open();
    ASSERT_TRUE(
        db_->write([](Tx& tx) { return tx.script("CREATE TABLE t (n {int} PRIMARY KEY)"); }));
  }
  std::unique_ptr<Database> open() {
    PostgresSettings settings;
    settings.url = url_;
    settings.readers_max = 4;
    return std::move(*open_postgres(os_->system(), metrics_, settings));
  }
  static Status put(Database& db, int n) {
    return db.write([&](Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO t VALUES (?)", {n}));
      return {};
    });
  }
  static std::int64_t rows(Database& db) {
    std::int64_t count = -1;
    (void)db.read([&](Tx& tx) -> Status {
      count = TRY(tx.number("SELECT count(*) FROM t"));
      return {};
    });
    return count;
  }

  std::unique_ptr<os::RealSystem> os_;
  PostgresServer* server_ = nullptr;
  std::string url_;
  Metrics metrics_;
  std::unique_ptr<Database> db_;
};

TEST_F(Postgres, ComesBackAfterARestartOfTheServer) {
  ASSERT_TRUE(put(*db_, 1));
  EXPECT_EQ(rows(*db_), 1);
  ASSERT_TRUE(server_->restart());
  // The first use finds the connection broken, the next opens another.
  bool written = false;
  for (int tries = 0; tries < 3 && !written; ++tries) written = put(*db_, 2).has_value();
  EXPECT_TRUE(written);
  std::int64_t read = -1;
  for (int tries = 0; tries < 8 && read < 0; ++tries) read = rows(*db_);
  EXPECT_EQ(read, 2);
}

TEST_F(Postgres, AServerThatIsNotThereIsUnavailable) {
  PostgresSettings settings;
  settings.url = "host=/nonexistent user=postgres dbname=t1";
  const auto opened = open_postgres(os_->system(), metrics_, settings);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::unavailable);
}

TEST_F(Postgres, WritersOfTwoProcessesTakeTurns) {
  const auto other = open();
  ASSERT_TRUE(db_->write([](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO t VALUES (0)"));
    return {};
  }));
  // Each reads, then writes what it read plus one: lost updates would show.
  const auto count_up = [](Database& db) {
    for (int i = 0; i < 30; ++i) {
      EXPECT_TRUE(db.write([](Tx& tx) -> Status {
        const std::int64_t n = TRY(tx.number("SELECT n FROM t"));
        TRY(tx.exec("UPDATE t SET n = ?", {n + 1}));
        return {};
      }));
    }
  };
  {
    std::jthread one([&] { count_up(*db_); });
    std::jthread two([&] { count_up(*other); });
  }
  std::int64_t n = 0;
  ASSERT_TRUE(db_->read([&](Tx& tx) -> Status {
    n = TRY(tx.number("SELECT n FROM t"));
    return {};
  }));
  EXPECT_EQ(n, 60);
}

TEST_F(Postgres, GoingOnAfterAFailedStatementUndoesTheChange) {
  ASSERT_TRUE(put(*db_, 1));
  const Status careless = db_->write([](Tx& tx) -> Status {
    (void)tx.exec("INSERT INTO t VALUES (1)");  // a double
    return {};
  });
  EXPECT_EQ(careless.error().code, Code::internal);
  EXPECT_TRUE(put(*db_, 2));
  EXPECT_EQ(rows(*db_), 2);
}

TEST_F(Postgres, ManyStatementsAreKeptWithinTheBound) {
  EXPECT_TRUE(db_->read([](Tx& tx) -> Status {
    for (std::size_t i = 0; i < kStatementsMax + 50; ++i) {
      EXPECT_EQ(TRY(tx.number("SELECT " + std::to_string(i) + "::bigint")),
                static_cast<std::int64_t>(i));
    }
    return {};
  }));
}

TEST_F(Postgres, CopiesAreForItsOwnTools) {
  EXPECT_EQ(db_->copy_to("/tmp/x").error().code, Code::unsupported);
}

}  // namespace
}  // namespace holdfast::sql
