#include "libs/crypto/der.hpp"

#include <chrono>

namespace holdfast::crypto::der {
namespace {

std::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, "not DER: " + std::move(what));
}

std::string tag_name(std::uint8_t tag) {
  return "tag 0x" + to_hex(View(&tag, 1));
}

void put_length(Bytes& out, std::size_t length) {
  if (length < 0x80) {
    out.push_back(static_cast<std::uint8_t>(length));
    return;
  }
  unsigned bytes = 0;
  for (std::size_t rest = length; rest != 0; rest >>= 8) ++bytes;
  out.push_back(static_cast<std::uint8_t>(0x80U | bytes));
  for (unsigned i = bytes; i-- > 0;) out.push_back(static_cast<std::uint8_t>(length >> (8 * i)));
}

void put_arc(Bytes& out, std::uint64_t arc) {
  unsigned groups = 1;
  for (std::uint64_t rest = arc >> 7; rest != 0; rest >>= 7) ++groups;
  for (unsigned i = groups; i-- > 0;) {
    const auto low = static_cast<std::uint8_t>((arc >> (7 * i)) & 0x7F);
    out.push_back(static_cast<std::uint8_t>(i == 0 ? low : low | 0x80U));
  }
}

// The arcs of a dotted text, or nothing.
std::optional<std::vector<std::uint64_t>> arcs_of(std::string_view dotted) {
  std::vector<std::uint64_t> arcs;
  std::uint64_t value = 0;
  std::size_t digits = 0;
  for (std::size_t i = 0; i <= dotted.size(); ++i) {
    if (i == dotted.size() || dotted[i] == '.') {
      if (digits == 0) return std::nullopt;
      arcs.push_back(value);
      value = digits = 0;
      continue;
    }
    if (dotted[i] < '0' || dotted[i] > '9' || (digits == 1 && value == 0) || ++digits > 18) {
      return std::nullopt;
    }
    value = value * 10 + static_cast<std::uint64_t>(dotted[i] - '0');
  }
  if (arcs.size() < 2 || arcs[0] > 2 || (arcs[0] < 2 && arcs[1] > 39)) return std::nullopt;
  return arcs;
}

bool put_scalar(std::string& out, std::uint32_t point) {
  if (point < 0x20 || (point >= 0x7F && point < 0xA0) || point > 0x10FFFF ||
      (point >= 0xD800 && point < 0xE000)) {
    return false;
  }
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80U | ((point >> shift) & 0x3FU)));
  };
  if (point < 0x80) {
    out.push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    out.push_back(static_cast<char>(0xC0U | (point >> 6)));
    tail(0);
  } else if (point < 0x10000) {
    out.push_back(static_cast<char>(0xE0U | (point >> 12)));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0U | (point >> 18)));
    tail(12), tail(6), tail(0);
  }
  return true;
}

// The next code point of UTF-8, in its shortest form; nothing when broken.
std::optional<std::uint32_t> next_scalar(View bytes, std::size_t& at) {
  const std::uint8_t first = bytes[at++];
  if (first < 0x80) return first;
  const unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || bytes.size() - at < more) return std::nullopt;
  std::uint32_t point = first & (0x3FU >> more);
  for (unsigned i = 0; i < more; ++i) {
    const std::uint8_t tail = bytes[at++];
    if ((tail & 0xC0U) != 0x80) return std::nullopt;
    point = (point << 6) | (tail & 0x3FU);
  }
  constexpr std::uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (point < kLeast[more]) return std::nullopt;
  return point;
}

Result<int> two_digits(View content, std::size_t at) {
  const auto digit = [&](std::size_t i) { return content[i] - '0'; };
  if (content[at] < '0' || content[at] > '9' || content[at + 1] < '0' || content[at + 1] > '9') {
    return wrong("a time with something else than digits");
  }
  return digit(at) * 10 + digit(at + 1);
}

}  // namespace

