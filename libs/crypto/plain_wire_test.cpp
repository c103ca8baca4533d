#include "libs/crypto/plain_wire.hpp"

#include <gtest/gtest.h>

namespace holdfast::crypto::plain {
namespace {

View body_of(const Bytes& message) {
  EXPECT_EQ(parse_header(View(message).first(kHeaderBytes)).value_or(0),
            message.size() - kHeaderBytes);
  return View(message).subspan(kHeaderBytes);
}

TEST(PlainWire, RoundTrip) {
  const Bytes hello = encode(ClientHello{"hub.example", {"mqtt", "http/1.1"}});
  const auto client = *parse_client_hello(body_of(hello));
  EXPECT_EQ(client.server_name, "hub.example");
  EXPECT_EQ(client.alpn, (std::vector<std::string>{"mqtt", "http/1.1"}));
  const Bytes answer = encode(ServerHello{"mqtt", true, {Bytes(300, 1), Bytes(2, 2)}});
  const auto server = *parse_server_hello(body_of(answer));
  EXPECT_EQ(server.alpn, "mqtt");
  EXPECT_TRUE(server.wants_certificate);
  EXPECT_EQ(server.chain, (std::vector<Bytes>{Bytes(300, 1), Bytes(2, 2)}));
  const Bytes chain = encode_chain({});
  EXPECT_TRUE(parse_chain(body_of(chain))->empty());
}

TEST(PlainWire, Verdicts) {
  const auto travels = [](std::optional<Code> code) {
    const Bytes message = encode_verdict(code);
    return *parse_verdict(body_of(message));
  };
  EXPECT_EQ(travels(std::nullopt), std::nullopt);
  EXPECT_EQ(travels(Code::certificate_expired), Code::certificate_expired);
  EXPECT_EQ(travels(Code::certificate_required), Code::certificate_required);
  EXPECT_EQ(travels(Code::disk_full), Code::tls_failed);  // what TLS has no alert for
  EXPECT_FALSE(parse_verdict(Bytes{9}));
}

TEST(PlainWire, RefusesWhatIsShortLongOrOther) {
  const Bytes hello = encode(ClientHello{"hub", {"mqtt"}});
  const View body = body_of(hello);
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    EXPECT_EQ(parse_client_hello(body.first(cut)).error().code, Code::tls_failed) << cut;
  }
  Bytes more(body.begin(), body.end());
  more.push_back(0);
  EXPECT_FALSE(parse_client_hello(more));
  EXPECT_FALSE(parse_client_hello(view_of("HFP2\0\0")));
  EXPECT_FALSE(parse_chain(Bytes{9}));                    // more certificates than kChainMax
  EXPECT_FALSE(parse_chain(Bytes{1, 0xFF, 0, 0, 0, 1}));  // a length beyond the message
}

TEST(PlainWire, HeadersAreBounded) {
  EXPECT_FALSE(parse_header(Bytes{0, 0, 0, 0}));
  EXPECT_FALSE(parse_header(Bytes{0, 0, 0}));
  EXPECT_FALSE(parse_header(Bytes{0, 1, 0, 1}));
  EXPECT_EQ(*parse_header(Bytes{0, 1, 0, 0}), kBodyBytesMax);
}

}  // namespace
}  // namespace holdfast::crypto::plain
