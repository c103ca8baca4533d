#include "server/store/sql/carry.hpp"

#include <gtest/gtest.h>

#include "server/store/sql/testing/engines.hpp"

namespace holdfast::sql {
namespace {

constexpr std::string_view kTables = R"(
CREATE TABLE z_place (id {id} PRIMARY KEY, name {text} NOT NULL) {strict};
CREATE TABLE a_thing (
  id {id} PRIMARY KEY, place_id {id} REFERENCES z_place (id), parent_id {id} REFERENCES a_thing (id),
  "key" {text}, count {int} NOT NULL, ratio {real}, open {bool} NOT NULL, body {blob}
) {strict};
CREATE TABLE stays (n {int} PRIMARY KEY) {strict};
)";

Bytes id(int number) {
  Bytes out(16, 0);
  out[14] = static_cast<std::uint8_t>(number / 256);
  out[15] = static_cast<std::uint8_t>(number % 256);
  return out;
}

class CarryTest : public ::testing::Test {
 protected:
  std::unique_ptr<EngineHolder> make(std::size_t engine) {
    auto holder = std::move(*engine_cases()[engine].open(real->system()));
    EXPECT_TRUE(holder->database().write([](Tx& tx) { return tx.script(kTables); }));
    return holder;
  }
  static void fill(Database& database, int things) {
    ASSERT_TRUE(database.write([&](Tx& tx) -> Status {
      TRY(tx.exec("INSERT INTO z_place (id, name) VALUES (?, ?)", {id(1), "Löwen ☃ 'quoted'"}));
      for (int i = things - 1; i > 0; --i) {  // children come before their parent
        TRY(
            tx.exec("INSERT INTO a_thing (id, place_id, parent_id, \"key\", count, ratio, open, "
                    "body) VALUES (?, ?, NULL, ?, ?, ?, ?, ?)",
                    {id(i), i % 2 == 0 ? Param(id(1)) : Param(nullptr), "k" + std::to_string(i),
                     std::int64_t{INT64_MIN} + i, 0.1 * i, i % 3 == 0, Bytes{0, 255, 10}}));
      }
      TRY(tx.exec("UPDATE a_thing SET parent_id = ? WHERE id <> ?", {id(1), id(1)}));
      TRY(tx.exec("INSERT INTO stays (n) VALUES (?)", {things}));
      return {};
    }));
  }
  static std::vector<std::string> dump(Database& database) {
    std::vector<std::string> out;
    EXPECT_TRUE(database.read([&](Tx& tx) -> Status {
      TRY(tx.query("SELECT id, name FROM z_place", {},
                   [&](Row& row) { out.push_back(to_hex(row.blob(0)) + row.text(1)); }));
      TRY(tx.query(
          "SELECT id, place_id, parent_id, \"key\", count, ratio, open, body FROM a_thing "
          "ORDER BY id",
          {}, [&](Row& row) {
            const auto blob = [&](int column) {
              return to_hex(row.maybe_blob(column).value_or(Bytes{}));
            };
            out.push_back(blob(0) + " " + blob(1) + " " + blob(2) + " " + row.text(3) + " " +
                          std::to_string(row.integer(4)) + " " + std::to_string(row.real(5)) + " " +
                          (row.boolean(6) ? "open " : "shut ") + blob(7));
          }));
      return {};
    }));
    return out;
  }
  static std::int64_t stays(Database& database) {
    std::int64_t n = 0;
    EXPECT_TRUE(database.read([&](Tx& tx) -> Status {
      n = TRY(tx.number("SELECT SUM(n) FROM stays"));
      return {};
    }));
    return n;
  }
  std::unique_ptr<os::RealSystem> real = std::move(*os::RealSystem::make());
};

TEST_F(CarryTest, everything_both_ways) {
  for (const std::size_t source : {std::size_t{1}, std::size_t{0}}) {
    const auto from = make(source), to = make(1 - source);
    fill(from->database(), 1'234);
    fill(to->database(), 3);  // what was there is replaced
    const auto rows = carry_rows(from->database(), to->database(), {"stays"});
    ASSERT_TRUE(rows) << rows.error().text();
    EXPECT_EQ(*rows, 1'234);
    EXPECT_EQ(dump(to->database()).size(), 1'234U);
    EXPECT_EQ(dump(to->database()), dump(from->database()));
    EXPECT_EQ(stays(to->database()), 3);
    // And once more over the same connection, onto what it has just written.
    ASSERT_TRUE(carry_rows(from->database(), to->database(), {"stays"}));
    EXPECT_EQ(dump(to->database()), dump(from->database()));
  }
}

TEST_F(CarryTest, all_or_nothing) {
  const auto from = make(1), to = make(0);
  fill(from->database(), 40);
  fill(to->database(), 5);
  const auto before = dump(to->database());
  ASSERT_TRUE(from->database().write(
      [](Tx& tx) { return tx.script("CREATE TABLE only_here (n {int} PRIMARY KEY) {strict};"); }));
  EXPECT_FALSE(carry_rows(from->database(), to->database(), {"stays"}));
  EXPECT_EQ(dump(to->database()), before);
}

TEST_F(CarryTest, between_files_there_is_another_way) {
  const auto from = make(0), to = make(0);
  EXPECT_EQ(carry_rows(from->database(), to->database(), {}).error().code, Code::unsupported);
}

}  // namespace
}  // namespace holdfast::sql
