// The series port: numbers, texts and booleans over time, of many devices (decision 5). Readings
// get in through the journal; this is how they are asked for, kept for a time, and erased.
// Adapters: our own segments (server/store/series/store.hpp); ClickHouse comes behind the same
// port.
//
// Shapes: a metric is "<stream>.<field>"; a range is from <= time < to. Points come ordered by
// time, and for equal times by arrival. Two points of a metric are one only if both have source
// `device` and the same time: the last write wins. Errors: not_found, quota_exceeded,
// invalid_argument, corrupt, io_error. A deadline is no error: the answer says `partial`. Threads:
// any; calls may read from disk, so make them on workers; admit() never blocks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/os/loop.hpp"
#include "server/store/chart/bucket.hpp"
#include "server/store/series/reading.hpp"

namespace holdfast::series {

inline constexpr std::size_t kBucketsMax = 10'000;

struct Point {
  WallTime time;
  TimeSource source = TimeSource::server;
  WallTime received;
  WallTime claimed;  // source uncertain: the device's own time; else equal to `time`
  Value value;
};

struct Range {
  WallTime from{INT64_MIN};
  WallTime to{INT64_MAX};
};

struct RangeQuery {
  Ulid device{};
  std::string metric;
  Range range;
  bool newest_first = false;
  MonoTime deadline = kNever;
};

// How an answer ended: partial, when the deadline came first or a damaged file was left out.
struct Outcome {
  bool partial = false;
  bool late = false;   // the deadline came first: asking on from here brings more
  std::string reason;  // of partial
  // Of some days only roll-ups are left: buckets of their own length, and no raw points.
  bool rolled_up = false;
};

struct BucketQuery {
  Ulid device{};
  std::vector<std::string> metrics;
  Range range;      // both ends given
  Duration length;  // of a bucket; they are aligned to 1970
  MonoTime deadline = kNever;
  bool quantiles = false;  // of each bucket: takes the values, not just what directories say
  bool rates = false;      // increase and rate; the first number in the range has none before it
  std::size_t exact_max = chart::kExactMax;  // numbers kept of one bucket, then they are a sketch
};
using chart::Bucket;

struct BucketAnswer {
  Outcome outcome;
  std::vector<std::vector<Bucket>> metrics;  // in the query's order; empty buckets are left out
};

// Metrics seen since the start or read of files; what goes over a bound is refused.
struct Cardinality {
  std::uint64_t device = 0, device_max = 0;  // of one device
  std::uint64_t server = 0, server_max = 0;
};

struct Last {
  std::string metric;
  Point point;
};

struct RetentionClass {
  ClassId id = 0;
  std::string name = "default";
  std::optional<Duration> keep;                 // of points; nullopt: for ever
  std::optional<std::uint64_t> bytes_max = {};  // of files of this class; the oldest days go first
  std::optional<Duration> rollup = {};          // when points go, buckets of this length stay
  std::optional<Duration> rollup_keep = {};     // and for so long; nullopt: for ever
  bool operator==(const RetentionClass&) const = default;
};

struct RetentionStep {
  std::string class_name;
  std::int64_t day = 0;  // since 1970; all of this day's points of the class
  std::uint64_t bytes = 0;
  WallTime due;           // when it goes (at once, where that lies in the past)
  std::string reason;     // "age", "bytes"
  bool rolls_up = false;  // its points go, and a roll-up stays
};

// invalid_argument: what such a class cannot be.
Status check_class(const RetentionClass& of);

struct RetentionUse {
  RetentionClass of;
  std::uint64_t bytes = 0, rollup_bytes = 0;  // of files
  std::uint64_t days = 0;
  std::optional<std::int64_t> oldest_day, newest_day;
};

struct ErasePreview {
  std::uint64_t devices = 0, metrics = 0, points = 0, bytes = 0;
  std::optional<WallTime> first, last;
};

class Series {
 public:
  virtual ~Series() = default;

  // May this device's record be appended? quota_exceeded names the bound that new metrics would
  // break: of one device, or of the server. Counts the metrics as present.
  virtual Status admit(const Ulid& device, View reading_body) = 0;
  virtual Cardinality cardinality(const Ulid& device) = 0;

  virtual Result<std::vector<Last>> metrics(const Ulid& device) = 0;  // by name
  // The newest point of each of these metrics that a device has, device by device; `use` gets the
  // places in the two lists. Answered from memory; of what was not seen since the start, files are
  // read back day by day, as far as the metrics need it.
  virtual Result<Outcome> last(
      const std::vector<Ulid>& devices, const std::vector<std::string>& metrics, MonoTime deadline,
      const std::function<void(std::size_t device, std::size_t metric, const Point&)>& use) = 0;
  // Streams: `use` gets points in pieces and stops by returning false.
  virtual Result<Outcome> range(const RangeQuery& query,
                                const std::function<bool(const std::vector<Point>&)>& use) = 0;
  virtual Result<BucketAnswer> buckets(const BucketQuery& query) = 0;

  virtual Status set_retention(std::vector<RetentionClass> classes) = 0;
  virtual std::vector<RetentionUse> retention() = 0;
  // What will go until `until`, oldest first.
  // As if these classes were in force, if given.
  virtual Result<std::vector<RetentionStep>> retention_preview(
      WallTime until, const std::optional<std::vector<RetentionClass>>& instead = {}) = 0;
  virtual Result<std::vector<RetentionStep>> retention_apply(WallTime now) = 0;

  // Whatever lies under this subject (a device, or whom its streams name). After erase() neither
  // folder, nor old backups, nor the ring yield it. Seals first: may take seconds.
  virtual Result<ErasePreview> erase_preview(const Ulid& subject) = 0;
  virtual Result<ErasePreview> erase(const Ulid& subject) = 0;
};

}  // namespace holdfast::series
