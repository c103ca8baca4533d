#include "libs/query/words.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

namespace holdfast::query {

using detail::class_of;
using detail::wordish;

namespace {

constexpr std::size_t kAddressCharsMax = 45;
constexpr double kExactMax = 9'007'199'254'740'992.0;  // 2^53

bool hex_digit(char c) {
  return (c >= '0' && c <= '9') || (fold(c) >= 'a' && fold(c) <= 'f');
}

}  // namespace

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), fold);
  return out;
}

std::string_view text_of(const Scalar& value, std::array<char, 32>& room) {
  const auto made = [&](auto number) {
    return std::string_view(room.data(),
                            std::to_chars(room.data(), room.data() + room.size(), number).ptr);
  };
  if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return made(*integer);
  if (const auto* yes = std::get_if<bool>(&value)) return *yes ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) {
    // A whole number reads the same whatever type brought it.
    if (std::abs(*number) <= kExactMax && std::trunc(*number) == *number)
      return made(static_cast<std::int64_t>(*number));
    return made(*number);
  }
  return "null";
}

bool holds(std::string_view text, std::string_view lower, bool open_start, bool open_end) {
  if (lower.empty()) return true;
  if (text.size() < lower.size()) return false;
  const char first = lower[0];
  const char upper = first >= 'a' && first <= 'z' ? static_cast<char>(first - 'a' + 'A') : first;
  const std::size_t last = text.size() - lower.size();
  for (std::size_t i = 0; i <= last; ++i) {
    if (text[i] != first && text[i] != upper) continue;
    std::size_t same = 1;
    while (same < lower.size() && fold(text[i + same]) == lower[same]) ++same;
    if (same < lower.size()) continue;
    if (!open_start && i > 0 && wordish(text, i - 1) && wordish(text, i)) continue;
    const std::size_t end = i + lower.size();
    if (!open_end && end < text.size() && wordish(text, end - 1) && wordish(text, end)) continue;
    return true;
  }
  return false;
}

namespace {

typedef std::uint8_t Sixteen __attribute__((vector_size(16)));
typedef std::uint64_t Two __attribute__((vector_size(16)));

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
Sixteen load(const char* at) {
  Sixteen out;
  std::memcpy(&out, at, sizeof out);
  return out;
}
Sixteen all_of(char c) {
  return Sixteen{} + static_cast<std::uint8_t>(c);
}

}  // namespace

Finder::Finder(std::string lower) : lower_(std::move(lower)) {
  if (lower_.empty()) return;
  first_[0] = lower_.front();
  last_[0] = lower_.back();
  first_[1] = upper(first_[0]);
  last_[1] = upper(last_[0]);
}

bool Finder::at(const char* text) const {
  for (std::size_t i = 0; i < lower_.size(); ++i)
    if (fold(text[i]) != lower_[i]) return false;
  return true;
}

bool Finder::in(std::string_view text) const {
  if (text.size() < lower_.size() || lower_.empty()) return lower_.empty();
  const std::size_t places = text.size() - lower_.size() + 1;
  const std::size_t reach = lower_.size() - 1;
  const Sixteen first0 = all_of(first_[0]), first1 = all_of(first_[1]);
  const Sixteen last0 = all_of(last_[0]), last1 = all_of(last_[1]);
  std::size_t i = 0;
  // Sixteen places at once: where the first and the last character fit.
  while (i + 16 <= places) {
    const Sixteen a = load(text.data() + i);
    const Sixteen b = load(text.data() + i + reach);
    const auto fits = (Sixteen)(((a == first0) | (a == first1)) & ((b == last0) | (b == last1)));
    const Two halves = (Two)fits;
    if ((halves[0] | halves[1]) != 0) {
      for (std::size_t k = 0; k < 16; ++k)
        if (fits[k] != 0 && at(text.data() + i + k)) return true;
    }
    i += 16;
  }
  for (; i < places; ++i) {
    const bool fits = (text[i] == first_[0] || text[i] == first_[1]);
    if (fits && at(text.data() + i)) return true;
  }
  return false;
}

// ---- addresses

