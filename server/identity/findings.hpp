// Findings: identity anomalies with their evidence, for operators to look at: one row for each kind and
// subject, counted while it goes on, acknowledged by a person, and open again when it comes back.
//
//   key_reuse                  a key that is certified for one device asked to be another
//   certificate_in_two_places  one certificate spoke from two addresses in turn: two hold its key
//   unknown_certificate        signed by our CA, but not on record: a backup older than it, or a stolen CA key
//   failures_by_source         many refused proofs from one address
//   failures_by_device         one device that keeps coming while it may not
//
// Threads: any; raise() blocks on SQL and is never called inside a change.
#pragma once

#include <deque>
#include <unordered_map>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/wire/json.hpp"
#include "server/core/authz.hpp"
#include "server/core/change.hpp"
#include "server/devices/service.hpp"
#include "server/telemetry/service.hpp"

namespace holdfast::identity {

enum class FindingKind { key_reuse, certificate_in_two_places, unknown_certificate, failures_by_source, failures_by_device };
inline constexpr std::array kFindingKinds{FindingKind::key_reuse, FindingKind::certificate_in_two_places,
                                          FindingKind::unknown_certificate, FindingKind::failures_by_source,
                                          FindingKind::failures_by_device};
std::string_view name_of(FindingKind kind);
std::optional<FindingKind> finding_kind_named(std::string_view name);

struct Finding {
  FindingKind kind = FindingKind::key_reuse;
  std::string subject;  // serial, key hash, address or device id: what it is about
  std::optional<DeviceId> device;
  std::string severity;  // "warning" or "error"
  std::string message;
  wire::JsonObject evidence;  // of the last time
  WallTime first_at, last_at;
  std::int64_t count = 0;
  std::optional<WallTime> acknowledged_at;
  std::string acknowledged_by;
};

inline constexpr std::size_t kSightingsMax = 100'000;  // certificates and addresses remembered, of each
inline constexpr Duration kSightingWindow = minutes(10);
inline constexpr std::size_t kFailuresOfSource = 10;  // within the window
inline constexpr std::size_t kFailuresOfDevice = 30;
inline constexpr Duration kRaiseEvery = seconds(10);  // for one kind and subject; what comes between is not counted

struct Sighting {
  std::string address;
  MonoTime at;
};
// Did it come back to an address after it spoke from another, all within the window? Roaming alone (A, then B)
// is no finding; two holders of one key take turns (A, B, A). Pure.
bool takes_turns(const std::deque<Sighting>& seen, MonoTime now);

// What was seen lately, by certificate and by address; in memory, bounded: the oldest are forgotten.
class Sightings final {
 public:
  // Answers the addresses when the certificate takes turns between them.
  std::vector<std::string> spoke(const std::string& serial, const std::string& address, MonoTime now);
  // Answers how many there were in the window, each time that is at least `enough`; else 0.
  std::size_t failed(const std::string& subject, std::size_t enough, MonoTime now);

 private:
  struct Book {
    std::unordered_map<std::string, std::deque<Sighting>> all;
    std::deque<std::string> order;
  };
  static std::deque<Sighting>& entry(Book& book, const std::string& key);
  Guarded<Book> spoken_, failed_;
};

class Findings final {
 public:
  Findings(core::Store& store, devices::Service& devices, telemetry::Service& telemetry, Metrics& metrics);

  void raise(Finding finding);

  struct Query {
    std::optional<FindingKind> kind;
    bool open = false;  // only those that nobody has acknowledged
  };
  // Newest first, at most 1,000.
  Result<std::vector<Finding>> list(const core::Caller& caller, const Query& query);
  Result<Finding> acknowledge(const core::Caller& caller, FindingKind kind, const std::string& subject);

 private:
  core::Store& store_;
  devices::Service& devices_;
  telemetry::Service& telemetry_;
  Guarded<std::unordered_map<std::string, MonoTime>> raised_;
  Counter& raised_total_;
};

std::string_view finding_schema();
wire::JsonObject finding_json(const Finding& finding);

}  // namespace holdfast::identity
