#include "libs/wire/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace holdfast::wire {
namespace {

// One code point of two or more bytes at `at`; moves `at` behind it. False: not valid UTF-8.
bool take_multibyte(const unsigned char*& at, const unsigned char* end, std::uint32_t& point) {
  const unsigned char lead = *at;
  std::ptrdiff_t more = 0;
  std::uint32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    more = 1, least = 0x80, point = lead & 0x1Fu;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    more = 2, least = 0x800, point = lead & 0x0Fu;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    more = 3, least = 0x10000, point = lead & 0x07u;
  } else {
    return false;
  }
  if (end - at <= more) return false;
  for (std::ptrdiff_t i = 1; i <= more; ++i) {
    if ((at[i] & 0xC0) != 0x80) return false;
    point = (point << 6) | (at[i] & 0x3Fu);
  }
  at += more + 1;
  return point >= least && point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF);
}

bool eight_ascii(const unsigned char* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return (word & 0x8080808080808080u) == 0;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  std::uint32_t point = 0;
  while (at != end) {
    if (end - at >= 8 && eight_ascii(at)) {
      at += 8;
    } else if (*at < 0x80) {
      ++at;
    } else if (!take_multibyte(at, end, point)) {
      return false;
    }
  }
  return true;
}

bool valid_mqtt_text(std::string_view text) {
  return text.find('\0') == std::string_view::npos && valid_utf8(text);
}

bool valid_mqtt_name(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  std::uint32_t point = 0;
  while (at != end) {
    if (*at < 0x80) {
      if (*at < 0x20 || *at == 0x7F) return false;
      ++at;
      continue;
    }
    if (!take_multibyte(at, end, point)) return false;
    if (point <= 0x9F) return false;
    if ((point & 0xFFFE) == 0xFFFE || (point >= 0xFDD0 && point <= 0xFDEF)) return false;
  }
  return true;
}

}  // namespace holdfast::wire
