// Head: what of the series lies in memory. Per device its metrics with the newest point of each,
// and the rows of unsealed journal segments, as they came: row by row, one block a stream and set
// of fields.
//
// Bounds: metrics of one device and of all; what would break them is refused by admit(). Threads:
// any; devices are spread over shards with a lock each. Rows of a closed segment never change.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/series/rows.hpp"
#include "server/store/series/series.hpp"

namespace holdfast::series {

using journal::SegmentId;

struct UlidHash {
  std::size_t operator()(const Ulid& ulid) const noexcept {
    return static_cast<std::size_t>(load_le<std::uint64_t>(ulid.data() + 8) ^
                                    load_le<std::uint64_t>(ulid.data()) * 0x9E3779B97F4A7C15ULL);
  }
};

inline constexpr std::uint32_t kHeadRank = 1U << 31;  // above the ranks of files

struct HeadLimits {
  std::uint32_t device_metrics_max = 5'000;
  std::uint64_t metrics_max = 1'000'000;
};

// A stream and its fields, shared by all devices that send the same.
struct Shape {
  std::string stream;
  Bytes names;  // encoded, as in the body
  std::vector<std::string> fields;
  std::vector<std::uint32_t> metrics;  // numbers of the metrics' names
};
using ShapePtr = std::shared_ptr<const Shape>;

// Samples of one device, subject, class and shape in one segment; cells row by row.
struct HeadRows {
  ShapePtr shape;
  Ulid subject{};
  ClassId retention = 0;
  Times times;
  std::vector<std::uint32_t> arrival;
  std::vector<std::uint8_t> kinds;
  std::vector<std::uint64_t> bits;  // of a text: where in `text`, and how long
  std::string text;

  void push(const Sample& sample, std::uint32_t number, const std::vector<Cell>& cells);
  // Rows with time in [from, to), of all fields or of one.
  Source source(std::int64_t from, std::int64_t to, std::string_view only_field = {}) const;
  std::size_t memory() const;
};

// All that one segment brought for one device, subject, class and stream.
struct HeadPart {
  Ulid device{};
  Ulid subject{};
  ClassId retention = 0;
  std::vector<std::shared_ptr<const HeadRows>> rows;
  const std::string& stream() const { return rows.front()->shape->stream; }
};

class Head final {
 public:
  Head(HeadLimits limits, Metrics& metrics);

  Status admit(const Ulid& device, View reading_body);
  // `oldest` says, by class, before which time points are dropped and counted.
  void insert(const journal::Stored& record, const std::array<std::int64_t, 256>& oldest);

  // What a closed segment brought, by device, subject and stream.
  std::vector<HeadPart> collect(SegmentId segment) const;
  void drop(SegmentId segment);

  // Rows of one metric, oldest segment first; ranks count from kHeadRank.
  struct SegmentSource {
    SegmentId segment = 0;
    Source source;
  };
  std::vector<SegmentSource> rows(const Ulid& device, std::string_view stream,
                                  std::string_view field, std::int64_t from, std::int64_t to) const;

  // Newest points. Of days since `known_from` learn() has told what lies in files.
  std::vector<Last> lasts(const Ulid& device, std::int64_t& known_from) const;
  // The same of some metrics by their numbers, for one device after the other.
  struct Wanted {
    std::vector<std::uint32_t> numbers;
    std::vector<std::pair<std::size_t, Point>> found;  // the first `count`: place in numbers, point
    std::size_t count = 0;
    std::int64_t oldest_day = 0;  // of those points
    std::int64_t known_from = 0;
    std::vector<std::uint32_t> slots;  // where the device before had them
  };
  std::vector<std::uint32_t> numbers_of(const std::vector<std::string>& metrics) const;
  void lasts(const Ulid& device, Wanted& wanted) const;
  void learn(const Ulid& device, const std::vector<Last>& from_files, std::int64_t known_from);
  Cardinality cardinality(const Ulid& device) const;
  // What lies in files has to be learnt again: of one device, of all.
  void forget_files(const Ulid& device);
  void forget_files();

  void erase_device(const Ulid& device);
  void erase_subject(const Ulid& subject);  // what streams that name it brought
  std::uint64_t series() const { return series_->load(); }
  std::uint64_t bytes() const;  // of rows

 private:
  struct LastCell {
    std::uint32_t metric = 0;
    std::uint8_t kind = 0;  // 0: admitted, no value yet
    std::uint8_t source = 0;
    std::int64_t time = 0;
    std::int64_t other = 0;
    std::uint64_t bits = 0;  // of a text: its place in `texts`
  };
  struct Segment {
    SegmentId segment = 0;
    std::shared_ptr<HeadRows> rows;
  };
  struct Use {  // of a shape, by one device for one subject and class
    ShapePtr shape;
    Ulid subject{};
    ClassId retention = 0;
    std::uint64_t hash = 0;
    std::vector<std::uint32_t> slots;  // in `lasts`, one a field
    std::vector<Segment> segments;
  };
  struct Device {
    std::vector<LastCell> lasts;
    std::vector<std::string> texts;
    std::vector<Use> uses;
    std::unordered_multimap<std::uint64_t, std::uint32_t> by_hash;  // of uses, when there are many
    SegmentId arrival_segment = 0;
    std::uint32_t arrivals = 0;
    std::int64_t known_from = INT64_MAX;
  };
  struct Shard {
    std::unordered_map<Ulid, Device, UlidHash> devices;
    std::map<SegmentId, std::vector<Ulid>> touched;
    std::uint64_t bytes = 0;
  };
  struct Names {
    std::unordered_map<std::string, std::uint32_t> numbers;
    std::vector<const std::string*> by_number;
  };
  struct Shapes {
    std::unordered_multimap<std::uint64_t, std::shared_ptr<Shape>> all;
  };
  class Inserter;
  class Admitter;
  static constexpr std::size_t kShards = 16;

  Guarded<Shard>& shard_of(const Ulid& device) const { return shards_[device[15] % kShards]; }
  ShapePtr shape_of(std::uint64_t hash, const Group& group);
  std::uint32_t number_of_metric(const std::string& metric);
  Use* find_use(Device& device, std::uint64_t hash, const Group& group, const Ulid& subject) const;
  Use& add_use(Device& device, std::uint64_t hash, const Group& group, const Ulid& subject);
  void note_last(Device& device, std::uint32_t slot, const Sample& sample, const Cell& cell) const;
  static void put_point(const Device& device, const LastCell& cell, Point& out);

  const HeadLimits limits_;
  Counter& refused_;
  Counter& too_old_;
  Counter& malformed_;
  std::shared_ptr<std::atomic<std::uint64_t>> series_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
  mutable std::array<Guarded<Shard>, kShards> shards_;
  Guarded<Names> names_;
  Guarded<Shapes> shapes_;
};

}  // namespace holdfast::series
