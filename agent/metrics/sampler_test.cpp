#include "agent/metrics/sampler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/os/system.hpp"

namespace holdfast::agent {
namespace {

using ::testing::IsEmpty;

std::optional<wire::Value> value_of(const std::vector<StreamSample>& samples,
                                    std::string_view stream, std::string_view field) {
  for (const auto& sample : samples) {
    for (const auto& each : sample.fields) {
      if (sample.stream == stream && each.name == field) return each.value;
    }
  }
  return std::nullopt;
}

Snapshot snapshot_at(std::int64_t s) {
  Snapshot out;
  out.mono = {s * 1'000'000};
  return out;
}

TEST(SamplerTest, CpuNeedsTwoSnapshots) {
  Snapshot before = snapshot_at(0), now = snapshot_at(10);
  before.cpu = CpuTimes{100, 0, 50, 800, 50, 0, 0, 0};
  now.cpu = CpuTimes{130, 10, 70, 1000, 60, 10, 10, 10};
  EXPECT_THAT(sample_of(nullptr, now), IsEmpty());
  const auto samples = sample_of(&before, now);
  EXPECT_EQ(value_of(samples, "cpu", "usage_percent"), wire::Value(30.0));
  EXPECT_EQ(value_of(samples, "cpu", "user_percent"), wire::Value(13.33));
  EXPECT_EQ(value_of(samples, "cpu", "system_percent"), wire::Value(13.33));
  EXPECT_EQ(value_of(samples, "cpu", "iowait_percent"), wire::Value(3.33));
  EXPECT_EQ(value_of(samples, "cpu", "steal_percent"), wire::Value(3.33));
  EXPECT_THAT(sample_of(&now, now), IsEmpty()) << "no time has passed";
}

TEST(SamplerTest, MemoryIsExact) {
  Snapshot now = snapshot_at(1);
  now.memory = MemoryUse{3'000'000'001, 1'000'000'000, 10, 4};
  const auto samples = sample_of(nullptr, now);
  EXPECT_EQ(value_of(samples, "memory", "used_bytes"), wire::Value(std::int64_t{2'000'000'001}));
  EXPECT_EQ(value_of(samples, "memory", "used_percent"), wire::Value(66.67));
  EXPECT_EQ(value_of(samples, "memory", "swap_used_bytes"), wire::Value(std::int64_t{6}));
}

TEST(SamplerTest, DisksByMountAndDrivesByRate) {
  Snapshot before = snapshot_at(0), now = snapshot_at(10);
  now.disks = {{"/", 100, 25}, {"/var/lib/my data", 10, 10}};
  before.drives = {{"sda", 1000, 2000, 100}};
  now.drives = {{"sda", 2000, 2000, 2600}, {"sdb", 5, 5, 5}};
  const auto samples = sample_of(&before, now);
  EXPECT_EQ(value_of(samples, "disk", "root.used_percent"), wire::Value(75.0));
  EXPECT_EQ(value_of(samples, "disk", "var.lib.my_data.free_bytes"), wire::Value(std::int64_t{10}));
  EXPECT_EQ(value_of(samples, "disk", "io.sda.read_bytes_s"), wire::Value(100.0));
  EXPECT_EQ(value_of(samples, "disk", "io.sda.write_bytes_s"), wire::Value(0.0));
  EXPECT_EQ(value_of(samples, "disk", "io.sda.busy_percent"), wire::Value(25.0));
  EXPECT_FALSE(value_of(samples, "disk", "io.sdb.read_bytes_s")) << "new since the last one";
}

TEST(SamplerTest, NetworkRatesAndCountersThatStartAnew) {
  Snapshot before = snapshot_at(0), now = snapshot_at(4);
  before.interfaces = {{"eth0", 1000, 1, 0, 0, 5000, 1, 0, 0}, {"dummy0"}};
  now.interfaces = {{"eth0", 2000, 2, 7, 0, 10, 1, 0, 0}, {"dummy0"}};
  const auto samples = sample_of(&before, now);
  EXPECT_EQ(value_of(samples, "network", "eth0.rx_bytes_s"), wire::Value(250.0));
  EXPECT_FALSE(value_of(samples, "network", "eth0.tx_bytes_s"));
  EXPECT_EQ(value_of(samples, "network", "eth0.tx_bytes"), wire::Value(std::int64_t{10}));
  EXPECT_EQ(value_of(samples, "network", "eth0.rx_errors"), wire::Value(std::int64_t{7}));
  EXPECT_FALSE(value_of(samples, "network", "dummy0.rx_bytes"));
}

TEST(SamplerTest, NamesAreAlwaysFieldNames) {
  EXPECT_EQ(mount_name("/"), "root");
  EXPECT_EQ(mount_name("//a//b/"), "a.b");
  for (const char* odd : {"/\xFF\xFE", "/-x", "/ä/ö", "/...", "/a b"}) {
    EXPECT_TRUE(wire::valid_field_name(mount_name(odd))) << odd;
  }
  EXPECT_TRUE(wire::valid_field_name(mount_name(std::string(5000, 'x'))));
}

TEST(SamplerTest, ThisMachineHasFigures) {
  const auto real = os::RealSystem::make();
  ASSERT_TRUE(real);
  MachineProbe probe((*real)->system());
  const Snapshot now = probe.snapshot();
  ASSERT_TRUE(now.cpu && now.load && now.memory && now.uptime_s);
  EXPECT_GT(now.cpu->total(), 0u);
  EXPECT_GE(now.memory->total, now.memory->available);
  for (const auto& sample : sample_of(nullptr, now)) {
    EXPECT_TRUE(wire::encode_telemetry({wire::Reading{{}, {}, sample.fields}})) << sample.stream;
  }
  const Facts facts = probe.facts();
  EXPECT_FALSE(facts.kernel.empty());
  EXPECT_EQ(facts.program_digest.size(), 71u);
}

}  // namespace
}  // namespace holdfast::agent
