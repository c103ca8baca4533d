#include "libs/config/config.hpp"

#include <gtest/gtest.h>

#include <array>

namespace holdfast::config {
namespace {

constexpr std::array kSettings{
    Setting{"data", Type::path, "", "Where everything lies."},
    Setting{"api.listen", Type::address, "127.0.0.1:8443", "Where operators connect."},
    Setting{"api.workers", Type::integer, "4", "Threads that answer.", 1, 64},
    Setting{"api.token", Type::text, "", "A secret.", INT64_MIN, INT64_MAX, "", true},
    Setting{"ratio", Type::real, "0.5", "A share."},
    Setting{"verbose", Type::boolean, "false", "Say more."},
    Setting{"retention.raw", Type::duration, "30d", "How long readings stay.", 3'600, INT64_MAX},
    Setting{"journal.segment", Type::size, "64MiB", "Bytes of a segment.", 1 << 20, 1 << 30},
    Setting{"hub.durability", Type::choice, "disk", "When a message counts as stored.", INT64_MIN,
            INT64_MAX, "disk,memory"},
    Setting{"server.names", Type::list, "", "Names in the certificate."},
};

Result<Loaded> from(std::string toml, std::vector<std::string> arguments = {},
                    std::map<std::string, std::string> environment = {}) {
  Inputs inputs;
  inputs.file_name = "holdfast.toml";
  inputs.file_text = std::move(toml);
  inputs.arguments = std::move(arguments);
  inputs.environment = [environment](const std::string& name) -> std::optional<std::string> {
    const auto at = environment.find(name);
    if (at == environment.end()) return std::nullopt;
    return at->second;
  };
  inputs.other_flags = {{"--config", 1}, {"--help", 0}};
  return load(kSettings, inputs);
}
std::string error_of(std::string toml, std::vector<std::string> arguments = {},
                     std::map<std::string, std::string> environment = {}) {
  const auto loaded = from(std::move(toml), std::move(arguments), std::move(environment));
  if (loaded) return "accepted";
  EXPECT_EQ(loaded.error().code, Code::config_invalid);
  return loaded.error().message;
}

TEST(Config, DefaultsAreThere) {
  const auto loaded = from("");
  ASSERT_TRUE(loaded) << loaded.error().text();
  const Config& config = loaded->config;
  EXPECT_EQ(config.text("data"), "");
  EXPECT_EQ(config.text("api.listen"), "127.0.0.1:8443");
  EXPECT_EQ(config.integer("api.workers"), 4);
  EXPECT_EQ(config.real("ratio"), 0.5);
  EXPECT_FALSE(config.boolean("verbose"));
  EXPECT_EQ(config.duration("retention.raw"), days(30));
  EXPECT_EQ(config.integer("journal.segment"), 64 << 20);
  EXPECT_EQ(config.text("hub.durability"), "disk");
  EXPECT_TRUE(config.list("server.names").empty());
  EXPECT_EQ(config.source("ratio"), Source::default_value);
}

TEST(Config, EveryTypeIsReadFromTheFile) {
  const auto loaded = from(R"(data = "/srv/holdfast"
ratio = 0.25
verbose = true
[retention]
raw = "12h"
[journal]
segment = "2MiB"
[hub]
durability = "memory"
[server]
names = ["a.example", "b.example"]
[api]
workers = 8
listen = "[::1]:0"
)");
  ASSERT_TRUE(loaded) << loaded.error().text();
  const Config& config = loaded->config;
  EXPECT_EQ(config.text("data"), "/srv/holdfast");
  EXPECT_EQ(config.real("ratio"), 0.25);
  EXPECT_TRUE(config.boolean("verbose"));
  EXPECT_EQ(config.integer("api.workers"), 8);
  EXPECT_EQ(config.duration("retention.raw"), hours(12));
  EXPECT_EQ(config.integer("journal.segment"), 2 << 20);
  EXPECT_EQ(config.text("hub.durability"), "memory");
  EXPECT_EQ(config.list("server.names"), (std::vector<std::string>{"a.example", "b.example"}));
  EXPECT_EQ(config.text("api.listen"), "[::1]:0");
  EXPECT_EQ(config.source("ratio"), Source::file);
}

TEST(Config, LaterSourcesWin) {
  const auto loaded = from("ratio = 0.1\nverbose = false\n[api]\nworkers = 2\n",
                           {"--ratio=0.3", "rest", "--verbose", "--config", "x.toml", "--help"},
                           {{"HOLDFAST_RATIO", "0.2"}, {"HOLDFAST_API_WORKERS", "3"}});
  ASSERT_TRUE(loaded) << loaded.error().text();
  EXPECT_EQ(loaded->config.real("ratio"), 0.3);
  EXPECT_EQ(loaded->config.source("ratio"), Source::flag);
  EXPECT_EQ(loaded->config.integer("api.workers"), 3);
  EXPECT_EQ(loaded->config.source("api.workers"), Source::environment);
  EXPECT_TRUE(loaded->config.boolean("verbose"));
  EXPECT_EQ(loaded->rest, (std::vector<std::string>{"rest", "--config", "x.toml", "--help"}));
}

TEST(Config, FlagsTakeTheNextArgumentOrAnEqualsSign) {
  EXPECT_EQ(from("", {"--api-listen", ":0"})->config.text("api.listen"), ":0");
  EXPECT_EQ(from("", {"--api-listen=:1"})->config.text("api.listen"), ":1");
  EXPECT_FALSE(from("", {"--verbose=false"})->config.boolean("verbose"));
  EXPECT_EQ(from("", {"--server-names", "a, b ,,c"})->config.list("server.names"),
            (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(error_of("", {"--api-listen"}), "--api-listen: wants a value");
}

TEST(Config, UnknownKeysAreErrorsWithASuggestion) {
  EXPECT_EQ(error_of("\n[api]\nlisten_on = \":0\"\n"),
            "holdfast.toml:3: api.listen_on: there is no such key: did you mean api.listen?");
  EXPECT_EQ(error_of("listen = \":0\"\n"),
            "holdfast.toml:1: listen: there is no such key: did you mean api.listen?");
  EXPECT_EQ(error_of("completely_different_thing = 1\n"),
            "holdfast.toml:1: completely_different_thing: there is no such key");
  EXPECT_EQ(error_of("", {"--api-lsten", ":0"}),
            "--api-lsten: there is no such flag: did you mean --api-listen?");
  EXPECT_EQ(error_of("[hub]\ndurabilty = \"disk\"\n"),
            "holdfast.toml:2: hub.durabilty: there is no such key: did you mean hub.durability?");
}

TEST(Config, WrongValuesSayWhatIsRight) {
  EXPECT_EQ(error_of("api.workers = 65"), "holdfast.toml:1: api.workers: must be 1 to 64");
  EXPECT_EQ(error_of("api.workers = \"many\""),
            "holdfast.toml:1: api.workers: must be a whole number");
  EXPECT_EQ(error_of("retention.raw = \"5m\""),
            "holdfast.toml:1: retention.raw: must be at least 3600 seconds");
  EXPECT_EQ(error_of("retention.raw = \"soon\""),
            "holdfast.toml:1: retention.raw: must be a duration such as \"90s\", \"15m\", "
            "\"1h30m\" or \"7d\"");
  EXPECT_EQ(error_of("journal.segment = \"2GiB\""),
            "holdfast.toml:1: journal.segment: must be 1048576 to 1073741824 bytes");
  EXPECT_EQ(error_of("hub.durability = \"tape\""),
            "holdfast.toml:1: hub.durability: must be one of disk,memory");
  EXPECT_EQ(error_of("verbose = \"yes\""), "holdfast.toml:1: verbose: must be true or false");
  EXPECT_EQ(error_of("ratio = nan"), "holdfast.toml:1: ratio: must be a number");
  EXPECT_EQ(error_of("api.listen = \"8443\""),
            "holdfast.toml:1: api.listen: must be \"host:port\", \":port\" or \"[address]:port\"");
  EXPECT_EQ(error_of("", {}, {{"HOLDFAST_RATIO", "half"}}),
            "ratio: (HOLDFAST_RATIO) must be a number");
}

TEST(Config, ShapesMustFit) {
  EXPECT_EQ(error_of("server.names = \"a\""),
            "holdfast.toml:1: server.names: must be an array of texts without commas");
  EXPECT_EQ(error_of("server.names = [\"a,b\"]"),
            "holdfast.toml:1: server.names: must be an array of texts without commas");
  EXPECT_EQ(error_of("ratio = [0.5]"), "holdfast.toml:1: ratio: must be a single value");
  EXPECT_EQ(error_of("data = 2026-01-01"), "holdfast.toml:1: data: must be a single value");
  EXPECT_TRUE(error_of("[[api]]\nlisten = \":0\"").contains("api: there is no such key"));
}

TEST(Config, BrokenFilesNameTheLine) {
  EXPECT_TRUE(error_of("ratio = 0.5\nverbose = \n").starts_with("holdfast.toml:2: "))
      << error_of("ratio = 0.5\nverbose = \n");
  EXPECT_TRUE(error_of("ratio = 1\nratio = 2\n").starts_with("holdfast.toml:2: "));
  EXPECT_NE(error_of(std::string(300'000, '#')), "accepted");
  std::string deep;
  for (int i = 0; i < 1'000; ++i) deep += "a.";
  EXPECT_NE(error_of(deep + "a = 1"), "accepted");
  EXPECT_NE(error_of("ratio = " + std::string(10'000, '[')), "accepted");
}

TEST(Config, CheckFindsEverything) {
  Inputs inputs;
  inputs.file_text = "ratio = \"x\"\nnope = 1\n[api]\nworkers = 0\n";
  inputs.arguments = {"--wrong"};
  const auto findings = check(kSettings, inputs);
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].line, 1);
  EXPECT_EQ(findings[1].key, "nope");
  EXPECT_EQ(findings[2].line, 4);
  EXPECT_EQ(findings[3].key, "--wrong");
  inputs.file_text.clear();
  inputs.arguments.clear();
  EXPECT_TRUE(check(kSettings, inputs).empty());
}

TEST(Config, NamesAreDerived) {
  EXPECT_EQ(environment_name("HOLDFAST_", "api.listen"), "HOLDFAST_API_LISTEN");
  EXPECT_EQ(environment_name("HOLDFAST_AGENT_", "spool-max.size_2"),
            "HOLDFAST_AGENT_SPOOL_MAX_SIZE_2");
  EXPECT_EQ(flag_name("api.listen_on"), "--api-listen-on");
}

TEST(Config, SizesHaveUnits) {
  EXPECT_EQ(parse_size("0"), 0);
  EXPECT_EQ(parse_size("17"), 17);
  EXPECT_EQ(parse_size("17B"), 17);
  EXPECT_EQ(parse_size("2kB"), 2'000);
  EXPECT_EQ(parse_size("2 KiB"), 2'048);
  EXPECT_EQ(parse_size("10GB"), 10'000'000'000);
  EXPECT_EQ(parse_size("1TiB"), 1LL << 40);
  for (const char* wrong : {"", "-1", "1.5MiB", "MiB", "1PB", "9999999999TiB", "1 M"}) {
    EXPECT_FALSE(parse_size(wrong)) << wrong;
  }
}

TEST(Config, ValuesCanBeFixed) {
  Config config = from("")->config;
  ASSERT_TRUE(config.set("api.workers", "9"));
  EXPECT_EQ(config.integer("api.workers"), 9);
  EXPECT_EQ(config.set("api.workers", "0").error().message, "api.workers must be 1 to 64");
  EXPECT_EQ(config.integer("api.workers"), 9);
  EXPECT_EQ(config.shown("retention.raw"), "30d");
}

TEST(Config, TheReferencePageNamesEverySetting) {
  const std::string page = reference_page(kSettings, "Server", "HOLDFAST_", "All settings.");
  EXPECT_TRUE(page.starts_with("# Server\n\nAll settings.\n"));
  for (const Setting& setting : kSettings) {
    EXPECT_TRUE(page.contains("### `" + std::string(setting.key) + "`")) << setting.key;
    EXPECT_TRUE(page.contains(setting.help));
    EXPECT_TRUE(page.contains(environment_name("HOLDFAST_", setting.key)));
    EXPECT_TRUE(page.contains(flag_name(setting.key)));
  }
  EXPECT_TRUE(page.contains(
      "| duration | `30d` | at least 1h | `HOLDFAST_RETENTION_RAW` | `--retention-raw` |"))
      << page;
  EXPECT_TRUE(page.contains("| text, secret | none | any |"));
  EXPECT_TRUE(page.contains("## `[api]`"));
  EXPECT_EQ(page.find("## `[api]`"), page.rfind("## `[api]`"));
}

}  // namespace
}  // namespace holdfast::config
