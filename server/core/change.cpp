#include "server/core/change.hpp"

#include "server/core/audit.hpp"
#include "server/core/idempotency.hpp"
#include "server/core/notices.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kNoticeBytesMax = 64 * 1024;

}  // namespace

Status Change::audit(std::string_view object, std::string_view before_json,
                     std::string_view after_json) {
  audit::Entry entry;
  entry.time = now_;
  entry.actor = caller_.id;
  entry.action = action_;
  entry.object = object;
  entry.request_id = caller_.request_id;
  entry.before = before_json;
  entry.after = after_json;
  const std::uint64_t seq =
      TRY(with_context(audit::append(tx_, sealer_, entropy_, std::move(entry)), "audit"));
  audit_seq_ = static_cast<std::int64_t>(seq);
  if (audited_ == 0) object_ = object;
  ++audited_;
  return {};
}

Status Change::notice(std::string_view name, std::string_view payload_json,
                      const std::optional<SiteId>& site) {
  if (!notice_declared(name)) {
    return fail(Code::internal,
                "the notice \"" + std::string(name) + "\" is not in contract/notices.yaml");
  }
  if (payload_json.size() > kNoticeBytesMax)
    return fail(Code::internal, "the payload of a notice is too large");
  const std::int64_t last = TRY(last_notice(tx_));
  TRY(
      tx_.exec("INSERT INTO notice (seq, name, at, payload, actor, request_id, audit_seq, site_id)"
               " VALUES (?,?,?,?,?,?,?,?)",
               {last + 1, name, now_, payload_json, caller_.id,
                caller_.request_id.empty() ? sql::Param(nullptr) : sql::Param(caller_.request_id),
                audit_seq_, site}));
  ++noticed_;
  return {};
}

Store::Store(sql::Database& database, const os::System& system, const seal::Sealer& sealer,
             Metrics& metrics)
    : database_(database),
      clock_(system.clock),
      entropy_(system.entropy),
      sealer_(sealer),
      changes_(metrics.counter("holdfast_changes_total",
                               "Changes that were committed, with audit entries")),
      refused_(metrics.counter("holdfast_changes_refused_total",
                               "Changes that failed and left nothing")) {}

Status Store::change(const Caller& caller, std::string_view action, const ChangeFn& mutate) {
  return run(caller, action, mutate, true);
}

Status Store::record(const Caller& caller, std::string_view action, const ChangeFn& mutate) {
  return run(caller, action, mutate, false);
}

Status Store::run(const Caller& caller, std::string_view action, const ChangeFn& mutate,
                  bool must_audit) {
  bool audited = false;
  bool noticed = false;
  const Status done = database_.write([&](sql::Tx& tx) -> Status {
    Change change(tx, caller, action, clock_.wall(), entropy_, sealer_);
    TRY(mutate(change));
    if (must_audit && change.audited() == 0) {
      return fail(Code::internal,
                  "the change \"" + std::string(action) + "\" has no audit entry: it was undone");
    }
    if (must_audit && caller.once) TRY(mark_done(change, *caller.once));
    audited = change.audited() > 0;
    noticed = change.noticed() > 0;
    return {};
  });
  if (!done) {
    refused_.add();
    return done;
  }
  if (audited) changes_.add();
  if (wake_ && (audited || noticed)) wake_(audited, noticed);
  return {};
}

}  // namespace holdfast::core
