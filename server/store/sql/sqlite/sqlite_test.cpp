#include "server/store/sql/sqlite/sqlite.hpp"

#include <gtest/gtest.h>

#include "server/store/sql/testing/temp_folder.hpp"

namespace holdfast::sql {
namespace {

class Sqlite : public testing::Test {
 protected:
  Sqlite() : os_(std::move(*os::RealSystem::make())), folder_(os_->system().files) {
    settings_.path = folder_ / "test.db";
  }
  Result<std::unique_ptr<Database>> open() {
    return open_sqlite(os_->system(), metrics_, settings_);
  }
  static Status put(Database& db, int n) {
    return db.write([&](Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO t VALUES (?)", {n}));
      return {};
    });
  }
  static Status make_table(Database& db) {
    return db.write(
        [](Tx& tx) { return tx.script("CREATE TABLE t (n {int} PRIMARY KEY) {strict}"); });
  }
  static std::int64_t rows(Database& db) {
    std::int64_t count = -1;
    EXPECT_TRUE(db.read([&](Tx& tx) -> Status {
      count = TRY(tx.number("SELECT count(*) FROM t"));
      return {};
    }));
    return count;
  }

  std::unique_ptr<os::RealSystem> os_;
  TempFolder folder_;
  Metrics metrics_;
  SqliteSettings settings_;
};

TEST_F(Sqlite, KeepsItsDataWhenReopened) {
  {
    const auto db = std::move(*open());
    ASSERT_TRUE(make_table(*db));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(put(*db, i));
  }
  const auto db = std::move(*open());
  EXPECT_EQ(rows(*db), 10);
}

TEST_F(Sqlite, AFolderBelongsToOneProcess) {
  const auto first = std::move(*open());
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::folder_locked);
}

TEST_F(Sqlite, TheCopyIsCompleteWhileOthersWrite) {
  const auto db = std::move(*open());
  ASSERT_TRUE(make_table(*db));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(put(*db, i));
  const Status copied = db->copy_to(folder_ / "copy.db");
  ASSERT_TRUE(copied) << copied.error().text();
  ASSERT_TRUE(put(*db, 1000));
  SqliteSettings other;
  other.path = folder_ / "copy.db";
  const auto copy = std::move(*open_sqlite(os_->system(), metrics_, other));
  EXPECT_EQ(rows(*copy), 100);
  EXPECT_EQ(rows(*db), 101);
}

TEST_F(Sqlite, MaintenanceShortensTheWalAndFindsDamage) {
  const auto db = std::move(*open());
  ASSERT_TRUE(make_table(*db));
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(put(*db, i));
  EXPECT_GT(os_->system().files.stat(settings_.path + "-wal")->size, 0U);
  ASSERT_TRUE(db->maintain());
  EXPECT_EQ(os_->system().files.stat(settings_.path + "-wal")->size, 0U);
  // The root page of the table (page 2) becomes nonsense.
  const auto file = std::move(*os_->system().files.open(settings_.path, os::Open::write));
  ASSERT_TRUE(file->write_at(4096, Bytes(4096, 0x5A)));
  EXPECT_EQ(db->maintain().error().code, Code::corrupt);
}

TEST_F(Sqlite, WhatWeMadeIsAnOrdinarySqliteFile) {
  {
    const auto db = std::move(*open());
    ASSERT_TRUE(make_table(*db));
    ASSERT_TRUE(put(*db, 42));
  }
  const auto answer = os_->system().process.run(
      {"sqlite3", settings_.path, "PRAGMA integrity_check; SELECT n FROM t;"}, "", seconds(20),
      4096);
  ASSERT_TRUE(answer) << answer.error().text();
  EXPECT_EQ(answer->out, "ok\n42\n");
}

TEST_F(Sqlite, RefusesAFolderThatIsNotThere) {
  settings_.path = folder_ / "none/test.db";
  EXPECT_FALSE(open());
}

TEST_F(Sqlite, CountsCommitsAndMutations) {
  const auto db = std::move(*open());
  ASSERT_TRUE(make_table(*db));
  ASSERT_TRUE(put(*db, 1));
  EXPECT_FALSE(put(*db, 1));
  const std::string text = metrics_.text();
  EXPECT_NE(text.find("holdfast_sql_mutations_total 2"), std::string::npos) << text;
  EXPECT_NE(text.find("holdfast_sql_mutations_undone_total 1"), std::string::npos) << text;
}

}  // namespace
}  // namespace holdfast::sql
