#include "server/store/series/ints.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

namespace holdfast::series {
namespace {

constexpr std::size_t kMini = 128;
constexpr std::uint8_t kExceptions = 0x80;
constexpr std::size_t kTrial = 4 * kMini;  // the mode is chosen by what this many numbers cost

using Mini = std::array<std::uint64_t, kMini>;

enum class Mode : std::uint8_t { constant, plain, delta, delta2 };

std::uint64_t to_bits(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}
std::int64_t to_signed(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
std::size_t varint_bytes(std::uint64_t value) {
  return std::max<std::size_t>(1, (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7);
}

// How one mini is written best: from `low` on, in `width` bits, with exceptions above.
struct Plan {
  std::uint64_t low = 0;
  unsigned width = 64;
  std::size_t bytes = SIZE_MAX;
};

Plan plan_from(std::span<const std::uint64_t> values, std::uint64_t low) {
  std::array<std::uint16_t, 65> of_width{};
  for (const std::uint64_t value : values)
    ++of_width[static_cast<std::size_t>(std::bit_width(value - low))];
  Plan best;
  // Exceptions cost at least two bytes: their position, and the bits above.
  std::size_t exceptions = 0;
  std::size_t exception_bits = 0;
  for (unsigned width = 64;; --width) {
    const std::size_t high_bytes =
        exceptions == 0
            ? 0
            : 1 + exceptions + (exception_bits - exceptions * width + 6 * exceptions) / 7;
    const std::size_t bytes = (values.size() * width + 7) / 8 + high_bytes;
    if (bytes < best.bytes) best = {low, width, bytes};
    if (width == 0) break;
    exceptions += of_width[width];
    exception_bits += std::size_t{of_width[width]} * width;
  }
  best.bytes += 1 + varint_bytes(zigzag(to_signed(low)));
  return best;
}

// From the least number, or from one a little above it: what lies below then wraps and is an
// exception, which pays where a few dips are far below the rest.
Plan plan(std::span<const std::uint64_t> values) {
  std::array<std::int64_t, kMini> sorted{};
  for (std::size_t i = 0; i < values.size(); ++i) sorted[i] = to_signed(values[i]);
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(values.size());
  const auto low = std::min_element(sorted.begin(), end);
  const Plan from_least = plan_from(values, to_bits(*low));
  if (from_least.width == 0 || values.size() < 32) return from_least;
  const auto few = sorted.begin() + static_cast<std::ptrdiff_t>(values.size() / 24);
  std::nth_element(sorted.begin(), few, end);
  const Plan from_few = plan_from(values, to_bits(*few));
  return from_few.bytes < from_least.bytes ? from_few : from_least;
}

void put_bits(Bytes& out, std::span<const std::uint64_t> values, unsigned width) {
  if (width == 0) return;
  const std::uint64_t mask = width == 64 ? UINT64_MAX : (1ULL << width) - 1;
  std::uint64_t word = 0;
  unsigned filled = 0;
  for (const std::uint64_t value : values) {
    const std::uint64_t bits = value & mask;
    word |= bits << filled;
    if (filled + width >= 64) {
      store_le(out, word);
      const unsigned taken = 64 - filled;
      word = taken == 64 ? 0 : bits >> taken;
      if (taken == width) word = 0;
      filled = filled + width - 64;
    } else {
      filled += width;
    }
  }
  for (; filled > 0; filled -= std::min(filled, 8U)) {
    out.push_back(static_cast<std::uint8_t>(word));
    word >>= 8;
  }
}

void put_mini(Bytes& out, std::span<const std::uint64_t> values) {
  const Plan best = plan(values);
  Mini rest;
  std::vector<std::uint8_t> positions;
  Bytes highs;
  for (std::size_t i = 0; i < values.size(); ++i) {
    rest[i] = values[i] - best.low;
    const std::uint64_t high = best.width == 64 ? 0 : rest[i] >> best.width;
    if (high == 0) continue;
    positions.push_back(static_cast<std::uint8_t>(i));
    put_varint(highs, high);
  }
  out.push_back(static_cast<std::uint8_t>(best.width | (positions.empty() ? 0 : kExceptions)));
  put_varint(out, zigzag(to_signed(best.low)));
  if (!positions.empty()) out.push_back(static_cast<std::uint8_t>(positions.size()));
  put_bits(out, std::span(rest).first(values.size()), best.width);
  append(out, positions);
  append(out, highs);
}

// The numbers that the minis of a mode hold, for values[from] and after.
void numbers_of(Mode mode, std::span<const std::int64_t> values, std::uint64_t g, std::size_t from,
                std::span<std::uint64_t> out) {
  const auto step = [&](std::size_t i) {  // (v[i] - v[i-1]) / g
    const std::int64_t difference = to_signed(to_bits(values[i]) - to_bits(values[i - 1]));
    return g == 1 ? to_bits(difference) : to_bits(difference / to_signed(g));
  };
  for (std::size_t k = 0; k < out.size(); ++k) {
    const std::size_t i = from + k;
    if (mode == Mode::plain) {
      const std::int64_t distance = to_signed(to_bits(values[i]) - to_bits(values[0]));
      out[k] = g == 1 ? to_bits(distance) : to_bits(distance / to_signed(g));
    } else {
      out[k] = mode == Mode::delta ? step(i) : step(i) - step(i - 1);
    }
  }
}

std::size_t first_of(Mode mode) {
  return mode == Mode::delta2 ? 2 : 1;
}

std::size_t cost_of(Mode mode, std::span<const std::int64_t> values, std::uint64_t g) {
  // From the middle: the beginning of a day is often not like the rest.
  const std::size_t first = first_of(mode);
  const std::size_t count = values.size() - first;
  const std::size_t tried = std::min(count, kTrial);
  std::size_t cost = 0;
  std::size_t at = first + (count - tried) / 2;
  Mini numbers;
  for (std::size_t left = tried; left > 0;) {
    const std::size_t n = std::min(left, kMini);
    numbers_of(mode, values, g, at, std::span(numbers).first(n));
    cost += plan(std::span(numbers).first(n)).bytes;
    at += n;
    left -= n;
  }
  return cost;
}

// Of all distances; 0: all values are equal; 1 as well where a distance does not fit 64 bits.
std::uint64_t divisor(std::span<const std::int64_t> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) return 0;
  std::int64_t range = 0;
  if (__builtin_sub_overflow(*high, *low, &range)) return 1;
  std::uint64_t g = 0;
  for (std::size_t i = 1; i < values.size() && g != 1; ++i) {
    const std::int64_t difference = values[i] - values[i - 1];
    g = std::gcd(g, difference < 0 ? to_bits(-difference) : to_bits(difference));
  }
  return g;
}

void unpack(const std::uint8_t* bits, unsigned width, std::span<std::uint64_t> out) {
  const std::uint64_t mask = width == 64 ? UINT64_MAX : (1ULL << width) - 1;
  const auto word_at = [bits](std::size_t byte) {
    std::uint64_t word = 0;
    std::memcpy(&word, bits + byte, 8);
    return word;
  };
  if (width <= 57) {  // a number and the bits before it in its byte fit one word
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = word_at(i * width / 8) >> (i * width % 8) & mask;
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t at = i * width;
    const unsigned shift = at % 8;
    std::uint64_t value = word_at(at / 8) >> shift;
    if (shift + width > 64) value |= static_cast<std::uint64_t>(bits[at / 8 + 8]) << (64 - shift);
    out[i] = value & mask;
  }
}

Status take_mini(ByteReader& in, std::span<std::uint64_t> out) {
  const std::uint8_t head = TRY(in.le<std::uint8_t>());
  const unsigned width = head & 0x7FU;
  if (width > 64) return fail(Code::corrupt, "packed integers have an impossible width");
  const std::uint64_t low = to_bits(unzigzag(TRY(in.varint())));
  std::size_t exceptions = 0;
  if ((head & kExceptions) != 0) exceptions = TRY(in.le<std::uint8_t>());
  const View bits = TRY(in.take((out.size() * width + 7) / 8));
  if (width == 0) {
    std::ranges::fill(out, 0);
  } else {
    // Reading whole words must not run past the input: the bits go through a padded copy.
    std::array<std::uint8_t, kMini * 8 + 16> padded;
    std::memcpy(padded.data(), bits.data(), bits.size());
    std::memset(padded.data() + bits.size(), 0, 16);
    unpack(padded.data(), width, out);
  }
  const View positions = TRY(in.take(exceptions));
  for (const std::uint8_t position : positions) {
    const std::uint64_t high = TRY(in.varint());
    if (position >= out.size() || width == 64)
      return fail(Code::corrupt, "packed integers have an impossible exception");
    out[position] |= high << width;
  }
  for (std::uint64_t& value : out) value += low;
  return {};
}

}  // namespace

void put_ints(Bytes& out, std::span<const std::int64_t> values) {
  if (values.empty()) return;
  const std::uint64_t g = divisor(values);
  Mode mode = Mode::constant;
  if (g != 0) {
    mode = Mode::plain;
    std::size_t best = cost_of(Mode::plain, values, g);
    for (const Mode other : {Mode::delta, Mode::delta2}) {
      if (values.size() <= first_of(other)) continue;
      const std::size_t cost = cost_of(other, values, g);
      if (cost < best) {
        best = cost;
        mode = other;
      }
    }
  }
  out.push_back(static_cast<std::uint8_t>(mode));
  put_varint(out, zigzag(values[0]));
  if (mode == Mode::constant) return;
  put_varint(out, g);
  std::size_t at = first_of(mode);
  Mini numbers;
  if (mode == Mode::delta2) {
    numbers_of(Mode::delta, values, g, 1, std::span(numbers).first(1));
    put_varint(out, zigzag(to_signed(numbers[0])));
  }
  while (at < values.size()) {
    const std::size_t n = std::min(values.size() - at, kMini);
    numbers_of(mode, values, g, at, std::span(numbers).first(n));
    put_mini(out, std::span(numbers).first(n));
    at += n;
  }
}

Status take_ints(ByteReader& in, std::span<std::int64_t> out) {
  if (out.empty()) return {};
  const std::uint8_t tag = TRY(in.le<std::uint8_t>());
  if (tag > 3) return fail(Code::corrupt, "packed integers have an unknown mode");
  const Mode mode = static_cast<Mode>(tag);
  const std::uint64_t base = to_bits(unzigzag(TRY(in.varint())));
  out[0] = to_signed(base);
  if (mode == Mode::constant) {
    std::ranges::fill(out, out[0]);
    return {};
  }
  const std::uint64_t g = TRY(in.varint());
  std::uint64_t step = 0;
  std::uint64_t value = base;
  std::size_t at = 1;
  if (mode == Mode::delta2) {
    if (out.size() < 2) return fail(Code::corrupt, "packed integers are too few for their mode");
    step = to_bits(unzigzag(TRY(in.varint())));
    value += step * g;
    out[at++] = to_signed(value);
  }
  Mini numbers;
  while (at < out.size()) {
    const std::size_t n = std::min(out.size() - at, kMini);
    TRY(take_mini(in, std::span(numbers).first(n)));
    for (std::size_t k = 0; k < n; ++k) {
      if (mode == Mode::plain) {
        value = base + numbers[k] * g;
      } else if (mode == Mode::delta) {
        value += numbers[k] * g;
      } else {
        step += numbers[k];
        value += step * g;
      }
      out[at + k] = to_signed(value);
    }
    at += n;
  }
  return {};
}

}  // namespace holdfast::series
