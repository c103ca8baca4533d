#include "libs/wire/tar.hpp"

#include <gtest/gtest.h>

namespace holdfast::wire {
namespace {

TEST(Tar, AHeaderComesBack) {
  const TarMember member{"series/2026-11-24/1.hfc", 12'345, WallTime{1'700'000'000'000'000}};
  const Bytes header = tar_header(member).value();
  ASSERT_EQ(header.size(), kTarBlock);
  TarHeaders headers;
  const auto next = headers.next(header).value();
  EXPECT_EQ(next.kind, TarHeaders::Kind::file);
  EXPECT_EQ(next.member.name, member.name);
  EXPECT_EQ(next.member.size, member.size);
  EXPECT_EQ(next.member.modified, member.modified);
}

TEST(Tar, LargeFilesTakeAPaxHeader) {
  const TarMember member{"holdfast.db", 9ULL << 30, WallTime{0}};
  const Bytes all = tar_header(member).value();
  ASSERT_EQ(all.size(), 3 * kTarBlock);
  TarHeaders headers;
  const View view(all);
  const auto more = headers.next(view.first(kTarBlock)).value();
  ASSERT_EQ(more.kind, TarHeaders::Kind::more);
  ASSERT_TRUE(headers.extend(view.subspan(kTarBlock, more.member.size)));
  const auto next = headers.next(view.last(kTarBlock)).value();
  EXPECT_EQ(next.member.size, member.size);
  EXPECT_EQ(headers.next(tar_header({"small", 3, {}}).value()).value().member.size, 3U) << "the size was for one file";
}

TEST(Tar, EndAndPadding) {
  TarHeaders headers;
  EXPECT_EQ(headers.next(View(tar_end()).first(kTarBlock)).value().kind, TarHeaders::Kind::end);
  EXPECT_EQ(tar_padding(0), 0U);
  EXPECT_EQ(tar_padding(1), 511U);
  EXPECT_EQ(tar_padding(512), 0U);
}

TEST(Tar, NamesStayInside) {
  EXPECT_TRUE(safe_tar_name("a"));
  EXPECT_TRUE(safe_tar_name("a/b.c"));
  for (const std::string bad : {"", "/a", "a/", "a//b", "../a", "a/..", "./a", "a/./b"}) {
    EXPECT_FALSE(safe_tar_name(bad)) << bad;
    EXPECT_FALSE(tar_header({bad, 1, {}})) << bad;
  }
  EXPECT_FALSE(safe_tar_name(std::string(101, 'a')));
}

TEST(Tar, DamageIsSeen) {
  Bytes header = tar_header({"a", 1, {}}).value();
  TarHeaders headers;
  for (const std::size_t at : {0U, 130U, 150U, 300U, 511U}) {
    Bytes bad = header;
    bad[at] = static_cast<std::uint8_t>(bad[at] ^ 1U);
    EXPECT_FALSE(headers.next(bad)) << at;
  }
  EXPECT_FALSE(headers.next(View(header).first(100)));
  EXPECT_FALSE(headers.extend(view_of("x size=1\n")));
  EXPECT_FALSE(headers.extend(view_of("99 size=1\n")));
  EXPECT_FALSE(headers.extend(view_of("10 size=a\n")));
}

}  // namespace
}  // namespace holdfast::wire
