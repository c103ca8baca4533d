// Answers made from a walk over a metric's points: raw points and buckets.
#include <algorithm>
#include <cmath>

#include "server/store/series/store.hpp"

namespace holdfast::series {
namespace {

constexpr std::size_t kPointsAtOnce = 4'096;

}  // namespace

Point point_of(const Times& times, const Column& column, std::size_t i) {
  const std::uint32_t row = column.row(i);
  Point point;
  point.source = static_cast<TimeSource>(times.source[row]);
  point.time = point.received = point.claimed = {times.time[row]};
  (point.source == TimeSource::uncertain ? point.claimed : point.received) = {times.other[row]};
  point.value = column.value(i);
  return point;
}

namespace {

// Fills buckets with points whose times rise, column by column.
class Filler {
 public:
  explicit Filler(const BucketQuery& query)
      : into_(query.length.us, query.quantiles, query.rates, query.exact_max),
        from_(query.range.from.us),
        to_(query.range.to.us),
        length_(query.length.us) {}
  std::vector<Bucket> take() { return std::move(into_.buckets); }

  void add(const std::vector<std::int64_t>& time, const Column& column) {
    std::size_t i = 0;
    const std::size_t size = column.size();
    while (i < size && time[column.row(i)] < from_) ++i;
    while (i < size && time[column.row(i)] < to_) {
      Bucket& bucket = into_.at(time[column.row(i)]);
      const std::int64_t end = std::min(bucket.start.us + length_, to_);
      std::size_t stop = i + 1;
      if (column.rows.empty()) {
        stop = static_cast<std::size_t>(
            std::lower_bound(time.begin() + static_cast<std::ptrdiff_t>(i), time.end(), end) -
            time.begin());
      } else {
        while (stop < size && time[column.row(stop)] < end) ++stop;
      }
      take(bucket, column, i, stop);
      for (std::size_t k = into_.needs_each() ? i : stop; k < stop; ++k) {
        if (!is_number(column.kinds[k])) continue;
        const bool whole = column.kinds[k] == 3;
        into_.add_number(bucket, time[column.row(k)],
                         {whole, static_cast<std::int64_t>(column.bits[k]),
                          number_of(column.kinds[k], column.bits[k])});
      }
      i = stop;
    }
  }

  // What the directory says, where a whole group lies in one bucket.
  bool add(const GroupInfo& group, const ColumnInfo& column) {
    if (into_.needs_each() || !column.first || !column.last ||
        chart::bucket_start(group.first, length_) != chart::bucket_start(group.last, length_))
      return false;
    Bucket all;
    all.count = column.values;
    all.numbers = column.numbers;
    all.min = column.min;
    all.max = column.max;
    all.sum = column.sum;
    all.first = *column.first;
    all.last = *column.last;
    chart::merge_bucket(into_.at(group.first), all);
    return true;
  }

 private:
  static void take(Bucket& bucket, const Column& column, std::size_t begin, std::size_t end) {
    Bucket more;
    more.first = column.value(begin);
    more.last = column.value(end - 1);
    more.count = end - begin;
    more.min = INFINITY;
    more.max = -INFINITY;
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_number(column.kinds[i])) continue;
      const double number = number_of(column.kinds[i], column.bits[i]);
      const bool counts = number == number;  // not NaN
      more.min = number < more.min ? number : more.min;
      more.max = number > more.max ? number : more.max;
      more.sum += counts ? number : 0;
      more.numbers += counts ? 1 : 0;
    }
    chart::merge_bucket(bucket, more);
  }

  chart::Bucketer into_;
  std::int64_t from_, to_, length_;
};

}  // namespace

Result<Store::Metric> Store::split(std::string_view metric) {
  const auto dot = metric.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == metric.size() ||
      metric.size() > kMetricBytesMax) {
    return fail(Code::invalid_argument, "a metric is named <stream>.<field>");
  }
  return Metric{metric.substr(0, dot), metric.substr(dot + 1)};
}

Result<Outcome> Store::range(const RangeQuery& query,
                             const std::function<bool(const std::vector<Point>&)>& use) {
  Walk walk;
  walk.device = query.device;
  walk.metric = TRY(split(query.metric));
  walk.from = query.range.from.us;
  walk.to = query.range.to.us;
  walk.newest_first = query.newest_first;
  walk.deadline = query.deadline;
  std::vector<Point> points;
  const auto pieces = [&](const Piece& piece) {
    const std::size_t size = piece.column.size();
    for (std::size_t k = 0; k < size; ++k) {
      const std::size_t i = walk.newest_first ? size - 1 - k : k;
      const std::int64_t time = piece.time[piece.column.row(i)];
      if (time < walk.from || time >= walk.to) continue;
      points.push_back(point_of(*piece.times, piece.column, i));
      if (points.size() < kPointsAtOnce) continue;
      if (!use(points)) return false;
      points.clear();
    }
    if (points.empty()) return true;
    const bool go_on = use(points);
    points.clear();
    return go_on;
  };
  return this->walk(walk, {pieces, {}, {}});
}

Result<BucketAnswer> Store::buckets(const BucketQuery& query) {
  const std::int64_t length = query.length.us;
  const std::int64_t from = query.range.from.us;
  const std::int64_t to = query.range.to.us;
  const auto width = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
  if (length <= 0 || from >= to || width / static_cast<std::uint64_t>(length) > kBucketsMax) {
    return fail(Code::invalid_argument,
                "ask for 1 to 10,000 buckets: a range with both ends, and a length above zero");
  }
  BucketAnswer answer;
  for (const std::string& metric : query.metrics) {
    Walk walk;
    walk.device = query.device;
    walk.metric = TRY(split(metric));
    walk.from = from;
    walk.to = to;
    walk.full_times = false;
    walk.deadline = query.deadline;
    Filler filler(query);
    std::vector<Bucket> rolled;
    const Outcome outcome =
        this->walk(walk, {[&](const Piece& piece) {
                            filler.add(piece.time, piece.column);
                            return true;
                          },
                          [&](const GroupInfo& group, const ColumnInfo& column) {
                            return filler.add(group, column);
                          },
                          [&](const std::vector<Bucket>& more) {
                            chart::Bucketer coarse(length, false, false);
                            for (const Bucket& bucket : more)
                              chart::merge_bucket(coarse.at(bucket.start.us), bucket);
                            chart::merge_buckets(rolled, std::move(coarse.buckets));
                          }});
    if (outcome.partial) answer.outcome = outcome;
    answer.outcome.rolled_up = answer.outcome.rolled_up || outcome.rolled_up;
    chart::merge_buckets(rolled, filler.take());
    answer.metrics.push_back(std::move(rolled));
  }
  return answer;
}

}  // namespace holdfast::series
