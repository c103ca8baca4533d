#include "cli/parser.hpp"

#include "cli/cli_fixture_test.hpp"

namespace holdfast::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ParserTest : public CliTest {
 protected:
  Parsed good(std::vector<std::string> words) {
    auto parsed = parse(commands, words, "1.2.3");
    EXPECT_TRUE(parsed) << parsed.error().text();
    return parsed ? *parsed : Parsed{};
  }
  std::string wrong(std::vector<std::string> words) {
    const auto parsed = parse(commands, words, "1.2.3");
    EXPECT_FALSE(parsed);
    return parsed ? "" : parsed.error().message;
  }
};

TEST_F(ParserTest, TakesWordsApart) {
  const Parsed parsed =
      good({"device", "tag", "pump", "a=1", "b=2", "--remove", "c", "--remove", "d", "--json"});
  ASSERT_TRUE(parsed.command);
  EXPECT_EQ(parsed.command->path, "device tag");
  EXPECT_EQ(parsed.given.text("DEVICE"), "pump");
  EXPECT_THAT(parsed.given.all("TAG"), ElementsAre("a=1", "b=2"));
  EXPECT_THAT(parsed.given.all("remove"), ElementsAre("c", "d"));
  EXPECT_TRUE(parsed.given.has("json"));
  EXPECT_FALSE(parsed.given.has("quiet"));
}

TEST_F(ParserTest, CommonOptionsMayStandAnywhere) {
  for (const auto& words : {std::vector<std::string>{"--json", "device", "list"},
                            {"device", "--json", "list"},
                            {"device", "list", "--json"}}) {
    EXPECT_TRUE(good(words).given.has("json"));
  }
  EXPECT_EQ(good({"device", "list", "--timeout=5s", "-y"}).given.text("timeout"), "5s");
}

TEST_F(ParserTest, SaysWhatWasPerhapsMeant) {
  EXPECT_EQ(wrong({"devise", "list"}),
            "There is no `devise` after `holdfast`. Did you mean `device`?");
  EXPECT_EQ(wrong({"device", "lits"}),
            "There is no `lits` after `holdfast device`. Did you mean `list`?");
  EXPECT_EQ(wrong({"device", "list", "--onlin"}),
            "There is no option `--onlin` here. Did you mean `--online`?");
  EXPECT_EQ(wrong({"device", "list", "--xyzzy=1"}), "There is no option `--xyzzy` here.");
  EXPECT_EQ(wrong({"xylophone"}), "There is no `xylophone` after `holdfast`.");
  EXPECT_THAT(wrong({"device"}), StartsWith("Say what after `holdfast device`: list, show, watch"));
  EXPECT_THAT(wrong({}), StartsWith("Say what after `holdfast`: login, "));
  EXPECT_EQ(wrong({"device", "rename", "a"}), "NAME is required.");
  EXPECT_THAT(wrong({"device", "rename", "a", "b", "c"}), HasSubstr("c"));
  EXPECT_THAT(wrong({"device", "quarantine", "a"}), HasSubstr("--reason is required"));
}

TEST_F(ParserTest, HelpAndVersionAreText) {
  EXPECT_EQ(good({"--version"}).text, "1.2.3\n");
  EXPECT_THAT(good({"--help"}).text, HasSubstr("telemetry"));
  EXPECT_THAT(good({"device", "list", "--help"}).text, HasSubstr("--online"));
}

TEST_F(ParserTest, EveryCommandHasHelpAndCanBeParsed) {
  for (const Command& command : commands) {
    EXPECT_FALSE(command.help.empty()) << command.path;
    EXPECT_FALSE(command.help.ends_with('.')) << command.path;
    EXPECT_TRUE(command.run) << command.path;
    std::vector<std::string> words;
    std::string_view rest = command.path;
    while (!rest.empty()) {
      words.emplace_back(rest.substr(0, rest.find(' ')));
      rest.remove_prefix(std::min(rest.size(), words.back().size() + 1));
    }
    for (const Argument& argument : command.arguments) {
      EXPECT_FALSE(argument.help.empty()) << command.path << ' ' << argument.name;
      if (argument.kind == Argument::Kind::positional) words.push_back("x");
      if (argument.kind == Argument::Kind::value && argument.required) {
        words.push_back("--" + std::string(key_of(argument)));
        words.push_back("x");
      }
    }
    EXPECT_EQ(good(words).command, &command) << command.path;
  }
}

// The reference page is made from the table of commands.
TEST_F(ParserTest, TheReferencePageIsCurrent) {
  auto real = os::RealSystem::make();
  ASSERT_TRUE(real);
  os::Files& files = (*real)->system().files;
  const std::string path = "docs/reference/command-line.md";
  const std::string page = reference_page(commands);
  const auto now = os::read_file(files, path, 1 << 20);
  if (now && string_of(*now) == page) return;
  ASSERT_TRUE(files.make_folder(os::folder_of(path)));
  ASSERT_TRUE(os::replace_file(files, path, view_of(page)));
  ADD_FAILURE() << path << " was out of date and has been written anew: commit it";
}

TEST(Nearest, CountsChangesAndSwaps) {
  const std::vector<std::string> known = {"list", "show", "watch", "quarantine"};
  EXPECT_EQ(nearest("lsit", known), "list");
  EXPECT_EQ(nearest("quarentine", known), "quarantine");
  EXPECT_EQ(nearest("whatch", known), "watch");
  EXPECT_FALSE(nearest("restart", known));
  EXPECT_FALSE(nearest("", {}));
}

}  // namespace
}  // namespace holdfast::cli
