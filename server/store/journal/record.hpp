// Records of the journal and their bytes inside a frame (docs/spec/journal.md, Records).
//
// Shapes: a Record is what a caller appends; a Stored is what readers see, its body a view into the
// batch that it came from. Errors: corrupt, when bytes are no records. Pure; thread-safe.
#pragma once

#include <compare>
#include <functional>
#include <string>

#include "libs/base/bytes.hpp"
#include "libs/base/id.hpp"
#include "libs/base/time.hpp"

namespace holdfast::journal {

inline constexpr std::size_t kBodyBytesMax = 1024 * 1024;
inline constexpr std::uint32_t kTicksMax = 10'000;

using SegmentId = std::uint64_t;

// The position of a record: segments count from 1, records in a segment from 0.
struct Cursor {
  SegmentId segment = 0;
  std::uint32_t record = 0;
  auto operator<=>(const Cursor&) const = default;
};
std::string cursor_text(Cursor cursor);  // "12-345"
Result<Cursor> parse_cursor(std::string_view text);

enum class Kind : std::uint8_t { reading = 1, event = 2, window = 3 };

// Which MQTT delivery a record came from, so that a resend is stored once (decision 4).
struct Delivery {
  std::uint64_t session = 0;  // 0: none
  std::uint16_t packet = 0;
  std::uint64_t hash = 0;  // payload_hash(); 48 bits
  bool dup = false;        // the sender says that it may have sent this before
};
// 48 bits over topic and payload.
std::uint64_t payload_hash(std::string_view topic, View payload);

struct Record {
  Kind kind = Kind::reading;
  Ulid device{};   // all zero: none
  Ulid subject{};  // whom an erasure would concern; all zero: the device
  // How many strictly rising server times the record takes: the samples in it. 1 to kTicksMax.
  std::uint32_t ticks = 1;
  Delivery delivery;
  View body;
};

struct Stored {
  Cursor at;
  Kind kind = Kind::reading;
  Ulid device{};
  Ulid subject{};
  WallTime time;  // the server's, strictly rising; sample i of the record has time + i microseconds
  std::uint32_t ticks = 1;
  Delivery delivery;
  View body;
};

// Encodes records into a frame's plain text. Not thread-safe.
class RecordWriter {
 public:
  // `time` must not lie before that of the last record added, but for a clock that stepped back.
  void add(const Record& record, WallTime time);
  std::uint32_t count() const { return count_; }
  std::size_t size() const { return plain_.size(); }
  Bytes take();  // and starts anew

 private:
  Bytes plain_;
  std::int64_t last_us_ = 0;
  std::uint32_t count_ = 0;
};

// Calls back for each record, in order; false from `use` ends early. Unknown kinds are passed on.
Status for_each_record(View plain, Cursor first, const std::function<bool(const Stored&)>& use);

}  // namespace holdfast::journal
