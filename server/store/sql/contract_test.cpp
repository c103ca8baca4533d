// The contract of the sql port: the same tests on every engine.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libs/os/system.hpp"
#include "server/store/sql/sql.hpp"
#include "server/store/sql/testing/engines.hpp"

namespace holdfast::sql {
namespace {

class SqlContract : public testing::TestWithParam<EngineCase> {
 protected:
  void SetUp() override {
    os_ = std::move(*os::RealSystem::make());
    auto opened = GetParam().open(os_->system());
    ASSERT_TRUE(opened) << opened.error().text();
    holder_ = std::move(*opened);
    db_ = &holder_->database();
    const Status made = db_->write([](Tx& tx) {
      return tx.script(
          "CREATE TABLE item (id {id} PRIMARY KEY, name {text} NOT NULL, count {int}, weight "
          "{real},"
          " live {bool}, data {blob}) {strict};"
          "CREATE UNIQUE INDEX item_name ON item(name);"
          "CREATE TABLE part (item_id {id} NOT NULL REFERENCES item(id), n {int} NOT NULL,"
          " PRIMARY KEY (item_id, n)) {strict};");
    });
    ASSERT_TRUE(made) << made.error().text();
  }

  static Ulid id_of(std::uint8_t n) { return Ulid{0, 1, 2, n}; }
  Status add(std::uint8_t n, std::string_view name, const Param& count = {nullptr}) {
    return db_->write([&](Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO item (id, name, count) VALUES (?,?,?)", {id_of(n), name, count}));
      return {};
    });
  }
  std::int64_t items() {
    std::int64_t count = -1;
    const Status read = db_->read([&](Tx& tx) -> Status {
      count = TRY(tx.number("SELECT count(*) FROM item"));
      return {};
    });
    EXPECT_TRUE(read) << read.error().text();
    return count;
  }

  std::unique_ptr<os::RealSystem> os_;
  std::unique_ptr<EngineHolder> holder_;
  Database* db_ = nullptr;
};

TEST_P(SqlContract, ValuesComeBackAsTheyWere) {
  const Bytes data{0, 1, 255, 0};
  const std::int64_t big = INT64_MIN + 1;
  ASSERT_TRUE(db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO item VALUES (?,?,?,?,?,?)",
                {id_of(1), "gr\xC3\xBC\xC3\x9F 'quoted' ?", big, -0.1, true, data}));
    TRY(tx.exec("INSERT INTO item VALUES (?,?,?,?,?,?)",
                {id_of(2), "", INT64_MAX, 1e300, false, Bytes{}}));
    TRY(tx.exec("INSERT INTO item VALUES (?,?,?,?,?,?)",
                {id_of(3), "none", nullptr, nullptr, nullptr, nullptr}));
    return {};
  }));
  int rows = 0;
  const Status read = db_->read([&](Tx& tx) {
    return tx.query("SELECT id, name, count, weight, live, data FROM item ORDER BY id", {},
                    [&](Row& row) {
                      EXPECT_EQ(row.ulid(0), id_of(static_cast<std::uint8_t>(rows + 1)));
                      if (rows == 0) {
                        EXPECT_EQ(row.text(1), "gr\xC3\xBC\xC3\x9F 'quoted' ?");
                        EXPECT_EQ(row.integer(2), big);
                        EXPECT_EQ(row.real(3), -0.1);
                        EXPECT_TRUE(row.boolean(4));
                        EXPECT_EQ(row.blob(5), data);
                      } else if (rows == 1) {
                        EXPECT_EQ(row.text(1), "");
                        EXPECT_EQ(row.integer(2), INT64_MAX);
                        EXPECT_EQ(row.real(3), 1e300);
                        EXPECT_FALSE(row.boolean(4));
                        EXPECT_FALSE(row.null(5));
                        EXPECT_TRUE(row.blob(5).empty());
                      } else {
                        EXPECT_EQ(row.maybe_integer(2), std::nullopt);
                        EXPECT_EQ(row.maybe_real(3), std::nullopt);
                        EXPECT_EQ(row.maybe_boolean(4), std::nullopt);
                        EXPECT_EQ(row.maybe_blob(5), std::nullopt);
                      }
                      ++rows;
                    });
  });
  EXPECT_TRUE(read) << read.error().text();
  EXPECT_EQ(rows, 3);
}

