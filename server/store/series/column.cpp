#include "server/store/series/column.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "server/store/series/ints.hpp"
#include "server/store/series/numbers.hpp"

namespace holdfast::series {
namespace {

enum Presence : std::uint8_t { kEvery, kBitmap, kListed };
enum Family : std::uint8_t { kNumbers = 1, kBooleans = 2, kTexts = 3 };
enum Texts : std::uint8_t { kDictionary, kPlain };
constexpr std::size_t kDictionaryMax = 65'535;

Family family_of(std::uint8_t kind) {
  return is_number(kind) ? kNumbers : is_text(kind) ? kTexts : kBooleans;
}

void put_presence(Bytes& out, const Column& column, std::size_t rows) {
  if (column.rows.empty()) {
    out.push_back(kEvery);
  } else if (column.rows.size() < rows / 16) {
    out.push_back(kListed);
    put_varint(out, column.rows.size());
    const std::vector<std::int64_t> numbers(column.rows.begin(), column.rows.end());
    put_ints(out, numbers);
  } else {
    out.push_back(kBitmap);
    std::vector<bool> there(rows, false);
    for (const std::uint32_t row : column.rows) there[row] = true;
    put_bitmap(out, there);
  }
}

// The row numbers; empty: every row.
Result<std::vector<std::uint32_t>> take_presence(ByteReader& in, std::size_t rows,
                                                 std::size_t values) {
  std::vector<std::uint32_t> out;
  const std::uint8_t tag = TRY(in.le<std::uint8_t>());
  if (tag == kBitmap) {
    const std::vector<bool> there = TRY(take_bitmap(in, rows));
    for (std::size_t row = 0; row < rows; ++row) {
      if (there[row]) out.push_back(static_cast<std::uint32_t>(row));
    }
  } else if (tag == kListed) {
    const std::uint64_t count = TRY(in.varint());
    if (count > rows) return fail(Code::corrupt, "a column has more values than rows");
    std::vector<std::int64_t> numbers(count);
    TRY(take_ints(in, numbers));
    std::int64_t before = -1;
    for (const std::int64_t row : numbers) {
      if (row <= before || row >= static_cast<std::int64_t>(rows))
        return fail(Code::corrupt, "a column's rows are in disorder");
      out.push_back(static_cast<std::uint32_t>(before = row));
    }
  } else if (tag != kEvery) {
    return fail(Code::corrupt, "a column has an unknown presence");
  }
  if ((tag == kEvery ? rows : out.size()) != values)
    return fail(Code::corrupt, "a column has not the values it should have");
  if (tag != kEvery && out.size() == rows) out.clear();
  return out;
}

void put_texts(Bytes& out, const std::vector<std::string_view>& texts) {
  std::unordered_map<std::string_view, std::int64_t> places;
  std::vector<std::string_view> entries;
  std::vector<std::int64_t> numbers;
  for (const std::string_view text : texts) {
    const auto [at, fresh] = places.try_emplace(text, static_cast<std::int64_t>(entries.size()));
    if (fresh) entries.push_back(text);
    numbers.push_back(at->second);
  }
  if (entries.size() <= std::min(kDictionaryMax, texts.size() / 2 + 1)) {
    out.push_back(kDictionary);
    put_varint(out, entries.size());
    for (const std::string_view entry : entries) {
      put_varint(out, entry.size());
      append(out, view_of(entry));
    }
    put_ints(out, numbers);
    return;
  }
  out.push_back(kPlain);
  for (std::size_t i = 0; i < texts.size(); ++i)
    numbers[i] = static_cast<std::int64_t>(texts[i].size());
  put_ints(out, numbers);
  for (const std::string_view text : texts) append(out, view_of(text));
}

// Fills `texts` and gives each text's place in it.
Result<std::vector<std::int64_t>> take_texts(ByteReader& in, std::size_t count,
                                             std::vector<std::string>& texts) {
  std::vector<std::int64_t> places(count);
  const std::uint8_t tag = TRY(in.le<std::uint8_t>());
  if (tag == kDictionary) {
    const std::uint64_t entries = TRY(in.varint());
    if (entries > kDictionaryMax || entries > in.left())
      return fail(Code::corrupt, "a dictionary is too large");
    for (std::uint64_t i = 0; i < entries; ++i)
      texts.push_back(string_of(TRY(in.take(TRY(in.varint())))));
    TRY(take_ints(in, places));
    for (const std::int64_t place : places) {
      if (place < 0 || static_cast<std::uint64_t>(place) >= entries)
        return fail(Code::corrupt, "a text is in no dictionary");
    }
    return places;
  }
  if (tag != kPlain) return fail(Code::corrupt, "texts have an unknown form");
  TRY(take_ints(in, places));
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i] < 0) return fail(Code::corrupt, "a text has a negative length");
    texts.push_back(string_of(TRY(in.take(static_cast<std::size_t>(places[i])))));
    places[i] = static_cast<std::int64_t>(i);
  }
  return places;
}

