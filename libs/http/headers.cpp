#include "libs/http/headers.hpp"

#include <algorithm>
#include <array>

namespace holdfast::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

constexpr std::array<std::string_view, 5> kIrregularNames = {
    "ETag", "WWW-Authenticate", "Last-Event-ID", "X-Holdfast-CSRF", "TE"};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

bool same_name(std::string_view left, std::string_view right) {
  return std::ranges::equal(left, right, [](char a, char b) { return lower(a) == lower(b); });
}

std::string canonical_name(std::string_view name) {
  for (std::string_view irregular : kIrregularNames) {
    if (same_name(irregular, name)) return std::string(irregular);
  }
  std::string out(name);
  bool first = true;
  for (char& c : out) {
    c = first ? upper(c) : lower(c);
    first = c == '-';
  }
  return out;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const bool letter_or_digit =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter_or_digit || std::string_view("!#$%&'*+-.^_`|~").contains(c);
  });
}

void Headers::add(std::string_view name, std::string_view value) {
  list_.push_back({std::string(name), std::string(value)});
}

void Headers::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Headers::remove(std::string_view name) {
  std::erase_if(list_, [&](const Header& header) { return same_name(header.name, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const Header& header : list_) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool Headers::lists(std::string_view name, std::string_view item) const {
  for (const Header& header : list_) {
    if (!same_name(header.name, name)) continue;
    std::string_view rest = header.value;
    while (true) {
      const std::size_t comma = rest.find(',');
      if (same_name(trimmed(rest.substr(0, comma)), item)) return true;
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return false;
}

void write_headers(const Headers& headers, std::string& out) {
  for (const Header& header : headers) {
    out += canonical_name(header.name);
    out += ": ";
    for (char c : header.value) {
      const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
      out += control ? ' ' : c;
    }
    out += "\r\n";
  }
}

}  // namespace holdfast::http
