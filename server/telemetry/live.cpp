#include "server/telemetry/live.hpp"

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
                          "Events that live tails were not told because too many came at once")) {
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

bool Live::advance(Subscriber& subscriber) {
  std::size_t told = 0;
  std::uint64_t dropped = 0;
  for (;;) {
    const auto page = journal_.read(subscriber.cursor, kPageBytes);
    if (!page) return false;
    if (page->lost &&
        !subscriber.sink(
            {cursor_text(page->next), LiveReset{"what was missed is no longer in the journal"}})) {
      return false;
    }
    if (page->batches.empty()) {
      dropped_.add(dropped);
      return dropped == 0 || subscriber.sink({cursor_text(page->next), LiveDropped{dropped}});
    }
    std::map<std::pair<Ulid, std::string>, LiveItem> newest;
    for (const journal::BatchPtr& batch : page->batches) {
      bool stays = true;
      const Status read = batch->for_each([&](const journal::Stored& record) {
        if (record.at < subscriber.cursor) return true;
        const Interest& interest = subscriber.interest;
        if (interest.devices && !interest.devices(record.device)) return true;
        const std::string id = cursor_text({record.at.segment, record.at.record + 1});
        if (record.kind == journal::Kind::reading && interest.readings) {
          std::vector<LiveReading> readings;
          Collector collector(interest, record.device, readings);
          (void)series::visit_readings(record.body, record.time, collector);
          for (LiveReading& reading : readings) {
            LiveItem item{id, std::move(reading)};
            if (interest.newest_only) {
              const auto& kept = std::get<LiveReading>(item.what);
              newest.insert_or_assign({kept.device, kept.metric}, std::move(item));
            } else {
              stays = stays && subscriber.sink(item);
            }
          }
        } else if (record.kind == journal::Kind::event && interest.events) {
          const auto event = events::decode_event(record);
          if (event && events::Events::matches(*interest.events, *event)) {
            if (told++ < interest.events_max) {
              stays = subscriber.sink({id, *event});
            } else {
              ++dropped;
            }
          }
        }
        return stays;
      });
      if (!read || !stays) return false;
    }
    for (const auto& [key, item] : newest) {
      if (!subscriber.sink(item)) return false;
    }
    subscriber.cursor = page->next;
  }
}

}  // namespace holdfast::telemetry
