#include "server/store/series/reading.hpp"

#include <bit>

namespace holdfast::series {
namespace {

void put_short(Bytes& out, std::string_view text) {
  out.push_back(static_cast<std::uint8_t>(text.size()));
  append(out, view_of(text));
}

void put_cell(Bytes& out, const Value& value) {
  struct Put {
    Bytes& to;
    void operator()(std::monostate) const {}
    void operator()(bool yes) const { to.push_back(yes ? 2 : 1); }
    void operator()(std::int64_t number) const {
      to.push_back(3);
      put_varint(to, zigzag(number));
    }
    void operator()(double number) const {
      to.push_back(4);
      store_le(to, std::bit_cast<std::uint64_t>(number));
    }
    void operator()(const std::string& text) const {
      to.push_back(5);
      put_varint(to, text.size());
      append(to, view_of(text));
    }
  };
  std::visit(Put{out}, value);
}

bool absent(const wire::Field& field) {
  return std::holds_alternative<std::monostate>(field.value);
}

// The fields that are there, as the bytes of a group's names.
Result<Bytes> names_of(const wire::Reading& reading) {
  Bytes names;
  for (const wire::Field& field : reading.fields) {
    if (absent(field)) continue;
    if (field.name.empty() || field.name.size() > wire::kFieldNameBytesMax) {
      return fail(Code::invalid_argument, "a field's name has 1 to 128 bytes");
    }
    const auto* text = std::get_if<std::string>(&field.value);
    if (text != nullptr && text->size() > kStringBytesMax) {
      return fail(Code::invalid_argument,
                  "the text of field \"" + field.name + "\" is longer than 4,096 bytes");
    }
    put_short(names, field.name);
  }
  return names;
}

void put_sample(Bytes& out, const wire::Reading& reading, WallTime now) {
  const TimeSource source = judge(reading.device_time, now);
  out.push_back(static_cast<std::uint8_t>(source));
  put_varint(out,
             zigzag(source == TimeSource::server ? reading.offset.us : reading.device_time->us));
  for (const wire::Field& field : reading.fields) put_cell(out, field.value);
}

Result<Cell> take_cell(ByteReader& in) {
  Cell cell;
  const std::uint8_t kind = TRY(in.le<std::uint8_t>());
  if (kind < 1 || kind > 5) return fail(Code::corrupt, "a reading has a value of unknown kind");
  cell.kind = static_cast<Cell::Kind>(kind);
  if (cell.kind == Cell::Kind::integer) {
    cell.bits = static_cast<std::uint64_t>(unzigzag(TRY(in.varint())));
  } else if (cell.kind == Cell::Kind::number) {
    cell.bits = TRY(in.le<std::uint64_t>());
  } else if (cell.kind == Cell::Kind::text) {
    const std::uint64_t size = TRY(in.varint());
    if (size > kStringBytesMax)
      return fail(Code::corrupt, "a text in a reading is longer than any can be");
    cell.text = text_of(TRY(in.take(size)));
  }
  return cell;
}

Result<Sample> take_sample(ByteReader& in, WallTime server) {
  const std::uint8_t source = TRY(in.le<std::uint8_t>());
  if (source > 2) return fail(Code::corrupt, "a reading has a time of unknown source");
  const std::int64_t given = unzigzag(TRY(in.varint()));
  Sample sample{static_cast<TimeSource>(source), server, server, server};
  if (sample.source == TimeSource::device) {
    sample.time = sample.claimed = {given};
  } else if (sample.source == TimeSource::uncertain) {
    sample.claimed = {given};
  } else {
    sample.time.us = static_cast<std::int64_t>(static_cast<std::uint64_t>(server.us) +
                                               static_cast<std::uint64_t>(given));
    sample.claimed = sample.time;
  }
  return sample;
}

Result<std::size_t> count_names(View names) {
  std::size_t count = 0;
  for (ByteReader in(names); !in.done(); ++count) {
    const std::uint8_t size = TRY(in.le<std::uint8_t>());
    if (size == 0 || size > wire::kFieldNameBytesMax)
      return fail(Code::corrupt, "a reading has an impossible name");
    TRY(in.take(size));
  }
  return count;
}

}  // namespace

std::string_view name_of(TimeSource source) {
  switch (source) {
    case TimeSource::server:
      return "server";
    case TimeSource::device:
      return "device";
    case TimeSource::uncertain:
      return "uncertain";
  }
  return "server";
}

TimeSource judge(std::optional<WallTime> device_time, WallTime now) {
  if (!device_time) return TimeSource::server;
  const bool possible = *device_time >= kDeviceTimeMin && *device_time <= now + kDeviceTimeAheadMax;
  return possible ? TimeSource::device : TimeSource::uncertain;
}

Value value_of(const Cell& cell) {
  switch (cell.kind) {
    case Cell::Kind::no:
      return false;
    case Cell::Kind::yes:
      return true;
    case Cell::Kind::integer:
      return static_cast<std::int64_t>(cell.bits);
    case Cell::Kind::number:
      return std::bit_cast<double>(cell.bits);
    case Cell::Kind::text:
      return std::string(cell.text);
  }
  return {};
}

Result<Bytes> encode_readings(std::string_view stream, const std::vector<wire::Reading>& readings,
                              WallTime now, ClassId retention) {
  if (stream.empty() || stream.size() > kStreamBytesMax ||
      stream.find('.') != std::string_view::npos) {
    return fail(Code::invalid_argument, "a stream's name has 1 to 64 bytes and no dot");
  }
  if (readings.empty() || readings.size() > kSamplesMax) {
    return fail(Code::invalid_argument, "a message holds 1 to 10,000 samples");
  }
  Bytes out;
  out.push_back(retention);
  put_short(out, stream);
  for (std::size_t at = 0; at < readings.size();) {
    const Bytes names = TRY(names_of(readings[at]));
    Bytes samples;
    std::size_t end = at;
    do {
      put_sample(samples, readings[end++], now);
    } while (end < readings.size() && TRY(names_of(readings[end])) == names);
    put_varint(out, names.size());
    append(out, names);
    put_varint(out, end - at);
    append(out, samples);
    at = end;
  }
  return out;
}

Status visit_readings(View body, WallTime time, ReadingVisitor& visitor) {
  ByteReader in(body);
  const ClassId retention = TRY(in.le<std::uint8_t>());
  const std::size_t stream_at = in.position();
  const std::uint8_t stream_size = TRY(in.le<std::uint8_t>());
  if (stream_size == 0 || stream_size > kStreamBytesMax)
    return fail(Code::corrupt, "a reading has no stream");
  TRY(in.take(stream_size));
  const View stream = body.subspan(stream_at, 1U + stream_size);
  std::vector<Cell> cells;
  std::int64_t number = 0;
  while (!in.done()) {
    const View names = TRY(in.take(TRY(in.varint())));
    const std::size_t fields = TRY(count_names(names));
    const std::uint64_t samples = TRY(in.varint());
    if (samples > kSamplesMax)
      return fail(Code::corrupt, "a reading has more samples than any can have");
    visitor.group({retention, stream.subspan(1), names});
    for (std::uint64_t i = 0; i < samples; ++i, ++number) {
      const Sample sample = TRY(take_sample(in, time + microseconds(number)));
      cells.clear();
      for (std::size_t f = 0; f < fields; ++f) cells.push_back(TRY(take_cell(in)));
      visitor.sample(sample, cells);
    }
  }
  return {};
}

std::vector<std::string_view> field_names(View names) {
  std::vector<std::string_view> out;
  ByteReader in(names);
  while (!in.done()) {
    const auto size = in.le<std::uint8_t>();
    const auto name = size ? in.take(*size) : Result<View>(fail(Code::corrupt, ""));
    if (!name) break;
    out.push_back(text_of(*name));
  }
  return out;
}

}  // namespace holdfast::series
