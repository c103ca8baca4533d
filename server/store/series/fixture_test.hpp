// What the series tests share: a machine with a journal and a store, and a model that does the same
// in the simplest way.
#pragma once

#include <algorithm>
#include <map>

#include "libs/os/sim/simulation.hpp"
#include "server/store/journal/memory_keys.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::series {

inline Ulid device_of(unsigned number) {
  Ulid out{};
  out[0] = 1;
  out[14] = static_cast<std::uint8_t>(number >> 8);
  out[15] = static_cast<std::uint8_t>(number);
  return out;
}

inline wire::Reading reading_of(std::vector<std::pair<std::string, Value>> fields,
                                std::optional<WallTime> at = std::nullopt) {
  wire::Reading out;
  out.device_time = at;
  for (auto& [name, value] : fields) out.fields.push_back({name, std::move(value), {}});
  return out;
}

// Bit by bit, so that NaN equals NaN and -0.0 is not 0.0.
inline bool same_value(const Value& a, const Value& b) {
  const auto* x = std::get_if<double>(&a);
  const auto* y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
}

class World final {
 public:
  explicit World(std::uint64_t seed) : world(seed), keys(node().system().entropy) {}
  ~World() { stop(); }

  os::sim::Node& node() { return world.node("server"); }
  WallTime now() { return node().system().clock.wall(); }

  Status start() {
    Log log([](std::string_view) {});
    const auto alarm = [this](std::string_view what) { alarms.emplace_back(what); };
    journal =
        TRY(journal::Journal::open(node().system(), keys, log, metrics, journal_options, alarm));
    store = TRY(Store::open(node().system(), keys, *journal, log, metrics, options, alarm));
    journal->attach(*store);
    return journal->start();
  }
  void stop() {
    journal.reset();
    store.reset();
  }
  Status restart() {
    if (node().up()) node().crash();
    stop();
    node().restart();
    return start();
  }
  // True once it is durable.
  bool append(const Ulid& device, std::string_view stream,
              const std::vector<wire::Reading>& readings, ClassId retention = 0,
              const Ulid& subject = {}) {
    const auto body = encode_readings(stream, readings, now(), retention);
    if (!body) return false;
    journal::Record record;
    record.device = device;
    record.subject = subject;
    record.ticks = static_cast<std::uint32_t>(readings.size());
    record.body = *body;
    std::optional<Status> answer;
    if (!journal->append(record, nullptr, [&](const Status& status) { answer = status; }))
      return false;
    world.run_until([&] { return answer.has_value() || !node().up(); }, seconds(60));
    return answer && answer->has_value();
  }
  void settle() { world.run_for(milliseconds(50)); }

  std::vector<Point> points(const Ulid& device, const std::string& metric, Range range = {},
                            bool newest_first = false) {
    std::vector<Point> out;
    const auto outcome = store->range({device, metric, range, newest_first, kNever},
                                      [&](const std::vector<Point>& more) {
                                        out.insert(out.end(), more.begin(), more.end());
                                        return true;
                                      });
    EXPECT_TRUE(outcome);
    if (outcome) partial = outcome->partial;
    return out;
  }
  std::vector<Bucket> buckets(const Ulid& device, const std::string& metric, WallTime from,
                              WallTime to, Duration length) {
    auto answer = store->buckets({device, {metric}, {from, to}, length, kNever});
    EXPECT_TRUE(answer);
    return answer ? answer->metrics.at(0) : std::vector<Bucket>{};
  }
  std::vector<std::string> files() {
    std::vector<std::string> out;
    const auto days = node().system().files.list("/data/series");
    if (!days) return out;
    for (const os::Entry& day : *days) {
      const auto in_day = node().system().files.list("/data/series/" + day.name);
      for (const os::Entry& entry : *in_day)
        out.push_back("/data/series/" + day.name + "/" + entry.name);
    }
    return out;
  }

  os::sim::Simulation world;
  journal::MemoryKeys keys;
  Metrics metrics;
  journal::Options journal_options{.folder = "/data/journal",
                                   .segment_bytes = 64 * 1024,
                                   .fill_bytes = 4096,
                                   .headroom_bytes = 4096};
  StoreOptions options{.folder = "/data/series"};
  std::vector<std::string> alarms;
  bool partial = false;
  std::unique_ptr<Store> store;
  std::unique_ptr<journal::Journal> journal;
};

// Points of each metric as they should be.
class Model final {
 public:
  void add(const Ulid& device, const std::string& metric, const Point& point) {
    auto& all = points_[{device, metric}];
    for (Entry& entry : all) {
      if (point.source == TimeSource::device && entry.point.source == TimeSource::device &&
          entry.point.time == point.time) {
        entry.point = point;
        return;
      }
    }
    all.push_back({point, ++order_});
  }
  std::vector<Point> points(const Ulid& device, const std::string& metric, Range range = {}) const {
    const auto at = points_.find({device, metric});
    std::vector<Point> out;
    if (at == points_.end()) return out;
    std::vector<Entry> all = at->second;
    std::ranges::sort(all, [](const Entry& a, const Entry& b) {
      return a.point.time != b.point.time ? a.point.time < b.point.time : a.order < b.order;
    });
    for (const Entry& entry : all) {
      if (entry.point.time >= range.from && entry.point.time < range.to) out.push_back(entry.point);
    }
    return out;
  }
  std::vector<std::pair<Ulid, std::string>> metrics() const {
    std::vector<std::pair<Ulid, std::string>> out;
    for (const auto& [key, all] : points_) out.push_back(key);
    return out;
  }

 private:
  struct Entry {
    Point point;
    std::uint64_t order = 0;
  };
  std::map<std::pair<Ulid, std::string>, std::vector<Entry>> points_;
  std::uint64_t order_ = 0;
};

inline void expect_points(const std::vector<Point>& got, const std::vector<Point>& want,
                          const std::string& what) {
  ASSERT_EQ(got.size(), want.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].time.us, want[i].time.us) << what << " point " << i;
    ASSERT_EQ(got[i].source, want[i].source) << what << " point " << i;
    ASSERT_TRUE(same_value(got[i].value, want[i].value))
        << what << " point " << i << ": " << wire::value_text(got[i].value) << " for "
        << wire::value_text(want[i].value);
    ASSERT_EQ(got[i].claimed.us, want[i].claimed.us) << what << " point " << i;
  }
}

}  // namespace holdfast::series
