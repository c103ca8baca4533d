#include <bit>
#include <cmath>

#include "libs/wire/cbor.hpp"
#include "libs/wire/utf8.hpp"

namespace holdfast::wire {
namespace {

constexpr unsigned kIndefinite = 31;

// RFC 8949 appendix D.
double half_to_double(std::uint16_t half) {
  const int exponent = (half >> 10) & 0x1F;
  const double mantissa = half & 0x3FF;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(mantissa, -24);
  } else if (exponent != 31) {
    value = std::ldexp(mantissa + 1024, exponent - 25);
  } else {
    value = mantissa == 0 ? HUGE_VAL : std::nan("");
  }
  return (half & 0x8000) != 0 ? -value : value;
}

bool is_string(CborKind kind) {
  return kind == CborKind::bytes || kind == CborKind::text;
}

bool holds_chunks(CborKind kind) {
  return kind == CborKind::bytes_begin || kind == CborKind::text_begin;
}

}  // namespace

std::unexpected<Error> CborReader::wrong(std::size_t offset, std::string_view what) const {
  return fail(Code::payload_malformed,
              "CBOR: " + std::string(what) + " (byte " + std::to_string(offset) + ")");
}

Result<CborItem> CborReader::next() {
  if (done()) return wrong(at_, "there is nothing more");
  if (depth_ > 0 && !tagged_) {
    const Level& level = levels_[depth_ - 1];
    if (!level.indefinite && level.left == 0) return close_level(at_);
  }
  return head();
}

// The argument of an initial byte (section 3), for all but indefinite lengths.
static Result<std::uint64_t> read_argument(ByteReader& reader, unsigned info) {
  switch (info) {
    case 24:
      return TRY(reader.be<std::uint8_t>());
    case 25:
      return TRY(reader.be<std::uint16_t>());
    case 26:
      return TRY(reader.be<std::uint32_t>());
    case 27:
      return TRY(reader.be<std::uint64_t>());
    default:
      return info;
  }
}

Result<CborItem> CborReader::head() {
  CborItem item;
  item.offset = at_;
  if (left() == 0) return wrong(at_, "it ends early");
  const unsigned major = bytes_[at_] >> 5;
  const unsigned info = bytes_[at_] & 0x1Fu;
  if (info >= 28 && info != kIndefinite) return wrong(at_, "a reserved length");
  if (info == kIndefinite && major != 7) {
    ++at_;
    return indefinite_item(item, major);
  }
  if (major == 7 && info == kIndefinite) {
    ++at_;
    return close_level(item.offset);
  }
  ByteReader reader(bytes_.subspan(at_ + 1));
  const auto argument = read_argument(reader, info);
  if (!argument) return wrong(item.offset, "it ends early");
  item.number = *argument;
  at_ += 1 + reader.position();
  return definite_item(item, major, info);
}

Result<CborItem> CborReader::definite_item(CborItem item, unsigned major, unsigned info) {
  switch (major) {
    case 0:
      item.kind = CborKind::unsigned_integer;
      break;
    case 1:
      item.kind = CborKind::negative_integer;
      break;
    case 2:
    case 3:
      item.kind = major == 2 ? CborKind::bytes : CborKind::text;
      break;
    case 4:
      item.kind = CborKind::array;
      break;
    case 5:
      item.kind = CborKind::map;
      break;
    case 6:
      item.kind = CborKind::tag;
      break;
    default:
      if (auto status = special(item, info); !status) return std::unexpected(status.error());
  }
  TRY(admit(item));
  if (is_string(item.kind)) {
    if (item.number > left()) return wrong(item.offset, "a string ends behind the input");
    item.string = bytes_.subspan(at_, item.number);
    at_ += item.number;
    if (item.kind == CborKind::text && !valid_utf8(text_of(item.string))) {
      return wrong(item.offset, "a text is not valid UTF-8");
    }
  }
  if (item.kind == CborKind::array || item.kind == CborKind::map) {
    const std::uint64_t each = item.kind == CborKind::map ? 2 : 1;
    // Every element takes a byte at least: a larger claim is a lie, and nobody reserves for it.
    if (item.number > left() / each)
      return wrong(item.offset, "more elements than there are bytes");
    TRY(open(item.kind, false, item.number * each));
  }
  return item;
}

Status CborReader::special(CborItem& item, unsigned info) {
  switch (info) {
    case 20:
    case 21:
      item.kind = CborKind::boolean;
      item.number = info - 20;
      return {};
    case 22:
      item.kind = CborKind::null;
      return {};
    case 23:
      item.kind = CborKind::undefined;
      return {};
    case 25:
      item.kind = CborKind::floating;
      item.real = half_to_double(static_cast<std::uint16_t>(item.number));
      return {};
    case 26:
      item.kind = CborKind::floating;
      item.real = std::bit_cast<float>(static_cast<std::uint32_t>(item.number));
      return {};
    case 27:
      item.kind = CborKind::floating;
      item.real = std::bit_cast<double>(item.number);
      return {};
    default:
      item.kind = CborKind::simple;
      if (info == 24 && item.number < 32) return wrong(item.offset, "a simple value in two bytes");
      return {};
  }
}

