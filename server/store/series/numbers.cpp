#include "server/store/series/numbers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "server/store/series/ints.hpp"

namespace holdfast::series {
namespace {

constexpr std::uint8_t kInteger = 3;
constexpr std::uint8_t kDouble = 4;

enum Form : std::uint8_t { kAllDoubles, kAllIntegers, kByWholeness, kByBitmap };
enum Doubles : std::uint8_t { kConstant, kDecimal, kRaw, kSliced };

constexpr std::array<double, 11> kPowers = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10};
constexpr double kScaledMax = 9'007'199'254'740'992.0;  // 2^53: beyond it doubles skip integers
constexpr std::size_t kSample = 64;

// value = integer / 10^exponent, bit by bit; nothing if it is not.
bool scaled(double value, double power, std::int64_t& out) {
  const double wide = value * power;
  if (!(std::fabs(wide) < kScaledMax)) return false;  // NaN as well
  out = std::llround(wide);
  return std::bit_cast<std::uint64_t>(static_cast<double>(out) / power) ==
         std::bit_cast<std::uint64_t>(value);
}

// The smallest exponent that fits nearly all of a sample; -1: none.
int exponent_of(std::span<const std::uint64_t> bits) {
  const std::size_t step = std::max<std::size_t>(1, bits.size() / kSample);
  int best = -1;
  std::size_t best_fits = 0;
  const std::size_t taken = (bits.size() + step - 1) / step;
  for (int exponent = 0; exponent < static_cast<int>(kPowers.size()); ++exponent) {
    std::size_t fits = 0;
    std::int64_t integer = 0;
    for (std::size_t i = 0; i < bits.size(); i += step) {
      fits += scaled(std::bit_cast<double>(bits[i]), kPowers[static_cast<std::size_t>(exponent)],
                     integer)
                  ? 1
                  : 0;
    }
    if (fits > best_fits) {
      best = exponent;
      best_fits = fits;
    }
    if (fits == taken) break;
  }
  return best_fits * 10 >= taken * 9 ? best : -1;
}

// Form 1 of doubles; empty where it does not pay.
Bytes decimal(std::span<const std::uint64_t> bits) {
  Bytes out;
  const int exponent = exponent_of(bits);
  if (exponent < 0) return out;
  const double power = kPowers[static_cast<std::size_t>(exponent)];
  std::vector<std::int64_t> integers(bits.size());
  Bytes exceptions;
  std::size_t count = 0;
  std::size_t last = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (scaled(std::bit_cast<double>(bits[i]), power, integers[i])) continue;
    integers[i] = i == 0 ? 0 : integers[i - 1];
    put_varint(exceptions, i - last);
    store_le(exceptions, bits[i]);
    last = i;
    if (++count > bits.size() / 8 + 1) return out;
  }
  out.push_back(kDecimal);
  out.push_back(static_cast<std::uint8_t>(exponent));
  put_ints(out, integers);
  put_varint(out, count);
  append(out, exceptions);
  return out;
}

Bytes raw(std::span<const std::uint64_t> bits) {
  Bytes out;
  out.reserve(bits.size() * 8 + 1);
  out.push_back(kRaw);
  for (const std::uint64_t value : bits) store_le(out, value);
  return out;
}

Bytes sliced(std::span<const std::uint64_t> bits) {
  Bytes out;
  out.reserve(bits.size() * 8 + 1);
  out.push_back(kSliced);
  for (unsigned shift = 0; shift < 64; shift += 8) {
    for (const std::uint64_t value : bits) out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
  return out;
}

void put_doubles(Bytes& out, std::span<const std::uint64_t> bits, Compressor& compressor) {
  if (std::ranges::all_of(bits, [&](std::uint64_t value) { return value == bits[0]; })) {
    out.push_back(kConstant);
    store_le(out, bits[0]);
    return;
  }
  Bytes best = decimal(bits);
  // Two bytes a value and less is hard to beat; above that, zstd may see what packing cannot.
  if (best.empty() || best.size() > bits.size() * 2) {
    std::size_t least = best.empty() ? SIZE_MAX : compressor.size_of(best);
    for (auto* other : {&raw, &sliced}) {
      Bytes candidate = (*other)(bits);
      const std::size_t size = compressor.size_of(candidate);
      if (size < least) {
        least = size;
        best = std::move(candidate);
      }
    }
  }
  append(out, best);
}

Status take_decimal(ByteReader& in, std::span<std::uint64_t> out) {
  const std::uint8_t exponent = TRY(in.le<std::uint8_t>());
  if (exponent >= kPowers.size())
    return fail(Code::corrupt, "a decimal column has an impossible exponent");
  std::vector<std::int64_t> integers(out.size());
  TRY(take_ints(in, integers));
  const double power = kPowers[exponent];
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::bit_cast<std::uint64_t>(static_cast<double>(integers[i]) / power);
  const std::uint64_t exceptions = TRY(in.varint());
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < exceptions; ++i) {
    const std::uint64_t gap = TRY(in.varint());
    if (gap >= out.size() - at)
      return fail(Code::corrupt, "a decimal column has an exception nowhere");
    at += gap;
    out[at] = TRY(in.le<std::uint64_t>());
  }
  return {};
}

Status take_doubles(ByteReader& in, std::span<std::uint64_t> out) {
  const std::uint8_t form = TRY(in.le<std::uint8_t>());
  if (form == kConstant) {
    std::ranges::fill(out, TRY(in.le<std::uint64_t>()));
    return {};
  }
  if (form == kDecimal) return take_decimal(in, out);
  if (form != kRaw && form != kSliced) return fail(Code::corrupt, "numbers have an unknown form");
  const View bytes = TRY(in.take(out.size() * 8));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (form == kRaw) {
      out[i] = load_le<std::uint64_t>(bytes.data() + i * 8);
      continue;
    }
    out[i] = 0;
    for (std::size_t slice = 0; slice < 8; ++slice)
      out[i] |= std::uint64_t{bytes[slice * out.size() + i]} << (8 * slice);
  }
  return {};
}

