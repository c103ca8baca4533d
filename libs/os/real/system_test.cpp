// What only this machine has: signals, threads, limits on descriptors, other programs' ports.
#include "libs/os/system.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "libs/os/contract_test.hpp"
#include "libs/os/real/address.hpp"
#include "libs/os/real/errno.hpp"
#include "libs/os/real/resolver.hpp"

namespace holdfast::os {
namespace {

using ::testing::HasSubstr;

TEST(RealSystem, StopSignalsCallBackOnTheMainLoop) {
  RealWorld world;
  int stops = 0;
  world.real().on_stop_signal([&] { ++stops; });
  std::raise(SIGTERM);
  EXPECT_TRUE(world.until([&] { return stops == 1; }));
  std::raise(SIGINT);
  EXPECT_TRUE(world.until([&] { return stops == 2; }));
  int others = 0;
  world.real().on_stop_signal([&] { ++others; });
  std::raise(SIGTERM);
  EXPECT_TRUE(world.until([&] { return others == 1; }));
  EXPECT_EQ(stops, 2);
}

TEST(RealLoop, TakesPostsFromManyThreads) {
  RealWorld world;
  const auto workers = world.system().threads.start_workers("post", 4, 1000);
  int count = 0;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(workers->post([&] { world.loop().post([&] { ++count; }); }));
    if (i % 100 == 99) {
      EXPECT_TRUE(world.until([&] { return count == i + 1; }));
    }
  }
}

TEST(RealLoop, StopsFromAnotherThread) {
  RealWorld world;
  const auto workers = world.system().threads.start_workers("stop", 1, 10);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(workers->post([&] { world.loop().stop(); }));
    world.loop().run();
  }
}

TEST(RealWorkers, CallWorksFromManyThreadsAtOnce) {
  RealWorld world;
  const auto outer = world.system().threads.start_workers("outer", 4, 100);
  const auto inner = world.system().threads.start_workers("inner", 2, 1);
  std::atomic<int> done{0};
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(outer->post([&] {
      int mine = 0;
      inner->call([&] { mine = 1; });
      done += mine;
    }));
  }
  EXPECT_TRUE(world.until([&] { return done == 50; }));
}

// ---- files

