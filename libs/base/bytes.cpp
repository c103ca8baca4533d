#include "libs/base/bytes.hpp"

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace holdfast {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string encode64(View bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 2 < bytes.size(); i += 3) {
    const std::uint32_t v = static_cast<std::uint32_t>(bytes[i]) << 16 |
                            static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    out += alphabet[v >> 18];
    out += alphabet[(v >> 12) & 63];
    out += alphabet[(v >> 6) & 63];
    out += alphabet[v & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return out;
  std::uint32_t v = static_cast<std::uint32_t>(bytes[i]) << 16;
  if (rest == 2) v |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
  out += alphabet[v >> 18];
  out += alphabet[(v >> 12) & 63];
  if (rest == 2) out += alphabet[(v >> 6) & 63];
  if (pad) out.append(rest == 2 ? "=" : "==");
  return out;
}

Result<Bytes> decode64(std::string_view text, std::string_view alphabet) {
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  int count = 0;    // digits of a group that is not complete
  int padding = 0;  // '=' seen
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos || padding > 0) {
      return fail(Code::invalid_argument, "not base64: send RFC 4648 text");
    }
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if (++count == 4) {
      out.push_back(static_cast<std::uint8_t>(bits >> 16));
      out.push_back(static_cast<std::uint8_t>(bits >> 8));
      out.push_back(static_cast<std::uint8_t>(bits));
      bits = 0;
      count = 0;
    }
  }
  if (count == 1) return fail(Code::invalid_argument, "base64 ends inside a byte");
  if (padding != 0 && (count == 0 || count + padding != 4)) {
    return fail(Code::invalid_argument, "base64 has the wrong padding");
  }
  // One text for one value (RFC 4648 section 3.5): bits that belong to no byte are zero.
  const std::uint32_t unused = count == 2 ? bits & 15U : count == 3 ? bits & 3U : 0U;
  if (unused != 0) return fail(Code::invalid_argument, "base64 ends with stray bits");
  if (count == 2) out.push_back(static_cast<std::uint8_t>(bits >> 4));
  if (count == 3) {
    out.push_back(static_cast<std::uint8_t>(bits >> 10));
    out.push_back(static_cast<std::uint8_t>(bits >> 2));
  }
  return out;
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1U) != 0 ? 0x82F63B78U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}

std::uint32_t crc_portable(View bytes, std::uint32_t crc) {
  static constexpr auto table = make_crc_table();
  for (const std::uint8_t b : bytes) crc = table[(crc ^ b) & 0xFFU] ^ (crc >> 8);
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_hardware(View bytes, std::uint32_t crc) {
  std::uint64_t wide = crc;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (; i < bytes.size(); ++i) narrow = _mm_crc32_u8(narrow, bytes[i]);
  return narrow;
}
#endif

}  // namespace

std::string to_hex(View bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t b : bytes) {
    out += kHex[b >> 4];
    out += kHex[b & 15];
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Code::invalid_argument, "hex text has an odd length");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return fail(Code::invalid_argument, "not a hex digit");
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string to_base64(View bytes) {
  return encode64(bytes, kStandard, true);
}
Result<Bytes> from_base64(std::string_view text) {
  return decode64(text, kStandard);
}
std::string to_base64url(View bytes) {
  return encode64(bytes, kUrl, false);
}
Result<Bytes> from_base64url(std::string_view text) {
  return decode64(text, kUrl);
}

bool equal_secret(View left, View right) {
  if (left.size() != right.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (left[i] ^ right[i]));
  }
  return difference == 0;
}

Result<View> ByteReader::take(std::size_t count) {
  if (count > left()) return fail(Code::corrupt, "the bytes end early");
  const View part = bytes_.subspan(at_, count);
  at_ += count;
  return part;
}

Result<std::uint64_t> ByteReader::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = le<std::uint8_t>();
    if (!byte) return std::unexpected(byte.error());
    if (shift == 63 && *byte > 1) break;  // more than 64 bits
    value |= static_cast<std::uint64_t>(*byte & 0x7FU) << shift;
    if ((*byte & 0x80U) == 0) return value;
  }
  return fail(Code::corrupt, "a variable-length integer is too long");
}

void put_varint(Bytes& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<std::uint8_t>(value | 0x80U));
    value >>= 7;
  }
  out.push_back(static_cast<std::uint8_t>(value));
}

std::uint32_t crc32c(View bytes, std::uint32_t seed) {
  const std::uint32_t start = ~seed;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2") != 0) return ~crc_hardware(bytes, start);
#endif
  return ~crc_portable(bytes, start);
}

}  // namespace holdfast