bool whole(double value) {
  return std::fabs(value) <= kScaledMax && std::trunc(value) == value &&
         !(value == 0 && std::signbit(value));
}

// Can integers and doubles lie together, told apart by being whole?
bool by_wholeness(std::span<const std::uint8_t> kinds, std::span<const std::uint64_t> bits) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (kinds[i] == kInteger) {
      const auto integer = static_cast<std::int64_t>(bits[i]);
      if (integer < -static_cast<std::int64_t>(kScaledMax) ||
          integer > static_cast<std::int64_t>(kScaledMax))
        return false;
    } else if (whole(std::bit_cast<double>(bits[i]))) {
      return false;
    }
  }
  return true;
}

void put_as_doubles(Bytes& out, std::span<const std::uint8_t> kinds,
                    std::span<const std::uint64_t> bits, Compressor& compressor) {
  std::vector<std::uint64_t> all(bits.begin(), bits.end());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (kinds[i] == kInteger)
      all[i] = std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(all[i])));
  }
  put_doubles(out, all, compressor);
}

Status take_by_wholeness(ByteReader& in, std::span<std::uint8_t> kinds,
                         std::span<std::uint64_t> bits) {
  TRY(take_doubles(in, bits));
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const double value = std::bit_cast<double>(bits[i]);
    kinds[i] = whole(value) ? kInteger : kDouble;
    if (kinds[i] == kInteger)
      bits[i] = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  }
  return {};
}

Status take_by_bitmap(ByteReader& in, std::span<std::uint8_t> kinds,
                      std::span<std::uint64_t> bits) {
  const std::vector<bool> is_integer = TRY(take_bitmap(in, bits.size()));
  const auto count = static_cast<std::size_t>(std::ranges::count(is_integer, true));
  if (TRY(in.varint()) != count || count == 0 || count == bits.size())
    return fail(Code::corrupt, "a column's integers are miscounted");
  std::vector<std::int64_t> integers(count);
  TRY(take_ints(in, integers));
  std::vector<std::uint64_t> doubles(bits.size() - count);
  TRY(take_doubles(in, doubles));
  std::size_t integer = 0;
  std::size_t other = 0;
  for (std::size_t i = 0; i < bits.size(); ++i) {
    kinds[i] = is_integer[i] ? kInteger : kDouble;
    bits[i] = is_integer[i] ? static_cast<std::uint64_t>(integers[integer++]) : doubles[other++];
  }
  return {};
}

}  // namespace

void put_numbers(Bytes& out, std::span<const std::uint8_t> kinds,
                 std::span<const std::uint64_t> bits, Compressor& compressor) {
  const auto integers = static_cast<std::size_t>(std::ranges::count(kinds, kInteger));
  const auto signed_of = [](std::uint64_t value) { return static_cast<std::int64_t>(value); };
  if (integers == 0) {
    out.push_back(kAllDoubles);
    put_doubles(out, bits, compressor);
  } else if (integers == bits.size()) {
    out.push_back(kAllIntegers);
    std::vector<std::int64_t> all(bits.size());
    std::ranges::transform(bits, all.begin(), signed_of);
    put_ints(out, all);
  } else if (by_wholeness(kinds, bits)) {
    out.push_back(kByWholeness);
    put_as_doubles(out, kinds, bits, compressor);
  } else {
    out.push_back(kByBitmap);
    std::vector<bool> is_integer;
    std::vector<std::int64_t> all;
    std::vector<std::uint64_t> doubles;
    for (std::size_t i = 0; i < bits.size(); ++i) {
      is_integer.push_back(kinds[i] == kInteger);
      if (is_integer.back()) {
        all.push_back(signed_of(bits[i]));
      } else {
        doubles.push_back(bits[i]);
      }
    }
    put_bitmap(out, is_integer);
    put_varint(out, all.size());
    put_ints(out, all);
    put_doubles(out, doubles, compressor);
  }
}

Status take_numbers(ByteReader& in, std::span<std::uint8_t> kinds, std::span<std::uint64_t> bits) {
  const std::uint8_t form = TRY(in.le<std::uint8_t>());
  if (form == kByWholeness) return take_by_wholeness(in, kinds, bits);
  if (form == kByBitmap) return take_by_bitmap(in, kinds, bits);
  if (form == kAllIntegers) {
    std::ranges::fill(kinds, kInteger);
    std::vector<std::int64_t> integers(bits.size());
    TRY(take_ints(in, integers));
    std::ranges::transform(integers, bits.begin(),
                           [](std::int64_t value) { return static_cast<std::uint64_t>(value); });
    return {};
  }
  if (form != kAllDoubles) return fail(Code::corrupt, "a column's numbers have an unknown form");
  std::ranges::fill(kinds, kDouble);
  return take_doubles(in, bits);
}

void put_bitmap(Bytes& out, const std::vector<bool>& bits) {
  const std::size_t start = out.size();
  out.resize(start + (bits.size() + 7) / 8, 0);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i]) out[start + i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
  }
}

Result<std::vector<bool>> take_bitmap(ByteReader& in, std::size_t count) {
  const View bytes = TRY(in.take((count + 7) / 8));
  std::vector<bool> out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = (bytes[i / 8] >> (i % 8) & 1U) != 0;
  return out;
}

}  // namespace holdfast::series
