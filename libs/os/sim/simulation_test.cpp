// Determinism, lives of nodes, clocks.
#include "libs/os/sim/simulation.hpp"

#include <gmock/gmock.h>

#include <set>

namespace holdfast::os::sim {
namespace {

using ::testing::HasSubstr;

// A small program: a server that stores each line it gets, and clients that send random bytes,
// over cuts and crashes.
class Fleet {
 public:
  explicit Fleet(std::uint64_t seed, bool trace = false) : world(seed) {
    world.keep_trace(trace);
    start_server();
    for (int i = 0; i < 3; ++i) start_client(world.node("client-" + std::to_string(i)));
    world.run_for(seconds(5));
    world.links().cut(server, world.node("client-1"));
    world.run_for(seconds(5));
    world.links().heal_all();
    server.crash();
    streams.clear();
    listener.reset();
    journal.reset();
    workers.reset();
    server.restart();
    start_server();
    world.run_for(seconds(5));
  }
  ~Fleet() {
    streams.clear();
    listener.reset();
    workers.reset();
  }

  void start_server() {
    journal = server.system().files.open("/data/journal", Open::create).value();
    workers = server.system().threads.start_workers("sync", 2, 100);
    listener = server.system()
                   .network
                   .listen(server.loop(), {"", 80},
                           [this](std::unique_ptr<Stream> stream) {
                             streams.push_back(std::move(stream));
                             read(*streams.back());
                           })
                   .value();
  }
  void read(Stream& stream) {
    std::array<std::uint8_t, 64> chunk{};
    const auto count = stream.read(chunk);
    if (count && *count > 0) {
      const Bytes bytes(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*count));
      (void)workers->post([this, bytes] {
        (void)journal->write_at(stored, bytes);
        stored += bytes.size();
        (void)journal->sync();
      });
    }
    stream.wait_readable([this, &stream] { read(stream); });
  }
  void start_client(Node& node) {
    node.system().network.connect(node.loop(), {"server", 80},
                                  node.loop().clock().mono() + seconds(3),
                                  [this, &node](auto done) {
                                    if (!done) return;
                                    streams_of_clients.push_back(std::move(*done));
                                    talk(node, *streams_of_clients.back());
                                  });
  }
  void talk(Node& node, Stream& stream) {
    (void)stream.write(node.system().entropy.bytes(1 + node.system().entropy.below(50)));
    node.loop().after(milliseconds(300), [this, &node, &stream] { talk(node, stream); });
  }

  Simulation world;
  Node& server = world.node("server");
  std::unique_ptr<File> journal;
  std::unique_ptr<Workers> workers;
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<std::unique_ptr<Stream>> streams_of_clients;
  std::uint64_t stored = 0;
};

TEST(Simulation, TheSameSeedGivesTheSameTrace) {
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Fleet one(seed, true);
    const Fleet other(seed);
    EXPECT_EQ(one.world.trace_hash(), other.world.trace_hash()) << seed;
    EXPECT_EQ(one.stored, other.stored);
    EXPECT_GT(one.stored, 0U);
    hashes.insert(one.world.trace_hash());
  }
  EXPECT_EQ(hashes.size(), 10U);
}

TEST(Simulation, TheTraceTellsWhatHappened) {
  const Fleet fleet(4, true);
  const std::string trace = fleet.world.trace();
  EXPECT_THAT(trace, HasSubstr("server loses power"));
  EXPECT_THAT(trace, HasSubstr("server write /data/journal"));
  EXPECT_THAT(trace, HasSubstr("server is cut from client-1"));
  const Fleet again(4, true);
  EXPECT_EQ(again.world.trace(), trace);
  const Fleet silent(4);
  EXPECT_EQ(silent.world.trace(), "");
}

