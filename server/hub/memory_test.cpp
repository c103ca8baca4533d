// What an idle connection costs: mutual TLS, the MQTT session and all that the hub keeps for it, in
// a process of its own, so that the clients' share is not in it.
#include "server/hub/memory.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "server/hub/testing/site.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HOLDFAST_OWN_ALLOCATOR 1
#endif
#endif

namespace holdfast::hub {
namespace {
using namespace testing;

constexpr std::size_t kIdle = 1'000;
constexpr std::size_t kWarm = 100;  // before measuring: what is paid once is not the connections'
constexpr std::size_t kBytesMax = 30 * 1024;  // each; the TLS library alone takes 24.5 KiB
constexpr Duration kPatience = minutes(2);

std::size_t resident_bytes() {
  give_memory_back();
  std::ifstream file("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

DeviceId nth(std::size_t number) {
  DeviceId id = device_number(static_cast<std::uint8_t>(number % 256));
  id.ulid[14] = static_cast<std::uint8_t>(number / 256);
  return id;
}

// The other process: connects so many as it is told, says so, until its parent goes.
class Fleet {
 public:
  Fleet(crypto::testing::Pki& pki, int orders, int answers) {
    const auto real = crypto::testing::must(os::RealSystem::make());
    const auto system = real->system();
    Metrics metrics;
    std::uint32_t order[2];  // port, how many in all
    while (read(orders, order, sizeof order) == sizeof order) {
      while (clients_.size() < order[1]) {
        clients_.push_back(std::make_unique<DeviceClient>(
            real->main_loop(), crypto::make_tls_transport(system.network, metrics),
            pki.device(nth(clients_.size()).text()), pki.trust()));
        auto& client = *clients_.back();
        client.connect({"127.0.0.1", static_cast<std::uint16_t>(order[0])},
                       connect_5({.clean = false, .keep_alive_s = 1'200, .expiry_s = 600}));
        if (clients_.size() % 20 == 0 || clients_.size() == order[1]) wait(real->main_loop());
      }
      const char done = 'd';
      if (write(answers, &done, 1) != 1) break;
    }
  }

 private:
  void wait(os::Loop& loop) {
    std::function<void()> look = [&] {
      const bool all = std::ranges::all_of(clients_, [](const auto& one) { return one->live(); });
      if (all) return loop.stop();
      loop.after(milliseconds(2), [&] { look(); });
    };
    loop.post([&] { look(); });
    loop.run();
  }
  std::vector<std::unique_ptr<DeviceClient>> clients_;
};

TEST(Memory, of_an_idle_connection) {
#if defined(HOLDFAST_OWN_ALLOCATOR) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitizer's allocator keeps more than it is asked for";
#endif
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, std::min<rlim_t>(files.rlim_max, 2 * kIdle));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto pki = std::make_shared<crypto::testing::Pki>(
      WallTime{std::chrono::duration_cast<std::chrono::microseconds>(now).count()});
  int orders[2], answers[2];
  ASSERT_EQ(pipe(orders), 0);
  ASSERT_EQ(pipe(answers), 0);
  const pid_t child = fork();  // before there are threads
  ASSERT_GE(child, 0);
  if (child == 0) {
    close(orders[1]);
    close(answers[0]);
    alarm(static_cast<unsigned>(kPatience.us / 1'000'000));
    Fleet fleet(*pki, orders[0], answers[1]);
    _exit(0);
  }
  close(orders[0]);
  close(answers[1]);
  {
    Site site(pki);
    ASSERT_TRUE(site.start());
    const auto go = [&](std::size_t count) {
      const std::uint32_t order[2] = {site.mqtt().port, static_cast<std::uint32_t>(count)};
      EXPECT_EQ(write(orders[1], order, sizeof order), static_cast<ssize_t>(sizeof order));
      char done = 0;
      EXPECT_EQ(read(answers[0], &done, 1), 1);
      EXPECT_TRUE(
          site.until([&] { return site.devices.online.load() == static_cast<int>(count); }));
      return resident_bytes();
    };
    const std::size_t before = go(kWarm);
    const std::size_t after = go(kWarm + kIdle);
    const std::size_t each = (after - std::min(before, after)) / kIdle;
    RecordProperty("bytes_per_connection", std::to_string(each));
    std::cout << "an idle connection: " << each << " bytes\n";
    EXPECT_GT(each, 8'000U) << "that cannot be: nothing was measured";
    EXPECT_LT(each, kBytesMax);
    close(orders[1]);
    close(answers[0]);
    EXPECT_TRUE(site.until([&] { return site.devices.online.load() == 0; }));
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
}

}  // namespace
}  // namespace holdfast::hub