void put_values(Bytes& out, const Column& column, unsigned families, Compressor& compressor) {
  if ((families & 1U << kNumbers) != 0) {
    std::vector<std::uint8_t> kinds;
    std::vector<std::uint64_t> bits;
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (!is_number(column.kinds[i])) continue;
      kinds.push_back(column.kinds[i]);
      bits.push_back(column.bits[i]);
    }
    put_numbers(out, kinds, bits, compressor);
  }
  if ((families & 1U << kBooleans) != 0) {
    std::vector<bool> all;
    for (const std::uint8_t kind : column.kinds) {
      if (family_of(kind) == kBooleans) all.push_back(kind == 2);
    }
    put_bitmap(out, all);
  }
  if ((families & 1U << kTexts) != 0) {
    std::vector<std::string_view> all;
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (is_text(column.kinds[i])) all.push_back(column.texts[column.bits[i]]);
    }
    put_texts(out, all);
  }
}

// Each value's family; empty when all are of the one in `only`.
Result<std::vector<std::int64_t>> take_families(ByteReader& in, std::size_t values, Family& only) {
  std::vector<std::int64_t> families;
  const std::uint8_t tag = TRY(in.le<std::uint8_t>());
  if (tag == 0) {
    const std::uint8_t family = TRY(in.le<std::uint8_t>());
    if (family < kNumbers || family > kTexts)
      return fail(Code::corrupt, "a column is of an unknown family");
    only = static_cast<Family>(family);
    return families;
  }
  if (tag != 1) return fail(Code::corrupt, "a column has unknown kinds");
  families.resize(values);
  TRY(take_ints(in, families));
  for (const std::int64_t family : families) {
    if (family < kNumbers || family > kTexts)
      return fail(Code::corrupt, "a value is of an unknown family");
  }
  return families;
}

// A column of numbers only, the usual case: no family of each value, no copies.
Status take_only_numbers(ByteReader& in, std::size_t values, Column& column) {
  column.kinds.resize(values);
  column.bits.resize(values);
  return take_numbers(in, column.kinds, column.bits);
}

Status take_mixed(ByteReader& in, const std::vector<std::int64_t>& families, Column& column) {
  const auto count = [&](Family family) {
    return static_cast<std::size_t>(std::ranges::count(families, family));
  };
  std::vector<std::uint8_t> kinds(count(kNumbers));
  std::vector<std::uint64_t> bits(kinds.size());
  if (!kinds.empty()) TRY(take_numbers(in, kinds, bits));
  std::vector<bool> booleans;
  if (count(kBooleans) > 0) booleans = TRY(take_bitmap(in, count(kBooleans)));
  std::vector<std::int64_t> places;
  if (count(kTexts) > 0) places = TRY(take_texts(in, count(kTexts), column.texts));
  std::size_t number = 0;
  std::size_t boolean = 0;
  std::size_t text = 0;
  for (const std::int64_t family : families) {
    if (family == kNumbers) {
      column.kinds.push_back(kinds[number]);
      column.bits.push_back(bits[number++]);
    } else if (family == kBooleans) {
      column.kinds.push_back(booleans[boolean++] ? 2 : 1);
      column.bits.push_back(0);
    } else {
      column.kinds.push_back(5);
      column.bits.push_back(static_cast<std::uint64_t>(places[text++]));
    }
  }
  return {};
}

}  // namespace

std::int64_t other_of(const Sample& sample) {
  switch (sample.source) {
    case TimeSource::server:
      return sample.received.us;
    case TimeSource::device:
      // To the millisecond: the rest is noise of the network that would cost more than the value.
      return sample.received.us - ((sample.received.us % 1000) + 1000) % 1000;
    case TimeSource::uncertain:
      return sample.claimed.us;
  }
  return 0;
}

