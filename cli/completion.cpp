#include "cli/completion.hpp"

#include <algorithm>

#include "cli/parser.hpp"

namespace holdfast::cli {
namespace {

// What may follow some words: "" is followed by "device", "device" by "list", "device list" by its
// options.
struct Follow {
  std::string path;
  std::vector<std::string> words;
};

std::string option_of(const Argument& argument) {
  return "--" + std::string(key_of(argument));
}

std::vector<Follow> follows_of(const Commands& commands) {
  std::vector<Follow> out{{"", {}}};
  const auto at = [&](const std::string& path) -> Follow& {
    const auto found = std::ranges::find(out, path, &Follow::path);
    return found != out.end() ? *found : out.emplace_back(Follow{path, {}});
  };
  const auto add = [&](const std::string& path, const std::string& word) {
    Follow& follow = at(path);
    if (std::ranges::find(follow.words, word) == follow.words.end()) follow.words.push_back(word);
  };
  for (const Command& command : commands) {
    const std::string path(command.path);
    const std::size_t space = path.find(' ');
    add("", path.substr(0, space));
    if (space != std::string::npos) add(path.substr(0, space), path.substr(space + 1));
    at(path);
    for (const Argument& argument : command.arguments) {
      if (argument.kind != Argument::Kind::positional) add(path, option_of(argument));
    }
  }
  return out;
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string common_options() {
  std::string out;
  for (const Argument& argument : common_arguments()) out += ' ' + option_of(argument);
  return out + " --help";
}

// The part that bash and zsh share: from the words before the cursor to what may come, in `next`.
std::string look_up(const std::vector<Follow>& follows) {
  std::string paths, cases;
  for (const Follow& follow : follows) {
    if (!follow.path.empty()) paths += (paths.empty() ? "\"" : "|\"") + follow.path + '"';
    cases += "    \"" + follow.path + "\") next=\"" + joined_words(follow.words) + "\" ;;\n";
  }
  return "  for word in \"${before[@]}\"; do\n"
         "    case \"${at:+$at }$word\" in\n"
         "      " +
         paths +
         ") at=\"${at:+$at }$word\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$at\" in\n" +
         cases + "  esac\n  next=\"$next" + common_options() + "\"\n";
}

std::string bash_script(const Commands& commands) {
  return "_holdfast() {\n"
         "  local at='' next='' word\n"
         "  local before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n" +
         look_up(follows_of(commands)) +
         "  COMPREPLY=($(compgen -W \"$next\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _holdfast holdfast\n";
}

std::string zsh_script(const Commands& commands) {
  return "#compdef holdfast\n"
         "_holdfast() {\n"
         "  local at='' next='' word\n"
         "  local -a before=(\"${(@)words[2,CURRENT-1]}\")\n" +
         look_up(follows_of(commands)) +
         "  compadd -- ${=next}\n"
         "  [[ $PREFIX == -* ]] || _files\n"
         "}\n"
         "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }\n"
         "compdef _holdfast holdfast\n";
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fish_script(const Commands& commands) {
  const auto follows = follows_of(commands);
  std::string out;
  const auto option = [&](const std::string& condition, const Argument& argument) {
    out += "complete -c holdfast" + condition + " -l " + std::string(key_of(argument)) +
           (argument.kind == Argument::Kind::value ? " -r" : "") + " -d " +
           fish_quoted(argument.help) + '\n';
  };
  for (const Argument& argument : common_arguments()) option("", argument);
  for (const Command& command : commands) {
    const std::string path(command.path);
    const std::size_t space = path.find(' ');
    const std::string first = path.substr(0, space);
    std::string condition = " -n '__fish_seen_subcommand_from " + first + "'";
    if (space == std::string::npos) {
      out += "complete -c holdfast -n __fish_use_subcommand -a " + first + " -d " +
             fish_quoted(command.help) + '\n';
    } else {
      const std::string second = path.substr(space + 1);
      const auto& siblings = std::ranges::find(follows, first, &Follow::path)->words;
      out += "complete -c holdfast -n '__fish_seen_subcommand_from " + first +
             "; and not __fish_seen_subcommand_from " + joined_words(siblings) + "' -f -a " +
             second + " -d " + fish_quoted(command.help) + '\n';
      condition = " -n '__fish_seen_subcommand_from " + first +
                  "; and __fish_seen_subcommand_from " + second + "'";
    }
    for (const Argument& argument : command.arguments) {
      if (argument.kind != Argument::Kind::positional) option(condition, argument);
    }
  }
  for (const std::string& word : follows.front().words) {
    const auto group = std::ranges::find(follows, word, &Follow::path);
    if (group == follows.end() || group->words.empty() || group->words.front().starts_with('-'))
      continue;
    out += "complete -c holdfast -n __fish_use_subcommand -f -a " + word + " -d " +
           fish_quoted(group_help(word)) + '\n';
  }
  return out;
}

}  // namespace

Result<std::string> completion_script(const Commands& commands, std::string_view shell) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return fail(Code::invalid_argument,
              "\"" + std::string(shell) + "\" is no shell that is known here: bash, zsh or fish.");
}

}  // namespace holdfast::cli
