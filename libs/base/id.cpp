#include "libs/base/id.hpp"

namespace holdfast {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

int digit_of(char c) {
  if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  if (c == 'I' || c == 'L') c = '1';
  if (c == 'O') c = '0';
  const auto at = kAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string ulid_text(const Ulid& ulid) {
  // 130 bits of text for 128 of value: the first character carries the two top bits of byte 0
  // alone.
  std::string out(26, '0');
  for (std::size_t i = 0; i < 26; ++i) {
    unsigned value = 0;
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t position = i * 5 + bit;
      value <<= 1;
      if (position < 2) continue;
      const std::size_t at = position - 2;
      value |= (ulid[at / 8] >> (7 - at % 8)) & 1U;
    }
    out[i] = kAlphabet[value];
  }
  return out;
}

Result<Ulid> parse_ulid(std::string_view text) {
  if (text.size() != 26)
    return fail(Code::invalid_argument, "an id has 26 characters after its prefix");
  Ulid ulid{};
  for (std::size_t i = 0; i < 26; ++i) {
    const int digit = digit_of(text[i]);
    if (digit < 0 || (i == 0 && digit > 7))
      return fail(Code::invalid_argument, "an id holds a character that it cannot");
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t position = i * 5 + bit;
      if (position < 2 || ((digit >> (4 - bit)) & 1) == 0) continue;
      const std::size_t at = position - 2;
      ulid[at / 8] = static_cast<std::uint8_t>(ulid[at / 8] | (1U << (7 - at % 8)));
    }
  }
  return ulid;
}

Ulid make_ulid(WallTime now, std::span<const std::uint8_t, 10> random) {
  Ulid ulid{};
  const auto ms = static_cast<std::uint64_t>(now.us < 0 ? 0 : now.us / 1000);
  for (std::size_t i = 0; i < 6; ++i) ulid[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  std::memcpy(ulid.data() + 6, random.data(), 10);
  return ulid;
}

}  // namespace holdfast
