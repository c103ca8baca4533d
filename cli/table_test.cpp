#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

const Table kTable{{{"NAME", 9}, {"COUNT", 5, true}, {"NOTE", 1}},
                   {{"pump", "7", "north"}, {"caf\u00e9", "1200", ""}}};

TEST(Table, IsAlignedOnATerminal) {
  EXPECT_EQ(aligned(kTable, 0),
            "NAME  COUNT  NOTE\n"
            "pump      7  north\n"
            "caf\u00e9   1200\n");
}

TEST(Table, NeverWraps) {
  EXPECT_EQ(aligned(kTable, 14), "NAME  COUNT\npump      7\ncaf\u00e9   1200\n")
      << "what matters least goes first";
  EXPECT_EQ(aligned(kTable, 8), "NAME\npump\ncaf\u00e9\n");
  EXPECT_EQ(aligned(kTable, 3), "NA\u2026\npu\u2026\nca\u2026\n");
}

TEST(Table, IsSeparatedByTabsInAPipe) {
  EXPECT_EQ(tab_separated(kTable), "pump\t7\tnorth\ncaf\u00e9\t1200\t\n");
  EXPECT_EQ(tab_separated({{{"A"}}, {}}), "");
}

TEST(Table, NothingInItMovesTheCursor) {
  const Table table{{{"NAME"}}, {{"a\x1b[2J\tb\nc"}}};
  EXPECT_EQ(tab_separated(table), "a [2J b c\n");
  EXPECT_EQ(aligned(table, 0), "NAME\na [2J b c\n");
}

}  // namespace
}  // namespace holdfast::cli
