#include <bit>
#include <cmath>

#include "libs/wire/cbor.hpp"

namespace holdfast::wire {
namespace {

// The half that is exactly this float, if there is one.
std::optional<std::uint16_t> exact_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000);
  const int exponent = static_cast<int>((bits >> 23) & 0xFF) - 127;
  const std::uint32_t mantissa = bits & 0x7FFFFF;
  if ((bits & 0x7FFFFFFF) == 0) return sign;
  if (exponent == 128) {  // infinity; NaN is written before
    return static_cast<std::uint16_t>(sign | 0x7C00);
  }
  if (exponent >= -14 && exponent <= 15) {
    if ((mantissa & 0x1FFF) != 0) return std::nullopt;
    return static_cast<std::uint16_t>(sign | ((exponent + 15) << 10) | (mantissa >> 13));
  }
  if (exponent >= -24 && exponent < -14) {  // a subnormal half
    const int shift = -exponent - 1;        // 13 bits at exponent -14, one more for each below
    const std::uint32_t full = mantissa | 0x800000;
    if ((full & ((1u << shift) - 1)) != 0) return std::nullopt;
    return static_cast<std::uint16_t>(sign | (full >> shift));
  }
  return std::nullopt;
}

}  // namespace

void CborWriter::head(unsigned major, std::uint64_t value) {
  const auto initial = [major](unsigned info) {
    return static_cast<std::uint8_t>((major << 5) | info);
  };
  if (value < 24) {
    out_.push_back(initial(static_cast<unsigned>(value)));
  } else if (value <= 0xFF) {
    out_.push_back(initial(24));
    store_be(out_, static_cast<std::uint8_t>(value));
  } else if (value <= 0xFFFF) {
    out_.push_back(initial(25));
    store_be(out_, static_cast<std::uint16_t>(value));
  } else if (value <= 0xFFFFFFFF) {
    out_.push_back(initial(26));
    store_be(out_, static_cast<std::uint32_t>(value));
  } else {
    out_.push_back(initial(27));
    store_be(out_, value);
  }
}

CborWriter& CborWriter::unsigned_integer(std::uint64_t value) {
  head(0, value);
  return *this;
}

CborWriter& CborWriter::integer(std::int64_t value) {
  value < 0 ? head(1, ~static_cast<std::uint64_t>(value))
            : head(0, static_cast<std::uint64_t>(value));
  return *this;
}

CborWriter& CborWriter::real(double value) {
  const auto single = static_cast<float>(value);
  if (std::isnan(value)) {
    out_.push_back(0xF9);
    store_be(out_, std::uint16_t{0x7E00});
  } else if (static_cast<double>(single) != value) {
    out_.push_back(0xFB);
    store_be(out_, std::bit_cast<std::uint64_t>(value));
  } else if (const auto half = exact_half(single)) {
    out_.push_back(0xF9);
    store_be(out_, *half);
  } else {
    out_.push_back(0xFA);
    store_be(out_, std::bit_cast<std::uint32_t>(single));
  }
  return *this;
}

CborWriter& CborWriter::text(std::string_view value) {
  head(3, value.size());
  append(out_, view_of(value));
  return *this;
}

CborWriter& CborWriter::bytes(View value) {
  head(2, value.size());
  append(out_, value);
  return *this;
}

CborWriter& CborWriter::boolean(bool value) {
  out_.push_back(value ? 0xF5 : 0xF4);
  return *this;
}

CborWriter& CborWriter::null() {
  out_.push_back(0xF6);
  return *this;
}

CborWriter& CborWriter::array(std::size_t elements) {
  head(4, elements);
  return *this;
}

CborWriter& CborWriter::map(std::size_t pairs) {
  head(5, pairs);
  return *this;
}

CborWriter& CborWriter::tag(std::uint64_t number) {
  head(6, number);
  return *this;
}

}  // namespace holdfast::wire
