// The buffer under both transports, over a socket that does exactly what the test says.
#include "libs/crypto/buffered_stream.hpp"

#include <gtest/gtest.h>

#include "libs/os/sim/simulation.hpp"

namespace holdfast::crypto {
namespace {

// Takes `room` bytes, then would block.
class ScriptedSocket final : public os::Stream {
 public:
  Result<std::size_t> read(std::span<std::uint8_t> into) override {
    if (broken) return fail(Code::closed, "broken");
    if (incoming.empty()) return fail(Code::would_block, "later");
    const std::size_t count = std::min(into.size(), incoming.size());
    std::copy_n(incoming.begin(), count, into.begin());
    incoming.erase(0, count);
    return count;
  }
  Result<std::size_t> write(View bytes) override {
    if (broken) return fail(Code::closed, "broken");
    if (room == 0) return fail(Code::would_block, "later");
    const std::size_t count = std::min(bytes.size(), room);
    room -= count;
    ++writes;
    written += text_of(bytes.first(count));
    return count;
  }
  void wait_readable(os::Task ready) override { on_readable = std::move(ready); }
  void wait_writable(os::Task ready) override { on_writable = std::move(ready); }
  void shut_write() override { write_ended = true; }
  void close() override { closed = true; }
  std::string peer_address() const override { return "192.0.2.7:1"; }
  int descriptor() const override { return -1; }

  void make_room(std::size_t bytes) {
    room += bytes;
    if (auto ready = std::exchange(on_writable, nullptr)) ready();
  }

  std::string incoming, written;
  std::size_t room = SIZE_MAX;
  unsigned writes = 0;
  bool broken = false, write_ended = false, closed = false;
  os::Task on_readable, on_writable;
};

class PassingStream final : public BufferedStream {
 public:
  using BufferedStream::BufferedStream;
  bool more_inside = false;  // as decrypted bytes that the socket knows nothing of
  unsigned goodbyes = 0;

 protected:
  Result<std::size_t> get(std::span<std::uint8_t> into) override { return stream().read(into); }
  Result<std::size_t> put(View bytes) override { return stream().write(bytes); }
  bool has_input() const override { return more_inside; }
  bool read_wants_write() const override { return false; }
  void say_goodbye() override { ++goodbyes; }
};

class BufferedStreamTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kMax = 100;
  os::sim::Simulation simulation_{1};
  os::Loop& loop_ = simulation_.node("one").loop();
  ScriptedSocket* socket_ = nullptr;
  std::unique_ptr<PassingStream> stream_ = make();

  std::unique_ptr<PassingStream> make() {
    auto socket = std::make_unique<ScriptedSocket>();
    socket_ = socket.get();
    return std::make_unique<PassingStream>(loop_, std::move(socket), Peer{}, kMax);
  }
  void turn() { simulation_.run_for(microseconds(1)); }
};

TEST_F(BufferedStreamTest, WritesOfOneTurnLeaveTogether) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(stream_->write(view_of("ab")));
  EXPECT_EQ(socket_->writes, 0U);
  EXPECT_EQ(stream_->write_pending(), 40U);
  turn();
  EXPECT_EQ(socket_->writes, 1U);
  EXPECT_EQ(socket_->written.size(), 40U);
  EXPECT_EQ(stream_->write_pending(), 0U);
}

TEST_F(BufferedStreamTest, APartialWriteGoesOnWhereItStopped) {
  socket_->room = 3;
  ASSERT_TRUE(stream_->write(view_of("abcdefgh")));
  turn();
  EXPECT_EQ(socket_->written, "abc");
  EXPECT_EQ(stream_->write_pending(), 5U);
  ASSERT_TRUE(stream_->write(view_of("ij")));
  turn();
  EXPECT_EQ(socket_->written, "abc");  // waits for the socket, not for another write
  socket_->make_room(4);
  EXPECT_EQ(socket_->written, "abcdefg");
  socket_->make_room(100);
  EXPECT_EQ(socket_->written, "abcdefghij");
}

TEST_F(BufferedStreamTest, TheBoundHoldsUntilSomethingLeft) {
  socket_->room = 0;
  ASSERT_TRUE(stream_->write(Bytes(kMax - 1, 'x')));
  ASSERT_TRUE(stream_->write(Bytes(50, 'y')));  // a write is taken whole, or not at all
  EXPECT_EQ(stream_->write(Bytes(1, 'z')).error().code, Code::would_block);
  EXPECT_EQ(stream_->write_pending(), kMax + 49);
  turn();
  socket_->make_room(50);
  EXPECT_TRUE(stream_->write(Bytes(1, 'z')));
}

