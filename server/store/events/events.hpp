// The events port: what happened, as devices and the server report it: logs, security events,
// authentication failures, denied flows, connects, commands, inventory changes, the audit's mirror
// (decision 5). Events get in through the journal; this is how they are searched, newest first, and
// counted. Adapters: our own segments (store.hpp), and ClickHouse (server/store/clickhouse).
//
// Errors: invalid_argument (query), corrupt, io_error. A deadline is no error: the answer says
// `partial`, and a query's cursor goes on. Threads: any; all read from disk: call them on workers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/query/plan.hpp"
#include "libs/wire/telemetry.hpp"
#include "libs/wire/value.hpp"
#include "server/store/journal/record.hpp"
#include "server/store/series/reading.hpp"

namespace holdfast::events {

using series::TimeSource;
using wire::Severity;

inline constexpr std::size_t kKindBytesMax = 64;
inline constexpr std::size_t kMessageBytesMax = 8'192;  // longer ones are cut, with a mark
inline constexpr std::size_t kFieldsMax = 128;  // more are kept as text in the field "overflow"
inline constexpr std::size_t kFieldBytesMax = 64 * 1024;  // all fields together

struct Event {
  Ulid id{};  // sorts by arrival
  WallTime time;
  WallTime received;
  WallTime claimed;  // time_source uncertain: what the device said; else equal to `time`
  TimeSource time_source = TimeSource::server;
  Ulid device{};  // all zero: the server itself
  std::string kind;
  Severity severity = Severity::info;
  std::string message;
  std::map<std::string, wire::Value> fields;
  bool operator==(const Event&) const = default;
};

// The body of a journal record of kind `event` (docs/spec/events.md). `time` and `received` are not
// in it: `device_time` is, and the record carries the server's.
struct NewEvent {
  std::string kind;
  Severity severity = Severity::info;
  std::string message;
  std::optional<WallTime> device_time;
  std::map<std::string, wire::Value> fields;
};
Result<Bytes> encode_event(const NewEvent& event, WallTime now);
// The event that a journal record of that kind holds; corrupt when it holds none.
Result<Event> decode_event(const journal::Stored& record);

struct Query {
  query::Node filter;                              // libs/query
  std::optional<Ulid> device;                      // all zero: events of the server itself
  std::function<bool(const Ulid&)> device_filter;  // what the caller may see; empty: everything
  WallTime from{INT64_MIN};                        // of the event's time
  WallTime to{INT64_MAX};
  std::size_t limit = 100;
  std::string cursor;  // of the answer before; empty: from the newest
  MonoTime deadline = kNever;
};

struct Answer {
  std::vector<Event> items;  // newest arrival first
  std::string next_cursor;   // empty at the end
  bool partial = false;  // stopped by the deadline: next_cursor goes on; or something is damaged
  std::uint64_t scanned = 0;
  std::optional<WallTime> reached;  // events received since then were looked at; absent: all were
};

// Counts: in all, over time, and by a field. Both together: a histogram of each value.
inline constexpr std::size_t kTallyStepsMax = 10'000;
struct TallyQuery {
  Query of;                      // its limit and cursor count for nothing
  std::optional<Duration> step;  // whole ones since 1970
  std::string by;                // severity, kind, device, or a field of events; empty: nothing
  std::size_t values_max = 100;  // the most frequent ones; the others count together
};
struct TallyRow {
  WallTime start;     // of the step; 0 without one
  std::string value;  // as text; empty without `by`
  std::uint64_t count = 0;
  bool operator==(const TallyRow&) const = default;
};
struct Tally {
  std::vector<TallyRow> rows;  // by start, then most frequent first
  std::uint64_t total = 0;     // events found
  std::uint64_t other = 0;     // of values beyond values_max
  std::uint64_t without = 0;   // that have no such field
  bool partial = false;        // the deadline came, or something is damaged: there may be more
  std::uint64_t scanned = 0;   // events looked at one by one; the rest came from roll-ups
};

struct Explain {
  query::Plan plan;
  std::uint64_t events = 0;       // stored
  std::uint64_t events_left = 0;  // to look at, after filters and bounds
  std::uint64_t unsealed = 0;     // of them in memory
  std::uint64_t blocks = 0, blocks_left = 0;
};

struct Receipt {
  std::uint64_t events = 0, segments = 0;
};

class Events {
 public:
  virtual ~Events() = default;
  virtual Result<Answer> query(const Query& query) = 0;
  virtual Result<Tally> tally(const TallyQuery& query) = 0;
  virtual Result<Explain> explain(const Query& query) = 0;
  // For live tails: does this event pass the query's filters? Pure.
  static bool matches(const Query& query, const Event& event);

  virtual Status set_retention(std::optional<Duration> keep,
                               std::optional<std::uint64_t> bytes_max) = 0;
  // How many events and segments are past their time; apply removes whole segments.
  virtual Result<Receipt> retention_preview(WallTime now) = 0;
  virtual Result<Receipt> retention_apply(WallTime now) = 0;
  // Events of a device, or about another subject; afterwards neither folder, nor old backups, nor
  // the ring yield them.
  virtual Result<Receipt> erase_preview(const Ulid& subject) = 0;
  virtual Result<Receipt> erase(const Ulid& subject) = 0;
};

}  // namespace holdfast::events
