#include <algorithm>

#include "libs/config/config.hpp"

namespace holdfast::config {

namespace {

std::string_view type_name(Type type) {
  switch (type) {
    case Type::text:
      return "text";
    case Type::path:
      return "path";
    case Type::integer:
      return "whole number";
    case Type::real:
      return "number";
    case Type::boolean:
      return "true or false";
    case Type::duration:
      return "duration";
    case Type::size:
      return "size";
    case Type::address:
      return "address";
    case Type::choice:
      return "choice";
    case Type::list:
      return "list of texts";
  }
  return "text";
}

std::string unit_text(Type type, std::int64_t value) {
  if (type == Type::duration) return to_text(seconds(value));
  if (type == Type::size) return std::to_string(value) + " bytes";
  return std::to_string(value);
}

std::string range_text(const Setting& setting) {
  if (setting.type == Type::choice) return std::string(setting.choices);
  const bool low = setting.low != INT64_MIN;
  const bool high = setting.high != INT64_MAX;
  if (low && high)
    return unit_text(setting.type, setting.low) + " to " + unit_text(setting.type, setting.high);
  if (low) return "at least " + unit_text(setting.type, setting.low);
  if (high) return "at most " + unit_text(setting.type, setting.high);
  return "";
}

std::string entry_text(const Setting& setting, std::string_view env_prefix) {
  std::string out =
      "### `" + std::string(setting.key) + "`\n\n" + std::string(setting.help) + "\n\n";
  out += "| type | default | range | environment | flag |\n|---|---|---|---|---|\n| ";
  out += type_name(setting.type);
  out += setting.secret ? ", secret | " : " | ";
  out += setting.default_value.empty() ? "none" : "`" + std::string(setting.default_value) + "`";
  const std::string range = range_text(setting);
  out += " | " + (range.empty() ? std::string("any") : range) + " | `" +
         environment_name(env_prefix, setting.key) + "` | `" + flag_name(setting.key) + "` |\n\n";
  return out;
}

}  // namespace

std::string reference_page(Schema schema, std::string_view title, std::string_view env_prefix,
                           std::string_view introduction) {
  std::string out = "# " + std::string(title) + "\n\n" + std::string(introduction) + "\n\n";
  out +=
      "A key is written in the file as TOML (`[section]`, then `name = value`), in the environment "
      "as shown, and on the"
      " command line as a flag. Later ones win: default, file, environment, flag. Durations are "
      "`90s`, `15m`, `1h30m`,"
      " `7d`; sizes `64MiB`, `10GB` or bytes. An unknown key is an error.\n\n";
  std::string_view section = "-";
  for (const Setting& setting : schema) {
    const std::size_t dot = setting.key.find('.');
    const std::string_view own =
        dot == std::string_view::npos ? std::string_view("") : setting.key.substr(0, dot);
    if (own != section) {
      section = own;
      out +=
          "## " + (own.empty() ? std::string("General") : "`[" + std::string(own) + "]`") + "\n\n";
    }
    out += entry_text(setting, env_prefix);
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

}  // namespace holdfast::config