TEST(Simulation, RunUntilStopsWithTheConditionOrAtTheEnd) {
  Simulation world(1);
  Node& node = world.node("one");
  const MonoTime start = world.now();
  int count = 0;
  node.loop().after(seconds(2), [&] { ++count; });
  node.loop().after(seconds(4), [&] { ++count; });
  EXPECT_TRUE(world.run_until([&] { return count == 1; }, seconds(10)));
  EXPECT_EQ(world.now() - start, seconds(2));
  EXPECT_FALSE(world.run_until([&] { return count == 3; }, seconds(10)));
  EXPECT_EQ(world.now() - start, seconds(12));
  EXPECT_EQ(count, 2);
  EXPECT_FALSE(world.step());
  world.run_for(hours(1));
  EXPECT_EQ(world.now() - start, hours(1) + seconds(12));
}

TEST(Simulation, EventsAfterTheEndWait) {
  Simulation world(1);
  bool ran = false;
  world.node("one").loop().after(seconds(5), [&] { ran = true; });
  world.run_for(seconds(5) - microseconds(1));
  EXPECT_FALSE(ran);
  world.run_for(microseconds(1));
  EXPECT_TRUE(ran);
}

TEST(Simulation, WallClocksJumpAndMonotonicOnesDoNot) {
  Simulation world(1);
  Node& one = world.node("one");
  Node& other = world.node("other");
  const WallTime start = world.wall();
  EXPECT_EQ(to_rfc3339(start), "2026-01-01T00:00:00Z");
  EXPECT_EQ(one.system().clock.wall(), start);
  one.jump_wall(hours(-3));
  EXPECT_EQ(one.system().clock.wall(), start - hours(3));
  EXPECT_EQ(other.system().clock.wall(), start);
  world.jump_wall(days(400));
  EXPECT_EQ(one.system().clock.wall(), start + days(400) - hours(3));
  EXPECT_EQ(world.wall(), start + days(400));
  EXPECT_EQ(one.system().clock.mono(), world.now());
  world.run_for(seconds(1));
  EXPECT_EQ(other.system().clock.wall(), start + days(400) + seconds(1));
  one.crash();
  one.restart();
  EXPECT_EQ(one.system().clock.wall(), start + days(400) - hours(3) + seconds(1));
}

TEST(Simulation, TheStartIsAnOption) {
  const Simulation world(1, {.start = WallTime{0}});
  EXPECT_EQ(to_rfc3339(world.wall()), "1970-01-01T00:00:00Z");
}

// ---- lives

TEST(Lives, NothingOfAnOldLifeRuns) {
  Simulation world(1);
  Node& node = world.node("one");
  Loop& old = node.loop();
  const auto workers = node.system().threads.start_workers("w", 1, 10);
  const auto other = node.system().threads.start_loop("l");
  int ran = 0;
  old.post([&] { ++ran; });
  old.after(seconds(1), [&] { ++ran; });
  other->post([&] { ++ran; });
  EXPECT_TRUE(workers->post([&] { ++ran; }));
  node.crash();
  EXPECT_FALSE(node.up());
  old.post([&] { ++ran; });
  EXPECT_EQ(old.after(seconds(1), [&] { ++ran; }), TimerId::none);
  EXPECT_TRUE(workers->post([&] { ++ran; }));
  node.restart();
  EXPECT_TRUE(node.up());
  EXPECT_EQ(node.life(), 2U);
  EXPECT_NE(&node.loop(), &old);
  node.loop().post([&] { ran += 100; });
  old.post([&] { ++ran; });
  world.run_for(seconds(10));
  EXPECT_EQ(ran, 100);
  node.crash();
  node.crash();  // nothing more
  EXPECT_EQ(node.life(), 2U);
}

TEST(Lives, QueuedTasksDieAtTheCrash) {
  Simulation world(1);
  Node& node = world.node("one");
  const auto witness = std::make_shared<int>(0);
  node.loop().after(seconds(1), [witness] { ++*witness; });
  node.loop().post([witness] { ++*witness; });
  EXPECT_EQ(witness.use_count(), 3);
  node.crash();
  EXPECT_EQ(witness.use_count(), 1);
}

