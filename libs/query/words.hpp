// What a word is, the same for indexing and for matching (docs/spec/events.md, Words): runs of
// ASCII letters, digits, '_' and bytes from 0x80 on; a dot between two digits belongs to the word,
// so that 10.1.2.3 and 3.14 are one. ASCII case is ignored. Pure; thread-safe.
#pragma once

#include <functional>
#include <variant>

#include "libs/query/query.hpp"

namespace holdfast::query {

// What a field holds. monostate is null.
using Scalar = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;
// As text is searched; `room` holds what was made.
std::string_view text_of(const Scalar& value, std::array<char, 32>& room);

char fold(char c);
std::string folded(std::string_view text);

// `text` holds `lower`, beginning at a word's start and ending at a word's end unless open there.
bool holds(std::string_view text, std::string_view lower, bool open_start, bool open_end);

// Finds a text in others, ASCII case ignored and wherever it stands: fast, to look before `holds`.
class Finder {
 public:
  explicit Finder(std::string lower);
  bool in(std::string_view text) const;

 private:
  bool at(const char* text) const;
  std::string lower_;
  char first_[2]{}, last_[2]{};  // in both cases
};

// The words of `text`, in order, case as it is.
template <class F>
void each_word(std::string_view text, F&& use);

// The addresses in a text: IPv4 as a whole word, IPv6 as a run of hexadecimal digits, ':' and '.'.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::uint8_t size = 4;
};
void each_address(std::string_view text, const std::function<void(const Address&)>& use);
bool inside(const Net& net, const Address& address);
bool holds_address(std::string_view text, const Net& net);
std::optional<Address> parse_address(std::string_view text);
std::optional<Net> parse_net(std::string_view text);  // "10.0.0.0/8"; host bits are cleared
std::string to_text(const Net& net);

// ---- terms of the token filter: 64-bit hashes
std::uint64_t word_hash(std::string_view word);  // case ignored
std::uint64_t device_hash(const Ulid& device);
// The nets that are terms of their own: IPv4 /8 /16 /24, IPv6 /32 /48 /64.
std::uint64_t net_hash(const std::uint8_t* address, std::size_t whole_bytes, bool is_v6);
// All terms of a text: words, and nets of its addresses; some may come twice.
template <class F>
void each_term(std::string_view text, F&& use);

// ---- inline parts

namespace detail {
// 1: letter, '_', 0x80 and up; 2: digit.
inline constexpr std::array<std::uint8_t, 256> kClass = [] {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t c = 0; c < 256; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
    out[c] = letter ? 1 : c >= '0' && c <= '9' ? 2 : 0;
  }
  return out;
}();
inline std::uint8_t class_of(char c) {
  return kClass[static_cast<unsigned char>(c)];
}
// Whether position i of text belongs to a word.
inline bool wordish(std::string_view text, std::size_t i) {
  if (class_of(text[i]) != 0) return true;
  return text[i] == '.' && i > 0 && i + 1 < text.size() && class_of(text[i - 1]) == 2 &&
         class_of(text[i + 1]) == 2;
}
void net_terms(std::string_view text, const std::function<void(std::uint64_t)>& use);
inline constexpr std::uint64_t kFnvBasis = 0xCBF29CE484222325ULL;
inline constexpr std::uint64_t kFnvPrime = 0x00000100000001B3ULL;
inline std::uint64_t finish(std::uint64_t h) {  // MurmurHash3's fmix64
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDULL;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ULL;
  return h ^ (h >> 33);
}
}  // namespace detail

inline char fold(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

template <class F>
void each_word(std::string_view text, F&& use) {
  std::size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && detail::class_of(text[i]) == 0) ++i;
    const std::size_t start = i;
    while (i < text.size() && detail::wordish(text, i)) ++i;
    if (i > start) use(text.substr(start, i - start));
  }
}

template <class F>
void each_term(std::string_view text, F&& use) {
  std::size_t dots = 0;    // inside of the word now
  std::size_t colons = 0;  // of the text
  std::size_t i = 0;
  while (i < text.size()) {
    while (i < text.size() && detail::class_of(text[i]) == 0) colons += text[i++] == ':' ? 1U : 0U;
    if (i == text.size()) break;
    const std::size_t start = i;
    std::uint64_t h = detail::kFnvBasis;
    dots = 0;
    while (i < text.size() && detail::wordish(text, i)) {
      dots += text[i] == '.' ? 1U : 0U;
      h = (h ^ static_cast<unsigned char>(fold(text[i++]))) * detail::kFnvPrime;
    }
    use(detail::finish(h));
    if (dots == 3) {
      if (const auto address = parse_address(text.substr(start, i - start))) {
        for (std::size_t whole = 1; whole <= 3; ++whole)
          use(net_hash(address->bytes.data(), whole, false));
      }
    }
  }
  if (colons >= 2) detail::net_terms(text, use);
}

}  // namespace holdfast::query
