// Byte buffers and their textual forms: hex, base64 (RFC 4648 section 4) and base64url without
// padding (section 5); integers in byte strings; CRC-32C. Pure; thread-safe.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"

namespace holdfast {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

inline View view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text_of(View bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}
inline std::string string_of(View bytes) {
  return std::string(text_of(bytes));
}
inline void append(Bytes& out, View more) {
  out.insert(out.end(), more.begin(), more.end());
}

std::string to_hex(View bytes);  // lower case
Result<Bytes> from_hex(std::string_view text);
std::string to_base64(View bytes);  // padded, one line
// Accepts white space and missing padding; anything else, stray bits at the end included, is
// Code::invalid_argument.
Result<Bytes> from_base64(std::string_view text);
std::string to_base64url(View bytes);  // no padding
Result<Bytes> from_base64url(std::string_view text);

// Compares in constant time for equal lengths: for secrets.
bool equal_secret(View left, View right);

// Little-endian and big-endian integers in byte strings. The caller checks bounds.
template <class T>
T load_le(const std::uint8_t* at) {
  T value = 0;
  for (std::size_t i = sizeof(T); i-- > 0;)
    value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) | at[i]);
  return value;
}
template <class T>
void store_le(Bytes& out, T value) {
  auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i)
    out.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
}
template <class T>
T load_be(const std::uint8_t* at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i)
    value = static_cast<T>((static_cast<std::uint64_t>(value) << 8) | at[i]);
  return value;
}
template <class T>
void store_be(Bytes& out, T value) {
  auto bits = static_cast<std::uint64_t>(value);
  for (std::size_t i = sizeof(T); i-- > 0;)
    out.push_back(static_cast<std::uint8_t>(bits >> (8 * i)));
}

// Reads a byte string from front to back; every read is bounds-checked and answers Code::corrupt
// when the bytes end early.
class ByteReader {
 public:
  explicit ByteReader(View bytes) : bytes_(bytes) {}
  std::size_t left() const { return bytes_.size() - at_; }
  std::size_t position() const { return at_; }
  bool done() const { return left() == 0; }
  Result<View> take(std::size_t count);
  template <class T>
  Result<T> le() {
    auto part = take(sizeof(T));
    if (!part) return std::unexpected(part.error());
    return load_le<T>(part->data());
  }
  template <class T>
  Result<T> be() {
    auto part = take(sizeof(T));
    if (!part) return std::unexpected(part.error());
    return load_be<T>(part->data());
  }
  Result<std::uint64_t> varint();  // LEB128, at most 10 bytes

 private:
  View bytes_;
  std::size_t at_ = 0;
};

void put_varint(Bytes& out, std::uint64_t value);  // LEB128
inline std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
inline std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// CRC-32C (Castagnoli), as in the journal; hardware where the processor has it.
std::uint32_t crc32c(View bytes, std::uint32_t seed = 0);

}  // namespace holdfast
