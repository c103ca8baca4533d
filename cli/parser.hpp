// Parser: from the words of a command line to a command and what was given to it. Pure.
#pragma once

#include "cli/command.hpp"

namespace holdfast::cli {

struct Parsed {
  const Command* command = nullptr;  // null: only `text` is to be printed
  Given given;
  std::string text;  // help or version, for standard output
};

// invalid_argument: the words make no command; the message says which, and what was perhaps meant.
Result<Parsed> parse(const Commands& commands, const std::vector<std::string>& words,
                     std::string_view version);

// Arguments that every command takes.
const std::vector<Argument>& common_arguments();

// What a word was perhaps meant to be: the nearest of `known`, if it is near enough.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// What a group of commands is for: of "device", "Devices: list, watch, change, cut off"; "" for
// none.
std::string group_help(std::string_view group);

// The help that is nearest to some words: "holdfast device list --help".
std::string help_of(const Commands& commands, const std::vector<std::string>& words);

// The reference page (Markdown) of all commands.
std::string reference_page(const Commands& commands);

}  // namespace holdfast::cli
