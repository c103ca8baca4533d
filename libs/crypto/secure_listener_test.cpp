// The listener of both transports, with handshakes that do exactly what the test says.
#include <gtest/gtest.h>

#include "libs/crypto/handshake.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::crypto {
namespace {

// What a client writes decides: 'g' is a good handshake, 'b' a bad one, 'p' asks for another byte.
class LetterStream final : public SecureStream {
 public:
  LetterStream(std::unique_ptr<os::Stream> socket, bool resumed, MonoTime arrived)
      : socket_(std::move(socket)) {
    peer_.resumed = resumed;
    peer_.arrived = arrived;
  }
  const Peer& peer() const override { return peer_; }
  Result<std::size_t> read(std::span<std::uint8_t> into) override { return socket_->read(into); }
  Status write(View bytes) override {
    TRY(socket_->write(bytes));
    return {};
  }
  std::size_t write_pending() const override { return 0; }
  void wait_readable(os::Task ready) override { socket_->wait_readable(std::move(ready)); }
  void wait_drained(os::Task drained) override { drained(); }
  void shut() override { socket_->shut_write(); }

 private:
  std::unique_ptr<os::Stream> socket_;
  Peer peer_;
};

class LetterHandshake final : public Handshake {
 public:
  explicit LetterHandshake(std::unique_ptr<os::Stream> socket) : socket_(std::move(socket)) {}
  Step step() override {
    std::array<std::uint8_t, 1> letter;
    const auto count = socket_->read(letter);
    if (!count && count.error().code == Code::would_block) return Step::wait_readable;
    if (!count || *count == 0) return Step::failed;
    switch (letter[0]) {
      case 'g':
        return Step::done;
      case 'r':
        resumed_ = true;
        return Step::done;
      case 'p':
        return step();
      default:
        static_cast<void>(socket_->write(view_of("alert")));
        return Step::failed;
    }
  }
  os::Stream& stream() override { return *socket_; }
  std::unique_ptr<SecureStream> take(MonoTime arrived) override {
    return std::make_unique<LetterStream>(std::move(socket_), resumed_, arrived);
  }
  Refusal refusal() const override {
    return {"somebody", {Code::certificate_invalid, "a bad letter", {}, {}, {}}, bytes_of("leaf")};
  }
  std::unique_ptr<os::Stream> take_stream() override { return std::move(socket_); }

 private:
  std::unique_ptr<os::Stream> socket_;
  bool resumed_ = false;
};

class LetterSource final : public ServerSource {
 public:
  explicit LetterSource(ServerSettings settings) : settings_(std::move(settings)) {}
  const ServerSettings& settings() const override { return settings_; }
  Result<std::unique_ptr<Handshake>> begin(os::Loop&,
                                           std::unique_ptr<os::Stream> stream) const override {
    if (broken) return fail(Code::internal, "no room");
    return std::make_unique<LetterHandshake>(std::move(stream));
  }
  bool broken = false;

 private:
  ServerSettings settings_;
};

class LetterContext final : public SourceContext {
 public:
  explicit LetterContext(std::shared_ptr<const ServerSource> source) : source_(std::move(source)) {}
  Status replace(ServerSettings) override { return fail(Code::unsupported, "not here"); }
  std::shared_ptr<const ServerSource> current(MonoTime) override {
    ++asked;
    return source_;
  }
  bool encrypts() const override { return false; }
  unsigned asked = 0;

 private:
  std::shared_ptr<const ServerSource> source_;
};

class SecureListenerTest : public ::testing::Test {
 protected:
  SecureListenerTest() {
    settings_.handshakes_max = 2;
    settings_.silent_max = 50;
    settings_.refused = [this](const Refusal& refusal) { refusals_.push_back(refusal); };
  }

  void listen(bool broken = false) {
    auto source = std::make_shared<LetterSource>(settings_);
    source->broken = broken;
    context_ = std::make_shared<LetterContext>(source);
    auto listener = listen_secure(server_.system().network, server_.loop(), {"", 7000}, context_,
                                  counters_, [this](std::unique_ptr<SecureStream> stream) {
                                    accepted_.push_back(std::move(stream));
                                    if (on_accept_) on_accept_();
                                  });
    ASSERT_TRUE(listener);
    listener_ = *std::move(listener);
  }

