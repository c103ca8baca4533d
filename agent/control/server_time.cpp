#include "agent/control/server_time.hpp"

#include <array>
#include <string>

#include "agent/join/state_folder.hpp"

namespace holdfast::agent {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kForm = "www, dd mmm yyyy dd:dd:dd GMT";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Letters of the form stand for any letter, 'd' and 'y' for a digit, the rest for itself.
bool has_form(std::string_view text) {
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char wanted = kForm[i];
    const char c = text[i];
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool fits = wanted == 'd' || wanted == 'y'   ? is_digit(c)
                      : wanted == 'w' || wanted == 'm' ? letter
                                                       : c == wanted;
    if (!fits) return false;
  }
  return true;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  if (!has_form(text)) return std::nullopt;
  std::size_t month = 0;
  while (month < kMonths.size() && kMonths[month] != text.substr(8, 3)) ++month;
  if (month == kMonths.size()) return std::nullopt;
  // RFC 3339's reader knows the calendar: it refuses day 31 of April and hour 25.
  std::string rfc3339 = std::string(text.substr(12, 4)) + "-" + (month < 9 ? "0" : "") +
                        std::to_string(month + 1) + "-" + std::string(text.substr(5, 2)) + "T" +
                        std::string(text.substr(17, 8)) + "Z";
  const auto time = from_rfc3339(rfc3339);
  if (!time) return std::nullopt;
  return *time;
}

bool ServerTime::learn(WallTime told, MonoTime at, WallTime not_before, WallTime not_after) {
  if (!clock_trusted(told) || told < not_before || told > not_after) return false;
  told_ = Told{told, at};
  return true;
}

bool ServerTime::wanted(WallTime own, MonoTime at) const {
  return !clock_trusted(own) && (!told_ || at - told_->at >= kFreshFor);
}

ServerTime::Now ServerTime::now(WallTime own, MonoTime at) const {
  if (clock_trusted(own)) return {own, true};
  if (told_) return {told_->wall + (at - told_->at), true};
  return {own, false};
}

}  // namespace holdfast::agent