TEST_P(SqlContract, AWrongTypeIsAnErrorNotAConversion) {
  ASSERT_TRUE(add(1, "12", 7));
  const auto code_of = [&](const std::function<void(Row&)>& use) {
    const Status read = db_->read(
        [&](Tx& tx) { return tx.query("SELECT name, count, weight FROM item", {}, use); });
    return read ? Code::unsupported : read.error().code;
  };
  EXPECT_EQ(code_of([](Row& row) { EXPECT_EQ(row.integer(0), 0); }), Code::corrupt);
  EXPECT_EQ(code_of([](Row& row) { EXPECT_EQ(row.text(1), ""); }), Code::corrupt);
  EXPECT_EQ(code_of([](Row& row) { EXPECT_EQ(row.real(1), 0); }), Code::corrupt);
  EXPECT_EQ(code_of([](Row& row) { EXPECT_EQ(row.real(2), 0); }), Code::corrupt);  // NULL
  EXPECT_EQ(code_of([](Row& row) { EXPECT_EQ(row.ulid(0), Ulid{}); }), Code::corrupt);
  EXPECT_EQ(code_of([](Row& row) { row.damaged("no such state"); }), Code::corrupt);
}

TEST_P(SqlContract, TypesAreHeldToByTheTable) {
  const Status wrong = db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO item (id, name, count) VALUES (?,?,?)",
                {id_of(1), "x", "not a number"}));
    return {};
  });
  EXPECT_FALSE(wrong);
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, AFailedMutationIsUndoneAlone) {
  ASSERT_TRUE(add(1, "first"));
  const Status failed = db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO item (id, name) VALUES (?,?)", {id_of(2), "second"}));
    return fail(Code::conflict, "not now");
  });
  EXPECT_EQ(failed.error().code, Code::conflict);
  EXPECT_EQ(items(), 1);
  EXPECT_TRUE(add(2, "second"));
  EXPECT_EQ(items(), 2);
}

TEST_P(SqlContract, ConstraintsHaveTheirCodes) {
  ASSERT_TRUE(add(1, "first"));
  EXPECT_EQ(add(2, "first").error().code, Code::already_exists);
  EXPECT_EQ(add(1, "other").error().code, Code::already_exists);
  const Status dangling = db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO part VALUES (?,?)", {id_of(9), 1}));
    return {};
  });
  EXPECT_EQ(dangling.error().code, Code::conflict);
  const Status null = db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO item (id, name) VALUES (?,?)", {id_of(3), nullptr}));
    return {};
  });
  EXPECT_EQ(null.error().code, Code::conflict);
  EXPECT_EQ(items(), 1);
}

TEST_P(SqlContract, AMutationMayGoOnAfterAFailedStatement) {
  ASSERT_TRUE(add(1, "first"));
  const Status done = db_->write([&](Tx& tx) -> Status {
    const auto twice =
        tx.exec("INSERT INTO item (id, name) VALUES (?,?) ON CONFLICT (name) DO NOTHING",
                {id_of(2), "first"});
    EXPECT_EQ(twice, 0);
    TRY(tx.exec("INSERT INTO item (id, name) VALUES (?,?)", {id_of(3), "third"}));
    return {};
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(items(), 2);
}

TEST_P(SqlContract, PortableStatementsWork) {
  const Status done = db_->write([&](Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO item (id, name, count, live) VALUES (?,?,?,?)",
                {id_of(1), "a", 1, true}));
    std::int64_t returned = 0;
    TRY(tx.query(
        "INSERT INTO item (id, name, count) VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET"
        " count=item.count+excluded.count RETURNING count",
        {id_of(2), "a", 41}, [&](Row& row) { returned = row.integer(0); }));
    EXPECT_EQ(returned, 42);
    EXPECT_EQ(TRY(tx.exec("UPDATE item SET live=? WHERE live=TRUE", {false})), 1);
    EXPECT_EQ(
        TRY(tx.number("SELECT count(*) FROM item WHERE live IS NOT DISTINCT FROM ?", {false})), 1);
    EXPECT_EQ(
        TRY(tx.number("SELECT max(count) FROM item WHERE lower(name) LIKE ? ESCAPE '\\'", {"a%"})),
        42);
    EXPECT_EQ(TRY(tx.number("SELECT sum(count) FROM item")), 42);
    EXPECT_EQ(TRY(tx.number("SELECT max(count) FROM item WHERE name='nobody'")), 0);
    EXPECT_EQ(TRY(tx.number("SELECT count(*) FROM item WHERE (name, count) > (?, ?)", {"a", 41})),
              1);
    const auto name =
        TRY(tx.one("SELECT name || '!' FROM item WHERE id IN (" + placeholders(2) + ")",
                   {id_of(1), id_of(7)}, [](Row& row) { return row.text(0); }));
    EXPECT_EQ(name, "a!");
    EXPECT_EQ(TRY(tx.exec("DELETE FROM item")), 1);
    EXPECT_EQ(TRY(tx.exec("DELETE FROM item")), 0);
    return {};
  });
  EXPECT_TRUE(done) << done.error().text();
}