  os::Stream& connect(std::string_view letters = {}) {
    std::unique_ptr<os::Stream> made;
    client_.system().network.connect(client_.loop(), {"server", 7000},
                                     client_.loop().clock().mono() + seconds(5), [&](auto stream) {
                                       ASSERT_TRUE(stream);
                                       made = *std::move(stream);
                                     });
    EXPECT_TRUE(simulation_.run_until([&] { return made != nullptr; }, seconds(5)));
    clients_.push_back(std::move(made));
    if (!letters.empty()) say(*clients_.back(), letters);
    simulation_.run_for(milliseconds(10));
    return *clients_.back();
  }
  void say(os::Stream& client, std::string_view letters) {
    ASSERT_TRUE(client.write(view_of(letters)));
    simulation_.run_for(milliseconds(10));
  }
  // All that came so far; "#" at the end when the server ended or reset.
  static std::string heard(os::Stream& client) {
    std::string all;
    std::array<std::uint8_t, 64> part;
    for (;;) {
      const auto count = client.read(part);
      if (!count && count.error().code == Code::would_block) return all;
      if (!count || *count == 0) return all + "#";
      all += text_of(View(part).first(*count));
    }
  }

  os::sim::Simulation simulation_{3};
  os::sim::Node& server_ = simulation_.node("server");
  os::sim::Node& client_ = simulation_.node("client");
  Metrics metrics_;
  std::shared_ptr<HandshakeCounters> counters_ =
      std::make_shared<HandshakeCounters>(metrics_, "letter");
  ServerSettings settings_;
  std::shared_ptr<LetterContext> context_;
  std::vector<Refusal> refusals_;
  std::vector<std::unique_ptr<SecureStream>> accepted_;
  std::function<void()> on_accept_;
  std::vector<std::unique_ptr<os::Stream>> clients_;
  std::unique_ptr<os::Listener> listener_;
};

TEST_F(SecureListenerTest, CountsHowHandshakesEnd) {
  listen();
  connect("g");
  connect("r");
  connect("b");
  EXPECT_EQ(accepted_.size(), 2U);
  EXPECT_EQ(counters_->full.value(), 1U);
  EXPECT_EQ(counters_->resumed.value(), 1U);
  EXPECT_EQ(counters_->refused.value(), 1U);
  ASSERT_EQ(refusals_.size(), 1U);
  EXPECT_EQ(refusals_[0].why.message, "a bad letter");
  EXPECT_EQ(refusals_[0].certificate_der, bytes_of("leaf"));
  EXPECT_NE(metrics_.text().find("holdfast_letter_handshakes_total{result=\"full\"} 1"),
            std::string::npos);
}

TEST_F(SecureListenerTest, SaysWhenAConnectionCameNotWhenItsHandshakeWasDone) {
  listen();
  const auto before = server_.loop().clock().mono();
  os::Stream& client = connect();
  simulation_.run_for(seconds(3));
  say(client, "p");
  simulation_.run_for(seconds(3));
  say(client, "g");
  ASSERT_EQ(accepted_.size(), 1U);
  EXPECT_LE(accepted_[0]->peer().arrived, before + seconds(1));
}

TEST_F(SecureListenerTest, ARefusedClientHearsWhyBeforeTheEnd) {
  listen();
  // It goes on writing: closing at once would reset the connection and lose the alert.
  os::Stream& client = connect("b");
  say(client, "more and more");
  EXPECT_EQ(heard(client), "alert#");
}

TEST_F(SecureListenerTest, LingeringEndsByItself) {
  listen();
  os::Stream& client = connect("b");
  EXPECT_EQ(heard(client), "alert#");
  simulation_.run_for(milliseconds(500));
  EXPECT_TRUE(client.write(view_of("still there?")));
  simulation_.run_for(seconds(1));
  static_cast<void>(client.write(view_of("and now?")));  // meets a closed socket
  simulation_.run_for(milliseconds(50));
  EXPECT_EQ(client.write(view_of("!")).error().code, Code::closed);
}

TEST_F(SecureListenerTest, LingeringReadsABoundedAmount) {
  listen();
  os::Stream& client = connect("b");
  const Bytes flood(32 * 1024, 'x');
  std::size_t taken = 0;
  for (int i = 0; i < 200; ++i) {
    const auto count = client.write(flood);
    if (!count && count.error().code == Code::closed) break;
    taken += count.value_or(0);
    simulation_.run_for(milliseconds(6));
  }
  EXPECT_LT(taken, 1024U * 1024);
}

TEST_F(SecureListenerTest, SlotsAreFreedByWhateverEnds) {
  listen();
  connect("p");
  connect("p");
  os::Stream& third = connect("g");
  EXPECT_TRUE(accepted_.empty());  // both slots are taken by those who stopped halfway
  say(*clients_[0], "b");          // one is refused: its slot goes to the third
  EXPECT_EQ(accepted_.size(), 1U);
  say(*clients_[1], "g");
  EXPECT_EQ(accepted_.size(), 2U);
  EXPECT_EQ(heard(third), "");
  EXPECT_EQ(counters_->stalled.value(), 0U);
}

TEST_F(SecureListenerTest, AClientThatGoesAwayFreesItsSlot) {
  listen();
  connect("p");
  connect("p");
  connect("g");
  clients_[0].reset();
  simulation_.run_for(milliseconds(50));
  EXPECT_EQ(accepted_.size(), 1U);
}

TEST_F(SecureListenerTest, AStalledOneGivesWayAfterASecond) {
  listen();
  connect("p");
  simulation_.run_for(milliseconds(500));
  connect("p");
  connect("g");
  simulation_.run_for(milliseconds(300));
  EXPECT_TRUE(accepted_.empty());
  simulation_.run_for(milliseconds(500));
  EXPECT_EQ(accepted_.size(), 1U);
  EXPECT_EQ(counters_->stalled.value(), 1U);
  EXPECT_EQ(heard(*clients_[0]), "#");  // the older one
  say(*clients_[1], "g");               // the younger went on and is served
  EXPECT_EQ(accepted_.size(), 2U);
  ASSERT_EQ(refusals_.size(), 1U);
  EXPECT_EQ(refusals_[0].why.code, Code::handshake_timeout);
}

TEST_F(SecureListenerTest, NobodyStallsWhileNobodyWaits) {
  listen();
  connect("p");
  connect("p");
  simulation_.run_for(seconds(8));
  say(*clients_[0], "g");
  say(*clients_[1], "g");
  EXPECT_EQ(accepted_.size(), 2U);
}

TEST_F(SecureListenerTest, TheLimitCountsFromTheConnection) {
  listen();
  connect();     // silent
  connect("p");  // halfway
  simulation_.run_for(seconds(9));
  say(*clients_[1], "p");  // progress does not prolong it
  EXPECT_EQ(counters_->timed_out.value(), 0U);
  simulation_.run_for(seconds(2));
  EXPECT_EQ(counters_->timed_out.value(), 2U);
  EXPECT_EQ(heard(*clients_[0]), "#");
  EXPECT_EQ(heard(*clients_[1]), "#");
  EXPECT_EQ(refusals_.size(), 1U);  // of the silent one there is nothing to tell
}

TEST_F(SecureListenerTest, TheOldestSilentOneGoesFirst) {
  settings_.silent_max = 3;
  listen();
  for (int i = 0; i < 5; ++i) connect();
  EXPECT_EQ(counters_->silent_closed.value(), 2U);
  EXPECT_EQ(heard(*clients_[0]), "#");
  EXPECT_EQ(heard(*clients_[1]), "#");
  EXPECT_EQ(heard(*clients_[2]), "");
  say(*clients_[2], "g");
  EXPECT_EQ(accepted_.size(), 1U);
}

TEST_F(SecureListenerTest, HundredsThatFailAtOnceDoNotNest) {
  settings_.handshakes_max = 1;
  settings_.silent_max = 1000;
  listen();
  for (int i = 0; i < 400; ++i) connect("b");
  connect("g");
  EXPECT_EQ(counters_->refused.value(), 400U);
  EXPECT_EQ(accepted_.size(), 1U);
}

TEST_F(SecureListenerTest, AHandshakeThatCannotBeginIsClosed) {
  listen(true);
  os::Stream& client = connect("g");
  EXPECT_EQ(heard(client), "#");
  EXPECT_EQ(counters_->refused.value(), 1U);
}

TEST_F(SecureListenerTest, WaitingOnesGetTheNewestSettings) {
  listen();
  connect("p");
  connect("p");
  connect("g");
  const unsigned before = context_->asked;
  say(*clients_[0], "g");
  EXPECT_EQ(context_->asked, before + 1);  // asked again when its turn came
}

TEST_F(SecureListenerTest, MayBeDestroyedByWhatItCalls) {
  listen();
  on_accept_ = [this] { listener_.reset(); };
  connect("p");
  connect();
  connect("g");
  EXPECT_EQ(listener_, nullptr);
  EXPECT_EQ(accepted_.size(), 1U);
  EXPECT_EQ(heard(*clients_[0]), "#");
  EXPECT_EQ(heard(*clients_[1]), "#");
  simulation_.run_for(seconds(20));  // no timer of it is left to fire
  EXPECT_EQ(counters_->timed_out.value(), 0U);
}

TEST_F(SecureListenerTest, DestroyedByARefusalToo) {
  settings_.refused = [this](const Refusal&) { listener_.reset(); };
  listen();
  connect("p");
  connect("b");
  EXPECT_EQ(listener_, nullptr);
  simulation_.run_for(seconds(20));
}

TEST_F(SecureListenerTest, PausesAndTellsItsEndpoint) {
  listen();
  EXPECT_EQ(listener_->endpoint().port, 7000);
  listener_->pause(true);
  os::Stream& client = connect("g");
  simulation_.run_for(seconds(1));
  EXPECT_TRUE(accepted_.empty());
  listener_->pause(false);
  simulation_.run_for(milliseconds(50));
  EXPECT_EQ(accepted_.size(), 1U);
  EXPECT_EQ(heard(client), "");
}

}  // namespace
}  // namespace holdfast::crypto
