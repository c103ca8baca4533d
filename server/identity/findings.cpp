#include "server/identity/findings.hpp"

#include "server/core/answers.hpp"

namespace holdfast::identity {
namespace {

constexpr std::array<std::string_view, kFindingKinds.size()> kKindNames{
    "key_reuse", "certificate_in_two_places", "unknown_certificate", "failures_by_source", "failures_by_device"};
constexpr std::size_t kSightingsOfOne = 40;  // enough for every threshold

constexpr std::string_view kFindingTable = R"(
CREATE TABLE identity_finding (
  kind {text} NOT NULL, subject {text} NOT NULL, device_id {id} REFERENCES device (id), severity {text} NOT NULL,
  message {text} NOT NULL, evidence {text} NOT NULL, first_at {int} NOT NULL, last_at {int} NOT NULL, count {int} NOT NULL,
  acknowledged_at {int}, acknowledged_by {text} NOT NULL, PRIMARY KEY (kind, subject)
) {strict};
CREATE INDEX identity_finding_by_time ON identity_finding (last_at);
)";

constexpr std::string_view kFindingSelect =
    "SELECT x.kind,x.subject,x.device_id,x.severity,x.message,x.evidence,x.first_at,x.last_at,x.count,x.acknowledged_at,"
    "x.acknowledged_by FROM identity_finding x ";

Finding read_finding(sql::Row& row) {
  Finding out;
  const auto kind = finding_kind_named(row.text(0));
  if (!kind) row.damaged("a finding of an unknown kind");
  out.kind = kind.value_or(FindingKind::key_reuse);
  out.subject = row.text(1);
  out.device = row.maybe_id<DeviceId>(2);
  out.severity = row.text(3);
  out.message = row.text(4);
  const auto json = wire::parse_json(row.text(5));
  if (json && json->is_object()) out.evidence = json->get_object();
  out.first_at = row.time(6);
  out.last_at = row.time(7);
  out.count = row.integer(8);
  out.acknowledged_at = row.maybe_time(9);
  out.acknowledged_by = row.text(10);
  return out;
}

Result<std::optional<Finding>> find_finding(sql::Tx& tx, FindingKind kind, std::string_view subject) {
  return tx.one(std::string(kFindingSelect) + "WHERE x.kind=? AND x.subject=?", {name_of(kind), subject}, read_finding);
}

Status put_finding(sql::Tx& tx, const Finding& f) {
  TRY(tx.exec("DELETE FROM identity_finding WHERE kind=? AND subject=?", {name_of(f.kind), f.subject}));
  TRY(tx.exec("INSERT INTO identity_finding (kind,subject,device_id,severity,message,evidence,first_at,last_at,count,"
              "acknowledged_at,acknowledged_by) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
              {name_of(f.kind), f.subject, f.device, f.severity, f.message, wire::json_text(f.evidence), f.first_at, f.last_at,
               f.count, f.acknowledged_at, f.acknowledged_by}));
  return {};
}

}  // namespace

std::string_view finding_schema() { return kFindingTable; }
std::string_view name_of(FindingKind kind) { return kKindNames[static_cast<std::size_t>(kind)]; }

