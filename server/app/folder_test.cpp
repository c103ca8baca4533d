#include "server/app/folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/app/addresses.hpp"
#include "server/app/fixture_test.hpp"

namespace holdfast::app {
namespace {

using ::testing::HasSubstr;

class FolderTest : public ::testing::Test {
 protected:
  Result<Folder> open(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"--data", "/srv/data/"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto config = config_of(arguments);
    return open_folder(node().system(), config.value(), log);
  }
  os::sim::Node& node() { return world.node("server"); }
  os::Files& files() { return node().system().files; }
  bool has(const std::string& path) { return os::exists(files(), path); }
  std::string file(const std::string& path) {
    return std::string(text_of(os::read_file(files(), path, 1 << 16).value_or(Bytes{})));
  }
  // What the certificate authority leaves behind: the folder was used.
  void use() {
    ASSERT_TRUE(files().make_folder("/srv/data/ca"));
    ASSERT_TRUE(os::replace_file(files(), "/srv/data/ca/root.pem", view_of("x")));
  }
  os::sim::Simulation world{1};
  std::string log_lines;
  Log log{[this](std::string_view line) { log_lines += std::string(line) + "\n"; }, Level::debug};
};

TEST_F(FolderTest, TheFirstStartMakesEverything) {
  const auto folder = open();
  ASSERT_TRUE(folder) << folder.error().text();
  EXPECT_EQ(folder->data, "/srv/data") << "without the slash";
  EXPECT_TRUE(has("/srv/data.seal"));
  EXPECT_TRUE(has("/srv/data.ring"));
  EXPECT_TRUE(has("/srv/data/recovery.sealed"));
  EXPECT_THAT(file("/srv/data.recovery"), HasSubstr("Write it down"));
  EXPECT_THAT(log_lines, HasSubstr("/srv/data.recovery"));
  const std::string seal = file("/srv/data.seal");
  EXPECT_EQ(log_lines.find(seal), std::string::npos);
}

TEST_F(FolderTest, LaterStartsFindTheSameKeys) {
  const auto id = open().value().ring->create("test").value();
  const Bytes key = as_bytes(open().value().ring->get(id).value().view());
  use();
  log_lines.clear();
  const auto again = open();
  ASSERT_TRUE(again);
  EXPECT_EQ(as_bytes(again->ring->get(id).value().view()), key);
  EXPECT_EQ(log_lines, "") << "nothing new was made";
}

TEST_F(FolderTest, AUsedFolderNeverGetsANewRing) {
  ASSERT_TRUE(open());
  use();
  ASSERT_TRUE(files().remove("/srv/data.ring"));
  const auto folder = open();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::seal_key_missing);
  EXPECT_THAT(folder.error().message, HasSubstr("/srv/data.ring"));
  EXPECT_FALSE(has("/srv/data.ring"));
}

TEST_F(FolderTest, AMissingSealingKeyIsNamedWithItsMend) {
  ASSERT_TRUE(open());
  use();
  const std::string note = file("/srv/data.recovery");
  ASSERT_TRUE(files().remove("/srv/data.seal"));
  ASSERT_TRUE(files().remove("/srv/data.recovery"));
  const auto folder = open();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::seal_key_missing);
  EXPECT_THAT(folder.error().message, HasSubstr("/srv/data.seal"));
  EXPECT_THAT(folder.error().message, HasSubstr("/srv/data.recovery"));

  ASSERT_TRUE(os::replace_file(files(), "/srv/data.recovery", view_of("I lost it\n\nsorry")));
  EXPECT_THAT(open().error().message, HasSubstr("holds no recovery key"));
  EXPECT_FALSE(has("/srv/data.seal"));

  const seal::SecretKey wrong(Bytes(seal::kKeyBytes, 7));
  ASSERT_TRUE(os::replace_file(files(), "/srv/data.recovery", view_of(seal::recovery_text(wrong))));
  EXPECT_FALSE(open()) << "another server's";
  EXPECT_FALSE(has("/srv/data.seal"));

  ASSERT_TRUE(os::replace_file(files(), "/srv/data.recovery", view_of(note)));
  const auto recovered = open();
  ASSERT_TRUE(recovered) << recovered.error().text();
  EXPECT_TRUE(has("/srv/data.seal"));
  EXPECT_THAT(log_lines, HasSubstr("recovered"));
  EXPECT_TRUE(open()) << "and from then on as ever";
}

