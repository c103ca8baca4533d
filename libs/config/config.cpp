#include "libs/config/config.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include "libs/config/reading.hpp"

namespace holdfast::config {

namespace {

struct SizeUnit {
  std::string_view name;
  std::int64_t bytes;
};
constexpr std::array kSizeUnits{
    SizeUnit{"KiB", 1LL << 10},
    SizeUnit{"MiB", 1LL << 20},
    SizeUnit{"GiB", 1LL << 30},
    SizeUnit{"TiB", 1LL << 40},
    SizeUnit{"kB", 1'000},
    SizeUnit{"MB", 1'000'000},
    SizeUnit{"GB", 1'000'000'000},
    SizeUnit{"TB", 1'000'000'000'000},
    SizeUnit{"B", 1},
};

template <class T>
std::optional<T> number_of(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

Error wrong(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

// "1024 to 65536 bytes"; limits that are not set are not named.
Status check_range(const Setting& setting, std::int64_t value, std::string_view unit) {
  if (value >= setting.low && value <= setting.high) return {};
  std::string text = "must be ";
  if (setting.high == INT64_MAX) {
    text += "at least " + std::to_string(setting.low);
  } else if (setting.low == INT64_MIN) {
    text += "at most " + std::to_string(setting.high);
  } else {
    text += std::to_string(setting.low) + " to " + std::to_string(setting.high);
  }
  return std::unexpected(wrong(text + std::string(unit)));
}

// The form of an address; the network resolves and checks it when it is used.
Status check_address(std::string_view value) {
  const std::size_t colon = value.rfind(':');
  const auto port = colon == std::string_view::npos
                        ? std::nullopt
                        : number_of<std::uint16_t>(value.substr(colon + 1));
  const std::string_view host = value.substr(0, std::min(colon, value.size()));
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (port && (bracketed || !host.contains(':')) && !host.contains(' ')) return {};
  return std::unexpected(wrong("must be \"host:port\", \":port\" or \"[address]:port\""));
}

Result<std::string> normal_number(const Setting& setting, std::string_view value) {
  if (setting.type == Type::integer) {
    const auto number = number_of<std::int64_t>(value);
    if (!number) return std::unexpected(wrong("must be a whole number"));
    TRY(check_range(setting, *number, ""));
    return std::to_string(*number);
  }
  if (setting.type == Type::size) {
    const std::int64_t bytes = TRY(parse_size(value));
    TRY(check_range(setting, bytes, " bytes"));
    return std::string(value);
  }
  const auto real = number_of<double>(value);
  if (!real || !std::isfinite(*real)) return std::unexpected(wrong("must be a number"));
  return std::string(value);
}

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = up;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view name_of(Source source) {
  switch (source) {
    case Source::default_value:
      return "default";
    case Source::file:
      return "file";
    case Source::environment:
      return "environment";
    case Source::flag:
      return "flag";
  }
  return "default";
}

Result<std::int64_t> parse_size(std::string_view text) {
  for (const SizeUnit& unit : kSizeUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto number =
        number_of<std::int64_t>(trim(text.substr(0, text.size() - unit.name.size())));
    if (!number || *number < 0 || *number > INT64_MAX / unit.bytes) break;
    return *number * unit.bytes;
  }
  if (const auto plain = number_of<std::int64_t>(text); plain && *plain >= 0) return *plain;
  return std::unexpected(wrong("must be a size such as \"64MiB\", \"10GB\" or bytes"));
}

Result<std::string> normalise(const Setting& setting, std::string_view value) {
  switch (setting.type) {
    case Type::text:
    case Type::path:
      return std::string(value);
    case Type::integer:
    case Type::real:
    case Type::size:
      return normal_number(setting, value);
    case Type::boolean:
      if (value == "true" || value == "false") return std::string(value);
      return std::unexpected(wrong("must be true or false"));
    case Type::duration: {
      const auto duration = parse_duration(value);
      if (!duration)
        return std::unexpected(
            wrong("must be a duration such as \"90s\", \"15m\", \"1h30m\" or \"7d\""));
      TRY(check_range(setting, duration->us / 1'000'000, " seconds"));
      return to_text(*duration);
    }
    case Type::address:
      if (!value.empty()) TRY(check_address(value));
      return std::string(value);
    case Type::choice: {
      const auto choices = split(setting.choices, ',');
      if (std::ranges::find(choices, value) != choices.end()) return std::string(value);
      return std::unexpected(wrong("must be one of " + std::string(setting.choices)));
    }
    case Type::list: {
      std::string out;
      for (const std::string& part : split(value, ',')) {
        const std::string_view item = trim(part);
        if (item.empty()) continue;
        if (!out.empty()) out += ',';
        out += item;
      }
      return out;
    }
  }
  return std::unexpected(wrong("is of no known type"));
}

std::string environment_name(std::string_view prefix, std::string_view key) {
  std::string out(prefix);
  for (const char c : key) {
    const bool lower = c >= 'a' && c <= 'z';
    out += c == '.' || c == '-' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

std::string flag_name(std::string_view key) {
  std::string out = "--";
  for (const char c : key) out += c == '.' || c == '_' ? '-' : c;
  return out;
}

std::optional<std::string> nearest_key(Schema schema, std::string_view unknown) {
  std::optional<std::string> best;
  std::size_t least = 1 + std::max<std::size_t>(2, unknown.size() / 4);
  for (const Setting& setting : schema) {
    // Also when only the section is missing or wrong: "listen" for "api.listen".
    const std::string_view last = setting.key.substr(setting.key.rfind('.') + 1);
    const std::size_t away =
        std::min(distance(setting.key, unknown), last == unknown ? 1U : SIZE_MAX);
    if (away < least) {
      least = away;
      best = std::string(setting.key);
    }
  }
  return best;
}

// ---- Config

const Setting& Config::setting(std::string_view key) const {
  const auto at = std::ranges::find(schema_, key, &Setting::key);
  assert(at != schema_.end() && "a key that the schema lacks");
  return *at;
}

const Entry& Config::entry(std::string_view key) const {
  const auto at = entries_.find(key);
  assert(at != entries_.end() && "a key that the schema lacks");
  return at->second;
}

const std::string& Config::text(std::string_view key) const {
  const Type type = setting(key).type;
  assert(type == Type::text || type == Type::path || type == Type::address || type == Type::choice);
  (void)type;
  return entry(key).value;
}

std::int64_t Config::integer(std::string_view key) const {
  const Setting& own = setting(key);
  assert(own.type == Type::integer || own.type == Type::size);
  if (own.type == Type::size) return parse_size(entry(key).value).value_or(0);
  return number_of<std::int64_t>(entry(key).value).value_or(0);
}

double Config::real(std::string_view key) const {
  assert(setting(key).type == Type::real);
  return number_of<double>(entry(key).value).value_or(0);
}

bool Config::boolean(std::string_view key) const {
  assert(setting(key).type == Type::boolean);
  return entry(key).value == "true";
}

Duration Config::duration(std::string_view key) const {
  assert(setting(key).type == Type::duration);
  return parse_duration(entry(key).value).value_or(Duration{});
}

std::vector<std::string> Config::list(std::string_view key) const {
  assert(setting(key).type == Type::list);
  return split(entry(key).value, ',');
}

const std::string& Config::shown(std::string_view key) const {
  return entry(key).value;
}
Source Config::source(std::string_view key) const {
  return entry(key).source;
}

Status Config::set(std::string_view key, std::string_view value) {
  auto normal = normalise(setting(key), value);
  if (!normal) return std::unexpected(wrong(std::string(key) + " " + normal.error().message));
  entries_[std::string(key)] = {std::move(*normal), Source::flag};
  return {};
}

}  // namespace holdfast::config
