#include "libs/http/server.hpp"

#include "libs/http/server_fixture_test.hpp"

namespace holdfast::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ServerTest, AnswersAndKeepsAlive) {
  Peer peer = connect();
  const std::string first = exchange(peer, "GET /a?b=c HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\nContent-Length: 7\r\n"));
  EXPECT_THAT(first, HasSubstr("\r\nX-Request-Id: req_"));
  EXPECT_THAT(first, HasSubstr(" GMT\r\n"));
  EXPECT_THAT(first, Not(HasSubstr("Connection")));
  EXPECT_THAT(first, EndsWith("\r\n\r\nGET /a "));
  EXPECT_THAT(exchange(peer, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyz"),
              EndsWith("POST /b xyz"));
  EXPECT_EQ(server->connections(), 1U);
  EXPECT_EQ(counted("requests"), 2U);
}

TEST_F(ServerTest, ARequestMayComeInAnyPieces) {
  Peer peer = connect();
  const std::string text =
      "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x\r\nde\r\n0\r\nA: b\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n";
  for (char c : text) {
    peer.send(std::string(1, c));
    loop.settle();
  }
  const std::string both = peer.read();
  EXPECT_THAT(both, HasSubstr("POST /b abcde"));
  EXPECT_THAT(both, EndsWith("GET /c "));
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  handler = [this](Request, Responder responder) { held.push_back(std::move(responder)); };
  Peer peer = connect();
  exchange(peer, "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_EQ(held.size(), 1U) << "the second waits for the first";
  held[0].send(content(200, "text/plain", "one"));
  loop.settle();
  ASSERT_EQ(held.size(), 2U);
  held[1].send(content(200, "text/plain", "two"));
  loop.settle();
  const std::string both = peer.read();
  EXPECT_LT(both.find("one"), both.find("two"));
}

TEST_F(ServerTest, ManyRefusedRequestsInARowDoNotNest) {
  admit = [](const Request&) -> Result<std::size_t> { return fail(Code::not_found, "no"); };
  Peer peer = connect();
  std::string text;
  for (int i = 0; i < 5'000; ++i) text += "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  last_server_stream->set_room(SIZE_MAX);
  exchange(peer, text);
  EXPECT_EQ(counted("requests_refused"), 5'000U);
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  Peer peer = connect();
  const std::string answer = exchange(peer, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  EXPECT_THAT(exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), EndsWith("GET /a "));
}

TEST_F(ServerTest, ConnectionCloseIsHonouredAtOnce) {
  Peer peer = connect();
  const std::string answer =
      exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(peer.ended);
  peer.stream.reset();
  loop.settle();
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(loop.timers(), 0U);
}

TEST_F(ServerTest, AClientThatKeepsItsSideOpenIsLeftAfterTwoSeconds) {
  Peer peer = connect();
  exchange(peer, "GET /a HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(peer.ended);
  peer.send("more that nobody reads");
  loop.advance(seconds(1));
  EXPECT_EQ(server->connections(), 1U);
  loop.advance(seconds(2));
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerTest, Http10KeepsAliveOnRequest) {
  Peer peer = connect();
  EXPECT_THAT(exchange(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
              HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_FALSE(peer.ended);
}

TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  Peer peer = connect();
  EXPECT_EQ(
      exchange(peer,
               "POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n"),
      "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(exchange(peer, "xyz"), EndsWith("POST /b xyz"));
}

TEST_F(ServerTest, TooLargeABodyIsRefusedByItsHeader) {
  Peer peer = connect();
  const std::string answer = exchange(
      peer, "POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(answer, HasSubstr("body-too-large"));
  EXPECT_THAT(answer, HasSubstr("100 bytes"));
  EXPECT_THAT(answer, HasSubstr("\"instance\":\"/b\""));
  EXPECT_TRUE(peer.ended);
  EXPECT_TRUE(paths.empty());
}

TEST_F(ServerTest, TooLargeAChunkedBodyIsRefusedWhenItGrows) {
  Peer peer = connect();
  const std::string answer =
      exchange(peer, "POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
                         std::string(101, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(peer.ended);
}

TEST_F(ServerTest, ARouteMayRefuseBeforeTheBody) {
  admit = [](const Request& head) -> Result<std::size_t> {
    if (head.path == "/b") return fail(Code::unsupported_media_type, "no");
    return 100;
  };
  Peer peer = connect();
  EXPECT_THAT(exchange(peer, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 415 "));
  EXPECT_FALSE(peer.ended) << "nothing of the request is left to read";
  EXPECT_THAT(exchange(peer, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n"),
              StartsWith("HTTP/1.1 415 "));
  EXPECT_TRUE(peer.ended);
}

TEST_F(ServerTest, WhatCannotBeReadIsAProblem) {
  const std::string host = "Host: h\r\n\r\n";
  const std::vector<std::pair<std::string, int>> requests = {
      {"\x16\x03\x01\x02 tls hello\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n" + host, 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /%zz HTTP/1.1\r\n" + host, 400},
      {"GET /../x HTTP/1.1\r\n" + host, 400},
      {"GET / HTTP/1.1\r\nA b: c\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nContent-Length: -1\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n" + host, 400},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" + host, 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "zz\r\n", 400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "0\r" + std::string(16, '\0') +
           "\nA:\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "3\r\nabcd\r\n", 400},
      {"GET /" + std::string(13'000, 'a') + " HTTP/1.1\r\n" + host, 414},
      {"GET / HTTP/1.1\r\nA: " + std::string(17'000, 'a'), 431},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + host + "1;" + std::string(17'000, 'a'),
       431},
  };
  for (const auto& [text, status] : requests) {
    Peer peer = connect();
    const std::string answer = exchange(peer, text);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(status) + ' '))
        << text.substr(0, 80);
    EXPECT_THAT(answer, HasSubstr("application/problem+json")) << text.substr(0, 80);
    EXPECT_TRUE(peer.ended) << text.substr(0, 80);
  }
  EXPECT_TRUE(paths.empty());
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 100; ++i) many += "A: b\r\n";
  Peer peer = connect();
  EXPECT_THAT(exchange(peer, many + "\r\n"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(ServerTest, EmptyLinesBeforeARequestAreLeftOut) {
  Peer peer = connect();
  EXPECT_THAT(exchange(peer, "\r\n\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n\r\n"), EndsWith("GET /a "));
}

TEST_F(ServerTest, SlowClientsAreLeft) {
  Peer idle = connect();
  Peer silent = connect();
  Peer header = connect();
  Peer body = connect();
  exchange(idle, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  exchange(header, "GET /a HT");
  exchange(body, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\nx");
  for (int i = 0; i < 9; ++i) {
    loop.advance(seconds(1));
    header.send("x");
    body.send("y");  // a trickle earns no time
  }
  EXPECT_EQ(server->connections(), 4U);
  loop.advance(seconds(1));
  header.read();
  body.read();
  silent.read();
  EXPECT_TRUE(silent.ended) << "10 s from the connection to the first header";
  EXPECT_TRUE(header.ended);
  EXPECT_TRUE(body.ended);
  EXPECT_EQ(counted("timeouts"), 2U);
  idle.read();
  EXPECT_FALSE(idle.ended);
  loop.advance(seconds(5));
  idle.read();
  EXPECT_TRUE(idle.ended) << "15 s without a request";
  loop.advance(seconds(3));
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(counted("connections_closed"), 4U);
}

TEST_F(ServerTest, TheFirstHeaderHasTheTimeThatTheHandshakeLeft) {
  connect();
  loop.advance(seconds(1));
  auto pair = testing::connect_streams(loop);  // arrived now, and six seconds in its handshake
  loop.advance(seconds(6));
  server->accept(std::move(pair.server));
  Peer peer{std::move(pair.client)};
  exchange(peer, "GET /a HT");
  loop.advance(milliseconds(3'900));
  peer.read();
  EXPECT_FALSE(peer.ended);
  loop.advance(milliseconds(200));
  peer.read();
  EXPECT_TRUE(peer.ended);
}

TEST_F(ServerTest, ABodyThatKeepsComingMayTakeLonger) {
  admit = [](const Request&) -> Result<std::size_t> { return 100'000; };
  Peer peer = connect();
  exchange(peer, "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 20000\r\n\r\n");
  std::string answer;
  for (int i = 0; i < 20; ++i) {
    loop.advance(seconds(3));
    answer = exchange(peer, std::string(1000, 'x'));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ServerTest, ADroppedResponderIsAnInternalError) {
  handler = [](Request, Responder responder) { Responder dropped = std::move(responder); };
  Peer peer = connect();
  EXPECT_THAT(exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
  EXPECT_FALSE(peer.ended);
}

TEST_F(ServerTest, AnswersMayComeAfterTheClientOrTheServerIsGone) {
  handler = [this](Request, Responder responder) { held.push_back(std::move(responder)); };
  Peer peer = connect();
  exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  bool gone = false;
  held[0].on_gone([&] { gone = true; });
  loop.settle();
  EXPECT_FALSE(gone);
  peer.stream.reset();
  loop.settle();
  EXPECT_TRUE(gone);
  held[0].send(no_content());
  loop.settle();
  EXPECT_EQ(server->connections(), 0U);
  Peer other = connect();
  exchange(other, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  server.reset();
  held[1].send(no_content());
  auto stream = std::move(held[1]);
  loop.settle();
}

TEST_F(ServerTest, AHalfClosedClientStillGetsItsAnswer) {
  Peer peer = connect();
  peer.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  peer.stream->shut();
  loop.settle();
  EXPECT_THAT(peer.read(), EndsWith("GET /a "));
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerTest, LargeBodiesWaitForTheClient) {
  const std::string large(1'000'000, 'x');
  handler = [&](Request, Responder responder) {
    responder.send(content(200, "text/plain", large));
  };
  Peer peer = connect();
  peer.stream->set_room(10'000);
  peer.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  loop.settle();
  EXPECT_LE(last_server_stream->write_pending(), 100'000U) << "it is not all pushed out";
  std::string answer;
  while (true) {
    const std::string more = peer.read(10'000);
    loop.settle();
    if (more.empty()) break;
    answer += more;
  }
  EXPECT_THAT(answer, EndsWith("\r\n\r\n" + large));
}

TEST_F(ServerTest, AClientThatTakesNothingIsCutOff) {
  handler = [&](Request, Responder responder) {
    responder.send(content(200, "text/plain", std::string(1'000'000, 'x')));
  };
  Peer peer = connect();
  peer.stream->set_room(10'000);
  peer.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  loop.advance(seconds(29));
  EXPECT_EQ(server->connections(), 1U);
  loop.advance(seconds(2));
  EXPECT_EQ(server->connections(), 0U);
  EXPECT_EQ(counted("timeouts"), 1U);
}

Response pulled_from(std::vector<std::string> pieces, std::optional<std::uint64_t> size) {
  Response response;
  auto next = std::make_shared<std::size_t>(0);
  response.source = [pieces, next](std::size_t) -> Result<Bytes> {
    if (*next == pieces.size()) return Bytes();
    const std::string& piece = pieces[(*next)++];
    if (piece == "fail") return fail(Code::io_error, "disk");
    return bytes_of(piece);
  };
  response.source_size = size;
  return response;
}

TEST_F(ServerTest, SourcesAreSentByLengthOrInChunks) {
  std::optional<std::uint64_t> size = 6;
  handler = [&](Request, Responder responder) {
    responder.send(pulled_from({"abc", "def"}, size));
  };
  Peer peer = connect();
  std::string answer = exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nabcdef"));
  size = std::nullopt;
  answer = exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"));
  answer = exchange(peer, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
  answer = exchange(peer, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, EndsWith("\r\n\r\nabcdef"));
  EXPECT_TRUE(peer.ended) << "only the close can end it";
}

TEST_F(ServerTest, ASourceThatFailsCutsTheConnection) {
  for (const auto& size : {std::optional<std::uint64_t>(6), std::optional<std::uint64_t>()}) {
    handler = [&](Request, Responder responder) {
      responder.send(pulled_from({"abc", "fail"}, size));
    };
    Peer peer = connect();
    EXPECT_THAT(exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"), Not(EndsWith("0\r\n\r\n")));
    EXPECT_TRUE(peer.ended);
  }
  handler = [&](Request, Responder responder) { responder.send(pulled_from({"abc"}, 6)); };
  Peer shorter = connect();
  exchange(shorter, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(shorter.ended);
  EXPECT_EQ(server->connections(), 0U);
}

TEST_F(ServerTest, AHandlerCannotForgeTheFraming) {
  handler = [](Request, Responder responder) {
    Response response = content(200, "text/plain", "abc");
    response.headers.add("content-length", "99");
    response.headers.add("Transfer-Encoding", "chunked");
    response.headers.add("X-A", "b\r\nX-C: d");
    response.close = true;
    responder.send(std::move(response));
  };
  Peer peer = connect();
  const std::string answer = exchange(peer, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("99")));
  EXPECT_THAT(answer, Not(HasSubstr("chunked")));
  EXPECT_THAT(answer, HasSubstr("X-A: b  X-C: d\r\n"));
  EXPECT_TRUE(peer.ended);
}

TEST_F(ServerTest, ConnectionsAreBoundedAndDrained) {
  options.connections_max = 2;
  handler = [this](Request, Responder responder) { held.push_back(std::move(responder)); };
  Peer idle = connect();
  Peer busy = connect();
  Peer third = connect();
  third.read();
  EXPECT_TRUE(third.ended);
  EXPECT_EQ(counted("connections_refused"), 1U);
  exchange(busy, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  server->drain();
  loop.settle();
  idle.read();
  busy.read();
  EXPECT_TRUE(idle.ended);
  EXPECT_FALSE(busy.ended);
  held[0].send(content(200, "text/plain", "last"));
  loop.settle();
  EXPECT_THAT(busy.read(), HasSubstr("Connection: close"));
  EXPECT_TRUE(busy.ended);
}

}  // namespace
}  // namespace holdfast::http
