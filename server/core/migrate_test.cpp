#include "server/core/migrate.hpp"

#include <gtest/gtest.h>

#include "server/core/testing/test_store.hpp"

namespace holdfast::core {
namespace {

std::vector<Migration> version_one() {
  return {{"test", 1, "first", "CREATE TABLE pet (name {text} PRIMARY KEY) {strict}", nullptr}};
}
std::vector<Migration> version_two() {
  auto all = version_one();
  all.push_back({"test", 2, "legs",
                 "ALTER TABLE pet ADD COLUMN legs {int}; UPDATE pet SET legs = 4;",
                 [](sql::Tx& tx) -> Status {
                   TRY(tx.exec("UPDATE pet SET legs = 2 WHERE name = 'duck'"));
                   return {};
                 }});
  return all;
}

class Folder {
 public:
  explicit Folder(std::uint64_t seed = 1) : world(seed), node(world.node("server")) {}
  Status open() {
    TRY(node.system().files.make_folder("/data"));
    sql::SqliteSettings settings;
    settings.path = "/data/holdfast.db";
    database = TRY(sql::open_sqlite(node.system(), metrics, settings));
    return {};
  }
  Result<std::vector<Migrated>> run(const std::vector<Migration>& all) {
    return migrate(*database, all, world.wall());
  }
  std::int64_t number(std::string_view sql) {
    std::int64_t value = -1;
    const Status read = database->read([&](sql::Tx& tx) -> Status {
      value = TRY(tx.number(sql));
      return {};
    });
    return read ? value : -2;
  }

  os::sim::Simulation world;
  os::sim::Node& node;
  Metrics metrics;
  std::unique_ptr<sql::Database> database;
};

Status add_pets(sql::Database& database) {
  return database.write([](sql::Tx& tx) -> Status {
    TRY(tx.exec("INSERT INTO pet (name) VALUES ('cat'), ('duck')"));
    return {};
  });
}

TEST(Migrate, RunsWhatIsMissingOnce) {
  Folder folder;
  ASSERT_TRUE(folder.open());
  const auto first = folder.run(version_one());
  ASSERT_TRUE(first) << first.error().text();
  ASSERT_EQ(first->size(), 1U);
  EXPECT_EQ((*first)[0].domain, "test");
  EXPECT_EQ((*first)[0].to, 1);
  ASSERT_TRUE(add_pets(*folder.database));
  const auto second = folder.run(version_two());
  ASSERT_TRUE(second) << second.error().text();
  EXPECT_EQ((*second)[0].from, 1);
  EXPECT_EQ((*second)[0].to, 2);
  EXPECT_EQ(folder.number("SELECT sum(legs) FROM pet"), 6);
  EXPECT_TRUE(folder.run(version_two())->empty());
}

TEST(Migrate, ANewerFolderIsRefusedUntouched) {
  Folder folder;
  ASSERT_TRUE(folder.open());
  ASSERT_TRUE(folder.run(version_two()));
  auto other = version_one();
  other.push_back({"more", 1, "more", "CREATE TABLE more (n {int}) {strict}", nullptr});
  EXPECT_EQ(folder.run(other).error().code, Code::folder_newer);
  EXPECT_EQ(folder.number("SELECT count(*) FROM more"), -2) << "no table was made";
  EXPECT_EQ(folder.run({}).error().code, Code::folder_newer)
      << "a domain that this version does not know";
}

TEST(Migrate, AWrongListIsABug) {
  Folder folder;
  ASSERT_TRUE(folder.open());
  auto gap = version_two();
  gap.erase(gap.begin());
  EXPECT_EQ(folder.run(gap).error().code, Code::internal);
  auto twice = version_one();
  twice.push_back(twice[0]);
  EXPECT_EQ(folder.run(twice).error().code, Code::internal);
}

TEST(Migrate, AFailingOneLeavesTheOldState) {
  Folder folder;
  ASSERT_TRUE(folder.open());
  ASSERT_TRUE(folder.run(version_one()));
  auto all = version_one();
  all.push_back(
      {"test", 2, "broken", "CREATE TABLE half (n {int}) {strict}; CREATE TABEL oops;", nullptr});
  const auto failed = folder.run(all);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().text().contains("migration test 2 (broken)")) << failed.error().text();
  EXPECT_EQ(folder.number("SELECT count(*) FROM half"), -2);
  EXPECT_EQ(folder.number("SELECT max(number) FROM migration WHERE domain='test'"), 1);
  EXPECT_TRUE(folder.run(version_two()));
}

TEST(Migrate, TheCoresOwnRun) {
  Folder folder;
  ASSERT_TRUE(folder.open());
  ASSERT_TRUE(folder.run(core_migrations()));
  EXPECT_EQ(folder.number("SELECT count(*) FROM audit"), 0);
  EXPECT_EQ(folder.number("SELECT count(*) FROM job"), 0);
}

TEST(MigrateCrash, LeavesOldOrNewAtEveryCut) {
  int cuts = 0;
  for (std::uint64_t extra = 1;; ++extra) {
    Folder folder(extra);
    ASSERT_TRUE(folder.open());
    ASSERT_TRUE(folder.run(version_one()));
    ASSERT_TRUE(add_pets(*folder.database));
    folder.node.disk().crash_at(folder.node.disk().operations() + extra);
    const auto ran = folder.run(version_two());
    if (folder.node.up()) break;
    ++cuts;
    EXPECT_FALSE(ran) << "no answer comes from a machine without power";
    folder.database.reset();
    folder.node.crash();
    folder.node.restart();
    ASSERT_TRUE(folder.open());
    const std::int64_t legs = folder.number("SELECT sum(legs) FROM pet");
    EXPECT_TRUE(legs == 6 || legs == -2) << legs << " at " << extra;
    ASSERT_TRUE(folder.run(version_two()));
    EXPECT_EQ(folder.number("SELECT sum(legs) FROM pet"), 6) << extra;
  }
  EXPECT_GT(cuts, 3);
  std::printf("cut points of a migration: %d\n", cuts);
}

}  // namespace
}  // namespace holdfast::core
