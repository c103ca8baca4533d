#include "libs/http/response_parser.hpp"

#include <gtest/gtest.h>

namespace holdfast::http {
namespace {

struct Parsed {
  ResponseHead head;
  std::string body;
  std::size_t taken = 0;
  bool done = false;
};

Result<Parsed> parse(std::string_view text, std::size_t piece = SIZE_MAX, bool to_head = false) {
  ResponseParser parser(to_head);
  Parsed out;
  while (!text.empty() && !parser.done()) {
    const std::string_view part = text.substr(0, piece);
    const std::size_t took = TRY(parser.feed(view_of(part), [&](View bytes) -> Status {
      out.body += text_of(bytes);
      return {};
    }));
    out.taken += took;
    text.remove_prefix(part.size());
  }
  if (!parser.done()) TRY(parser.end());
  out.head = parser.head();
  out.done = parser.done();
  return out;
}

TEST(ResponseParser, ReadsALength) {
  const std::string text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nETag: \"7\" \r\n\r\nhelloHTTP";
  for (std::size_t piece : {std::size_t{1}, std::size_t{3}, text.size()}) {
    const auto parsed = parse(text, piece);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->head.status, 200);
    EXPECT_EQ(parsed->body, "hello");
    EXPECT_EQ(parsed->head.headers.get("etag"), "\"7\"");
    EXPECT_EQ(parsed->head.content_length, 5U);
    EXPECT_TRUE(parsed->head.keep_alive);
    EXPECT_EQ(parsed->taken, text.size() - 4);
  }
}

TEST(ResponseParser, ReadsChunks) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5;x=y\r\nhello\r\n1\r\n \r\n0005\r\nworld\r\n0\r\nTrailer: x\r\n\r\nrest";
  for (std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
    const auto parsed = parse(text, piece);
    ASSERT_TRUE(parsed) << parsed.error().text();
    EXPECT_EQ(parsed->body, "hello world");
    EXPECT_EQ(parsed->taken, text.size() - 4);
    EXPECT_TRUE(parsed->head.keep_alive);
  }
}

TEST(ResponseParser, ReadsToTheClose) {
  const auto parsed = parse("HTTP/1.1 200\r\n\r\nall of it");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->body, "all of it");
  EXPECT_FALSE(parsed->head.keep_alive);
}

TEST(ResponseParser, SkipsInterimAnswers) {
  const auto parsed = parse(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\n");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->head.status, 204);
  EXPECT_EQ(parsed->head.headers.size(), 0U);
  std::string many;
  for (int i = 0; i < 20; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_FALSE(parse(many));
}

TEST(ResponseParser, HeadAndSomeStatusesHaveNoBody) {
  EXPECT_TRUE(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 100, true)->done);
  EXPECT_EQ(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello")->body, "");
}

TEST(ResponseParser, KeepAliveFollowsTheVersion) {
  EXPECT_FALSE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")->head.keep_alive);
  EXPECT_TRUE(parse("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive\r\n\r\n")
                  ->head.keep_alive);
  EXPECT_FALSE(parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: a, close\r\n\r\n")
                   ->head.keep_alive);
}

TEST(ResponseParser, RefusesWhatIsNotHttp) {
  for (std::string_view bad :
       {"SSH-2.0-OpenSSH\r\n\r\n",
        "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 999 X\r\n\r\n",
        "HTTP/1.1 099 X\r\n\r\n",
        "HTTP/1.1 200OK\r\n\r\n",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n",
        "\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"}) {
    const auto parsed = parse(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::protocol_error) << bad;
  }
}

TEST(ResponseParser, AnEndInsideIsNoEnd) {
  for (std::string_view cut :
       {"", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
    const auto parsed = parse(cut);
    ASSERT_FALSE(parsed) << cut;
    EXPECT_EQ(parsed.error().code, Code::closed) << cut;
  }
}

TEST(ResponseParser, IsBounded) {
  const auto code_of = [](const std::string& text) { return parse(text, 1000).error().code; };
  EXPECT_EQ(code_of("HTTP/1.1 200 OK\r\nA: " + std::string(40'000, 'x')), Code::header_too_large);
  std::string many = "HTTP/1.1 200 OK\r\n";
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_EQ(code_of(many + "\r\n"), Code::header_too_large);
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(code_of(chunked + std::string(1'100, '0')), Code::header_too_large);
  std::string trailer = chunked + "0\r\n";
  for (int i = 0; i < 10'000; ++i) trailer += "A: b\r\n";
  EXPECT_EQ(code_of(trailer), Code::header_too_large);
}

TEST(ResponseParser, ABodyCallBackEndsIt) {
  ResponseParser parser;
  const auto result =
      parser.feed(view_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
                  [](View) -> Status { return fail(Code::payload_too_large, "enough"); });
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::payload_too_large);
}

}  // namespace
}  // namespace holdfast::http