Result<Element> Reader::next() {
  const std::size_t left = bytes_.size() - at_;
  const std::string where = " at offset " + std::to_string(at_);
  if (left < 2) return wrong("it ends too early" + where);
  Element element;
  element.tag = bytes_[at_];
  if ((element.tag & 0x1FU) == 0x1F) return wrong("a tag above 30" + where);
  std::size_t header = 2;
  std::size_t length = bytes_[at_ + 1];
  if (length >= 0x80) {
    const std::size_t count = length & 0x7FU;
    if (count == 0 || count > 4) return wrong("a length that is not definite" + where);
    if (left < 2 + count) return wrong("it ends too early" + where);
    length = 0;
    for (std::size_t i = 0; i < count; ++i) length = (length << 8) | bytes_[at_ + 2 + i];
    if (length < 0x80 || bytes_[at_ + 2] == 0)
      return wrong("a length that is not shortest" + where);
    header += count;
  }
  if (length > left - header) return wrong("it ends too early" + where);
  element.whole = bytes_.subspan(at_, header + length);
  element.content = element.whole.subspan(header);
  at_ += header + length;
  return element;
}

Result<Element> Reader::element(std::uint8_t tag, std::string_view what) {
  if (peek() != tag || done()) {
    return wrong("expected " + std::string(what) + " (" + tag_name(tag) + ") at offset " +
                 std::to_string(at_));
  }
  return next();
}

Result<View> Reader::take(std::uint8_t tag, std::string_view what) {
  return TRY(element(tag, what)).content;
}

Result<Reader> Reader::enter(std::uint8_t tag, std::string_view what) {
  return Reader(TRY(take(tag, what)));
}

Status Reader::end(std::string_view what) const {
  if (!done()) return wrong("something follows after the end of " + std::string(what));
  return {};
}

Result<bool> boolean(View content) {
  if (content.size() != 1 || (content[0] != 0 && content[0] != 0xFF)) return wrong("a BOOLEAN");
  return content[0] != 0;
}

Result<View> integer(View content) {
  if (content.empty()) return wrong("an empty INTEGER");
  const bool redundant = content.size() > 1 && ((content[0] == 0 && content[1] < 0x80) ||
                                                (content[0] == 0xFF && content[1] >= 0x80));
  if (redundant) return wrong("an INTEGER that is not shortest");
  return content;
}

Result<std::uint64_t> unsigned_integer(View content) {
  TRY(integer(content));
  if (content[0] >= 0x80) return wrong("a negative INTEGER");
  if (content[0] == 0) content = content.subspan(1);
  if (content.size() > 8) return wrong("an INTEGER of more than 64 bits");
  std::uint64_t value = 0;
  for (const std::uint8_t byte : content) value = (value << 8) | byte;
  return value;
}

Result<std::string> oid_text(View content) {
  if (content.empty() || content.size() > 64) return wrong("an OBJECT IDENTIFIER's length");
  std::string out;
  std::uint64_t arc = 0;
  bool inside = false;
  for (const std::uint8_t byte : content) {
    if (!inside && byte == 0x80) return wrong("an OBJECT IDENTIFIER that is not shortest");
    if (arc >> 52 != 0) return wrong("an OBJECT IDENTIFIER with an arc above 2^59");
    arc = (arc << 7) | (byte & 0x7FU);
    inside = (byte & 0x80U) != 0;
    if (inside) continue;
    if (out.empty()) {
      const std::uint64_t top = arc < 40 ? 0 : arc < 80 ? 1 : 2;
      out = std::to_string(top) + "." + std::to_string(arc - 40 * top);
    } else {
      out += "." + std::to_string(arc);
    }
    arc = 0;
  }
  if (inside) return wrong("an OBJECT IDENTIFIER that ends inside an arc");
  return out;
}

Result<View> bit_string(View content) {
  if (content.empty() || content[0] != 0) return wrong("a BIT STRING of other than whole bytes");
  return content.subspan(1);
}

