// DER (ITU-T X.690): a strict reader and a small writer, for certificates, requests and CMS.
// The reader takes the one canonical form only: definite lengths in their shortest encoding, tags
// below 31, canonical BOOLEAN, INTEGER and OBJECT IDENTIFIER. Nothing is copied: results are views
// into the input. Errors: Code::invalid_argument with what was expected and the offset.
// Pure; thread-safe.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"

namespace holdfast::crypto::der {

enum Tag : std::uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kOid = 0x06,
  kUtf8String = 0x0C,
  kNumericString = 0x12,
  kPrintableString = 0x13,
  kTeletexString = 0x14,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kVisibleString = 0x1A,
  kUniversalString = 0x1C,
  kBmpString = 0x1E,
  kSequence = 0x30,
  kSet = 0x31,
};
constexpr std::uint8_t context_tag(unsigned number) {
  return static_cast<std::uint8_t>(0x80U | number);  // IMPLICIT, primitive
}
constexpr std::uint8_t explicit_tag(unsigned number) {
  return static_cast<std::uint8_t>(0xA0U | number);  // EXPLICIT or constructed
}

struct Element {
  std::uint8_t tag = 0;
  View content;
  View whole;  // with tag and length
};

class Reader {
 public:
  explicit Reader(View bytes) : bytes_(bytes) {}
  bool done() const { return at_ == bytes_.size(); }
  std::uint8_t peek() const { return done() ? 0 : bytes_[at_]; }  // the next tag; 0 at the end
  Result<Element> next();
  Result<Element> element(std::uint8_t tag, std::string_view what);
  Result<View> take(std::uint8_t tag, std::string_view what);  // its content
  Result<Reader> enter(std::uint8_t tag, std::string_view what);
  // Nothing left, or an error that names `what`.
  Status end(std::string_view what) const;

 private:
  View bytes_;
  std::size_t at_ = 0;
};

inline Bytes copy(View bytes) {
  return {bytes.begin(), bytes.end()};
}

// Contents to values.
Result<bool> boolean(View content);
Result<View> integer(View content);  // checks the shortest form; two's complement, >= 1 byte
Result<std::uint64_t> unsigned_integer(View content);
Result<std::string> oid_text(View content);     // "1.2.840.10045.2.1"
Result<View> bit_string(View content);          // whole bytes only: no unused bits
Result<WallTime> time(const Element& element);  // UTCTime, GeneralizedTime as RFC 5280 4.1.2.5
// Any string type as UTF-8; control characters and broken encodings are refused.
Result<std::string> text(const Element& element);

// Values to elements.
Bytes wrap(std::uint8_t tag, View content);
Bytes wrap(std::uint8_t tag, std::initializer_list<View> parts);
inline Bytes sequence(std::initializer_list<View> parts) {
  return wrap(kSequence, parts);
}
Bytes put_boolean(bool value);
Bytes put_integer(std::uint64_t value);
Bytes put_unsigned(View magnitude);      // big-endian; leading zeros are dropped
Bytes put_oid(std::string_view dotted);  // the text is a constant of ours or came from oid_text()
Bytes put_bit_string(View bytes);
Bytes put_time(WallTime time);         // UTCTime until 2049, else GeneralizedTime
bool is_oid(std::string_view dotted);  // whether put_oid() takes it

}  // namespace holdfast::crypto::der
