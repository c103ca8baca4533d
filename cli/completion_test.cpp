#include "cli/completion.hpp"

#include "cli/cli_fixture_test.hpp"

namespace holdfast::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class CompletionTest : public CliTest {};

TEST_F(CompletionTest, KnowsEveryWordAndOptionOfTheTable) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    SCOPED_TRACE(shell);
    ASSERT_EQ(run({"completion", shell}), 0);
    for (const Command& command : commands) {
      const std::string path(command.path);
      EXPECT_THAT(terminal.printed, HasSubstr(path.substr(path.find(' ') + 1)));
      for (const Argument& argument : command.arguments) {
        if (argument.kind == Argument::Kind::positional) continue;
        EXPECT_THAT(terminal.printed, HasSubstr(std::string(key_of(argument)))) << path;
      }
    }
  }
  EXPECT_TRUE(script.requests.empty()) << "it asks no server";
}

TEST_F(CompletionTest, BashFindsWhatFollows) {
  ASSERT_EQ(run({"completion", "bash"}), 0);
  EXPECT_THAT(terminal.printed, HasSubstr("    \"device tag\") next=\"--remove\" ;;\n"));
  EXPECT_THAT(terminal.printed, HasSubstr("    \"twin\") next=\"get set diff\" ;;\n"));
  EXPECT_THAT(terminal.printed, HasSubstr("--json"));
  EXPECT_THAT(terminal.printed, Not(HasSubstr("DEVICE"))) << "positionals are for people";
}

TEST_F(CompletionTest, FishQuotesHelp) {
  const Commands odd{{"one two", "It's a \\ test", {flag("--dry", "Don't")}, nullptr}};
  const auto script_text = completion_script(odd, "fish");
  ASSERT_TRUE(script_text);
  EXPECT_THAT(*script_text, HasSubstr("'It\\'s a \\\\ test'"));
  EXPECT_THAT(*script_text, HasSubstr("-l dry -d 'Don\\'t'"));
}

TEST_F(CompletionTest, AnotherShellIsRefused) {
  EXPECT_EQ(run({"completion", "tcsh"}), 2);
  EXPECT_THAT(terminal.said, HasSubstr("bash, zsh or fish"));
  EXPECT_THAT(terminal.said, HasSubstr("holdfast completion --help"));
  EXPECT_EQ(terminal.printed, "");
}

}  // namespace
}  // namespace holdfast::cli