Result<CborItem> CborReader::indefinite_item(CborItem item, unsigned major) {
  switch (major) {
    case 2:
      item.kind = CborKind::bytes_begin;
      break;
    case 3:
      item.kind = CborKind::text_begin;
      break;
    case 4:
      item.kind = CborKind::array;
      break;
    case 5:
      item.kind = CborKind::map;
      break;
    default:
      return wrong(item.offset, "a number without length");
  }
  item.indefinite = true;
  TRY(admit(item));
  TRY(open(item.kind, true, 0));
  return item;
}

// Whether the item may stand here; counts it in the container around it.
Status CborReader::admit(const CborItem& item) {
  started_ = true;
  if (depth_ > 0) {
    Level& level = levels_[depth_ - 1];
    if (holds_chunks(level.kind)) {
      const auto wanted = level.kind == CborKind::bytes_begin ? CborKind::bytes : CborKind::text;
      if (item.kind != wanted) return wrong(item.offset, "a chunk of another kind");
    }
    if (!tagged_) {
      if (level.indefinite)
        level.odd = !level.odd;
      else
        --level.left;
    }
  }
  tagged_ = item.kind == CborKind::tag;
  return {};
}

Status CborReader::open(CborKind kind, bool indefinite, std::uint64_t items) {
  if (depth_ == kDepthMax) return wrong(at_, "it is nested too deep");
  levels_[depth_++] = {kind, indefinite, items, false};
  return {};
}

Result<CborItem> CborReader::close_level(std::size_t offset) {
  if (depth_ == 0 || tagged_) return wrong(offset, "an end without a beginning");
  const Level& level = levels_[depth_ - 1];
  const bool by_break = offset != at_;
  if (by_break && !level.indefinite) return wrong(offset, "an end in a counted container");
  if (level.kind == CborKind::map && level.odd) return wrong(offset, "a key without a value");
  --depth_;
  CborItem item;
  item.kind = CborKind::end;
  item.offset = offset;
  return item;
}

Result<std::int64_t> CborReader::integer() {
  const auto item = TRY(next());
  const bool negative = item.kind == CborKind::negative_integer;
  if (!negative && item.kind != CborKind::unsigned_integer) {
    return wrong(item.offset, "a whole number is wanted");
  }
  if (item.number > static_cast<std::uint64_t>(INT64_MAX)) {
    return wrong(item.offset, "a whole number does not fit 64 bits");
  }
  const auto number = static_cast<std::int64_t>(item.number);
  return negative ? -1 - number : number;
}

double number_of(const CborItem& item) {
  if (item.kind == CborKind::floating) return item.real;
  const auto number = static_cast<double>(item.number);
  return item.kind == CborKind::negative_integer ? -1 - number : number;
}

Result<double> CborReader::number() {
  const auto item = TRY(next());
  const bool number = item.kind == CborKind::floating || item.kind == CborKind::unsigned_integer ||
                      item.kind == CborKind::negative_integer;
  if (!number) return wrong(item.offset, "a number is wanted");
  return number_of(item);
}

Result<bool> CborReader::boolean() {
  const auto item = TRY(next());
  if (item.kind != CborKind::boolean) return wrong(item.offset, "true or false is wanted");
  return item.number == 1;
}

// The string, its chunks joined in `storage` when it is indefinite.
Result<View> CborReader::whole_string(CborKind kind, Bytes& storage) {
  const auto item = TRY(next());
  if (item.kind == kind) return item.string;
  const auto begin = kind == CborKind::bytes ? CborKind::bytes_begin : CborKind::text_begin;
  if (item.kind != begin) {
    return wrong(item.offset, kind == CborKind::text ? "a text is wanted" : "bytes are wanted");
  }
  for (auto chunk = TRY(next()); chunk.kind != CborKind::end; chunk = TRY(next())) {
    append(storage, chunk.string);
  }
  return View(storage);
}

Result<std::string> CborReader::text() {
  Bytes storage;
  return string_of(TRY(whole_string(CborKind::text, storage)));
}

Result<Bytes> CborReader::byte_string() {
  Bytes storage;
  const View whole = TRY(whole_string(CborKind::bytes, storage));
  return Bytes(whole.begin(), whole.end());
}

Result<CborItem> CborReader::array() {
  const auto item = TRY(next());
  if (item.kind != CborKind::array) return wrong(item.offset, "an array is wanted");
  return item;
}

Result<CborItem> CborReader::map() {
  const auto item = TRY(next());
  if (item.kind != CborKind::map) return wrong(item.offset, "a map is wanted");
  return item;
}

Result<std::optional<CborItem>> CborReader::element() {
  const auto item = TRY(next());
  if (item.kind == CborKind::end) return std::optional<CborItem>{};
  return std::optional<CborItem>(item);
}

Status CborReader::skip() {
  return skip_rest(TRY(next()));
}

Status CborReader::skip_rest(const CborItem& item) {
  if (item.kind == CborKind::end) return wrong(item.offset, "an item is wanted");
  CborItem last = item;
  while (last.kind == CborKind::tag) last = TRY(next());
  const bool opened =
      last.kind == CborKind::array || last.kind == CborKind::map || holds_chunks(last.kind);
  if (!opened) return {};
  const std::size_t outside = depth_ - 1;
  while (depth_ > outside) TRY(next());
  return {};
}

}  // namespace holdfast::wire
