#include "server/store/sql/sql.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "server/store/sql/batch.hpp"

namespace holdfast::sql {
namespace {

TEST(SqlText, TypesAreNamedForEachEngine) {
  const std::string_view ddl =
      "CREATE TABLE t (a {id} PRIMARY KEY, b {int}, c {bool}, d {real}) {strict}";
  EXPECT_EQ(expand_types(ddl, Engine::sqlite),
            "CREATE TABLE t (a BLOB PRIMARY KEY, b INTEGER, c INTEGER, d REAL) STRICT");
  EXPECT_EQ(expand_types(ddl, Engine::postgresql),
            "CREATE TABLE t (a BYTEA PRIMARY KEY, b BIGINT, c BOOLEAN, d DOUBLE PRECISION) ");
}

TEST(SqlText, TypesInsideQuotesStay) {
  EXPECT_EQ(expand_types("DEFAULT '{int}' -- {int}\n{int}", Engine::sqlite),
            "DEFAULT '{int}' -- {int}\nINTEGER");
}

TEST(SqlText, UnknownTypeIsAnError) {
  EXPECT_EQ(expand_types("a {integer}", Engine::sqlite).error().code, Code::internal);
  EXPECT_EQ(expand_types("a {int", Engine::sqlite).error().code, Code::internal);
}

TEST(SqlText, PlaceholdersAreNumberedOutsideOfQuotes) {
  EXPECT_EQ(dollar_placeholders("SELECT '?''?', \"?\", ? /* ? */ FROM t -- ?\nWHERE a=? AND b=?"),
            "SELECT '?''?', \"?\", $1 /* ? */ FROM t -- ?\nWHERE a=$2 AND b=$3");
  EXPECT_EQ(dollar_placeholders("'unclosed ?"), "'unclosed ?");
}

TEST(SqlText, ScriptsAreSplitAtSemicolons) {
  const auto statements = split_statements(
      "CREATE TABLE a (x TEXT DEFAULT ';');\n-- only a comment;\n;\nCREATE INDEX i ON a(x) /* ; "
      "*/;  ");
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0], "CREATE TABLE a (x TEXT DEFAULT ';')");
  EXPECT_NE(statements[1].find("CREATE INDEX"), std::string::npos);
}

TEST(SqlText, ListsAndLikes) {
  EXPECT_EQ(placeholders(1), "?");
  EXPECT_EQ(placeholders(3), "?,?,?");
  EXPECT_EQ(like_escape("50%_\\x"), "50\\%\\_\\\\x");
}

TEST(SqlParam, RefusesWhatOneEngineCouldNotKeep) {
  EXPECT_TRUE(check_param("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"));
  EXPECT_TRUE(check_param(Bytes{0, 255}));
  EXPECT_TRUE(check_param(std::numeric_limits<double>::infinity()));
  for (const std::string_view bad :
       {std::string_view("a\0b", 3), std::string_view("\xC0\x80"), std::string_view("\xE0\x9F\xBF"),
        std::string_view("\xED\xA0\x80"), std::string_view("\xF4\x90\x80\x80"),
        std::string_view("\xF0\x8F\xBF\xBF"), std::string_view("\xE2\x82"),
        std::string_view("\xFF")}) {
    EXPECT_EQ(check_param(bad).error().code, Code::invalid_argument) << bad;
  }
  EXPECT_EQ(check_param(std::nan("")).error().code, Code::invalid_argument);
}

}  // namespace
}  // namespace holdfast::sql
