// Journal, series and events on this machine: real threads and files, appends, queries, seals and
// merges at once. The thread sanitizer reads along.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <set>

#include "libs/os/system.hpp"
#include "server/store/events/store.hpp"
#include "server/store/journal/memory_keys.hpp"
#include "server/store/series/store.hpp"

namespace holdfast::events {
namespace {

constexpr unsigned kWriters = 3;
constexpr unsigned kEach = 400;

class RealTest : public testing::Test {
 protected:
  RealTest() {
    char name[] = "/tmp/holdfast-store-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~RealTest() override {
    stop();
    EXPECT_TRUE(os::remove_tree(system_.files, folder_));
  }

  Status start() {
    const Log log([](std::string_view) {});
    journal_ = TRY(journal::Journal::open(system_, keys_, log, metrics_,
                                          {.folder = folder_ + "/journal",
                                           .segment_bytes = 64 * 1024,
                                           .fill_bytes = 16 * 1024,
                                           .headroom_bytes = 4096}));
    series_ = TRY(series::Store::open(system_, keys_, *journal_, log, metrics_,
                                      {.folder = folder_ + "/series"}));
    events_ =
        TRY(Store::open(system_, keys_, *journal_, log, metrics_, {.folder = folder_ + "/events"}));
    journal_->attach(*series_);
    journal_->attach(*events_);
    return journal_->start();
  }
  void stop() {
    journal_.reset();
    series_.reset();
    events_.reset();
  }

  static Ulid device_of(unsigned number) {
    Ulid out{};
    out[15] = static_cast<std::uint8_t>(number + 1);
    return out;
  }

  // One reading and one event; counted when they are durable.
  void write(unsigned writer, unsigned i) {
    wire::Reading reading;
    reading.fields.push_back({"n", static_cast<std::int64_t>(i), {}});
    const auto readings = series::encode_readings("s", {reading}, system_.clock.wall());
    NewEvent event;
    event.kind = "log";
    event.message = std::to_string(writer) + ":" + std::to_string(i);
    const auto events = encode_event(event, system_.clock.wall());
    journal::Record record;
    record.device = device_of(writer);
    for (const auto& [kind, body] : {std::pair(journal::Kind::reading, View(*readings)),
                                     std::pair(journal::Kind::event, View(*events))}) {
      record.kind = kind;
      record.body = body;
      while (!journal_->append(record, nullptr,
                               [this](const Status& status) { durable_ += status ? 1 : 0; })) {
      }
    }
  }

  void check() {
    for (unsigned writer = 0; writer < kWriters; ++writer) {
      std::vector<std::int64_t> numbers;
      EXPECT_TRUE(series_->range({device_of(writer), "s.n", {}, false, kNever},
                                 [&](const std::vector<series::Point>& points) {
                                   for (const series::Point& point : points)
                                     numbers.push_back(std::get<std::int64_t>(point.value));
                                   return true;
                                 }));
      ASSERT_EQ(numbers.size(), kEach);
      for (unsigned i = 0; i < kEach; ++i) EXPECT_EQ(numbers[i], i) << "in the order of arrival";
    }
    Query all;
    all.limit = 100'000;
    const auto answer = events_->query(all);
    ASSERT_TRUE(answer);
    std::set<std::string> messages;
    for (const Event& event : answer->items) messages.insert(event.message);
    EXPECT_EQ(messages.size(), kWriters * kEach);
    EXPECT_EQ(answer->items.size(), kWriters * kEach);
  }

  std::unique_ptr<os::RealSystem> real_ = os::RealSystem::make().value();
  os::System system_ = real_->system();
  std::string folder_;
  journal::MemoryKeys keys_{system_.entropy};
  Metrics metrics_;
  std::atomic<unsigned> durable_{0};
  std::unique_ptr<series::Store> series_;
  std::unique_ptr<Store> events_;
  std::unique_ptr<journal::Journal> journal_;
};

TEST_F(RealTest, WritersReadersAndSealsAtOnce) {
  ASSERT_TRUE(start());
  auto workers = system_.threads.start_workers("test", kWriters + 1, 16);
  std::atomic<unsigned> writing{kWriters};
  for (unsigned writer = 0; writer < kWriters; ++writer) {
    ASSERT_TRUE(workers->post([this, writer, &writing] {
      for (unsigned i = 0; i < kEach; ++i) write(writer, i);
      --writing;
    }));
  }
  ASSERT_TRUE(workers->post([this, &writing] {
    while (writing > 0) {
      const auto from = system_.clock.wall() - hours(1);
      EXPECT_TRUE(
          series_->buckets({device_of(0), {"s.n"}, {from, from + hours(2)}, minutes(1), kNever}));
      EXPECT_TRUE(series_->last({device_of(1)}, {"s.n"}, kNever,
                                [](std::size_t, std::size_t, const series::Point&) {}));
      EXPECT_TRUE(events_->query({}));
      EXPECT_TRUE(journal_->read({}, 1000));
      EXPECT_TRUE(journal_->roll_old());
    }
  }));
  workers.reset();  // waits for them
  ASSERT_TRUE(journal_->roll());
  EXPECT_EQ(durable_, 2 * kWriters * kEach);
  check();
  ASSERT_TRUE(series_->maintain());
  ASSERT_TRUE(events_->maintain());
  check();
  stop();
  ASSERT_TRUE(start());
  check();
}

TEST_F(RealTest, ALoneAppendIsQuick) {
  ASSERT_TRUE(start());
  const MonoTime begin = system_.clock.mono();
  write(0, 0);
  while (durable_ < 2) {
  }
  EXPECT_LT(system_.clock.mono() - begin, seconds(2)) << "no timer holds it back";
}

}  // namespace
}  // namespace holdfast::events