Result<WallTime> time(const Element& element) {
  const bool utc = element.tag == kUtcTime;
  if (!utc && element.tag != kGeneralizedTime) return wrong("expected a time");
  const View text = element.content;
  const std::size_t year_digits = utc ? 2 : 4;
  if (text.size() != year_digits + 11 || text.back() != 'Z') {
    return wrong("a time must be written to the second and in UTC");
  }
  int year = TRY(two_digits(text, 0));
  if (utc) {
    year += year < 50 ? 2000 : 1900;
  } else {
    year = year * 100 + TRY(two_digits(text, 2));
  }
  std::array<int, 5> part{};  // month, day, hour, minute, second
  for (std::size_t i = 0; i < part.size(); ++i) {
    part[i] = TRY(two_digits(text, year_digits + 2 * i));
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(part[0])),
                                         std::chrono::day(static_cast<unsigned>(part[1]))};
  if (!date.ok() || part[2] > 23 || part[3] > 59 || part[4] > 59) return wrong("no such time");
  const std::int64_t day_number = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t second = part[2] * 3600 + part[3] * 60 + part[4];
  return WallTime{(day_number * 86'400 + second) * 1'000'000};
}

Result<std::string> text(const Element& element) {
  const View in = element.content;
  const std::size_t width = element.tag == kBmpString ? 2 : element.tag == kUniversalString ? 4 : 1;
  if (in.size() % width != 0) return wrong("a string that ends inside a character");
  std::string out;
  out.reserve(in.size());
  for (std::size_t at = 0; at < in.size();) {
    std::optional<std::uint32_t> point;
    switch (element.tag) {
      case kUtf8String:
        point = next_scalar(in, at);
        break;
      case kTeletexString:  // read as Latin-1, as everybody does
        point = in[at++];
        break;
      case kPrintableString:
      case kIa5String:
      case kVisibleString:
      case kNumericString:
        if (in[at] < 0x80) point = in[at];
        ++at;
        break;
      case kBmpString:
        point = load_be<std::uint16_t>(in.data() + at);
        at += 2;
        break;
      case kUniversalString:
        point = load_be<std::uint32_t>(in.data() + at);
        at += 4;
        break;
      default:
        return wrong("expected a string, found " + tag_name(element.tag));
    }
    if (!point || !put_scalar(out, *point)) {
      return wrong("a string with a control character or a broken encoding");
    }
  }
  return out;
}

Bytes wrap(std::uint8_t tag, View content) {
  return wrap(tag, {content});
}

Bytes wrap(std::uint8_t tag, std::initializer_list<View> parts) {
  std::size_t length = 0;
  for (const View part : parts) length += part.size();
  Bytes out;
  out.reserve(length + 6);
  out.push_back(tag);
  put_length(out, length);
  for (const View part : parts) append(out, part);
  return out;
}

Bytes put_boolean(bool value) {
  return {kBoolean, 1, static_cast<std::uint8_t>(value ? 0xFF : 0)};
}

Bytes put_integer(std::uint64_t value) {
  Bytes magnitude;
  store_be<std::uint64_t>(magnitude, value);
  return put_unsigned(magnitude);
}

Bytes put_unsigned(View magnitude) {
  while (magnitude.size() > 1 && magnitude[0] == 0) magnitude = magnitude.subspan(1);
  const std::uint8_t zero = 0;
  if (magnitude.empty()) return wrap(kInteger, View(&zero, 1));
  if (magnitude[0] >= 0x80) return wrap(kInteger, {View(&zero, 1), magnitude});
  return wrap(kInteger, magnitude);
}

Bytes put_oid(std::string_view dotted) {
  const auto arcs = arcs_of(dotted);
  Bytes content;
  if (arcs) {
    put_arc(content, (*arcs)[0] * 40 + (*arcs)[1]);
    for (std::size_t i = 2; i < arcs->size(); ++i) put_arc(content, (*arcs)[i]);
  }
  return wrap(kOid, content);
}

bool is_oid(std::string_view dotted) {
  return arcs_of(dotted).has_value();
}

Bytes put_bit_string(View bytes) {
  const std::uint8_t unused = 0;
  return wrap(kBitString, {View(&unused, 1), bytes});
}

Bytes put_time(WallTime time) {
  const std::int64_t day_number = day_of(time);
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day_number)))};
  const std::int64_t second = (time.us - day_number * 86'400'000'000) / 1'000'000;
  const int year = static_cast<int>(date.year());
  std::string text;
  const auto put_two = [&text](std::int64_t value) {
    text.push_back(static_cast<char>('0' + value / 10 % 10));
    text.push_back(static_cast<char>('0' + value % 10));
  };
  const bool utc = year >= 1950 && year < 2050;
  if (!utc) put_two(year / 100);
  put_two(year % 100);
  put_two(static_cast<unsigned>(date.month()));
  put_two(static_cast<unsigned>(date.day()));
  put_two(second / 3600);
  put_two(second / 60 % 60);
  put_two(second % 60);
  text.push_back('Z');
  return wrap(utc ? kUtcTime : kGeneralizedTime, view_of(text));
}

}  // namespace holdfast::crypto::der
