#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/agent.hpp"
#include "agent/control/commands.hpp"
#include "agent/control/twin.hpp"
#include "agent/inventory/inventory.hpp"
#include "agent/settings.hpp"
#include "libs/crypto/testing.hpp"
#include "libs/os/sim/simulation.hpp"

namespace holdfast::agent {
namespace {

using crypto::testing::must;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST(CommandTest, Topics) {
  const auto command = command_topic("command/ping/cmd_1");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->name, "ping");
  EXPECT_EQ(command->id, "cmd_1");
  for (const char* other : {"command/", "command/ping", "command/ping/", "command//x",
                            "command/a/b/c", "twin/desired", ""}) {
    EXPECT_FALSE(command_topic(other)) << other;
  }
}

TEST(CommandTest, Payloads) {
  const auto parse = [](std::string_view text) { return parse_command(Command{}, view_of(text)); };
  const auto command = parse(R"({"payload":{"a":1},"deadline":"2026-01-31T14:07:11Z","new":1})");
  ASSERT_TRUE(command);
  EXPECT_EQ(wire::json_text(command->payload), R"({"a":1})");
  EXPECT_EQ(command->deadline, must(from_rfc3339("2026-01-31T14:07:11Z")));
  EXPECT_TRUE(parse("{}"));
  EXPECT_TRUE(parse(R"({"deadline":null})"));
  EXPECT_FALSE(parse("[]"));
  EXPECT_FALSE(parse(R"({"deadline":"soon"})"));
  EXPECT_EQ(parse("{").error().code, Code::payload_malformed);
}

class BookTest : public ::testing::Test {
 protected:
  os::sim::Simulation simulation{1};
  std::unique_ptr<StateFolder> state =
      must(StateFolder::open(simulation.node("device").system(), "/data/agent", ""));
};

TEST_F(BookTest, RemembersAcrossARestart) {
  auto book = must(CommandBook::open(*state));
  ASSERT_TRUE(book->begin("a"));
  ASSERT_TRUE(book->finish("a", ok_reply(1)));
  book->mark_delivered("a");
  ASSERT_TRUE(book->begin("b"));
  book = must(CommandBook::open(*state));
  ASSERT_THAT(book->entries(), SizeIs(2));
  EXPECT_EQ(book->find("a")->reply, R"({"status":"ok","result":1})");
  EXPECT_TRUE(book->find("a")->delivered);
  EXPECT_THAT(book->find("b")->reply, HasSubstr("interrupted")) << "never started anew";
  EXPECT_FALSE(book->find("c"));
}

TEST_F(BookTest, KeepsTheLast64AndBoundsReplies) {
  auto book = must(CommandBook::open(*state));
  for (int i = 0; i < 70; ++i) {
    ASSERT_TRUE(book->begin(std::to_string(i)));
    ASSERT_TRUE(book->finish(std::to_string(i), std::string(50, '"')));
  }
  book = must(CommandBook::open(*state));
  EXPECT_THAT(book->entries(), SizeIs(CommandBook::kEntriesMax));
  EXPECT_FALSE(book->find("5"));
  EXPECT_TRUE(book->find("6"));
  ASSERT_TRUE(book->begin("large"));
  ASSERT_TRUE(book->finish("large", std::string(100'000, 'x')));
  EXPECT_THAT(book->find("large")->reply, HasSubstr("reply-too-large"));
  EXPECT_FALSE(book->finish("nobody", "x"));
}

TEST(TwinTest, Desired) {
  const auto desired = parse_desired(view_of(R"({"version":7,"desired":{"a":1},"more":0})"));
  ASSERT_TRUE(desired);
  EXPECT_EQ(desired->version, 7);
  for (const char* wrong : {"", "[]", "{}", R"({"version":-1,"desired":{}})", R"({"version":1})",
                            R"({"version":"1","desired":{}})", R"({"version":1,"desired":[]})"}) {
    EXPECT_FALSE(parse_desired(view_of(wrong))) << wrong;
  }
}

TEST(TwinTest, AppliesWhatItKnowsAndNamesWhatItRefuses) {
  const LiveSettings configured{seconds(30), Level::warning};
  const auto applied = [&](const char* text) {
    return apply_desired(must(wire::parse_json(std::string_view(text))).get_object(), configured);
  };
  EXPECT_EQ(applied("{}").settings, configured);
  EXPECT_EQ(applied(R"({"sample_interval_s":2.5})").settings.sample_interval, milliseconds(2500));
  EXPECT_EQ(applied(R"({"log_level":"debug"})").settings.log_level, Level::debug);
  for (const char* wrong : {R"({"sample_interval_s":0})", R"({"sample_interval_s":3601})",
                            R"({"sample_interval_s":"5"})", R"({"log_level":5})",
                            R"({"log_level":"loud"})", R"({"other":1})"}) {
    EXPECT_THAT(applied(wrong).refused, SizeIs(1)) << wrong;
    EXPECT_EQ(applied(wrong).settings, configured) << wrong;
  }
  EXPECT_EQ(wire::json_text(reported_of(applied(R"({"sample_interval_s":2})"), 4)),
            R"({"sample_interval_s":2,"log_level":"warning","desired_version":4})");
}

TEST(InventoryTest, OsRelease) {
  const auto values = parse_os_release(
      "# comment\nNAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\nQUOTED=\"a \\\"b\\\"\"\n"
      "bad-key=1\nEMPTY=\n  ID=debian  \nno assignment\n");
  EXPECT_EQ(values.at("NAME"), "Debian GNU/Linux");
  EXPECT_EQ(values.at("VERSION_ID"), "12");
  EXPECT_EQ(values.at("QUOTED"), "a \"b\"");
  EXPECT_EQ(values.at("ID"), "debian");
  EXPECT_FALSE(values.contains("bad-key"));
}

TEST(InventoryTest, Processors) {
  const auto processor = parse_cpuinfo(
      "processor\t: 0\nmodel name\t: Some CPU @ 2GHz\n\nprocessor\t: 1\nmodel name\t: Some CPU\n");
  EXPECT_EQ(processor.cores, 2u);
  EXPECT_EQ(processor.model, "Some CPU @ 2GHz");
  EXPECT_EQ(parse_cpuinfo("").cores, 0u);
}

TEST(InventoryTest, TheMachineIdIsHashed) {
  const std::string id = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(hashed_machine_id(id).size(), 32u);
  EXPECT_NE(hashed_machine_id(id), id);
  EXPECT_EQ(hashed_machine_id(id), hashed_machine_id(id));
  EXPECT_EQ(hashed_machine_id(""), "");
}

TEST(InventoryTest, FitsTheContract) {
  Facts facts;
  facts.os_release = "NAME=Debian\nVERSION_ID=12\n";
  facts.kernel = "6.1\xFF" + std::string(500, 'k');
  facts.machine_id = "raw-machine-id";
  facts.architecture = "x86_64";
  facts.interfaces = {"eth0"};
  facts.addresses = {"192.0.2.7"};
  const std::string text = wire::json_text(inventory_of(facts, "1.0"));
  EXPECT_THAT(text, HasSubstr(R"({"name":"os","version":"Debian 12"})"));
  EXPECT_THAT(text, HasSubstr(R"("network":[{"name":"eth0","addresses":["192.0.2.7"]}])"));
  EXPECT_THAT(text, Not(HasSubstr("raw-machine-id")));
  EXPECT_TRUE(wire::parse_json(text)) << "whatever files hold";
  const wire::JsonObject inventory = inventory_of(facts, "1.0");
  for (const auto& component : inventory.at("components").as_array()) {
    EXPECT_LE(component.at("version").as_string().size(), 128u);
  }
  EXPECT_TRUE(wire::parse_json(wire::json_text(inventory_of(Facts{}, "1.0"))));
}

TEST(SettingsTest, DefaultsAndRules) {
  config::Inputs inputs;
  const auto loaded = config::load(agent_settings(), inputs);
  ASSERT_TRUE(loaded) << loaded.error().text();
  const AgentOptions options = options_of(loaded->config, "1.0");
  EXPECT_EQ(options.settings.sample_interval, seconds(10));
  EXPECT_EQ(options.spool_bytes, 64u * 1024 * 1024);
  EXPECT_EQ(options.keep_alive_s, 60);
  EXPECT_EQ(options.state, "/var/lib/holdfast-agent");
  inputs.file_name = "agent.toml";
  inputs.file_text = "[sample]\nintervall = \"5s\"\n";
  const auto wrong = config::load(agent_settings(), inputs);
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().text(), HasSubstr("sample.interval"));
}

}  // namespace
}  // namespace holdfast::agent
