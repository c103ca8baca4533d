// What every Network does, on this machine and in a simulation.
#include "libs/os/network.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <string>

#include "libs/os/contract_test.hpp"

namespace holdfast::os {
namespace {

using ::testing::StartsWith;

// Reads all that comes until the end of the stream or an error.
class Reader {
 public:
  explicit Reader(Stream& stream) : stream_(stream) { go(); }
  Bytes got;
  bool ended = false;
  bool failed = false;

 private:
  void go() {
    std::array<std::uint8_t, 5000> chunk{};
    while (true) {
      const auto count = stream_.read(chunk);
      if (!count && count.error().code == Code::would_block) {
        return stream_.wait_readable([this] { go(); });
      }
      if (!count || *count == 0) {
        ended = count.has_value();
        failed = !ended;
        if (failed) {
          EXPECT_EQ(count.error().code, Code::closed);
        }
        return;
      }
      append(got, View(chunk).first(*count));
    }
  }
  Stream& stream_;
};

// Writes all, waiting where it must.
class Writer {
 public:
  Writer(Stream& stream, Bytes bytes) : stream_(stream), bytes_(std::move(bytes)) { go(); }
  std::size_t written = 0;
  unsigned waits = 0;
  bool done() const { return written == bytes_.size(); }

 private:
  void go() {
    while (!done()) {
      const auto count = stream_.write(View(bytes_).subspan(written));
      if (!count) {
        EXPECT_EQ(count.error().code, Code::would_block);
        ++waits;
        return stream_.wait_writable([this] { go(); });
      }
      EXPECT_GE(*count, 1U);
      written += *count;
    }
  }
  Stream& stream_;
  Bytes bytes_;
};

class NetworkTest : public ContractTest {
 protected:
  Endpoint listen(const std::string& host = "127.0.0.1") {
    listener_ = network()
                    .listen(loop(), {host, 0},
                            [this](std::unique_ptr<Stream> stream) {
                              accepted_.push_back(std::move(stream));
                            })
                    .value();
    return {"127.0.0.1", listener_->endpoint().port};
  }
  Result<std::unique_ptr<Stream>> connect(const Endpoint& to, Duration limit = seconds(5)) {
    std::optional<Result<std::unique_ptr<Stream>>> result;
    network().connect(loop(), to, now() + limit, [&](auto done) { result = std::move(done); });
    EXPECT_FALSE(result.has_value());  // never from inside the call
    EXPECT_TRUE(until([&] { return result.has_value(); }));
    return std::move(*result);
  }
  // Two ends of one connection: client_ and server_.
  void join_up() {
    const Endpoint at = listen();
    client_ = connect(at).value();
    ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
    server_ = std::move(accepted_.front());
    accepted_.clear();
  }

