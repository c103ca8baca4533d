// The only file that includes toml++: its exceptions stop here.
#include <toml++/toml.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "libs/config/reading.hpp"

namespace holdfast::config {

namespace {

constexpr std::size_t kFileBytesMax = 256 * 1024;
constexpr std::size_t kDotsOfALineMax = 512;

std::string real_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

// A scalar's spelling; nullopt for dates and times.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return *text;
  if (const auto integer = node.value_exact<std::int64_t>()) return std::to_string(*integer);
  if (const auto real = node.value_exact<double>()) return real_text(*real);
  if (const auto boolean = node.value_exact<bool>()) return *boolean ? "true" : "false";
  return std::nullopt;
}

FileValue file_value(std::string key, const toml::node& node) {
  FileValue out;
  out.key = std::move(key);
  out.line = static_cast<int>(node.source().begin.line);
  if (const toml::array* array = node.as_array()) {
    out.is_array = true;
    for (const toml::node& item : *array) {
      const auto text = scalar_text(item);
      // A comma inside an item would make two of it.
      if (!text || text->contains(',')) out.unusable = true;
      if (!out.value.empty()) out.value += ',';
      out.value += text.value_or("");
    }
    return out;
  }
  const auto text = scalar_text(node);
  out.unusable = !text;
  out.value = text.value_or("");
  return out;
}

void flatten(const toml::table& table, const std::string& prefix, std::vector<FileValue>& out) {
  for (const auto& [key, node] : table) {
    const std::string name =
        prefix.empty() ? std::string(key.str()) : prefix + "." + std::string(key.str());
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, name, out);
    } else {
      out.push_back(file_value(name, node));
    }
  }
}

// toml++ bounds the nesting of values; a key of a thousand dots makes as many nested tables.
bool key_too_deep(std::string_view text) {
  std::size_t dots = 0;
  for (const char c : text) {
    dots = c == '\n' ? 0 : dots + (c == '.' ? 1U : 0U);
    if (dots > kDotsOfALineMax) return true;
  }
  return false;
}

}  // namespace

std::vector<FileValue> read_toml(std::string_view text, std::vector<Finding>& findings) {
  std::vector<FileValue> values;
  if (text.size() > kFileBytesMax) {
    findings.push_back({0, "", "the file is larger than 256 KiB"});
    return values;
  }
  if (key_too_deep(text)) {
    findings.push_back({0, "", "a line has more than 512 dots"});
    return values;
  }
  try {
    const toml::table table = toml::parse(text);
    flatten(table, "", values);
  } catch (const toml::parse_error& error) {
    findings.push_back(
        {static_cast<int>(error.source().begin.line), "", std::string(error.description())});
  } catch (const std::exception& error) {
    findings.push_back({0, "", error.what()});
  }
  std::sort(values.begin(), values.end(),
            [](const FileValue& a, const FileValue& b) { return a.line < b.line; });
  return values;
}

}  // namespace holdfast::config
