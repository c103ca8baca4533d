#include "cli/parser.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <list>
#include <sstream>

namespace holdfast::cli {
namespace {

// Where CLI11 puts what it finds; stable addresses.
struct Slot {
  const Argument* argument;
  std::vector<std::string> values;  // of what may be given more than once
  std::string one;                  // of what may not
  bool flag = false;
  const CLI::Option* option = nullptr;
};

std::vector<std::string> words_of(std::string_view path) {
  std::vector<std::string> out;
  std::istringstream stream{std::string(path)};
  for (std::string word; stream >> word;) out.push_back(word);
  return out;
}

void add_argument(CLI::App& app, const Argument& argument, std::list<Slot>& slots) {
  Slot& slot = slots.emplace_back(Slot{&argument, {}, {}, false, nullptr});
  const std::string name(argument.name);
  const std::string help(argument.help);
  CLI::Option* option = nullptr;
  if (argument.kind == Argument::Kind::flag) {
    option = app.add_flag(name, slot.flag, help);
  } else if (argument.many) {
    option = app.add_option(name, slot.values, help);
    // An option takes one value each time; only a last positional takes all that follow.
    if (argument.kind == Argument::Kind::value) option->expected(1)->take_all();
  } else {
    option = app.add_option(name, slot.one, help);
  }
  if (argument.kind != Argument::Kind::flag) {
    option->type_name(argument.kind == Argument::Kind::positional ? "" : "VALUE");
  }
  if (argument.required) option->required();
  slot.option = option;
}

// One tree of CLI11 apps for one parse.
struct Tree {
  CLI::App root{"Holdfast: runs a fleet of devices safely", "holdfast"};
  std::list<Slot> common;
  std::map<const Command*, std::list<Slot>> slots;
  std::map<const Command*, CLI::App*> apps;

  std::map<std::string, CLI::App*> groups;

  CLI::App* group_of(const std::string& name) {
    auto& group = groups[name];
    if (group) return group;
    group = root.add_subcommand(name, group_help(name));
    group->require_subcommand(1);
    group->fallthrough();
    return group;
  }