std::optional<Address> parse_address(std::string_view text) {
  char copy[kAddressCharsMax + 1];
  if (text.size() < 2 || text.size() > kAddressCharsMax) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = 0;
  Address out;
  if (std::memchr(copy, ':', text.size()) == nullptr) {
    return ::inet_pton(AF_INET, copy, out.bytes.data()) == 1 ? std::optional(out) : std::nullopt;
  }
  out.size = 16;
  return ::inet_pton(AF_INET6, copy, out.bytes.data()) == 1 ? std::optional(out) : std::nullopt;
}

void each_address(std::string_view text, const std::function<void(const Address&)>& use) {
  each_word(text, [&](std::string_view word) {
    if (std::ranges::count(word, '.') != 3) return;
    if (const auto address = parse_address(word)) use(*address);
  });
  const auto part = [](char c) { return hex_digit(c) || c == ':' || c == '.'; };
  std::size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && !part(text[i])) ++i;
    const std::size_t start = i;
    std::size_t colons = 0;
    while (i < text.size() && part(text[i])) colons += text[i++] == ':' ? 1U : 0U;
    if (colons < 2) continue;
    if ((start > 0 && class_of(text[start - 1]) != 0) ||
        (i < text.size() && class_of(text[i]) != 0))
      continue;
    std::string_view run = text.substr(start, i - start);
    if (run.ends_with('.')) run.remove_suffix(1);
    if (run.ends_with(':') && !run.ends_with("::")) run.remove_suffix(1);
    const auto address = parse_address(run);
    if (address && address->size == 16) use(*address);
  }
}

bool inside(const Net& net, const Address& address) {
  if (net.bytes != address.size) return false;
  const std::size_t whole = net.length / 8U;
  if (!std::equal(net.address.begin(), net.address.begin() + static_cast<std::ptrdiff_t>(whole),
                  address.bytes.begin()))
    return false;
  const unsigned rest = net.length % 8U;
  if (rest == 0) return true;
  const unsigned mask = 0xFFU << (8U - rest);
  return ((net.address[whole] ^ address.bytes[whole]) & mask & 0xFFU) == 0;
}

bool holds_address(std::string_view text, const Net& net) {
  bool found = false;
  each_address(text, [&](const Address& address) { found = found || inside(net, address); });
  return found;
}

std::optional<Net> parse_net(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_address(text.substr(0, slash));
  unsigned length = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (!address || error != std::errc() || stop != end || length > address->size * 8U)
    return std::nullopt;
  Net out{address->bytes, address->size, static_cast<std::uint8_t>(length)};
  for (std::size_t bit = length; bit < address->size * 8U; ++bit)
    out.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  return out;
}

std::string to_text(const Net& net) {
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(net.bytes == 4 ? AF_INET : AF_INET6, net.address.data(), text, sizeof text);
  return std::string(text) + "/" + std::to_string(net.length);
}

// ---- terms

std::uint64_t word_hash(std::string_view word) {
  std::uint64_t h = detail::kFnvBasis;
  for (const char c : word) h = (h ^ static_cast<unsigned char>(fold(c))) * detail::kFnvPrime;
  return detail::finish(h);
}

std::uint64_t device_hash(const Ulid& device) {
  std::uint64_t h = (detail::kFnvBasis ^ 3U) * detail::kFnvPrime;
  for (const std::uint8_t c : device) h = (h ^ c) * detail::kFnvPrime;
  return detail::finish(h);
}

std::uint64_t net_hash(const std::uint8_t* address, std::size_t whole_bytes, bool is_v6) {
  std::uint64_t h = (detail::kFnvBasis ^ (is_v6 ? 2U : 1U)) * detail::kFnvPrime;
  for (std::size_t i = 0; i < whole_bytes; ++i) h = (h ^ address[i]) * detail::kFnvPrime;
  return detail::finish(h);
}

void detail::net_terms(std::string_view text, const std::function<void(std::uint64_t)>& use) {
  each_address(text, [&](const Address& address) {
    if (address.size != 16) return;
    for (const std::size_t whole : {4U, 6U, 8U}) use(net_hash(address.bytes.data(), whole, true));
  });
}

}  // namespace holdfast::query
