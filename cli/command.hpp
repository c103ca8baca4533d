// Commands as data: what each is called, takes and does. The table of all of them makes the parser,
// the help, the suggestions and the reference page; nothing else knows their names. Values.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace holdfast::cli {

struct Argument {
  enum class Kind { positional, value, flag };
  std::string_view name;  // "DEVICE", "--limit", "-m,--message"
  std::string_view help;
  Kind kind = Kind::value;
  bool required = false;
  bool many = false;  // may be given more than once
};

inline Argument positional(std::string_view name, std::string_view help) {
  return {name, help, Argument::Kind::positional, true, false};
}
inline Argument value(std::string_view name, std::string_view help) {
  return {name, help};
}
inline Argument required_value(std::string_view name, std::string_view help) {
  return {name, help, Argument::Kind::value, true, false};
}
inline Argument many_values(std::string_view name, std::string_view help) {
  return {name, help, Argument::Kind::value, false, true};
}
inline Argument flag(std::string_view name, std::string_view help) {
  return {name, help, Argument::Kind::flag};
}

// What was given, by the argument's longest name without dashes: "limit", "DEVICE".
class Given {
 public:
  bool has(std::string_view name) const { return values_.contains(name); }
  // The first value; "" if it was not given.
  std::string text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() || found->second.empty() ? "" : found->second.front();
  }
  std::optional<std::string> maybe(std::string_view name) const {
    return has(name) ? std::optional(text(name)) : std::nullopt;
  }
  std::vector<std::string> all(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::vector<std::string>{} : found->second;
  }
  void set(std::string name, std::vector<std::string> values) {
    values_[std::move(name)] = std::move(values);
  }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

class Run;

struct Command {
  std::string_view path;  // "device list"
  std::string_view help;  // one line, no full stop
  std::vector<Argument> arguments;
  Status (*run)(Run&) = nullptr;
};

using Commands = std::vector<Command>;

// The name that Given knows an argument by: of "-m,--message" it is "message".
std::string_view key_of(const Argument& argument);

}  // namespace holdfast::cli
