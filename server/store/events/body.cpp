#include "server/store/events/body.hpp"

#include <algorithm>
#include <bit>

namespace holdfast::events {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::string_view kCutMark = " [cut]";
constexpr std::string_view kOverflow = "overflow";
constexpr std::uint8_t kNull = 0;

void put_text(Bytes& out, std::string_view text) {
  put_varint(out, text.size());
  append(out, view_of(text));
}

Result<std::string> take_text(ByteReader& in, std::size_t size_max) {
  const std::uint64_t size = TRY(in.varint());
  if (size > size_max) return fail(Code::corrupt, "a text in an event is longer than any can be");
  return string_of(TRY(in.take(size)));
}

struct PutValue {
  Bytes& out;
  void operator()(std::monostate) const { out.push_back(kNull); }
  void operator()(bool yes) const { out.push_back(yes ? 2 : 1); }
  void operator()(std::int64_t number) const {
    out.push_back(3);
    put_varint(out, zigzag(number));
  }
  void operator()(double number) const {
    out.push_back(4);
    store_le(out, std::bit_cast<std::uint64_t>(number));
  }
  void operator()(const std::string& text) const {
    out.push_back(5);
    put_text(out, text);
  }
};

Result<wire::Value> take_value(ByteReader& in) {
  switch (TRY(in.le<std::uint8_t>())) {
    case kNull:
      return wire::Value();
    case 1:
      return wire::Value(false);
    case 2:
      return wire::Value(true);
    case 3:
      return wire::Value(unzigzag(TRY(in.varint())));
    case 4:
      return wire::Value(std::bit_cast<double>(TRY(in.le<std::uint64_t>())));
    case 5:
      return wire::Value(TRY(take_text(in, 2 * kFieldBytesMax)));
    default:
      return fail(Code::corrupt, "an event has a value of unknown kind");
  }
}

// Not inside a UTF-8 character.
std::string cut(std::string_view text, std::size_t size_max) {
  if (text.size() <= size_max) return std::string(text);
  std::size_t size = size_max - kCutMark.size();
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  return std::string(text.substr(0, size)) + std::string(kCutMark);
}

// What goes beyond the bounds is kept as text: a search finds it, an index does not grow by it.
Fields bounded(const Fields& fields) {
  Fields out;
  std::string overflow;
  std::size_t bytes = 0;
  for (const auto& [name, value] : fields) {
    const auto* text = std::get_if<std::string>(&value);
    const std::size_t size = name.size() + (text == nullptr ? 8 : text->size());
    const bool fits = out.size() < kFieldsMax - 1 && bytes + size <= kFieldBytesMax / 2 &&
                      name.size() <= kNameBytesMax && name != kOverflow;
    if (fits) {
      out.emplace(name, value);
      bytes += size;
    } else {
      overflow += (overflow.empty() ? "" : " ") + name + "=" + wire::value_text(value);
    }
  }
  if (!overflow.empty()) out.emplace(kOverflow, cut(overflow, kFieldBytesMax / 2));
  return out;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

void put_fields(Bytes& out, const Fields& fields) {
  put_varint(out, fields.size());
  for (const auto& [name, value] : fields) {
    put_text(out, name);
    std::visit(PutValue{out}, value);
  }
}

Result<Fields> take_fields(ByteReader& in) {
  Fields out;
  const std::uint64_t count = TRY(in.varint());
  if (count > kFieldsMax) return fail(Code::corrupt, "an event has more fields than any can have");
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string name = TRY(take_text(in, kNameBytesMax));
    if (!out.empty() && out.rbegin()->first >= name)
      return fail(Code::corrupt, "an event's fields are in disorder");
    out.emplace_hint(out.end(), std::move(name), TRY(take_value(in)));
  }
  return out;
}

Result<Bytes> encode_event(const NewEvent& event, WallTime now) {
  if (event.kind.empty() || event.kind.size() > kKindBytesMax) {
    return fail(Code::invalid_argument, "an event's kind has 1 to 64 bytes");
  }
  const TimeSource source = series::judge(event.device_time, now);
  Bytes out;
  out.push_back(static_cast<std::uint8_t>(event.severity));
  out.push_back(static_cast<std::uint8_t>(source));
  if (source != TimeSource::server) put_varint(out, zigzag(event.device_time->us));
  put_text(out, event.kind);
  put_text(out, cut(event.message, kMessageBytesMax));
  put_fields(out, bounded(event.fields));
  return out;
}

Result<Event> decode_event(const journal::Stored& record) {
  if (record.kind != journal::Kind::event) return fail(Code::corrupt, "the record is no event");
  ByteReader in(record.body);
  Event out;
  out.id = event_id(record.time, record.at);
  out.device = record.device;
  out.time = out.received = out.claimed = record.time;
  const std::uint8_t severity = TRY(in.le<std::uint8_t>());
  const std::uint8_t source = TRY(in.le<std::uint8_t>());
  if (severity > static_cast<std::uint8_t>(Severity::critical) || source > 2) {
    return fail(Code::corrupt, "an event has an unknown severity or source of time");
  }
  out.severity = static_cast<Severity>(severity);
  out.time_source = static_cast<TimeSource>(source);
  if (out.time_source != TimeSource::server) out.claimed = {unzigzag(TRY(in.varint()))};
  if (out.time_source == TimeSource::device) out.time = out.claimed;
  out.kind = TRY(take_text(in, kKindBytesMax));
  out.message = TRY(take_text(in, kMessageBytesMax));
  out.fields = TRY(take_fields(in));
  if (!in.done()) return fail(Code::corrupt, "an event has bytes beyond its end");
  return out;
}

Ulid event_id(WallTime received, const journal::Cursor& at) {
  const std::int64_t us = std::max<std::int64_t>(0, received.us);
  Bytes bytes;
  const auto ms = static_cast<std::uint64_t>(us / 1000);
  store_be(bytes, static_cast<std::uint16_t>(ms >> 32));
  store_be(bytes, static_cast<std::uint32_t>(ms));
  store_be(bytes, static_cast<std::uint16_t>(us % 1000 << 6));
  store_be(bytes, static_cast<std::uint32_t>(at.segment));
  store_be(bytes, at.record);
  Ulid out{};
  std::ranges::copy(bytes, out.begin());
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\n') {
      word += lower(c);
    } else if (!word.empty()) {
      out.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

bool holds(std::string_view text, std::string_view lower_word) {
  const auto found = std::search(text.begin(), text.end(), lower_word.begin(), lower_word.end(),
                                 [](char a, char b) { return lower(a) == b; });
  return found != text.end() || lower_word.empty();
}

bool Events::matches(const Query& query, const Event& event) {
  if (query.device && *query.device != event.device) return false;
  if (query.device_filter && !query.device_filter(event.device)) return false;
  if (!query.kinds.empty() && std::ranges::find(query.kinds, event.kind) == query.kinds.end())
    return false;
  if (event.severity < query.severity_min || event.time < query.from || event.time >= query.to)
    return false;
  for (const std::string& word : words_of(query.text)) {
    const bool in_fields = std::ranges::any_of(event.fields, [&](const auto& field) {
      const auto* text = std::get_if<std::string>(&field.second);
      return holds(field.first, word) ||
             holds(text != nullptr ? *text : wire::value_text(field.second), word);
    });
    if (!in_fields && !holds(event.message, word) && !holds(event.kind, word)) return false;
  }
  return true;
}

}  // namespace holdfast::events