  std::unique_ptr<Listener> listener_;
  std::deque<std::unique_ptr<Stream>> accepted_;
  std::unique_ptr<Stream> client_;
  std::unique_ptr<Stream> server_;
};

TEST_P(NetworkTest, CarriesBytesBothWays) {
  join_up();
  Reader at_server(*server_);
  Reader at_client(*client_);
  Writer to_server(*client_, bytes_of("ping"));
  Writer to_client(*server_, bytes_of("pong"));
  EXPECT_TRUE(until([&] { return at_server.got.size() == 4 && at_client.got.size() == 4; }));
  EXPECT_EQ(string_of(at_server.got), "ping");
  EXPECT_EQ(string_of(at_client.got), "pong");
  EXPECT_FALSE(at_server.ended);
}

TEST_P(NetworkTest, AReadWithoutDataWouldBlock) {
  join_up();
  std::array<std::uint8_t, 10> into{};
  EXPECT_EQ(code_of(client_->read(into)), Code::would_block);
}

TEST_P(NetworkTest, WritersWaitForSlowReadersAndNothingIsLost) {
  join_up();
  Bytes much(8 << 20);
  for (std::size_t i = 0; i < much.size(); ++i) much[i] = static_cast<std::uint8_t>(i % 251);
  Writer writer(*client_, much);
  EXPECT_TRUE(until([&] { return writer.waits > 0; }));
  EXPECT_FALSE(writer.done());
  Reader reader(*server_);
  EXPECT_TRUE(until([&] { return reader.got.size() == much.size(); }));
  EXPECT_TRUE(writer.done());
  EXPECT_EQ(reader.got, much);
}

TEST_P(NetworkTest, ShutWriteEndsOneDirection) {
  join_up();
  Writer last(*client_, bytes_of("last words"));
  client_->shut_write();
  Reader at_server(*server_);
  EXPECT_TRUE(until([&] { return at_server.ended; }));
  EXPECT_EQ(string_of(at_server.got), "last words");
  EXPECT_EQ(code_of(client_->write(view_of("more"))), Code::closed);
  Reader at_client(*client_);
  Writer answer(*server_, bytes_of("answer"));
  server_->shut_write();
  EXPECT_TRUE(until([&] { return at_client.ended; }));
  EXPECT_EQ(string_of(at_client.got), "answer");
}

TEST_P(NetworkTest, ADestroyedStreamEndsThePeersReading) {
  join_up();
  Reader at_server(*server_);
  client_.reset();
  EXPECT_TRUE(until([&] { return at_server.ended; }));
}

TEST_P(NetworkTest, WritingToAClosedPeerFailsInTheEnd) {
  join_up();
  server_.reset();
  bool failed = false;
  std::function<void()> poke = [&] {
    const auto count = client_->write(view_of("anyone?"));
    failed = !count && count.error().code == Code::closed;
    if (!failed) loop().after(milliseconds(1), [&] { poke(); });
  };
  poke();
  EXPECT_TRUE(until([&] { return failed; }));
  std::array<std::uint8_t, 4> into{};
  const auto read = client_->read(into);
  EXPECT_TRUE(!read || *read == 0);
}

TEST_P(NetworkTest, AClosedStreamAnswersClosedAndNeverCallsBack) {
  join_up();
  bool called = false;
  client_->wait_readable([&] { called = true; });
  client_->close();
  client_->close();
  Writer writer(*server_, bytes_of("x"));
  std::array<std::uint8_t, 4> into{};
  EXPECT_EQ(code_of(client_->read(into)), Code::closed);
  EXPECT_EQ(code_of(client_->write(view_of("x"))), Code::closed);
  client_->shut_write();
  client_->wait_readable([&] { called = true; });
  EXPECT_EQ(client_->descriptor(), -1);
  Reader reader(*server_);
  EXPECT_TRUE(until([&] { return reader.ended || reader.failed; }));
  EXPECT_FALSE(called);
}

TEST_P(NetworkTest, AStreamThatDiesWhileItsCallBackIsOnItsWayIsNotCalled) {
  join_up();
  bool called = false;
  Writer writer(*server_, bytes_of("x"));
  bool arrived = false;
  client_->wait_readable([&] { arrived = true; });
  ASSERT_TRUE(until([&] { return arrived; }));
  client_->wait_readable([&] { called = true; });  // ready now: comes with the next turn
  client_.reset();
  world().settle();
  world().settle();
  EXPECT_FALSE(called);
}

TEST_P(NetworkTest, ASecondWaitReplacesTheFirst) {
  join_up();
  int first = 0;
  int second = 0;
  client_->wait_readable([&] { ++first; });
  client_->wait_readable([&] { ++second; });
  Writer writer(*server_, bytes_of("x"));
  EXPECT_TRUE(until([&] { return second == 1; }));
  world().settle();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST_P(NetworkTest, AStreamMayDieInItsOwnCallBack) {
  join_up();
  bool called = false;
  client_->wait_readable([&] {
    client_.reset();
    called = true;
  });
  Writer writer(*server_, bytes_of("x"));
  EXPECT_TRUE(until([&] { return called; }));
  EXPECT_EQ(client_, nullptr);
}

TEST_P(NetworkTest, ASessionThatOnlyItsWaitKeepsAliveDiesWithTheLoop) {
  auto other = system().threads.start_loop("other");
  const auto witness = std::make_shared<int>(0);
  const Endpoint at = listen();
  bool waiting = false;
  other->post([&, to = at] {
    network().connect(*other, to, now() + seconds(5), [&, witness](auto done) {
      std::shared_ptr<Stream> self(std::move(done).value());
      self->wait_readable([self, witness] {});
      loop().post([&] { waiting = true; });
    });
  });
  EXPECT_TRUE(until([&] { return waiting && accepted_.size() == 1; }));
  EXPECT_GT(witness.use_count(), 1);
  other.reset();
  EXPECT_EQ(witness.use_count(), 1);
}

TEST_P(NetworkTest, ARefusedConnectionIsUnavailable) {
  const Endpoint at = listen();
  listener_.reset();
  EXPECT_EQ(code_of(connect(at)), Code::unavailable);
}

TEST_P(NetworkTest, AnUnknownNameIsUnavailable) {
  EXPECT_EQ(code_of(connect({"no-such-host.invalid", 1})), Code::unavailable);
}

TEST_P(NetworkTest, ConnectsByName) {
  const Endpoint at = listen("");
  EXPECT_TRUE(connect({"localhost", at.port}));
}

TEST_P(NetworkTest, ADeadlineThatPassedFails) {
  const auto late = connect({"10.255.255.1", 9}, milliseconds(-5));
  EXPECT_FALSE(late);
}

TEST_P(NetworkTest, AddressesOfPeersAreTold) {
  join_up();
  EXPECT_EQ(client_->peer_address(), listener_->endpoint().text());
  EXPECT_THAT(server_->peer_address(), StartsWith("127.0.0.1:"));
}

TEST_P(NetworkTest, ListeningOnEverythingTakesIpv4) {
  const Endpoint at = listen("");
  client_ = connect(at).value();
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  EXPECT_THAT(accepted_[0]->peer_address(), StartsWith("127.0.0.1:"));
}

TEST_P(NetworkTest, APausedListenerLeavesConnectionsWaiting) {
  const Endpoint at = listen();
  listener_->pause(true);
  client_ = connect(at).value();
  Writer writer(*client_, bytes_of("early"));
  world().settle();
  EXPECT_TRUE(accepted_.empty());
  listener_->pause(false);
  ASSERT_TRUE(until([&] { return accepted_.size() == 1; }));
  Reader reader(*accepted_[0]);
  EXPECT_TRUE(until([&] { return reader.got.size() == 5; }));
  listener_->pause(true);
  listener_->pause(true);
  listener_->pause(false);
  const auto second = connect(at);
  EXPECT_TRUE(until([&] { return accepted_.size() == 2; }));
}

TEST_P(NetworkTest, AListenerMayDieInItsOwnCallBack) {
  int calls = 0;
  listener_ = network()
                  .listen(loop(), {"127.0.0.1", 0},
                          [&](std::unique_ptr<Stream>) {
                            ++calls;
                            listener_.reset();
                          })
                  .value();
  const Endpoint at = listener_->endpoint();
  const auto first = connect(at);
  EXPECT_TRUE(until([&] { return calls == 1; }));
  EXPECT_EQ(code_of(connect(at)), Code::unavailable);
  EXPECT_EQ(calls, 1);
}

TEST_P(NetworkTest, SeveralListenersShareAPort) {
  const Endpoint at = listen();
  int others = 0;
  const auto other = system().threads.start_loop("other");
  std::unique_ptr<Listener> second;
  second = network()
               .listen(*other, at,
                       [&](std::unique_ptr<Stream> stream) {
                         stream.reset();
                         loop().post([&] { ++others; });
                       })
               .value();
  EXPECT_EQ(second->endpoint().port, at.port);
  std::vector<std::unique_ptr<Stream>> clients;
  while (others == 0 || accepted_.empty()) {
    ASSERT_LT(clients.size(), 200U);
    clients.push_back(connect(at).value());
    ASSERT_TRUE(until(
        [&] { return static_cast<std::size_t>(others) + accepted_.size() == clients.size(); }));
  }
  bool closed = false;
  other->post([&] {
    second.reset();
    loop().post([&] { closed = true; });
  });
  EXPECT_TRUE(until([&] { return closed; }));
}

TEST_P(NetworkTest, ManyConnectionsAtOnceAllArrive) {
  const Endpoint at = listen();
  std::vector<std::unique_ptr<Stream>> clients;
  for (int i = 0; i < 100; ++i) {
    network().connect(loop(), at, now() + seconds(5),
                      [&](auto done) { clients.push_back(std::move(done).value()); });
  }
  EXPECT_TRUE(until([&] { return clients.size() == 100 && accepted_.size() == 100; }));
}

TEST_P(NetworkTest, ThisMachineHasAName) {
  EXPECT_FALSE(network().host_name().empty());
  for (const std::string& address : network().interface_addresses()) {
    EXPECT_NE(address, "127.0.0.1");
    EXPECT_NE(address, "::1");
  }
}

HOLDFAST_BOTH_WORLDS(NetworkTest);

// ---- endpoints

TEST(Endpoints, AreParsed) {
  EXPECT_EQ(parse_endpoint("localhost:80").value(), (Endpoint{"localhost", 80}));
  EXPECT_EQ(parse_endpoint("192.0.2.1:0").value(), (Endpoint{"192.0.2.1", 0}));
  EXPECT_EQ(parse_endpoint(":8883").value(), (Endpoint{"", 8883}));
  EXPECT_EQ(parse_endpoint("*:8883").value(), (Endpoint{"", 8883}));
  EXPECT_EQ(parse_endpoint("[::1]:65535").value(), (Endpoint{"::1", 65535}));
}

TEST(Endpoints, AreRefusedWhenWrong) {
  for (const char* text :
       {"", "host", "host:", "host:x", "host:65536", "host:-1", "host:80 ", "::1:80", "[::1]",
        "[::1]80", "[host]:80", "a b:80", "user@host:80", "http://host:80", "[::1:80", "]:80"}) {
    EXPECT_EQ(code_of(parse_endpoint(text)), Code::invalid_argument) << text;
  }
  EXPECT_FALSE(parse_endpoint(std::string(254, 'a') + ":80"));
}

TEST(Endpoints, ReadBackTheirOwnText) {
  for (const Endpoint& endpoint : {Endpoint{"host", 1}, {"::1", 2}, {"", 3}, {"10.0.0.1", 65535}}) {
    EXPECT_EQ(parse_endpoint(endpoint.text()).value(), endpoint);
  }
}

}  // namespace
}  // namespace holdfast::os
