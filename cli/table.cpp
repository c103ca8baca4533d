#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

namespace holdfast::cli {
namespace {

constexpr std::size_t kGap = 2;

std::string cut(const std::string& text, std::size_t width) {
  if (columns_of(text) <= width) return text;
  std::string out;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < text.size() && taken + 1 < width; ++taken) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    out += text.substr(i, size);
    i += size;
  }
  return out + "\u2026";
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const std::size_t used = columns_of(text);
  const std::string space(width > used ? width - used : 0, ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    // U+0080 to U+009F are control characters too: U+009B begins what ESC [ does.
    const bool high_control = c == 0xC2 && next >= 0x80 && next <= 0x9F;
    if (high_control) ++i;
    out += c < 0x20 || c == 0x7F || high_control ? ' ' : text[i];
  }
  return out;
}

std::string printable_lines(std::string_view text) {
  std::string out;
  while (true) {
    const std::size_t end = text.find('\n');
    out += printable(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
}

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string aligned(const Table& table, unsigned width) {
  std::vector<std::size_t> shown(table.columns.size());
  std::iota(shown.begin(), shown.end(), 0U);
  std::vector<std::size_t> widths(table.columns.size());
  for (std::size_t i = 0; i < widths.size(); ++i) {
    widths[i] = columns_of(table.columns[i].title);
    for (const auto& row : table.rows) widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  const auto total = [&] {
    std::size_t sum = 0;
    for (std::size_t i : shown) sum += widths[i] + kGap;
    return sum < kGap ? 0 : sum - kGap;
  };
  while (width > 0 && total() > width && shown.size() > 1) {
    const auto least = std::ranges::min_element(shown, {}, [&](std::size_t i) {
      return std::pair(table.columns[i].keep, -static_cast<int>(i));
    });
    shown.erase(least);
  }
  if (width > 0 && total() > width) widths[shown.front()] = width;
  std::string out;
  const auto line = [&](auto&& cell) {
    std::string text;
    for (std::size_t i : shown) {
      text += padded(cut(printable(cell(i)), widths[i]), widths[i], table.columns[i].right);
      text += std::string(kGap, ' ');
    }
    while (text.ends_with(' ')) text.pop_back();
    out += text + '\n';
  };
  line([&](std::size_t i) { return table.columns[i].title; });
  for (const auto& row : table.rows) line([&](std::size_t i) { return std::string_view(row[i]); });
  return out;
}

std::string tab_separated(const Table& table) {
  std::string out;
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += '\t';
      out += printable(row[i]);
    }
    out += '\n';
  }
  return out;
}

}  // namespace holdfast::cli
