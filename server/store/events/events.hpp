// The events port: what happened, as devices and the server report it: logs, security events,
// connects, refusals, commands, the audit's mirror (decision 5). Events get in through the journal;
// this is how they are searched, newest first. Adapters: our own segments (store.hpp); ClickHouse
// comes behind the same port.
//
// Errors: invalid_argument (query), corrupt, io_error. A deadline is no error: the answer says
// `partial` and its cursor goes on. Threads: any; query reads from disk, so call it on workers.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
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
  std::optional<Ulid> device;                      // all zero: events of the server itself
  std::function<bool(const Ulid&)> device_filter;  // what the caller may see; empty: everything
  std::vector<std::string> kinds;                  // any of these; empty: all
  Severity severity_min = Severity::debug;
  std::string
      text;  // words, each somewhere in message, kind, field names or values; ASCII case ignored
  WallTime from{INT64_MIN};
  WallTime to{INT64_MAX};
  std::size_t limit = 100;
  std::string cursor;  // of the answer before; empty: from the newest
  MonoTime deadline = kNever;
};

struct Answer {
  std::vector<Event> items;  // newest arrival first
  std::string next_cursor;   // empty at the end
  bool partial = false;      // stopped by the deadline: next_cursor goes on
  std::uint64_t scanned = 0;
};

struct Receipt {
  std::uint64_t events = 0, segments = 0;
};

class Events {
 public:
  virtual ~Events() = default;
  virtual Result<Answer> query(const Query& query) = 0;
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
