#include "server/store/journal/record.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>

namespace holdfast::journal {
namespace {

constexpr std::uint8_t kHasDevice = 1;
constexpr std::uint8_t kHasSubject = 2;
constexpr std::uint8_t kHasDelivery = 4;
constexpr std::uint8_t kHasTicks = 8;
constexpr std::uint64_t kHashMask = (1ULL << 48) - 1;

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t mix_bytes(std::uint64_t state, View bytes) {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
  state = mix(state ^ bytes.size(), kOdd);
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t n = std::min<std::size_t>(8, bytes.size());
    std::memcpy(&word, bytes.data(), n);
    state = mix(state ^ word, kOdd) + 0xD6E8FEB86659FD93ULL;
    bytes = bytes.subspan(n);
  }
  return state;
}

void put_hash(Bytes& out, std::uint64_t hash) {
  for (unsigned shift = 0; shift < 48; shift += 8)
    out.push_back(static_cast<std::uint8_t>(hash >> shift));
}

Result<Ulid> take_ulid(ByteReader& in) {
  const View bytes = TRY(in.take(16));
  Ulid out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

Result<Delivery> take_delivery(ByteReader& in) {
  Delivery out;
  out.session = TRY(in.le<std::uint64_t>());
  out.packet = TRY(in.le<std::uint16_t>());
  const std::uint64_t low = TRY(in.le<std::uint32_t>());
  const std::uint64_t high = TRY(in.le<std::uint16_t>());
  out.hash = high << 32 | low;
  return out;
}

// One record; `last_us` is the time of the one before it and becomes this one's.
Result<Stored> take_record(ByteReader& in, std::int64_t& last_us) {
  Stored out;
  out.kind = static_cast<Kind>(TRY(in.le<std::uint8_t>()));
  const std::uint8_t flags = TRY(in.le<std::uint8_t>());
  const std::uint64_t step = TRY(in.varint());
  last_us = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_us) +
                                      static_cast<std::uint64_t>(unzigzag(step)));
  out.time = {last_us};
  if ((flags & kHasDevice) != 0) out.device = TRY(take_ulid(in));
  if ((flags & kHasSubject) != 0) out.subject = TRY(take_ulid(in));
  if ((flags & kHasDelivery) != 0) out.delivery = TRY(take_delivery(in));
  if ((flags & kHasTicks) != 0) {
    const std::uint64_t ticks = TRY(in.varint());
    if (ticks == 0 || ticks > kTicksMax)
      return fail(Code::corrupt, "a record has an impossible tick count");
    out.ticks = static_cast<std::uint32_t>(ticks);
  }
  const std::uint64_t length = TRY(in.varint());
  if (length > kBodyBytesMax) return fail(Code::corrupt, "a record is longer than any can be");
  out.body = TRY(in.take(length));
  return out;
}

}  // namespace

std::string cursor_text(Cursor cursor) {
  return std::to_string(cursor.segment) + "-" + std::to_string(cursor.record);
}

Result<Cursor> parse_cursor(std::string_view text) {
  Cursor out;
  const char* const end = text.data() + text.size();
  const auto left = std::from_chars(text.data(), end, out.segment);
  if (left.ec == std::errc{} && left.ptr != end && *left.ptr == '-') {
    const auto right = std::from_chars(left.ptr + 1, end, out.record);
    if (right.ec == std::errc{} && right.ptr == end) return out;
  }
  return fail(Code::invalid_argument, "not a journal cursor: use one that an answer gave");
}

std::uint64_t payload_hash(std::string_view topic, View payload) {
  const std::uint64_t state = mix_bytes(mix_bytes(0x243F6A8885A308D3ULL, view_of(topic)), payload);
  return (state ^ state >> 32) & kHashMask;
}

void RecordWriter::add(const Record& record, WallTime time) {
  assert(record.body.size() <= kBodyBytesMax && record.ticks >= 1 && record.ticks <= kTicksMax);
  if (plain_.empty()) {
    store_le(plain_, time.us);
    last_us_ = time.us;
  }
  const bool device = record.device != Ulid{};
  const bool subject = record.subject != Ulid{} && record.subject != record.device;
  const bool delivery = record.delivery.session != 0;
  plain_.push_back(static_cast<std::uint8_t>(record.kind));
  plain_.push_back(static_cast<std::uint8_t>(
      (device ? kHasDevice : 0) | (subject ? kHasSubject : 0) | (delivery ? kHasDelivery : 0) |
      (record.ticks != 1 ? kHasTicks : 0)));
  put_varint(plain_, zigzag(time.us - last_us_));
  last_us_ = time.us;
  if (device) append(plain_, record.device);
  if (subject) append(plain_, record.subject);
  if (delivery) {
    store_le(plain_, record.delivery.session);
    store_le(plain_, record.delivery.packet);
    put_hash(plain_, record.delivery.hash);
  }
  if (record.ticks != 1) put_varint(plain_, record.ticks);
  put_varint(plain_, record.body.size());
  append(plain_, record.body);
  ++count_;
}

Bytes RecordWriter::take() {
  count_ = 0;
  Bytes out;
  out.swap(plain_);
  return out;
}

Status for_each_record(View plain, Cursor first, const std::function<bool(const Stored&)>& use) {
  if (plain.empty()) return {};
  ByteReader in(plain);
  std::int64_t last_us = TRY(in.le<std::int64_t>());
  Cursor at = first;
  while (!in.done()) {
    Stored record = TRY(take_record(in, last_us));
    record.at = at;
    ++at.record;
    if (!use(record)) break;
  }
  return {};
}

}  // namespace holdfast::journal