TEST(Lives, ACrashInsideACallBackKeepsItsTasksUntilItEnds) {
  Simulation world(1);
  Node& node = world.node("one");
  const auto witness = std::make_shared<int>(0);
  node.loop().after(seconds(5), [witness] {});
  long during = 0;
  node.loop().post([&] {
    node.crash();
    during = witness.use_count();
  });
  EXPECT_TRUE(world.step());
  EXPECT_EQ(during, 2);
  EXPECT_EQ(witness.use_count(), 1);
}

// As sessions do: it cancels its timer when it dies, whenever that is.
struct Session {
  Loop& loop;
  TimerId timer = TimerId::none;
  std::unique_ptr<Stream> stream;
  ~Session() { loop.cancel(timer); }
};

TEST(Lives, ObjectsThatTasksOwnMayDieAtTheCrash) {
  Simulation world(1);
  Node& node = world.node("one");
  const auto listener = node.system()
                            .network
                            .listen(node.loop(), {"", 80},
                                    [&](std::unique_ptr<Stream> stream) {
                                      auto session = std::make_shared<Session>(node.loop());
                                      session->stream = std::move(stream);
                                      session->stream->wait_readable([session] {});
                                      session->timer = node.loop().after(hours(1), [session] {});
                                    })
                            .value();
  bool connected = false;
  std::unique_ptr<Stream> client;
  node.system().network.connect(node.loop(), {"localhost", 80}, kNever, [&](auto done) {
    client = std::move(done).value();
    connected = true;
  });
  ASSERT_TRUE(world.run_until([&] { return connected; }, seconds(5)));
  world.run_for(seconds(1));
  node.crash();
  node.restart();
  world.run_for(seconds(1));
  EXPECT_TRUE(node.up());
}

TEST(Lives, RandomnessDiffersByNodeAndLifeAndRepeatsBySeed) {
  const auto draw = [](std::uint64_t seed) {
    Simulation world(seed);
    std::vector<std::string> out;
    for (const char* name : {"one", "other"}) {
      out.push_back(to_hex(world.node(name).system().entropy.bytes(8)));
    }
    world.node("one").crash();
    world.node("one").restart();
    out.push_back(to_hex(world.node("one").system().entropy.bytes(8)));
    return out;
  };
  const auto once = draw(5);
  EXPECT_EQ(std::set<std::string>(once.begin(), once.end()).size(), 3U);
  EXPECT_EQ(draw(5), once);
  EXPECT_NE(draw(6), once);
}

TEST(Lives, WorkersFinishTheirTasksUnlessTheyDied) {
  Simulation world(1);
  Node& node = world.node("one");
  int ran = 0;
  auto workers = node.system().threads.start_workers("w", 1, 10);
  EXPECT_TRUE(workers->post([&] { ++ran; }));
  workers.reset();
  EXPECT_EQ(ran, 1);
  workers = node.system().threads.start_workers("w", 1, 10);
  EXPECT_TRUE(workers->post([&] { ++ran; }));
  node.crash();
  workers.reset();
  EXPECT_EQ(ran, 1);
}

TEST(Lives, ProgramsDoNotRunInASimulation) {
  Simulation world(1);
  const auto result = world.node("one").system().process.run({"true"}, "", seconds(1), 100);
  EXPECT_EQ(result.error().code, Code::unsupported);
}

TEST(Lives, ACrashPlannedOnDiskEndsTheLifeInTheMiddleOfACall) {
  Simulation world(1);
  Node& node = world.node("one");
  const auto file = node.system().files.open("/data/a", Open::create).value();
  node.disk().crash_at(node.disk().operations() + 2);
  std::vector<bool> worked;
  node.loop().post([&] {
    for (int i = 0; i < 3; ++i) worked.push_back(file->write_at(0, view_of("x")).has_value());
  });
  node.loop().after(seconds(1), [&] { worked.push_back(true); });
  world.run_for(seconds(2));
  EXPECT_EQ(worked, (std::vector<bool>{true, false, false}));
  EXPECT_FALSE(node.up());
}

}  // namespace
}  // namespace holdfast::os::sim
