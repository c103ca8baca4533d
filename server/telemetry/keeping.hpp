// Keeping: how long what devices reported is kept, by class, and how it is erased before that.
// Rules come from the configuration until an operator sets them; then they are rows.
//
// A class has streams: a reading of a stream that no class names is of class `default`; events are
// of class `events`, which has neither streams nor roll-ups.
// Threads: any; calls may block on SQL and disk, but class_of() never does.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/guarded.hpp"
#include "server/core/change.hpp"
#include "server/core/migrate.hpp"
#include "server/store/events/events.hpp"
#include "server/store/journal/journal.hpp"
#include "server/store/series/series.hpp"

namespace holdfast::telemetry {

inline constexpr std::size_t kClassesMax = 64;
inline constexpr std::size_t kClassStreamsMax = 256;
inline constexpr std::string_view kEventsClass = "events";
inline constexpr std::string_view kDefaultClass = "default";

struct KeepRule {
  series::RetentionClass of;
  std::vector<std::string> streams;
  bool configured = true;  // not set by an operator
  bool operator==(const KeepRule&) const = default;
};

// Pure: a rule from the body of set_retention. Error: invalid_argument, with its member.
Result<KeepRule> keep_rule(std::string_view name, const wire::Json& body);
wire::JsonObject keep_json(const KeepRule& rule);

// What an erasure found, and what of it is gone.
struct Erasure {
  std::vector<Ulid> devices;
  series::ErasePreview readings;
  events::Receipt events;
};

std::string_view keeping_tables();

class Keeping {
 public:
  struct Around {
    core::Store& store;
    journal::Journal& journal;
    series::Series& series;
    events::Events& events;
    // Of a device: sessions whose resend windows hold digests of what it sent.
    std::function<Result<std::vector<std::uint64_t>>(DeviceId)> sessions;
  };
  // The rules of the configuration; those in the tables win, and all are put into force.
  static Result<std::unique_ptr<Keeping>> make(Around around, Duration readings, Duration events);

  series::ClassId class_of(std::string_view stream) const;
  std::vector<KeepRule> rules() const;
  // Audited; in force on return. conflict: a stream is another class's already.
  Result<KeepRule> set(const core::Caller& caller, KeepRule rule);
  // What will go until then; as if `instead` were in force, if given.
  Result<std::vector<series::RetentionStep>> preview(WallTime until,
                                                     const std::optional<KeepRule>& instead) const;

  Result<Erasure> erase_preview(const std::vector<Ulid>& devices) const;
  Result<Erasure> erase(const std::vector<Ulid>& devices);

  series::Series& series() const { return around_.series; }
  core::Store& store() const { return around_.store; }

 private:
  using Rules = std::map<std::string, KeepRule, std::less<>>;
  explicit Keeping(Around around) : around_(std::move(around)) {}
  static Status check(const Rules& rules, const KeepRule& rule);
  Status enforce(const Rules& rules);

  Around around_;
  Guarded<Rules> rules_;
  Guarded<std::map<std::string, series::ClassId, std::less<>>> streams_;
};

}  // namespace holdfast::telemetry
