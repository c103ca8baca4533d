#include "libs/http/accept.hpp"

#include "libs/http/headers.hpp"

namespace holdfast::http {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Thousandths: RFC 9110 section 12.4.2 allows three digits. What is no number counts as 1.
int quality(std::string_view parameters) {
  while (!parameters.empty()) {
    const std::size_t semicolon = parameters.find(';');
    const std::string_view one = trim(parameters.substr(0, semicolon));
    if (one.starts_with("q=") || one.starts_with("Q=")) {
      std::string_view digits = one.substr(2);
      if (digits.empty() || (digits[0] != '0' && digits[0] != '1')) return 1000;
      int value = digits[0] == '1' ? 1000 : 0;
      int weight = 100;
      for (std::size_t i = 2; i < digits.size() && i < 5; ++i, weight /= 10) {
        if (digits[i] < '0' || digits[i] > '9') break;
        value += (digits[i] - '0') * weight;
      }
      return value > 1000 ? 1000 : value;
    }
    if (semicolon == std::string_view::npos) break;
    parameters.remove_prefix(semicolon + 1);
  }
  return 1000;
}

// How exactly a range names a type: 2 by name, 1 by "text/*", 0 by "*/*" or "*", -1 not at all.
int precision(std::string_view range, std::string_view type) {
  if (range == "*/*" || range == "*") return 0;
  if (range.ends_with("/*")) {
    const std::string_view family = range.substr(0, range.size() - 1);
    return type.size() > family.size() && same_name(type.substr(0, family.size()), family) ? 1 : -1;
  }
  return same_name(range, type) ? 2 : -1;
}

// The quality that the most exact range grants, or 0.
int granted(std::string_view accept, std::string_view type) {
  int best_precision = -1;
  int best_quality = 0;
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    const std::string_view item = accept.substr(0, comma);
    const std::size_t semicolon = item.find(';');
    const int exact = precision(trim(item.substr(0, semicolon)), type);
    if (exact > best_precision) {
      best_precision = exact;
      best_quality =
          semicolon == std::string_view::npos ? 1000 : quality(item.substr(semicolon + 1));
    }
    if (comma == std::string_view::npos) break;
    accept.remove_prefix(comma + 1);
  }
  return best_quality;
}

}  // namespace

std::optional<std::string_view> choose(std::string_view accept,
                                       std::initializer_list<std::string_view> offers) {
  if (trim(accept).empty()) return *offers.begin();
  std::optional<std::string_view> best;
  int best_quality = 0;
  for (std::string_view offer : offers) {
    const int found = granted(accept, offer);
    if (found > best_quality) {
      best_quality = found;
      best = offer;
    }
  }
  return best;
}

bool accepts_encoding(std::string_view accept_encoding, std::string_view coding) {
  return granted(accept_encoding, coding) > 0;
}

}  // namespace holdfast::http
