// Readings on their way through the journal: the body of a record of kind `reading`
// (docs/spec/series.md, Reading). Names come once a group, so that a device which always sends the
// same fields costs one comparison, not a lookup a value.
//
// Errors: corrupt for bytes that are none; invalid_argument for what does not fit the bounds.
// Pure; thread-safe.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/telemetry.hpp"
#include "libs/wire/value.hpp"

namespace holdfast::series {

using wire::Value;
using ClassId = std::uint8_t;  // retention class; 0: the default one

inline constexpr std::size_t kStreamBytesMax = 64;
inline constexpr std::size_t kMetricBytesMax = kStreamBytesMax + 1 + wire::kFieldNameBytesMax;
inline constexpr std::size_t kSamplesMax = 10'000;  // of one record
inline constexpr std::size_t kStringBytesMax = 4'096;

// Whose clock a point's time is from. uncertain: the device gave a time that cannot be; the
// server's is used, and the device's kept beside it.
enum class TimeSource : std::uint8_t { server = 0, device = 1, uncertain = 2 };
std::string_view name_of(TimeSource source);

// The table of contract/device-protocol.md 7.3.
inline constexpr WallTime kDeviceTimeMin{1'577'836'800'000'000};  // 2020-01-01
inline constexpr Duration kDeviceTimeAheadMax = minutes(5);
TimeSource judge(std::optional<WallTime> device_time, WallTime now);

// The body for samples of one stream. `now` judges device times. The record that carries it has
// ticks = readings.size().
Result<Bytes> encode_readings(std::string_view stream, const std::vector<wire::Reading>& readings,
                              WallTime now, ClassId retention = 0);

// One sample as it lies in the body; views are into the body.
struct Cell {
  enum class Kind : std::uint8_t { no = 1, yes = 2, integer = 3, number = 4, text = 5 };
  Kind kind = Kind::no;
  std::uint64_t bits = 0;  // of the int64 or the double
  std::string_view text;
};
Value value_of(const Cell& cell);

struct Sample {
  TimeSource source = TimeSource::server;
  WallTime time;      // where the point lies on the time axis
  WallTime received;  // by the server
  WallTime claimed;   // uncertain: what the device said; else equal to `time`
};

// Samples with equal fields. `names` are the fields' encoded names: equal stream and names mean
// equal metrics, "<stream>.<field>".
struct Group {
  ClassId retention = 0;
  View stream;
  View names;
};
std::vector<std::string_view> field_names(View names);  // views into `names`

class ReadingVisitor {
 public:
  virtual ~ReadingVisitor() = default;
  virtual void group(const Group& group) = 0;
  virtual void sample(const Sample& sample, const std::vector<Cell>& cells) = 0;  // one cell a name
};
// `time` is the record's server time. Input is checked as it is read: what was visited before an
// error stays visited.
Status visit_readings(View body, WallTime time, ReadingVisitor& visitor);

}  // namespace holdfast::series
