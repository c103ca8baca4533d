#include "libs/http/chunk_reader.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

Result<std::string> read_chunks(std::string_view text, std::size_t piece, std::size_t& taken) {
  ChunkReader reader(Code::malformed_body);
  std::string out;
  taken = 0;
  while (!text.empty() && !reader.done()) {
    const std::string_view part = text.substr(0, piece);
    taken += TRY(reader.feed(view_of(part), [&](View bytes) -> Status {
      out += text_of(bytes);
      return {};
    }));
    text.remove_prefix(part.size());
  }
  if (!reader.done()) return fail(Code::closed, "more is needed");
  return out;
}

TEST(ChunkReader, ReadsAnyPieces) {
  const std::string text = "a \r\n0123456789\r\n1;ext=\"v\"\r\nx\r\n000\r\nTrailer: a\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::size_t taken = 0;
    const auto body = read_chunks(text, piece, taken);
    ASSERT_TRUE(body) << piece;
    EXPECT_EQ(*body, "0123456789x");
    EXPECT_EQ(taken, text.size() - 5) << "what comes after belongs to another message";
  }
}

TEST(ChunkReader, RefusesWhatTwoProgramsCouldReadInTwoWays) {
  for (std::string_view bad :
       {"\r\n", "g\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", " 1\r\n", "1\n", "1\rX\r\n",
        "1000000000000000\r\n", "1\r\nab\r\n", "1\r\na\n", "1\r\nab", "0\r\nA: b\n\r\n"}) {
    std::size_t taken = 0;
    const auto body = read_chunks(std::string(bad) + std::string(8, '\n'), 3, taken);
    ASSERT_FALSE(body) << bad;
    EXPECT_EQ(body.error().code, Code::malformed_body) << bad;
  }
}

TEST(ChunkReader, IsBounded) {
  std::size_t taken = 0;
  EXPECT_EQ(read_chunks("1;" + std::string(2'000, 'x'), 100, taken).error().code,
            Code::header_too_large);
  std::string trailer = "0\r\n";
  for (int i = 0; i < 4'000; ++i) trailer += "A: b\r\n";
  EXPECT_EQ(read_chunks(trailer, 100, taken).error().code, Code::header_too_large);
}

TEST(ChunkReader, AnErrorOfTheBodyEndsIt) {
  ChunkReader reader(Code::malformed_body);
  const auto result =
      reader.feed(view_of("1\r\nx"), [](View) -> Status { return fail(Code::body_too_large, ""); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::body_too_large);
}

}  // namespace
}  // namespace holdfast::http
