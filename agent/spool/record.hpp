// SpoolRecord: one message that waits on disk, and the mark of the moment it was made, from which
// its device time is told when it is sent: a clock that was wrong then and is right now tells it
// by the time that has passed since (within one run of the agent). Pure; values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"

namespace holdfast::agent {

enum class SpoolClass : std::uint8_t { reading, event };
inline constexpr std::size_t kSpoolClasses = 2;

struct TimeMark {
  WallTime wall;
  MonoTime mono;
  std::uint64_t run = 0;  // of the agent; monotonic times of another run say nothing
  bool trusted = false;   // the wall clock was believable
  bool operator==(const TimeMark&) const = default;
};

struct SpoolRecord {
  SpoolClass kind = SpoolClass::reading;
  std::string topic;
  std::string payload;  // a JSON object with at least one member, without `time`
  TimeMark mark;
  bool operator==(const SpoolRecord&) const = default;
};

// The device time to send. The same answer for one record as long as the clock is not set.
WallTime device_time(const TimeMark& mark, const TimeMark& now);
// {"a":1} becomes {"time":"2026-...","a":1}.
std::string with_time(const std::string& payload, WallTime time);

// What is sealed. Errors: corrupt.
Bytes encode_record(const SpoolRecord& record);
Result<SpoolRecord> decode_record(View bytes);

// ---- frames of a spool file: u32 length and u32 CRC-32C of the body, then the body:
// u8 type, u64 sequence, and of records the sealed bytes. Little-endian.
enum class FrameType : std::uint8_t { record = 1, done = 2 };
inline constexpr std::string_view kSpoolMagic = "HFSPOOL1";
inline constexpr std::size_t kFrameHeadBytes = 8;
inline constexpr std::size_t kFrameBodyMin = 9;
inline constexpr std::size_t kFrameBodyMax = 300'000;

struct Frame {
  FrameType type = FrameType::record;
  std::uint64_t sequence = 0;
  std::size_t offset = 0;  // of the sealed bytes in the file
  View sealed;
};
struct FrameScan {
  std::vector<Frame> frames;
  bool damaged = false;  // bytes behind the last frame that are none
};

void append_frame(Bytes& out, FrameType type, std::uint64_t sequence, View sealed);
// Of a whole file; reads up to the first byte that is not a frame's.
FrameScan scan_frames(View file);

}  // namespace holdfast::agent
