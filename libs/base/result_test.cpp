#include "libs/base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace holdfast {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Code::invalid_argument, "odd: halve even numbers only");
  return value / 2;
}

Status check(bool good) {
  if (!good) return fail(Code::corrupt, "not good");
  return {};
}

Result<int> quarter(int value) {
  const int first = TRY(half(value));
  return TRY(half(first));
}

Result<std::unique_ptr<int>> boxed(int value) {
  TRY(check(value >= 0));
  auto box = TRY([&]() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(value); }());
  *box += 1;
  return box;
}

TEST(Result, TryTakesTheValueOrReturnsTheError) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_EQ(quarter(6).error().code, Code::invalid_argument);
  EXPECT_EQ(quarter(5).error().message, "odd: halve even numbers only");
}

TEST(Result, TryWorksWithNothingAndWithWhatOnlyMoves) {
  EXPECT_EQ(*boxed(1).value(), 2);
  EXPECT_EQ(boxed(-1).error().code, Code::corrupt);
}

TEST(Result, ContextIsToldFromTheOutsideIn) {
  const auto inner = with_context(half(3), "reading claim");
  const auto outer = with_context(inner, "enrolling");
  EXPECT_EQ(outer.error().text(), "enrolling: reading claim: odd: halve even numbers only");
  EXPECT_EQ(with_context(half(4), "ignored").value(), 2);
}

TEST(Codes, EachHasOneRowAndOneName) {
  std::set<std::string_view> names;
  for (const CodeRow& row : kCodeTable) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(row_of(row.code).name, row.name);
    EXPECT_EQ(code_named(row.name), row.code);
  }
  EXPECT_EQ(code_named("no-such-code"), std::nullopt);
  EXPECT_EQ(row_of(Code{}).code, Code::internal);
}

}  // namespace
}  // namespace holdfast