TEST_F(BufferedStreamTest, DrainedIsCalledOnceWhenAllIsGone) {
  int drained = 0;
  stream_->wait_drained([&] { ++drained; });
  EXPECT_EQ(drained, 0);  // never inside the call
  turn();
  EXPECT_EQ(drained, 1);
  socket_->room = 1;
  ASSERT_TRUE(stream_->write(view_of("abc")));
  stream_->wait_drained([&] { ++drained; });
  turn();
  EXPECT_EQ(drained, 1);
  socket_->make_room(10);
  EXPECT_EQ(drained, 2);
  turn();
  EXPECT_EQ(drained, 2);
}

TEST_F(BufferedStreamTest, DrainedWaitsForWhatWasWrittenSince) {
  int drained = 0;
  stream_->wait_drained([&] { ++drained; });
  socket_->room = 0;
  ASSERT_TRUE(stream_->write(view_of("late")));
  turn();
  EXPECT_EQ(drained, 0);
  socket_->make_room(10);
  EXPECT_EQ(drained, 1);
}

TEST_F(BufferedStreamTest, ReadersSeeWhatIsInsideAlready) {
  bool ready = false;
  stream_->more_inside = true;
  stream_->wait_readable([&] { ready = true; });
  EXPECT_FALSE(ready);
  turn();
  EXPECT_TRUE(ready);
  stream_->more_inside = false;
  ready = false;
  stream_->wait_readable([&] { ready = true; });
  turn();
  EXPECT_FALSE(ready);
  socket_->on_readable();
  EXPECT_TRUE(ready);
}

TEST_F(BufferedStreamTest, ASecondWaitReplacesTheFirst) {
  int first = 0, second = 0;
  stream_->wait_readable([&] { ++first; });
  stream_->wait_readable([&] { ++second; });
  socket_->on_readable();
  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 1);
}

TEST_F(BufferedStreamTest, ABrokenSocketWakesBothWaitersAndStillTellsReaders) {
  int reader = 0, drained = 0;
  stream_->wait_readable([&] { ++reader; });
  stream_->wait_drained([&] { ++drained; });
  ASSERT_TRUE(stream_->write(view_of("abc")));
  socket_->broken = true;
  turn();
  EXPECT_EQ(reader, 1);
  EXPECT_EQ(drained, 1);
  EXPECT_EQ(stream_->write_pending(), 0U);
  EXPECT_EQ(stream_->write(view_of("more")).error().code, Code::closed);
  socket_->broken = false;  // an alert that came before the reset
  socket_->incoming = "alert";
  std::array<std::uint8_t, 10> part;
  EXPECT_EQ(stream_->read(part).value_or(0), 5U);
}

TEST_F(BufferedStreamTest, ShutFlushesThenEnds) {
  socket_->room = 1;
  ASSERT_TRUE(stream_->write(view_of("abc")));
  stream_->shut();
  turn();
  EXPECT_FALSE(socket_->write_ended);
  EXPECT_EQ(stream_->goodbyes, 0U);
  socket_->make_room(10);
  EXPECT_EQ(socket_->written, "abc");
  EXPECT_EQ(stream_->goodbyes, 1U);
  EXPECT_TRUE(socket_->write_ended);
  EXPECT_FALSE(socket_->closed);
  simulation_.run_for(seconds(3));
  EXPECT_TRUE(socket_->closed);
  std::array<std::uint8_t, 10> part;
  EXPECT_EQ(stream_->read(part).error().code, Code::closed);
}

TEST_F(BufferedStreamTest, ShutGivesUpOnAPeerThatTakesNothing) {
  int reader = 0, drained = 0;
  socket_->room = 0;
  ASSERT_TRUE(stream_->write(view_of("abc")));
  stream_->wait_drained([&] { ++drained; });
  stream_->wait_readable([&] { ++reader; });
  stream_->shut();
  simulation_.run_for(milliseconds(1900));
  EXPECT_FALSE(socket_->closed);
  simulation_.run_for(milliseconds(200));
  EXPECT_TRUE(socket_->closed);
  EXPECT_EQ(reader, 1);
  EXPECT_EQ(drained, 1);
}

TEST_F(BufferedStreamTest, DestroyingDropsEverythingPosted) {
  int called = 0;
  ASSERT_TRUE(stream_->write(view_of("abc")));
  stream_->wait_drained([&] { ++called; });
  stream_->shut();
  stream_.reset();
  simulation_.run_for(seconds(3));
  EXPECT_EQ(called, 0);
}

TEST_F(BufferedStreamTest, EitherWaiterMayDestroyTheStream) {
  int drained = 0;
  stream_->wait_readable([&] { stream_.reset(); });
  stream_->wait_drained([&] { ++drained; });
  ASSERT_TRUE(stream_->write(view_of("abc")));
  socket_->broken = true;
  turn();  // the reader is woken first, and destroys; the other must not be touched any more
  EXPECT_EQ(stream_, nullptr);
  EXPECT_EQ(drained, 0);
}

}  // namespace
}  // namespace holdfast::crypto