TEST_F(FolderTest, AWrongSealingKeyOpensNothing) {
  ASSERT_TRUE(open());
  use();
  const os::System system = node().system();
  ASSERT_TRUE(files().remove("/srv/data.seal"));
  ASSERT_TRUE(
      seal::store_seal_key(system, "/srv/data.seal", seal::SecretKey(Bytes(seal::kKeyBytes, 7))));
  const auto folder = open();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().code, Code::seal_key_wrong);
}

TEST_F(FolderTest, KeyAndRingMayLieElsewhere) {
  ASSERT_TRUE(files().make_folder("/safe"));
  ASSERT_TRUE(open({"--seal-key-file", "/safe/key", "--seal-ring-file", "/safe/ring"}));
  EXPECT_TRUE(has("/safe/key"));
  EXPECT_TRUE(has("/safe/ring"));
  EXPECT_FALSE(has("/srv/data.seal"));
  EXPECT_FALSE(has("/srv/data.ring"));
}

TEST_F(FolderTest, APowerCutInTheFirstStartIsMended) {
  int cuts = 0;
  for (std::uint64_t cut = 1; cut < 200; ++cut) {
    os::sim::Simulation other(cut);
    os::sim::Node& machine = other.node("server");
    const auto config = config_of({"--data", "/srv/data"}).value();
    machine.disk().crash_at(machine.disk().operations() + cut);
    const auto first = open_folder(machine.system(), config, log);
    if (machine.up()) {
      ASSERT_TRUE(first);
      break;
    }
    ++cuts;
    machine.restart();
    const auto second = open_folder(machine.system(), config, log);
    ASSERT_TRUE(second) << cut << ": " << second.error().text();
    // The recovery key that is told must be the one that works.
    const std::string note(
        text_of(os::read_file(machine.system().files, "/srv/data.recovery", 4096).value()));
    const auto recovery = seal::parse_recovery(note.substr(note.find('\n') + 1));
    ASSERT_TRUE(recovery) << cut;
    const auto key =
        seal::recover_seal_key(machine.system().files, "/srv/data/recovery.sealed", *recovery);
    ASSERT_TRUE(key) << cut << ": " << key.error().text();
    EXPECT_EQ(as_bytes(key->view()),
              as_bytes(seal::load_seal_key(machine.system().files, "/srv/data.seal")->view()));
  }
  EXPECT_GT(cuts, 5);
}

// ---- addresses

TEST(Addresses, DevicesAreToldWhatTheyCanReach) {
  const std::vector<std::string> none;
  const std::vector<std::string> interfaces{"192.0.2.10", "10.0.0.1"};
  for (const char* all : {"", "*", "0.0.0.0", "::"}) {
    const os::Endpoint at{all, 8444};
    EXPECT_EQ(reachable_host(at, {"plant.example", "x"}, interfaces, "box"), "plant.example");
    EXPECT_EQ(reachable_host(at, none, interfaces, "box"), "192.0.2.10");
    EXPECT_EQ(reachable_host(at, none, none, "box"), "box");
    EXPECT_EQ(reachable_host(at, none, none, ""), "localhost");
    EXPECT_EQ(device_host(at), "127.0.0.1");
    EXPECT_EQ(local_host(at), "localhost");
  }
  EXPECT_TRUE(clash({"", 1}, {"127.0.0.1", 1}));
  EXPECT_TRUE(clash({"127.0.0.1", 1}, {"127.0.0.1", 1}));
  EXPECT_FALSE(clash({"127.0.0.1", 1}, {"127.0.0.2", 1}));
  EXPECT_FALSE(clash({"", 1}, {"", 2}));
  EXPECT_FALSE(clash({"", 0}, {"", 0})) << "each gets its own";
  const os::Endpoint one{"192.0.2.10", 8444};
  EXPECT_EQ(reachable_host(one, {"plant.example"}, interfaces, "box"), "192.0.2.10")
      << "it listens nowhere else";
  EXPECT_EQ(device_host(one), "192.0.2.10");
  EXPECT_EQ(local_host(one), "192.0.2.10");
  for (const char* loopback : {"localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_EQ(local_host({loopback, 1}), "localhost");
  }
}

}  // namespace
}  // namespace holdfast::app