TEST_P(SqlContract, QueriesNestInTheirOwnRows) {
  for (std::uint8_t i = 1; i <= 3; ++i) ASSERT_TRUE(add(i, "item" + std::to_string(i), i));
  std::string seen;
  const std::string sql = "SELECT name FROM item WHERE count >= ? ORDER BY count";
  const Status read = db_->read([&](Tx& tx) {
    return tx.query(sql, {1}, [&](Row& outer) {
      seen += outer.text(0).back();
      const Status inner = tx.query(sql, {3}, [&](Row& row) { seen += row.text(0).back(); });
      EXPECT_TRUE(inner);
    });
  });
  EXPECT_TRUE(read);
  EXPECT_EQ(seen, "132333");
}

TEST_P(SqlContract, ReadsCannotWrite) {
  const Status read = db_->read([&](Tx& tx) -> Status {
    EXPECT_FALSE(tx.writable());
    EXPECT_EQ(tx.exec("DELETE FROM item").error().code, Code::internal);
    return tx.query("INSERT INTO item (id, name) VALUES (?,?)", {id_of(1), "x"}, [](Row&) {});
  });
  EXPECT_FALSE(read);
  EXPECT_EQ(items(), 0);
}

TEST_P(SqlContract, AReadSeesOneMoment) {
  ASSERT_TRUE(add(1, "first"));
  const Status read = db_->read([&](Tx& tx) -> Status {
    EXPECT_EQ(TRY(tx.number("SELECT count(*) FROM item")), 1);
    TRY(add(2, "second"));
    EXPECT_EQ(TRY(tx.number("SELECT count(*) FROM item")), 1);
    return {};
  });
  EXPECT_TRUE(read) << read.error().text();
  EXPECT_EQ(items(), 2);
}

TEST_P(SqlContract, WrongStatementsAreErrors) {
  EXPECT_EQ(db_->write([](Tx& tx) { return tx.query("SELEC 1", {}, [](Row&) {}); }).error().code,
            Code::internal);
  EXPECT_FALSE(db_->read([](Tx& tx) { return tx.query("SELECT ?", {}, [](Row&) {}); }));
  EXPECT_FALSE(db_->read([](Tx& tx) { return tx.query("SELECT 1; SELECT 2", {}, [](Row&) {}); }));
  EXPECT_EQ(add(1, std::string_view("a\0b", 3)).error().code, Code::invalid_argument);
  EXPECT_TRUE(add(1, "still fine"));
}

TEST_P(SqlContract, ManyCallersShareCommits) {
  constexpr int kCallers = 16;
  constexpr int kEach = 20;
  std::atomic<int> refused{0};
  std::vector<std::jthread> threads;
  for (int caller = 0; caller < kCallers; ++caller) {
    threads.emplace_back([&, caller] {
      for (int i = 0; i < kEach; ++i) {
        const Status done = db_->write([&](Tx& tx) -> Status {
          const Ulid id{1, static_cast<std::uint8_t>(caller), static_cast<std::uint8_t>(i)};
          TRY(tx.exec("INSERT INTO item (id, name) VALUES (?,?)",
                      {id, std::to_string(caller) + "." + std::to_string(i)}));
          if (i % 4 == 3) return fail(Code::conflict, "undone");
          return {};
        });
        if (!done) ++refused;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(refused, kCallers * kEach / 4);
  EXPECT_EQ(items(), kCallers * kEach * 3 / 4);
}

TEST_P(SqlContract, ManyReadersAtOnce) {
  for (std::uint8_t i = 1; i <= 50; ++i) ASSERT_TRUE(add(i, std::to_string(i), i));
  std::atomic<int> good{0};
  std::vector<std::jthread> threads;
  for (int reader = 0; reader < 12; ++reader) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) good += items() >= 50 ? 1 : 0;
    });
  }
  for (std::uint8_t i = 51; i <= 80; ++i) EXPECT_TRUE(add(i, std::to_string(i), i));
  threads.clear();
  EXPECT_EQ(good, 12 * 20);
}

TEST_P(SqlContract, HousekeepingRuns) {
  ASSERT_TRUE(add(1, "first"));
  const Status done = db_->maintain();
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_EQ(items(), 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, SqlContract, testing::ValuesIn(engine_cases()),
                         [](const auto& engine) { return engine.param.name; });

}  // namespace
}  // namespace holdfast::sql
