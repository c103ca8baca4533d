// The faults of the simulated network: delays, cuts, losses, crashes of peers.
#include "libs/os/sim/links.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "libs/os/sim/simulation.hpp"

namespace holdfast::os::sim {
namespace {

constexpr std::uint16_t kPort = 8883;

// One end that keeps reading.
struct Talk {
  explicit Talk(std::unique_ptr<Stream> of) : stream(std::move(of)) { read(); }
  void read() {
    std::array<std::uint8_t, 1000> chunk{};
    while (true) {
      const auto count = stream->read(chunk);
      if (count && *count > 0) {
        got += text_of(View(chunk).first(*count));
        continue;
      }
      if (count) ended = true;
      if (!count && count.error().code == Code::closed) broken = true;
      if (!ended && !broken) stream->wait_readable([this] { read(); });
      return;
    }
  }
  // All of it; the tests write less than the buffer holds.
  void say(std::string_view text) {
    while (!text.empty()) {
      const auto count = stream->write(view_of(text));
      ASSERT_TRUE(count);
      text.remove_prefix(*count);
    }
  }
  std::unique_ptr<Stream> stream;
  std::string got;
  bool ended = false;
  bool broken = false;
};

class LinksTest : public ::testing::Test {
 protected:
  LinksTest() { serve(); }

  void serve() {
    listener_ = server_.system()
                    .network
                    .listen(server_.loop(), {"", kPort},
                            [this](std::unique_ptr<Stream> stream) {
                              accepted_ = std::make_unique<Talk>(std::move(stream));
                            })
                    .value();
  }
  void connect(const std::string& to, Duration limit) {
    called_.reset();
    client_.system().network.connect(client_.loop(), {to, kPort}, world_.now() + limit,
                                     [this](auto done) { called_ = std::move(done); });
  }
  void join_up() {
    connect("server", seconds(5));
    ASSERT_TRUE(world_.run_until([&] { return called_.has_value() && accepted_; }, seconds(5)));
    caller_ = std::make_unique<Talk>(std::move(*called_).value());
  }
  bool until(const std::function<bool()>& condition, Duration within = seconds(20)) {
    return world_.run_until(condition, within);
  }

