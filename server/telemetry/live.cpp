#include "server/telemetry/live.hpp"

#include <atomic>

#include "server/store/series/reading.hpp"

namespace holdfast::telemetry {

using journal::cursor_text;

namespace {

constexpr std::size_t kFollowBytesMax =
    1024 * 1024;  // only a wake-up: the records are read by cursor
constexpr std::size_t kPageBytes = 512 * 1024;

// Turns a record into readings; keeps those that the interest wants.
class Collector final : public series::ReadingVisitor {
 public:
  Collector(const Interest& interest, const Ulid& device, std::vector<LiveReading>& out)
      : interest_(interest), device_(device), out_(out) {}

  void group(const series::Group& group) override {
    names_.clear();
    for (const std::string_view field : series::field_names(group.names)) {
      names_.push_back(std::string(text_of(group.stream)) + "." + std::string(field));
    }
  }
  void sample(const series::Sample& sample, const std::vector<series::Cell>& cells) override {
    for (std::size_t i = 0; i < cells.size() && i < names_.size(); ++i) {
      if (cells[i].kind == series::Cell::Kind{} || !wanted(names_[i])) continue;
      out_.push_back({device_, names_[i], sample.time, sample.source, series::value_of(cells[i])});
    }
  }

 private:
  bool wanted(const std::string& name) const {
    return interest_.metrics.empty() || interest_.metrics.contains(name);
  }
  const Interest& interest_;
  const Ulid& device_;
  std::vector<LiveReading>& out_;
  std::vector<std::string> names_;
};

}  // namespace

struct Live::Subscriber {
  Interest interest;
  Sink sink;
  journal::Cursor cursor;
  // newest_only: a metric that was sent less than kLiveEvery ago, and what came since.
  struct Paced {
    MonoTime due;
    std::optional<LiveItem> waits;
  };
  bool gap = false;                                     // told of one, and nothing since
  std::map<std::pair<Ulid, std::string>, Paced> paced;  // of the worker that runs
  std::atomic<bool> coming{false};                      // a poke is due for what waits
  enum class Run { idle, running, again, over };
  Guarded<Run> run{Run::idle};
};

Live::Live(journal::Journal& journal, os::Loop& loop, os::Workers& workers, Metrics& metrics)
    : journal_(journal),
      loop_(loop),
      workers_(workers),
      slow_(metrics.counter("holdfast_telemetry_live_ended_total",
                            "Live subscribers that ended or could not keep up")),
      dropped_(
          metrics.counter("holdfast_telemetry_live_dropped_total",
                          "Events that live tails were not told because too many came at once")),
      merged_(metrics.counter("holdfast_telemetry_live_merged_total",
                              "Readings left out of live pages for a newer one")),
      crowded_(
          metrics.counter("holdfast_telemetry_live_crowded_total",
                          "Readings left out of live pages because too many metrics changed")) {
  metrics.gauge("holdfast_telemetry_live_subscribers", "Live subscribers now",
                [this, alive = std::weak_ptr(alive_)] {
                  if (!alive.lock()) return 0.0;
                  return static_cast<double>(
                      subscribers_.with([](const Subscribers& all) { return all.size(); }));
                });
  follower_ = journal.follow(loop, kFollowBytesMax,
                             [this](const std::vector<journal::BatchPtr>&, std::uint64_t) {
                               if (pending_) return;
                               pending_ = true;
                               loop_.after(kLivePause, [this, alive = std::weak_ptr(alive_)] {
                                 if (!alive.lock()) return;
                                 pending_ = false;
                                 poke_all();
                               });
                             });
}

Live::~Live() = default;

Result<std::uint64_t> Live::subscribe(Interest interest, Sink sink) {
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->cursor = journal_.state().end;
  if (!interest.resume.empty()) {
    const auto resume = journal::parse_cursor(interest.resume);
    // An id of another life of the journal: what lies between cannot be said.
    if (!resume || *resume > subscriber->cursor) {
      (void)sink(
          {cursor_text(subscriber->cursor), LiveReset{"the last event id is not of this stream"}});
    } else {
      subscriber->cursor = *resume;
    }
  }
  subscriber->interest = std::move(interest);
  subscriber->sink = std::move(sink);
  const std::uint64_t number = next_.with([](std::uint64_t& next) { return next++; });
  const bool added = subscribers_.with([&](Subscribers& all) {
    return all.size() < kSubscribersMax && all.emplace(number, subscriber).second;
  });
  if (!added)
    return fail(Code::overloaded, "too many live pages: close one, or ask without following");
  poke(number, subscriber);
  return number;
}

void Live::unsubscribe(std::uint64_t number) {
  subscribers_.with([&](Subscribers& all) { all.erase(number); });
}

void Live::poke_all() {
  const Subscribers all = subscribers_.with([](const Subscribers& now) { return now; });
  for (const auto& [number, subscriber] : all) poke(number, subscriber);
}

void Live::poke(std::uint64_t number, const std::shared_ptr<Subscriber>& subscriber) {
  using Run = Subscriber::Run;
  const bool start = subscriber->run.with([](Run& run) {
    if (run == Run::running) run = Run::again;
    if (run != Run::idle) return false;
    run = Run::running;
    return true;
  });
  if (!start) return;
  const bool posted = workers_.post([this, alive = std::weak_ptr(alive_), number, subscriber] {
    for (;;) {
      if (!alive.lock()) return;
      if (!advance(*subscriber)) {
        subscriber->run.with([](Run& run) { run = Run::over; });
        slow_.add();
        return unsubscribe(number);
      }
      if (!subscriber->paced.empty()) come_back(number, subscriber);
      const bool more = subscriber->run.with([](Run& run) {
        const bool again = run == Run::again;
        run = again ? Run::running : Run::idle;
        return again;
      });
      if (!more) return;
    }
  });
  if (!posted) subscriber->run.with([](Run& run) { run = Run::idle; });
}

// For what waits for its second, though the journal may be quiet.
void Live::come_back(std::uint64_t number, const std::shared_ptr<Subscriber>& subscriber) {
  if (subscriber->coming.exchange(true)) return;
  loop_.post([this, alive = std::weak_ptr(alive_), number, subscriber] {
    if (!alive.lock()) return;
    loop_.after(kLivePause, [this, alive, number, subscriber] {
      if (!alive.lock()) return;
      subscriber->coming = false;
      poke(number, subscriber);
    });
  });
}

bool Live::advance(Subscriber& subscriber) {
  Turn turn;
  for (;;) {
    const auto page = journal_.read(subscriber.cursor, kPageBytes);
    if (!page) return false;
    // Once for a gap, over however many segments it goes.
    if (page->lost && !std::exchange(subscriber.gap, true) &&
        !subscriber.sink(
            {cursor_text(page->next), LiveReset{"what was missed is no longer in the journal"}})) {
      return false;
    }
    if (page->batches.empty() && !page->lost) {
      dropped_.add(turn.dropped);
      return (turn.dropped == 0 ||
              subscriber.sink({cursor_text(page->next), LiveDropped{turn.dropped}})) &&
             send_due(subscriber);
    }
    for (const journal::BatchPtr& batch : page->batches) {
      subscriber.gap = false;
      bool stays = true;
      const Status read = batch->for_each([&](const journal::Stored& record) {
        stays = record.at < subscriber.cursor || take(subscriber, record, turn);
        return stays;
      });
      if (!read || !stays) return false;
    }
    subscriber.cursor = page->next;
  }
}

bool Live::take(Subscriber& subscriber, const journal::Stored& record, Turn& turn) {
  const Interest& interest = subscriber.interest;
  if (interest.devices && !interest.devices(record.device)) return true;
  const std::string id = cursor_text({record.at.segment, record.at.record + 1});
  if (record.kind == journal::Kind::event && interest.events) {
    const auto event = events::decode_event(record);
    if (!event || !events::Events::matches(*interest.events, *event)) return true;
    if (turn.told++ < interest.events_max) return subscriber.sink({id, *event});
    ++turn.dropped;
    return true;
  }
  if (record.kind != journal::Kind::reading || !interest.readings) return true;
  std::vector<LiveReading> readings;
  Collector collector(interest, record.device, readings);
  (void)series::visit_readings(record.body, record.time, collector);
  for (LiveReading& reading : readings) {
    if (interest.newest_only) {
      offer(subscriber, id, std::move(reading));
    } else if (!subscriber.sink({id, std::move(reading)})) {
      return false;
    }
  }
  return true;
}

void Live::offer(Subscriber& subscriber, std::string id, LiveReading reading) {
  std::pair key{reading.device, reading.metric};
  auto at = subscriber.paced.find(key);
  if (at == subscriber.paced.end()) {
    if (subscriber.paced.size() >= kLivePacedMax) return crowded_.add();
    at = subscriber.paced
             .emplace(std::move(key), Subscriber::Paced{loop_.clock().mono(), std::nullopt})
             .first;
  }
  if (at->second.waits) merged_.add();
  at->second.waits = LiveItem{std::move(id), std::move(reading)};
}

bool Live::send_due(Subscriber& subscriber) {
  const MonoTime now = loop_.clock().mono();
  for (auto at = subscriber.paced.begin(); at != subscriber.paced.end();) {
    auto& [due, waits] = at->second;
    if (due > now) {
      ++at;
    } else if (!waits) {
      at = subscriber.paced.erase(at);
    } else {
      if (!subscriber.sink(*waits)) return false;
      waits.reset();
      due = now + kLiveEvery;
      ++at;
    }
  }
  return true;
}

}  // namespace holdfast::telemetry