std::optional<FindingKind> finding_kind_named(std::string_view name) {
  for (const FindingKind kind : kFindingKinds) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

wire::JsonObject finding_json(const Finding& f) {
  return wire::JsonObject{{"kind", name_of(f.kind)},
                          {"subject", f.subject},
                          {"device_id", core::id_or_null(f.device)},
                          {"severity", f.severity},
                          {"message", f.message},
                          {"evidence", f.evidence},
                          {"first_at", to_rfc3339(f.first_at)},
                          {"last_at", to_rfc3339(f.last_at)},
                          {"count", f.count},
                          {"acknowledged_at", core::time_or_null(f.acknowledged_at)},
                          {"acknowledged_by", core::text_or_null(f.acknowledged_by)}};
}

bool takes_turns(const std::deque<Sighting>& seen, MonoTime now) {
  // The last address, one before it that differs, and the last one again before that.
  std::size_t changes = 0;
  std::string_view address;
  std::string_view last;
  bool back = false;
  for (auto at = seen.rbegin(); at != seen.rend() && at->at > now - kSightingWindow; ++at) {
    if (last.empty()) last = at->address;
    if (!address.empty() && at->address != address) {
      ++changes;
      back = back || at->address == last;
    }
    address = at->address;
  }
  return changes >= 2 && back;
}

std::deque<Sighting>& Sightings::entry(Book& book, const std::string& key) {
  const auto [at, added] = book.all.try_emplace(key);
  if (added) {
    book.order.push_back(key);
    if (book.order.size() > kSightingsMax) {
      book.all.erase(book.order.front());
      book.order.pop_front();
    }
  }
  return book.all.at(key);
}

std::vector<std::string> Sightings::spoke(const std::string& serial, const std::string& address, MonoTime now) {
  return spoken_.with([&](Book& book) {
    std::deque<Sighting>& seen = entry(book, serial);
    std::vector<std::string> out;
    // From where it was before: only the time moves on.
    if (!seen.empty() && seen.back().address == address) {
      seen.back().at = now;
      return out;
    }
    seen.push_back({address, now});
    if (seen.size() > kSightingsOfOne) seen.pop_front();
    if (!takes_turns(seen, now)) return out;
    for (const Sighting& one : seen) {
      if (std::ranges::find(out, one.address) == out.end()) out.push_back(one.address);
    }
    return out;
  });
}

std::size_t Sightings::failed(const std::string& subject, std::size_t enough, MonoTime now) {
  return failed_.with([&](Book& book) -> std::size_t {
    std::deque<Sighting>& seen = entry(book, subject);
    while (!seen.empty() && seen.front().at <= now - kSightingWindow) seen.pop_front();
    seen.push_back({{}, now});
    if (seen.size() > kSightingsOfOne) seen.pop_front();
    return seen.size() >= enough ? seen.size() : 0;
  });
}

Findings::Findings(core::Store& store, devices::Service& devices, telemetry::Service& telemetry, Metrics& metrics)
    : store_(store),
      devices_(devices),
      telemetry_(telemetry),
      raised_total_(metrics.counter("holdfast_identity_findings_total", "Identity anomalies found")) {}

void Findings::raise(Finding finding) {
  const MonoTime mono = store_.clock().mono();
  const std::string key = std::string(name_of(finding.kind)) + ":" + finding.subject;
  const bool early = raised_.with([&](auto& raised) {
    if (raised.size() >= kSightingsMax) raised.clear();
    const auto [at, added] = raised.try_emplace(key, mono);
    if (!added && mono < at->second + kRaiseEvery) return true;
    at->second = mono;
    return false;
  });
  if (early) return;
  bool news = false;
  const Status kept = store_.record(core::Caller::system(), "identity.finding", [&](core::Change& change) -> Status {
    const auto before = TRY(find_finding(change.tx(), finding.kind, finding.subject));
    news = !before || before->acknowledged_at;
    finding.first_at = before ? before->first_at : change.now();
    finding.last_at = change.now();
    finding.count = before ? before->count + 1 : 1;
    finding.acknowledged_at.reset();
    finding.acknowledged_by.clear();
    TRY(put_finding(change.tx(), finding));
    if (!news) return {};
    std::optional<SiteId> site;
    if (finding.device) {
      if (const auto device = TRY(devices_.look(change.tx(), *finding.device))) site = device->site;
    }
    return change.notice("identity.finding",
                         wire::json_text(wire::JsonObject{{"kind", name_of(finding.kind)},
                                                          {"subject", finding.subject},
                                                          {"device_id", core::id_or_null(finding.device)},
                                                          {"severity", finding.severity}}),
                         site);
  });
  raised_total_.add();
  if (!kept || !news) return;
  telemetry_.record({finding.device, "identity_finding", finding.severity, finding.message,
                     {{"kind", std::string(name_of(finding.kind))}, {"subject", finding.subject},
                      {"evidence", wire::json_text(finding.evidence)}}});
}

Result<std::vector<Finding>> Findings::list(const core::Caller& caller, const Query& query) {
  const auto scope = TRY(core::site_filter(caller, "device.read", "d.site_id"));
  std::string where = "LEFT JOIN device d ON d.id=x.device_id WHERE " + scope.sql;
  sql::Params params = scope.params;
  if (query.kind) {
    where += " AND x.kind=?";
    params.emplace_back(name_of(*query.kind));
  }
  if (query.open) where += " AND x.acknowledged_at IS NULL";
  std::vector<Finding> found;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    found = TRY(tx.list(std::string(kFindingSelect) + where + " ORDER BY x.last_at DESC,x.kind,x.subject LIMIT 1000", params,
                        read_finding));
    return {};
  }));
  return found;
}

Result<Finding> Findings::acknowledge(const core::Caller& caller, FindingKind kind, const std::string& subject) {
  Finding after;
  TRY(store_.change(caller, "acknowledge_finding", [&](core::Change& change) -> Status {
    auto found = TRY(find_finding(change.tx(), kind, subject));
    if (!found) return std::unexpected(core::refuse_missing(caller, "device.quarantine", "there is no such finding"));
    std::optional<SiteId> site;
    if (found->device) {
      if (const auto device = TRY(devices_.look(change.tx(), *found->device))) site = device->site;
    }
    TRY(core::require_at(caller, "device.quarantine", site));
    const std::string before = wire::json_text(finding_json(*found));
    found->acknowledged_at = change.now();
    found->acknowledged_by = caller.id;
    TRY(put_finding(change.tx(), *found));
    after = *found;
    return change.audit("finding:" + std::string(name_of(kind)) + ":" + subject, before,
                        wire::json_text(finding_json(after)));
  }));
  return after;
}

}  // namespace holdfast::identity