  Simulation world_{7};
  Node& server_ = world_.node("server");
  Node& client_ = world_.node("client");
  std::unique_ptr<Listener> listener_;
  std::unique_ptr<Talk> accepted_;
  std::unique_ptr<Talk> caller_;
  std::optional<Result<std::unique_ptr<Stream>>> called_;
};

TEST_F(LinksTest, NodesAreFoundByNameAndByAddress) {
  for (const std::string& to : {std::string("server"), server_.address()}) {
    connect(to, seconds(5));
    ASSERT_TRUE(until([&] { return called_.has_value(); }));
    EXPECT_TRUE(*called_) << to;
    EXPECT_EQ((**called_)->peer_address(), server_.address() + ":8883");
    ASSERT_TRUE(until([&] { return accepted_ != nullptr; }));
    EXPECT_TRUE(accepted_->stream->peer_address().starts_with(client_.address() + ":"));
    accepted_.reset();
  }
}

TEST_F(LinksTest, DelaysAreWithinTheirBounds) {
  join_up();
  world_.links().set_delay(client_, server_, milliseconds(100), milliseconds(200));
  for (int i = 1; i <= 20; ++i) {
    const MonoTime sent = world_.now();
    caller_->say("x");
    ASSERT_TRUE(until([&] { return accepted_->got.size() == static_cast<std::size_t>(i); }));
    EXPECT_GE(world_.now() - sent, milliseconds(100));
    EXPECT_LE(world_.now() - sent, milliseconds(200));
  }
  world_.links().set_delay(seconds(1), seconds(1));
  const MonoTime sent = world_.now();
  accepted_->say("y");
  ASSERT_TRUE(until([&] { return caller_->got == "y"; }));
  EXPECT_EQ(world_.now() - sent, seconds(1));
}

TEST_F(LinksTest, ACutHoldsBytesBackAndHealingBringsThemInOrder) {
  join_up();
  world_.links().cut(client_, server_);
  caller_->say("one ");
  world_.run_for(seconds(30));
  caller_->say("two");
  accepted_->say("hello");
  world_.run_for(minutes(5));
  EXPECT_EQ(accepted_->got, "");
  EXPECT_EQ(caller_->got, "");
  world_.links().heal(client_, server_);
  EXPECT_TRUE(until([&] { return accepted_->got == "one two" && caller_->got == "hello"; }));
  EXPECT_FALSE(caller_->broken || accepted_->broken);
}

TEST_F(LinksTest, ACutCanBeOneWay) {
  join_up();
  world_.links().cut_one_way(client_, server_);
  caller_->say("lost?");
  accepted_->say("heard");
  EXPECT_TRUE(until([&] { return caller_->got == "heard"; }));
  EXPECT_EQ(accepted_->got, "");
  world_.links().heal_all();
  EXPECT_TRUE(until([&] { return accepted_->got == "lost?"; }));
}

TEST_F(LinksTest, ACutThatLastsBreaksTheSender) {
  join_up();
  world_.links().isolate(server_);
  caller_->say("anyone?");
  world_.run_for(kRetransmitMax - seconds(1));
  EXPECT_FALSE(caller_->broken);
  world_.run_for(seconds(2));
  EXPECT_TRUE(caller_->broken);
  EXPECT_FALSE(accepted_->broken);  // it sent nothing, so it believes in the connection
  world_.links().heal_all();
  accepted_->say("hello?");
  caller_.reset();
  EXPECT_TRUE(until([&] { return accepted_->broken; }));
  EXPECT_EQ(accepted_->got, "");
}

TEST_F(LinksTest, ConnectingThroughACutMeetsItsDeadlineOrTheHealing) {
  world_.links().cut(client_, server_);
  const MonoTime start = world_.now();
  connect("server", seconds(5));
  ASSERT_TRUE(until([&] { return called_.has_value(); }));
  EXPECT_EQ(called_->error().code, Code::deadline_exceeded);
  EXPECT_EQ(world_.now() - start, seconds(5));
  connect("server", seconds(60));
  world_.run_for(seconds(10));
  EXPECT_FALSE(called_.has_value());
  world_.links().heal_all();
  ASSERT_TRUE(until([&] { return called_.has_value(); }));
  EXPECT_TRUE(*called_);
}

TEST_F(LinksTest, ConnectingWithoutADeadlineEndsAfterTwoMinutes) {
  server_.crash(Crash::power);
  client_.system().network.connect(client_.loop(), {"server", kPort}, kNever,
                                   [this](auto done) { called_ = std::move(done); });
  ASSERT_TRUE(until([&] { return called_.has_value(); }, minutes(3)));
  EXPECT_EQ(called_->error().code, Code::unavailable);
}

TEST_F(LinksTest, APeerThatLosesPowerIsSilentUntilItIsBack) {
  join_up();
  server_.crash(Crash::power);
  accepted_.reset();
  listener_.reset();
  caller_->say("are you there?");
  world_.run_for(minutes(3));
  EXPECT_FALSE(caller_->broken || caller_->ended);
  server_.restart();
  EXPECT_TRUE(until([&] { return caller_->broken; }));
}

TEST_F(LinksTest, APeerThatIsKilledClosesItsConnections) {
  join_up();
  accepted_->say("bye");
  server_.crash(Crash::process);
  EXPECT_TRUE(until([&] { return caller_->ended; }));
  EXPECT_EQ(caller_->got, "bye");
  connect("server", seconds(5));
  ASSERT_TRUE(until([&] { return called_.has_value(); }));
  EXPECT_EQ(called_->error().code, Code::unavailable);  // the machine answers: refused
}

TEST_F(LinksTest, APeerThatIsKilledWithUnreadBytesResets) {
  connect("server", seconds(5));
  ASSERT_TRUE(until([&] { return called_.has_value() && accepted_; }));
  caller_ = std::make_unique<Talk>(std::move(*called_).value());
  accepted_->stream->wait_readable({});  // nobody reads
  caller_->say("unread");
  world_.run_for(seconds(1));
  server_.crash(Crash::process);
  EXPECT_TRUE(until([&] { return caller_->broken; }));
}

TEST_F(LinksTest, BytesOnTheWayArriveAfterAKillAndNotAfterAPowerCut) {
  for (const Crash kind : {Crash::process, Crash::power}) {
    join_up();
    world_.links().set_delay(milliseconds(50), milliseconds(50));
    accepted_->say("last");
    server_.crash(kind);
    world_.run_for(seconds(1));
    EXPECT_EQ(caller_->got, kind == Crash::process ? "last" : "");
    accepted_.reset();
    listener_.reset();
    server_.restart();
    serve();
  }
}

TEST_F(LinksTest, AForgottenConnectionIsSilentForGoodAndNewOnesPass) {
  join_up();
  world_.links().forget_connections(server_, client_);
  caller_->say("one");
  accepted_->say("two");
  world_.run_for(kRetransmitMax - seconds(1));
  EXPECT_EQ(accepted_->got + caller_->got, "");
  EXPECT_FALSE(caller_->broken || accepted_->broken);
  const auto old = std::move(accepted_);
  connect("server", seconds(5));
  ASSERT_TRUE(until([&] { return called_.has_value(); }, seconds(1)));
  EXPECT_TRUE(*called_);
  EXPECT_TRUE(until([&] { return caller_->broken && old->broken; }));
}

TEST_F(LinksTest, ResetConnectionsBreaksBothEnds) {
  join_up();
  world_.links().reset_connections(client_, server_);
  EXPECT_TRUE(until([&] { return caller_->broken && accepted_->broken; }));
  EXPECT_EQ(caller_->stream->write(view_of("x")).error().code, Code::closed);
}

TEST_F(LinksTest, ALoopbackListenerIsSeenByItsOwnNodeOnly) {
  listener_.reset();
  listener_ =
      server_.system()
          .network.listen(server_.loop(), {"127.0.0.1", kPort}, [](std::unique_ptr<Stream>) {})
          .value();
  connect("server", seconds(5));
  ASSERT_TRUE(until([&] { return called_.has_value(); }));
  EXPECT_EQ(called_->error().code, Code::unavailable);
  called_.reset();
  server_.system().network.connect(server_.loop(), {"localhost", kPort}, world_.now() + seconds(5),
                                   [this](auto done) { called_ = std::move(done); });
  ASSERT_TRUE(until([&] { return called_.has_value(); }));
  EXPECT_TRUE(*called_);
}

TEST_F(LinksTest, ListeningOnAnothersAddressFails) {
  const auto listener = server_.system().network.listen(server_.loop(), {client_.address(), kPort},
                                                        [](std::unique_ptr<Stream>) {});
  EXPECT_EQ(listener.error().code, Code::unavailable);
}

TEST_F(LinksTest, TheBacklogIsBoundedAndLateCallersTryAgain) {
  listener_->pause(true);
  std::vector<std::unique_ptr<Stream>> streams;
  for (std::size_t i = 0; i < kBacklogMax + 1; ++i) {
    client_.system().network.connect(
        client_.loop(), {"server", kPort}, world_.now() + seconds(60),
        [&](auto done) { streams.push_back(std::move(done).value()); });
  }
  world_.run_for(seconds(5));
  EXPECT_EQ(streams.size(), kBacklogMax);
  listener_->pause(false);
  EXPECT_TRUE(until([&] { return streams.size() == kBacklogMax + 1; }));
}

TEST_F(LinksTest, ClosedConnectionsAreForgotten) {
  join_up();
  EXPECT_EQ(world_.links().connections(), 1U);
  caller_->say("unread");
  caller_.reset();
  EXPECT_TRUE(until([&] { return accepted_->ended; }));
  EXPECT_EQ(accepted_->got, "unread");
  accepted_.reset();
  EXPECT_TRUE(until([&] { return world_.links().connections() == 0; }));
  join_up();
  server_.crash(Crash::power);
  client_.crash(Crash::power);
  EXPECT_EQ(world_.links().connections(), 0U);
  accepted_.reset();
  caller_.reset();
}

TEST_F(LinksTest, StreamsOfADeadMachineAnswerClosed) {
  join_up();
  client_.crash();
  std::array<std::uint8_t, 4> into{};
  EXPECT_EQ(caller_->stream->read(into).error().code, Code::closed);
  EXPECT_EQ(caller_->stream->write(view_of("x")).error().code, Code::closed);
  bool called = false;
  caller_->stream->wait_writable([&] { called = true; });
  caller_->stream->shut_write();
  world_.run_for(seconds(5));
  EXPECT_FALSE(called);
  client_.restart();
  EXPECT_EQ(caller_->stream->write(view_of("x")).error().code, Code::closed);
}

TEST_F(LinksTest, StreamsOfAKilledProcessAnswerClosed) {
  join_up();
  accepted_->say("x");
  client_.crash(Crash::process);
  std::array<std::uint8_t, 4> into{};
  EXPECT_EQ(caller_->stream->read(into).error().code, Code::closed);
  EXPECT_EQ(caller_->stream->write(view_of("x")).error().code, Code::closed);
}

TEST_F(LinksTest, ACallUnderWayDiesWithItsCaller) {
  const auto witness = std::make_shared<int>(0);
  client_.system().network.connect(client_.loop(), {"server", kPort}, world_.now() + seconds(5),
                                   [witness](auto) { ++*witness; });
  client_.crash();
  EXPECT_EQ(witness.use_count(), 1);
  world_.run_for(seconds(10));
  EXPECT_EQ(*witness, 0);
}

TEST_F(LinksTest, ReadsAndWritesAreSometimesPartial) {
  join_up();
  std::set<std::size_t> taken;
  for (int i = 0; i < 200; ++i) taken.insert(caller_->stream->write(view_of("12345678")).value());
  EXPECT_TRUE(taken.contains(8));
  EXPECT_GT(taken.size(), 3U);
  EXPECT_FALSE(taken.contains(0));
}

// Whatever the network does, a reader gets the front of what was written, and all of it while the
// connection holds.
TEST(Links, StreamsKeepTheirOrderThroughAnyWeather) {
  unsigned whole = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Simulation world(seed);
    Node& one = world.node("one");
    Node& other = world.node("other");
    std::unique_ptr<Talk> reader;
    std::unique_ptr<Talk> writer;
    const auto listener = other.system()
                              .network
                              .listen(other.loop(), {"", kPort},
                                      [&](std::unique_ptr<Stream> stream) {
                                        reader = std::make_unique<Talk>(std::move(stream));
                                      })
                              .value();
    one.system().network.connect(one.loop(), {"other", kPort}, kNever, [&](auto done) {
      writer = std::make_unique<Talk>(std::move(done).value());
    });
    ASSERT_TRUE(world.run_until([&] { return reader && writer; }, seconds(5)));
    std::string sent;
    bool reset = false;
    for (int i = 0; i < 40; ++i) {
      std::string text(world.random().below(5000), static_cast<char>('a' + i % 26));
      if (!reset) {
        writer->say(text);
        sent += text;
      }
      switch (world.random().below(6)) {
        case 0:
          world.links().cut(one, other);
          break;
        case 1:
          world.links().cut_one_way(other, one);
          break;
        case 2:
          world.links().heal_all();
          break;
        case 3:
          world.links().set_delay({}, world.random().between({}, seconds(2)));
          break;
        case 4:
          if (world.random().chance(5)) {
            world.links().reset_connections(one, other);
            reset = true;
          }
          break;
        default:
          break;
      }
      world.run_for(world.random().between({}, seconds(3)));
      EXPECT_TRUE(sent.starts_with(reader->got)) << seed;
    }
    world.links().heal_all();
    world.run_for(seconds(30));
    EXPECT_TRUE(sent.starts_with(reader->got)) << seed;
    EXPECT_EQ(reader->broken, reset);
    if (!reset) {
      EXPECT_EQ(reader->got, sent) << seed;
      ++whole;
    }
  }
  EXPECT_GT(whole, 30U);
  EXPECT_LT(whole, 60U);
}

}  // namespace
}  // namespace holdfast::os::sim
