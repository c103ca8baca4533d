#include "agent/spool/record.hpp"

namespace holdfast::agent {

WallTime device_time(const TimeMark& mark, const TimeMark& now) {
  if (mark.trusted || !now.trusted || mark.run != now.run) return mark.wall;
  return now.wall - (now.mono - mark.mono);
}

std::string with_time(const std::string& payload, WallTime time) {
  return "{\"time\":\"" + to_rfc3339(time) + "\"," + payload.substr(1);
}

Bytes encode_record(const SpoolRecord& record) {
  Bytes out;
  out.push_back(static_cast<std::uint8_t>(record.kind));
  out.push_back(record.mark.trusted ? 1 : 0);
  store_le<std::int64_t>(out, record.mark.wall.us);
  store_le<std::int64_t>(out, record.mark.mono.us);
  store_le<std::uint64_t>(out, record.mark.run);
  put_varint(out, record.topic.size());
  append(out, view_of(record.topic));
  append(out, view_of(record.payload));
  return out;
}

Result<SpoolRecord> decode_record(View bytes) {
  ByteReader reader(bytes);
  SpoolRecord out;
  const auto kind = TRY(reader.le<std::uint8_t>());
  if (kind >= kSpoolClasses) return fail(Code::corrupt, "unknown class of a spooled record");
  out.kind = static_cast<SpoolClass>(kind);
  out.mark.trusted = TRY(reader.le<std::uint8_t>()) == 1;
  out.mark.wall.us = TRY(reader.le<std::int64_t>());
  out.mark.mono.us = TRY(reader.le<std::int64_t>());
  out.mark.run = TRY(reader.le<std::uint64_t>());
  const std::uint64_t topic_bytes = TRY(reader.varint());
  if (topic_bytes > reader.left()) return fail(Code::corrupt, "a spooled record ends early");
  out.topic = text_of(TRY(reader.take(static_cast<std::size_t>(topic_bytes))));
  out.payload = text_of(TRY(reader.take(reader.left())));
  return out;
}

void append_frame(Bytes& out, FrameType type, std::uint64_t sequence, View sealed) {
  Bytes body;
  body.reserve(kFrameBodyMin + sealed.size());
  body.push_back(static_cast<std::uint8_t>(type));
  store_le<std::uint64_t>(body, sequence);
  append(body, sealed);
  store_le<std::uint32_t>(out, static_cast<std::uint32_t>(body.size()));
  store_le<std::uint32_t>(out, crc32c(body));
  append(out, body);
}

FrameScan scan_frames(View file) {
  FrameScan out;
  if (!text_of(file).starts_with(kSpoolMagic)) return {{}, true};
  std::size_t at = kSpoolMagic.size();
  while (at < file.size()) {
    out.damaged = true;
    if (file.size() - at < kFrameHeadBytes) return out;
    const auto size = load_le<std::uint32_t>(file.data() + at);
    const auto sum = load_le<std::uint32_t>(file.data() + at + 4);
    at += kFrameHeadBytes;
    if (size < kFrameBodyMin || size > kFrameBodyMax || size > file.size() - at) return out;
    const View body = file.subspan(at, size);
    const bool known = body[0] == static_cast<std::uint8_t>(FrameType::record) ||
                       body[0] == static_cast<std::uint8_t>(FrameType::done);
    if (!known || crc32c(body) != sum) return out;
    out.frames.push_back({static_cast<FrameType>(body[0]), load_le<std::uint64_t>(body.data() + 1),
                          at + kFrameBodyMin, body.subspan(kFrameBodyMin)});
    at += size;
    out.damaged = false;
  }
  return out;
}

}  // namespace holdfast::agent