  Tree(const Commands& commands, std::string_view version) {
    root.set_version_flag("--version", std::string(version));
    root.require_subcommand(1);
    root.footer("Exit codes: holdfast help exit-codes");
    for (const Argument& argument : common_arguments()) add_argument(root, argument, common);
    for (const Command& command : commands) {
      const auto words = words_of(command.path);
      CLI::App* above = words.size() > 1 ? group_of(words.front()) : &root;
      CLI::App* at = above->add_subcommand(words.back(), std::string(command.help));
      at->fallthrough();
      for (const Argument& argument : command.arguments)
        add_argument(*at, argument, slots[&command]);
      apps[&command] = at;
    }
  }
};

void take(Given& given, const std::list<Slot>& slots) {
  for (const Slot& slot : slots) {
    if (slot.option->count() == 0) continue;
    std::vector<std::string> values{slot.flag ? "true" : slot.one};
    if (slot.argument->many) values = slot.values;
    given.set(std::string(key_of(*slot.argument)), std::move(values));
  }
}

// How far the words lead: those that name a command or a group, what may follow, and the first word
// that is none of it.
struct Way {
  std::vector<std::string> matched;
  std::vector<std::string> next;  // empty: the command is complete
  std::string wrong;
};

Way way_of(const Commands& commands, const std::vector<std::string>& words) {
  Way way;
  const auto look = [&] {
    way.next.clear();
    for (const Command& command : commands) {
      const auto path = words_of(command.path);
      const bool below = path.size() > way.matched.size() &&
                         std::equal(way.matched.begin(), way.matched.end(), path.begin());
      if (below && std::ranges::find(way.next, path[way.matched.size()]) == way.next.end()) {
        way.next.push_back(path[way.matched.size()]);
      }
    }
  };
  look();
  for (const std::string& word : words) {
    if (word.starts_with('-') || way.next.empty()) break;
    if (std::ranges::find(way.next, word) == way.next.end()) {
      way.wrong = word;
      break;
    }
    way.matched.push_back(word);
    look();
  }
  return way;
}

// "There is no `devise`. Did you mean `device`?"; nullopt: the words lead to a command.
std::optional<Error> wrong_way(const Commands& commands, const std::vector<std::string>& words) {
  const Way way = way_of(commands, words);
  if (way.next.empty()) return std::nullopt;
  std::string after = "holdfast";
  for (const std::string& word : way.matched) after += ' ' + word;
  std::string message;
  if (way.wrong.empty()) {
    message = "Say what after `" + after + "`:";
    for (const std::string& one : way.next)
      message += ' ' + one + (&one == &way.next.back() ? "." : ",");
  } else {
    message = "There is no `" + way.wrong + "` after `" + after + "`.";
    if (const auto meant = nearest(way.wrong, way.next))
      message += " Did you mean `" + *meant + "`?";
  }
  return Error{Code::invalid_argument, message, {}, {}, {}};
}

// "-q,--quiet" are two.
void add_names(std::vector<std::string>& out, const Argument& argument) {
  std::istringstream stream{std::string(argument.name)};
  for (std::string name; std::getline(stream, name, ',');) out.push_back(name);
}

// The first option that the command does not have, with the one that was perhaps meant.
std::optional<Error> unknown_option(const Commands& commands,
                                    const std::vector<std::string>& words) {
  std::vector<std::string> known{"-h", "--help", "--version"};
  for (const Argument& argument : common_arguments()) add_names(known, argument);
  const auto matched = way_of(commands, words).matched;
  for (const Command& command : commands) {
    if (words_of(command.path) != matched) continue;
    for (const Argument& argument : command.arguments) {
      if (argument.kind != Argument::Kind::positional) add_names(known, argument);
    }
  }
  for (const std::string& word : words) {
    if (word == "--") break;
    const std::string name = word.substr(0, word.find('='));
    const bool option = name.size() > 1 && name[0] == '-' && !(name[1] >= '0' && name[1] <= '9');
    if (!option || std::ranges::find(known, name) != known.end()) continue;
    std::string message = "There is no option `" + name + "` here.";
    if (const auto meant = nearest(name, known)) message += " Did you mean `" + *meant + "`?";
    return Error{Code::invalid_argument, message, {}, {}, {}};
  }
  return std::nullopt;
}

Error usage_error(const Commands& commands, const std::vector<std::string>& words,
                  const CLI::ParseError& error) {
  const bool extra = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  const bool lacks = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  // A wrong word is an extra one to CLI11, and a missing command or argument.
  if (extra || lacks) {
    if (auto wrong = wrong_way(commands, words)) return *std::move(wrong);
    if (auto wrong = unknown_option(commands, words)) return *std::move(wrong);
  }
  return Error{Code::invalid_argument, std::string(error.what()) + '.', {}, {}, {}};
}

}  // namespace

std::string group_help(std::string_view group) {
  static constexpr std::pair<std::string_view, std::string_view> kGroups[] = {
      {"device", "Devices: list, watch, change, cut off"},
      {"site", "Places, the scope for people and policy"},
      {"type", "Kinds of device and what their streams mean"},
      {"user", "People who sign in"},
      {"token", "API tokens and service credentials"},
      {"enrol", "Let devices enrol"},
      {"tpm", "TPMs of devices and their makers"},
      {"telemetry", "Readings of devices"},
      {"event", "What devices and the server report"},
      {"retention", "How long readings and events are kept"},
      {"erase", "Destroy what devices reported"},
      {"twin", "Desired and reported state of a device"},
      {"command", "Tell a device to do something once"},
      {"audit", "The evidence of every change"},
      {"job", "Work that the server does later"},
      {"config", "The server's configuration"},
      {"trust", "Make this machine trust the server"},
      {"context", "Servers that this machine is signed in to"},
      {"help", "Topics"},
  };
  for (const auto& [name, help] : kGroups) {
    if (name == group) return std::string(help);
  }
  return {};
}

std::string_view key_of(const Argument& argument) {
  std::string_view name = argument.name;
  if (const std::size_t comma = name.rfind(','); comma != std::string_view::npos)
    name.remove_prefix(comma + 1);
  while (name.starts_with('-')) name.remove_prefix(1);
  return name;
}

const std::vector<Argument>& common_arguments() {
  static const std::vector<Argument> kCommon = {
      flag("--json", "Print JSON as the server sends it; errors as RFC 9457 problems"),
      flag("-q,--quiet", "Print ids only"),
      value("--server", "Address of the server (HOLDFAST_SERVER)"),
      value("--ca", "File with the server's CA in PEM (HOLDFAST_CA)"),
      value("--context", "Use this stored context instead of the current one"),
      value("--timeout", "Give up after this time, such as 30s"),
      flag("-y,--yes", "Answer every question with yes"),
      flag("--no-input", "Never ask: fail instead"),
  };
  return kCommon;
}

Result<Parsed> parse(const Commands& commands, const std::vector<std::string>& words,
                     std::string_view version) {
  Tree tree(commands, version);
  std::vector<std::string> reversed(words.rbegin(), words.rend());
  try {
    tree.root.parse(std::move(reversed));
  } catch (const CLI::Success& done) {
    std::ostringstream out;
    tree.root.exit(done, out, out);
    return Parsed{nullptr, {}, out.str()};
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_error(commands, words, error));
  }
  Parsed parsed;
  take(parsed.given, tree.common);
  for (const auto& [command, app] : tree.apps) {
    if (!app->parsed()) continue;
    parsed.command = command;
    take(parsed.given, tree.slots[command]);
  }
  return parsed;
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_distance = word.size() / 3 + 2;  // more changes than this are another word
  for (const std::string& candidate : known) {
    // Levenshtein, with neighbours that changed places counting once (Damerau).
    std::vector<std::vector<std::size_t>> d(word.size() + 1,
                                            std::vector<std::size_t>(candidate.size() + 1));
    for (std::size_t i = 0; i <= word.size(); ++i) {
      for (std::size_t j = 0; j <= candidate.size(); ++j) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1,
                            d[i - 1][j - 1] + (word[i - 1] != candidate[j - 1])});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) {
          d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    if (d[word.size()][candidate.size()] < best_distance) {
      best_distance = d[word.size()][candidate.size()];
      best = candidate;
    }
  }
  return best;
}

std::string help_of(const Commands& commands, const std::vector<std::string>& words) {
  std::string out = "holdfast";
  for (const std::string& word : way_of(commands, words).matched) out += ' ' + word;
  return out + " --help";
}

std::string reference_page(const Commands& commands) {
  const auto rows = [](const std::vector<Argument>& arguments) {
    std::string out;
    for (const Argument& argument : arguments) {
      std::string name(argument.name);
      if (argument.kind == Argument::Kind::value) name += " VALUE";
      if (argument.many) name += " ...";
      out += "| `" + name + "` | " + std::string(argument.help) +
             (argument.required ? " (required)" : "") + " |\n";
    }
    return out;
  };
  std::string out =
      "# Command line\n\nMade from the program's own table; a test compares.\n\n## Every "
      "command\n\n| option | |\n|---|---|\n" +
      rows(common_arguments());
  for (const Command& command : commands) {
    out +=
        "\n## holdfast " + std::string(command.path) + "\n\n" + std::string(command.help) + ".\n";
    if (!command.arguments.empty())
      out += "\n| argument | |\n|---|---|\n" + rows(command.arguments);
  }
  return out;
}

}  // namespace holdfast::cli
