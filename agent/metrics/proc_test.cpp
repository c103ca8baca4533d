#include "agent/metrics/proc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ProcTest, Stat) {
  const auto times = parse_stat(
      "cpu  74608 2520 24433 1117073 6176 4054 1 2 3 4\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 1\n");
  ASSERT_TRUE(times);
  EXPECT_EQ(*times, (CpuTimes{74608, 2520, 24433, 1117073, 6176, 4054, 1, 2}));
  EXPECT_EQ(times->total(), 74608u + 2520 + 24433 + 1117073 + 6176 + 4054 + 1 + 2);
  EXPECT_FALSE(parse_stat(""));
  EXPECT_FALSE(parse_stat("cpu 1 2 3\n"));
  EXPECT_FALSE(parse_stat("cpu 1 2 3 4 5 6 7 x\n"));
  EXPECT_FALSE(parse_stat("cpu0 1 2 3 4 5 6 7 8\n"));
  EXPECT_FALSE(parse_stat("cpu 99999999999999999999 2 3 4 5 6 7 8\n")) << "does not fit";
}

TEST(ProcTest, Loadavg) {
  EXPECT_EQ(parse_loadavg("0.52 0.58 0.59 1/467 12345\n"), (LoadAverage{0.52, 0.58, 0.59}));
  EXPECT_FALSE(parse_loadavg("0.52 0.58\n"));
  EXPECT_FALSE(parse_loadavg("nan 1 2\n"));
  EXPECT_FALSE(parse_loadavg(""));
}

TEST(ProcTest, Meminfo) {
  const auto memory = parse_meminfo(
      "MemTotal:       16303428 kB\nMemFree:  1 kB\nMemAvailable:    9434160 kB\n"
      "SwapTotal:       1000 kB\nSwapFree:         400 kB\nHugePages_Total:       0\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(*memory, (MemoryUse{16303428ULL * 1024, 9434160ULL * 1024, 1000 * 1024, 400 * 1024}));
  // Linux before 3.14.
  const auto old =
      parse_meminfo("MemTotal: 100 kB\nMemFree: 10 kB\nBuffers: 5 kB\nCached: 20 kB\n");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->available, 35u * 1024);
  EXPECT_FALSE(parse_meminfo("MemAvailable: 100 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 0 kB\nMemAvailable: 0 kB\n"));
  EXPECT_FALSE(parse_meminfo("MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n"));
}

TEST(ProcTest, DiskstatsTakesDrivesOnly) {
  const auto drives = parse_diskstats(
      "   8       0 sda 100 5 2048 30 200 6 4096 70 0 1234 100 0 0 0 0\n"
      "   8       1 sda1 90 5 2000 30 200 6 4096 70 0 1234 100\n"
      " 259       0 nvme0n1 1 0 8 1 1 0 16 1 0 5 2\n"
      " 259       1 nvme0n1p1 1 0 8 1 1 0 16 1 0 5 2\n"
      " 179       0 mmcblk0 1 0 8 1 1 0 16 1 0 5 2\n"
      " 179       1 mmcblk0p2 1 0 8 1 1 0 16 1 0 5 2\n"
      "   7       0 loop0 1 0 8 1 1 0 16 1 0 5 2\n"
      " 253       0 vda 1 0 8 1\n");
  ASSERT_THAT(drives, SizeIs(3));
  EXPECT_EQ(drives[0], (DriveCounters{"sda", 2048 * 512, 4096 * 512, 1234}));
  EXPECT_EQ(drives[1].name, "nvme0n1");
  EXPECT_EQ(drives[2].name, "mmcblk0");
}

TEST(ProcTest, MountinfoTakesStorageOnceEach) {
  const auto mounts = parse_mountinfo(
      "22 1 8:1 / /var/lib rw shared:1 - ext4 /dev/sda1 rw\n"
      "23 1 8:1 / / rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw\n"
      "24 1 0:5 / /dev rw - devtmpfs udev rw\n"
      "25 1 8:2 / /srv/my\\040files rw - xfs /dev/sda2 rw\n"
      "26 1 broken\n");
  ASSERT_THAT(mounts, SizeIs(2));
  EXPECT_EQ(mounts[0], (Mount{"8:1", "/", "ext4"}));
  EXPECT_EQ(mounts[1].path, "/srv/my files");
}

TEST(ProcTest, NetDev) {
  const auto links = parse_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes packets errs drop\n"
      "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
      "  eth0:1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n"
      "  eth1: 1000 10 1\n");
  ASSERT_THAT(links, SizeIs(1));
  EXPECT_EQ(links[0], (InterfaceCounters{"eth0", 1000, 10, 1, 2, 2000, 20, 3, 4}));
}

TEST(ProcTest, UptimeAndTemperature) {
  EXPECT_EQ(parse_uptime("350735.47 234388.90\n"), 350735.47);
  EXPECT_FALSE(parse_uptime("-1 2\n"));
  EXPECT_EQ(parse_millidegrees("42500\n"), 42.5);
  EXPECT_EQ(parse_millidegrees("-5000\n"), -5.0);
  EXPECT_FALSE(parse_millidegrees("999999\n")) << "no machine is that hot";
  EXPECT_FALSE(parse_millidegrees("warm\n"));
}

TEST(ProcTest, ListsAreBounded) {
  std::string text;
  for (int i = 0; i < 200; ++i) {
    text += "eth" + std::to_string(i) + ": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n";
  }
  EXPECT_THAT(parse_net_dev(text), SizeIs(kInterfacesMax));
  EXPECT_THAT(words_of(" \t "), IsEmpty());
}

}  // namespace
}  // namespace holdfast::agent