TEST(RealFiles, AreForTheirOwnerOnly) {
  RealWorld world;
  Files& files = world.system().files;
  const std::string file = join(world.folder(), "f/a");
  ASSERT_TRUE(files.make_folder(folder_of(file)));
  ASSERT_TRUE(files.open(file, Open::create));
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_EQ(::stat(folder_of(file).c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(RealFiles, AFullDeviceIsDiskFull) {
  RealWorld world;
  const auto full = world.system().files.open("/dev/full", Open::write).value();
  EXPECT_EQ(full->write_at(0, view_of("x")).error().code, Code::disk_full);
}

TEST(RealFiles, FilesWithoutASizeAreReadToTheirEnd) {
  RealWorld world;
  const auto status = read_file(world.system().files, "/proc/self/status", 1 << 20).value();
  EXPECT_THAT(string_of(status), HasSubstr("Name:\t"));
  EXPECT_FALSE(read_file(world.system().files, "/proc/self/status", 10));
}

TEST(RealFiles, ErrnoHasOneMeaning) {
  const auto code = [](int error) { return real::file_error(error, "open", "/a").error().code; };
  EXPECT_EQ(code(ENOENT), Code::not_found);
  EXPECT_EQ(code(ENOTDIR), Code::not_found);
  EXPECT_EQ(code(EEXIST), Code::already_exists);
  EXPECT_EQ(code(ENOTEMPTY), Code::already_exists);
  EXPECT_EQ(code(ENOSPC), Code::disk_full);
  EXPECT_EQ(code(EDQUOT), Code::disk_full);
  EXPECT_EQ(code(EACCES), Code::forbidden);
  EXPECT_EQ(code(EROFS), Code::forbidden);
  EXPECT_EQ(code(EIO), Code::io_error);
  EXPECT_THAT(real::file_error(EIO, "open", "/a").error().message, HasSubstr("open /a"));
  const auto socket = [](int error) { return real::socket_error(error, "read").error().code; };
  EXPECT_EQ(socket(EAGAIN), Code::would_block);
  EXPECT_EQ(socket(ECONNRESET), Code::closed);
  EXPECT_EQ(socket(EPIPE), Code::closed);
  EXPECT_EQ(socket(ETIMEDOUT), Code::deadline_exceeded);
  EXPECT_EQ(socket(ECONNREFUSED), Code::unavailable);
  EXPECT_EQ(socket(EADDRINUSE), Code::unavailable);
  EXPECT_EQ(socket(EACCES), Code::forbidden);
}

// ---- network

TEST(RealNetwork, APortOfAnotherProgramIsAnError) {
  RealWorld ours;
  RealWorld theirs;  // its ports are not ours, as in another process
  const auto first =
      theirs.system().network.listen(theirs.loop(), {"127.0.0.1", 0}, [](auto) {}).value();
  const auto second = ours.system().network.listen(ours.loop(), first->endpoint(), [](auto) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("choose another port"));
}

TEST(RealNetwork, APortIsFreeAgainAfterItsListener) {
  RealWorld world;
  Network& network = world.system().network;
  auto first = network.listen(world.loop(), {"127.0.0.1", 0}, [](auto) {}).value();
  const Endpoint at = first->endpoint();
  first.reset();
  EXPECT_TRUE(network.listen(world.loop(), at, [](auto) {}));
}

TEST(RealNetwork, OutOfDescriptorsWaitsAndRecovers) {
  RealWorld world;
  std::vector<std::unique_ptr<Stream>> accepted;
  const auto listener = world.system()
                            .network
                            .listen(world.loop(), {"127.0.0.1", 0},
                                    [&](auto stream) { accepted.push_back(std::move(stream)); })
                            .value();
  std::unique_ptr<Stream> client;
  world.system().network.connect(world.loop(), listener->endpoint(),
                                 world.loop().clock().mono() + seconds(5),
                                 [&](auto done) { client = std::move(done).value(); });
  ASSERT_TRUE(world.until([&] { return client && accepted.size() == 1; }));

  // A connection waits in the backlog while no descriptor is left for it.
  listener->pause(true);
  std::unique_ptr<Stream> second;
  world.system().network.connect(world.loop(), listener->endpoint(),
                                 world.loop().clock().mono() + seconds(5),
                                 [&](auto done) { second = std::move(done).value(); });
  ASSERT_TRUE(world.until([&] { return second != nullptr; }));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 3;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  listener->pause(false);
  bool later = false;
  world.loop().after(milliseconds(100), [&] { later = true; });
  EXPECT_TRUE(world.until([&] { return later; }));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(accepted.size(), 1U);
  EXPECT_TRUE(world.until([&] { return accepted.size() == 2; }));
}

TEST(RealNetwork, StreamsNeedNoDelay) {
  RealWorld world;
  std::unique_ptr<Stream> stream;
  std::unique_ptr<Stream> client;
  const auto listener =
      world.system()
          .network
          .listen(world.loop(), {"", 0}, [&](auto accepted) { stream = std::move(accepted); })
          .value();
  world.system().network.connect(world.loop(), {"::1", listener->endpoint().port},
                                 world.loop().clock().mono() + seconds(5), [&](auto done) {
                                   if (done) client = std::move(*done);
                                 });
  if (!world.until([&] { return client && stream; })) GTEST_SKIP() << "no IPv6 here";
  for (const Stream* end : {stream.get(), client.get()}) {
    int on = 0;
    socklen_t size = sizeof on;
    EXPECT_EQ(::getsockopt(end->descriptor(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, &size), 0);
    EXPECT_NE(on, 0);
  }
  EXPECT_THAT(stream->peer_address(), HasSubstr("[::1]:"));
}

TEST(RealNetwork, AnAddressOfTheOtherFamilyIsTriedNext) {
  RealWorld world;
  const auto listener =
      world.system().network.listen(world.loop(), {"127.0.0.1", 0}, [](auto) {}).value();
  std::optional<bool> connected;
  // "localhost" is ::1 first on many machines, and nothing listens there.
  world.system().network.connect(world.loop(), {"localhost", listener->endpoint().port},
                                 world.loop().clock().mono() + seconds(5),
                                 [&](const auto& done) { connected = done.has_value(); });
  EXPECT_TRUE(world.until([&] { return connected.has_value(); }));
  EXPECT_TRUE(connected.value_or(false));
}

TEST(RealNetwork, ACallBackDoesNotOutliveItsLoopInALookUp) {
  const auto witness = std::make_shared<int>(0);
  for (int i = 0; i < 20; ++i) {
    RealWorld world;
    world.system().network.connect(world.loop(), {"no-such-host.invalid", 1},
                                   world.loop().clock().mono() + seconds(30),
                                   [witness](const auto&) { ++*witness; });
  }
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(*witness, 0);
}

TEST(RealNetwork, ManyNamesAreLookedUpAtOnce) {
  RealWorld world;
  int failed = 0;
  for (int i = 0; i < 20; ++i) {
    world.system().network.connect(world.loop(),
                                   {"no-such-host-" + std::to_string(i) + ".invalid", 1},
                                   world.loop().clock().mono() + seconds(30),
                                   [&](const auto& done) { failed += done ? 0 : 1; });
  }
  EXPECT_TRUE(world.until([&] { return failed == 20; }));
}

TEST(Addresses, HaveText) {
  const auto text = [](const char* host) {
    return real::look_up({host, 80}, real::Lookup::numeric).value().front().text();
  };
  EXPECT_EQ(text("192.0.2.7"), "192.0.2.7:80");
  EXPECT_EQ(text("2001:db8::1"), "[2001:db8::1]:80");
  EXPECT_EQ(text("::ffff:192.0.2.7"), "192.0.2.7:80");
  EXPECT_EQ(real::any_address(AF_INET, 5).text(), "0.0.0.0:5");
  EXPECT_EQ(real::any_address(AF_INET6, 5).text(), "[::]:5");
  EXPECT_FALSE(real::look_up({"localhost", 80}, real::Lookup::numeric));
  EXPECT_EQ(real::look_up({"localhost", 80}, real::Lookup::names, true).value().front().family(),
            AF_INET);
}

TEST(Descriptors, CloseThemselvesOnce) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  real::Fd one(ends[0]);
  {
    const real::Fd moved(std::move(one));
    EXPECT_EQ(moved.get(), ends[0]);
  }
  char byte = 0;
  EXPECT_EQ(::read(ends[1], &byte, 1), 0);  // the other end is closed
  real::Fd other(ends[1]);
  EXPECT_TRUE(other.valid());
  other.reset();
  EXPECT_FALSE(other.valid());
  EXPECT_LT(::read(ends[1], &byte, 1), 0);
}

}  // namespace
}  // namespace holdfast::os
