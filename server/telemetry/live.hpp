// Live: readings and events as they are stored, for tails and live pages. Each subscriber has its
// own cursor into the journal: it resumes where it was, sees nothing twice, and a slow one holds up
// nobody. Told at most each kLivePause, so that a busy fleet does not flood a page. Threads:
// subscribe() and unsubscribe() from any; a sink runs on a worker, one call at a time for each
// subscriber.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <variant>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/workers.hpp"
#include "server/store/events/events.hpp"
#include "server/store/journal/journal.hpp"

namespace holdfast::telemetry {

inline constexpr std::size_t kSubscribersMax = 1'024;
inline constexpr Duration kLivePause = milliseconds(250);
inline constexpr std::size_t kTailEventsMax = 1'000;
inline constexpr Duration kLiveEvery = seconds(1);     // Interest::newest_only
inline constexpr std::size_t kLivePacedMax = 200'000;  // metrics that changed within kLiveEvery

struct LiveReading {
  Ulid device{};
  std::string metric;
  WallTime time;
  series::TimeSource source = series::TimeSource::server;
  wire::Value value;
};

// What was missed and cannot be sent any more: read anew.
struct LiveReset {
  std::string reason;
};

// More events came in one turn than are told; a search finds them.
struct LiveDropped {
  std::uint64_t count = 0;
};

struct LiveItem {
  std::string id;  // where to resume after this item
  std::variant<LiveReading, events::Event, LiveReset, LiveDropped> what;
};

struct Interest {
  std::function<bool(const Ulid&)> devices;  // which devices; all zero is the server itself
  bool readings = false;
  std::set<std::string, std::less<>> metrics;  // empty: all
  std::optional<events::Query> events;         // filters of query(); no cursor, no limit
  std::size_t events_max = SIZE_MAX;           // told in a turn; further ones are only counted
  std::string resume;                          // id of the last item seen; empty: from now on
  bool newest_only = false;  // of each metric the newest reading, at most one each kLiveEvery
};

class Live {
 public:
  using Sink = std::function<bool(const LiveItem&)>;  // false: no more

  // On `loop`'s thread or before it runs; all outlive Live, which dies on the loop.
  Live(journal::Journal& journal, os::Loop& loop, os::Workers& workers, Metrics& metrics);
  ~Live();
  Live(const Live&) = delete;
  Live& operator=(const Live&) = delete;

  Result<std::uint64_t> subscribe(Interest interest, Sink sink);
  void unsubscribe(std::uint64_t subscriber);

 private:
  struct Subscriber;
  using Subscribers = std::map<std::uint64_t, std::shared_ptr<Subscriber>>;
  void poke_all();
  void poke(std::uint64_t number, const std::shared_ptr<Subscriber>& subscriber);
  void come_back(std::uint64_t number, const std::shared_ptr<Subscriber>& subscriber);
  // Reads on from the subscriber's cursor; answers whether it stays.
  bool advance(Subscriber& subscriber);
  // What one turn has told and left out.
  struct Turn {
    std::size_t told = 0;
    std::uint64_t dropped = 0;
  };
  bool take(Subscriber& subscriber, const journal::Stored& record, Turn& turn);
  void offer(Subscriber& subscriber, std::string id, LiveReading reading);
  // Sends what is due of what waits for its second.
  bool send_due(Subscriber& subscriber);

  journal::Journal& journal_;
  os::Loop& loop_;
  os::Workers& workers_;
  Guarded<Subscribers> subscribers_;
  Guarded<std::uint64_t> next_{1};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  bool pending_ = false;  // the loop's: a poke is due after the pause
  std::unique_ptr<journal::Follower> follower_;
  Counter& slow_;
  Counter& dropped_;
  Counter& merged_;
  Counter& crowded_;
};

}  // namespace holdfast::telemetry