void Column::push(std::uint8_t kind, std::uint64_t of, std::string_view text) {
  kinds.push_back(kind);
  bits.push_back(is_text(kind) ? texts.size() : of);
  if (is_text(kind)) texts.emplace_back(text);
}

Value Column::value(std::size_t i) const {
  Cell cell{static_cast<Cell::Kind>(kinds[i]), bits[i], {}};
  if (is_text(kinds[i])) cell.text = texts[bits[i]];
  return value_of(cell);
}

unsigned Column::mask() const {
  unsigned out = 0;
  for (const std::uint8_t kind : kinds) out |= 1U << kind;
  return out;
}

double number_of(std::uint8_t kind, std::uint64_t bits) {
  return kind == 3 ? static_cast<double>(static_cast<std::int64_t>(bits))
                   : std::bit_cast<double>(bits);
}

Bytes encode_times(const Times& times) {
  Bytes out;
  std::vector<std::int64_t> beside(times.size());
  bool same = true;
  for (std::size_t i = 0; i < times.size(); ++i) {
    beside[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(times.other[i]) -
                                          static_cast<std::uint64_t>(times.time[i]));
    same = same && beside[i] == 0;
  }
  out.push_back(same ? 0 : 1);
  put_ints(out, times.time);
  put_ints(out, std::vector<std::int64_t>(times.source.begin(), times.source.end()));
  if (!same) put_ints(out, beside);
  return out;
}

Result<Times> decode_times(View block, std::size_t rows) {
  Times out;
  ByteReader in(block);
  const std::uint8_t other = TRY(in.le<std::uint8_t>());
  if (other > 1) return fail(Code::corrupt, "times have an unknown form");
  out.time.resize(rows);
  TRY(take_ints(in, out.time));
  std::vector<std::int64_t> numbers(rows);
  TRY(take_ints(in, numbers));
  for (const std::int64_t source : numbers) {
    if (source < 0 || source > 2) return fail(Code::corrupt, "a time has an unknown source");
    out.source.push_back(static_cast<std::uint8_t>(source));
  }
  out.other = out.time;
  if (other == 0) return out;
  TRY(take_ints(in, numbers));
  for (std::size_t i = 0; i < rows; ++i) {
    out.other[i] = static_cast<std::int64_t>(static_cast<std::uint64_t>(out.time[i]) +
                                             static_cast<std::uint64_t>(numbers[i]));
  }
  return out;
}

Result<std::vector<std::int64_t>> decode_time(View block, std::size_t rows) {
  ByteReader in(block);
  TRY(in.le<std::uint8_t>());
  std::vector<std::int64_t> out(rows);
  TRY(take_ints(in, out));
  return out;
}

Bytes encode_column(const Column& column, std::size_t rows, Compressor& compressor) {
  Bytes out;
  put_presence(out, column, rows);
  unsigned families = 0;
  for (const std::uint8_t kind : column.kinds) families |= 1U << family_of(kind);
  if (std::has_single_bit(families)) {
    out.push_back(0);
    out.push_back(static_cast<std::uint8_t>(std::countr_zero(families)));
  } else {
    out.push_back(1);
    std::vector<std::int64_t> each;
    for (const std::uint8_t kind : column.kinds) each.push_back(family_of(kind));
    put_ints(out, each);
  }
  put_values(out, column, families, compressor);
  return out;
}

Result<Column> decode_column(View block, std::size_t rows, std::size_t values) {
  Column column;
  if (values == 0 || values > rows)
    return fail(Code::corrupt, "a column has an impossible number of values");
  ByteReader in(block);
  column.rows = TRY(take_presence(in, rows, values));
  Family only = kNumbers;
  std::vector<std::int64_t> families = TRY(take_families(in, values, only));
  if (families.empty() && only == kNumbers) {
    TRY(take_only_numbers(in, values, column));
  } else {
    if (families.empty()) families.assign(values, only);
    TRY(take_mixed(in, families, column));
  }
  if (!in.done()) return fail(Code::corrupt, "a column has bytes beyond its end");
  return column;
}

}  // namespace holdfast::series
