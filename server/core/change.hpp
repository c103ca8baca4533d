// The one way to change stored state (decision 14): the change, its audit entry and its notices are
// one transaction, shared with other callers' changes and durable when change() returns.
//
//   store.change(caller, "rename_device", [&](Change& c) -> Status {
//     TRY(c.tx().exec("UPDATE device SET name=? WHERE id=?", {name, id}));
//     TRY(c.audit(id.text(), before_json, after_json));
//     return c.notice("device.changed", payload_json, site);
//   });
//
// The function runs on the writer thread, perhaps among others' changes: keep it to SQL and small
// work, and assign results only to what the caller reads after change() returned without error.
// change() without an audit entry is refused (Code::internal); record() is for what devices report
// and for bookkeeping, which the audit does not list.
// Threads: Store from any worker thread, never from inside another change; a Change inside its
// call.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/system.hpp"
#include "server/core/authz.hpp"
#include "server/store/seal/sealer.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::core {

class Store;

class Change {
 public:
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  sql::Tx& tx() { return tx_; }
  const Caller& caller() const { return caller_; }
  std::string_view action() const { return action_; }
  WallTime now() const { return now_; }  // the same for all of this change
  template <class IdType>
  IdType new_id() {
    return entropy_.make<IdType>(now_);
  }
  os::Entropy& entropy() { return entropy_; }
  const seal::Sealer& sealer() const { return sealer_; }

  // An audit entry: what was done to `object` (an id). before and after are JSON texts, empty for
  // none; they are kept sealed, with a salted digest in the chain. Call once per object changed.
  Status audit(std::string_view object, std::string_view before_json, std::string_view after_json);
  // A notice of contract/notices.yaml; an undeclared name is Code::internal. payload is a JSON
  // object text without secrets. `site` is where live streams filter.
  Status notice(std::string_view name, std::string_view payload_json,
                const std::optional<SiteId>& site = {});

  // Members of the answer that cannot be read again once the change is committed (a secret), as a
  // JSON object text; kept sealed for a day with the call's Idempotency-Key, should the answer be
  // lost. Without a key nothing is kept.
  void keep_for_answer(std::string json) { kept_ = std::move(json); }
  const std::string& kept_for_answer() const { return kept_; }
  const std::string& object() const { return object_; }  // of the first audit entry

  int audited() const { return audited_; }
  int noticed() const { return noticed_; }

 private:
  friend class Store;
  Change(sql::Tx& tx, const Caller& caller, std::string_view action, WallTime now,
         os::Entropy& entropy, const seal::Sealer& sealer)
      : tx_(tx), caller_(caller), action_(action), now_(now), entropy_(entropy), sealer_(sealer) {}

  sql::Tx& tx_;
  const Caller& caller_;
  std::string_view action_;
  WallTime now_;
  os::Entropy& entropy_;
  const seal::Sealer& sealer_;
  int audited_ = 0;
  int noticed_ = 0;
  std::optional<std::int64_t> audit_seq_;
  std::string object_;
  std::string kept_;
};

using ChangeFn = std::function<Status(Change&)>;

// Owned by main; parts take a reference.
class Store {
 public:
  Store(sql::Database& database, const os::System& system, const seal::Sealer& sealer,
        Metrics& metrics);
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // `action` is an operation id of the contract, or an internal name such as "device.enrolled".
  Status change(const Caller& caller, std::string_view action, const ChangeFn& mutate);
  Status record(const Caller& caller, std::string_view action, const ChangeFn& mutate);
  Status read(const sql::ReadFn& look) { return database_.read(look); }

  sql::Database& database() { return database_; }
  const seal::Sealer& sealer() const { return sealer_; }
  os::Clock& clock() const { return clock_; }
  os::Entropy& entropy() const { return entropy_; }

  // Called after a commit that wrote audit entries or notices, on the thread of the caller of
  // change(): wakes the tree writer and the dispatcher. Set once, before the first change.
  void on_commit(std::function<void(bool audited, bool noticed)> wake) { wake_ = std::move(wake); }

 private:
  Status run(const Caller& caller, std::string_view action, const ChangeFn& mutate,
             bool must_audit);

  sql::Database& database_;
  os::Clock& clock_;
  os::Entropy& entropy_;
  const seal::Sealer& sealer_;
  Counter& changes_;
  Counter& refused_;
  std::function<void(bool, bool)> wake_;
};

}  // namespace holdfast::core
