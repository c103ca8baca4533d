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

Result<std::string_view> take_view(ByteReader& in, std::size_t size_max) {
  const std::uint64_t size = TRY(in.varint());
  if (size > size_max) return fail(Code::corrupt, "a text in an event is longer than any can be");
  return text_of(TRY(in.take(size)));
}
Result<std::string> take_text(ByteReader& in, std::size_t size_max) {
  return std::string(TRY(take_view(in, size_max)));
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
FieldMap bounded(const FieldMap& fields) {
  FieldMap out;
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

// A varint, or what is left, without making errors: for bytes that were checked once.
bool walk_varint(View bytes, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; at < bytes.size() && shift < 64; shift += 7) {
    const std::uint8_t byte = bytes[at++];
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}
bool walk_text(View bytes, std::size_t& at, std::string_view& text) {
  std::uint64_t size = 0;
  if (!walk_varint(bytes, at, size) || size > bytes.size() - at) return false;
  text = text_of(bytes.subspan(at, size));
  at += size;
  return true;
}
bool walk_value(View bytes, std::size_t& at, query::Scalar& value) {
  if (at >= bytes.size()) return false;
  std::uint64_t number = 0;
  std::string_view text;
  switch (bytes[at++]) {
    case kNull:
      value = std::monostate{};
      return true;
    case 1:
    case 2:
      value = bytes[at - 1] == 2;
      return true;
    case 3:
      if (!walk_varint(bytes, at, number)) return false;
      value = unzigzag(number);
      return true;
    case 4:
      if (bytes.size() - at < 8) return false;
      value = std::bit_cast<double>(load_le<std::uint64_t>(bytes.data() + at));
      at += 8;
      return true;
    case 5:
      if (!walk_text(bytes, at, text)) return false;
      value = text;
      return true;
    default:
      return false;
  }
}

}  // namespace

void put_fields(Bytes& out, const FieldMap& fields) {
  put_varint(out, fields.size());
  for (const auto& [name, value] : fields) {
    put_text(out, name);
    std::visit(PutValue{out}, value);
  }
}

Result<FieldMap> take_fields(ByteReader& in) {
  FieldMap out;
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

// As take_fields(), without making anything.
Status check_fields(std::string_view encoded) {
  ByteReader in(view_of(encoded));
  const std::uint64_t count = TRY(in.varint());
  if (count > kFieldsMax) return fail(Code::corrupt, "an event has more fields than any can have");
  std::string_view before;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = TRY(take_view(in, kNameBytesMax));
    if (i > 0 && before >= name) return fail(Code::corrupt, "an event's fields are in disorder");
    before = name;
    std::size_t at = in.position();
    query::Scalar value;
    const bool good = walk_value(view_of(encoded), at, value);
    const auto* text = std::get_if<std::string_view>(&value);
    if (!good || (text != nullptr && text->size() > 2 * kFieldBytesMax))
      return fail(Code::corrupt, "an event has a value that cannot be read");
    TRY(in.take(at - in.position()));
  }
  return in.done() ? Status{} : fail(Code::corrupt, "an event has bytes beyond its end");
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

Result<Row> row_of(const journal::Stored& record) {
  if (record.kind != journal::Kind::event) return fail(Code::corrupt, "the record is no event");
  ByteReader in(record.body);
  Row out;
  out.at = record.at;
  out.device = record.device;
  out.subject = record.subject;
  out.time = out.received = out.claimed = record.time.us;
  out.severity = TRY(in.le<std::uint8_t>());
  out.source = TRY(in.le<std::uint8_t>());
  if (out.severity > static_cast<std::uint8_t>(Severity::critical) || out.source > 2) {
    return fail(Code::corrupt, "an event has an unknown severity or source of time");
  }
  if (out.source != 0) out.claimed = unzigzag(TRY(in.varint()));
  if (out.source == 1) out.time = out.claimed;
  out.kind = TRY(take_view(in, kKindBytesMax));
  out.message = TRY(take_view(in, kMessageBytesMax));
  out.fields = text_of(record.body.subspan(in.position()));
  TRY(check_fields(out.fields));
  return out;
}

Result<Event> event_of(const Row& row) {
  Event out;
  out.id = event_id({row.received}, row.at);
  out.time = {row.time};
  out.received = {row.received};
  out.claimed = {row.claimed};
  out.time_source = static_cast<TimeSource>(row.source);
  out.device = row.device;
  out.kind = row.kind;
  out.severity = static_cast<Severity>(row.severity);
  out.message = row.message;
  ByteReader in(view_of(row.fields));
  out.fields = TRY(take_fields(in));
  return out;
}

Result<Event> decode_event(const journal::Stored& record) {
  return event_of(TRY(row_of(record)));
}

bool EncodedFields::any(const Use& use) const {
  const View bytes = view_of(encoded_);
  std::size_t at = 0;
  std::uint64_t count = 0;
  if (!walk_varint(bytes, at, count)) return false;
  for (; count > 0; --count) {
    std::string_view name;
    query::Scalar value;
    if (!walk_text(bytes, at, name) || !walk_value(bytes, at, value)) return false;
    if (use(name, value)) return true;
  }
  return false;
}

query::Document head_of(const Row& row) {
  query::Document out;
  out.time = row.time;
  out.received = row.received;
  out.device = &row.device;
  out.kind = row.kind;
  out.severity = row.severity;
  return out;
}

bool matches(const query::Node& node, const Row& row) {
  const EncodedFields fields(row.fields);
  query::Document document = head_of(row);
  document.message = row.message;
  document.fields = &fields;
  return query::matches(node, document);
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

bool Events::matches(const Query& query, const Event& event) {
  if (query.device && *query.device != event.device) return false;
  if (query.device_filter && !query.device_filter(event.device)) return false;
  if (event.time < query.from || event.time >= query.to) return false;
  Bytes fields;
  put_fields(fields, event.fields);
  Row row;
  row.time = event.time.us;
  row.received = event.received.us;
  row.device = event.device;
  row.severity = static_cast<std::uint8_t>(event.severity);
  row.kind = event.kind;
  row.message = event.message;
  row.fields = text_of(fields);
  return events::matches(query.filter, row);
}

}  // namespace holdfast::events
