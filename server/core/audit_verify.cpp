#include "server/core/audit_verify.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kRowsAtOnce = 1'000;
constexpr std::uint64_t kMovedMost = 1'000;  // how far away a moved entry's own place is looked for

Bytes hash_of_bytes(const audit::Entry& entry) {
  const crypto::Sha256 digest = crypto::sha256(view_of(audit::entry_bytes(entry)));
  return {digest.begin(), digest.end()};
}

// The place at which the row would be genuine, near the one where it lies.
std::optional<std::uint64_t> own_place(audit::Entry entry) {
  const std::uint64_t here = entry.seq;
  for (std::uint64_t away = 0; away <= kMovedMost; ++away) {
    for (const bool up : {true, false}) {
      if (!up && away > here) continue;
      entry.seq = up ? here + away : here - away;
      if (hash_of_bytes(entry) == entry.hash) return entry.seq;
    }
  }
  return std::nullopt;
}

Result<bool> has_hash(sql::Tx& tx, const Bytes& hash) {
  if (hash == Bytes(hash.size())) return true;  // before the first entry
  const std::int64_t found = TRY(tx.number("SELECT count(*) FROM audit WHERE hash = ?", {hash}));
  return found > 0;
}

// The row at `seq` is not what follows `previous`: says what happened to it.
Result<tlog::Verdict> diagnose(sql::Tx& tx, const audit::Entry& entry) {
  const std::string here = std::to_string(entry.seq);
  if (!own_place(entry)) {
    return tlog::Verdict::bad("edited", entry.seq,
                              "entry " + here + " does not have the hash that was stored with it");
  }
  if (TRY(has_hash(tx, entry.prev_hash))) {
    return tlog::Verdict::bad("reordered", entry.seq,
                              "entry " + here + " does not follow the one before it");
  }
  return tlog::Verdict::bad("removed", entry.seq,
                            "the entry before entry " + here + " is not there");
}

bool payload_fits(const audit::Entry& entry) {
  return entry.erased ||
         entry.payload_digest == audit::payload_digest(entry.salt, entry.before, entry.after);
}

class RowCheck {
 public:
  RowCheck(std::uint64_t first, Bytes previous) : next_(first), previous_(std::move(previous)) {}

  // False: the verdict is bad now.
  Result<bool> take(sql::Tx& tx, const audit::Entry& entry, tlog::Verdict& verdict) {
    std::optional<tlog::Verdict> found;
    if (entry.seq != next_) {
      found =
          tlog::Verdict::bad("removed", next_, "entry " + std::to_string(next_) + " is not there");
    } else if (entry.prev_hash != previous_ || hash_of_bytes(entry) != entry.hash) {
      found = TRY(diagnose(tx, entry));
    } else if (!payload_fits(entry)) {
      found = tlog::Verdict::bad(
          "edited", entry.seq,
          "before or after of entry " + std::to_string(entry.seq) + " were changed");
    }
    if (found) {
      found->entries_checked = verdict.entries_checked;
      verdict = std::move(*found);
      return false;
    }
    ++next_;
    ++verdict.entries_checked;
    previous_ = entry.hash;
    return true;
  }
  std::uint64_t next() const { return next_; }

 private:
  std::uint64_t next_;
  Bytes previous_;
};

Result<Bytes> hash_before(sql::Tx& tx, std::uint64_t seq) {
  if (seq == 0) return Bytes(std::tuple_size_v<tlog::Hash>);
  auto hash = TRY(tx.one("SELECT hash FROM audit WHERE seq = ?", {seq - 1},
                         [](sql::Row& row) { return row.blob(0); }));
  return hash.value_or(Bytes{});
}

}  // namespace

Result<tlog::Verdict> verify_rows(Store& store, const AuditVerify& query,
                                  const std::vector<std::string>& notes,
                                  const std::vector<crypto::PublicKey>& keys) {
  tlog::Verdict verdict;
  const std::uint64_t first = query.from_seq.value_or(0);
  // A part of the chain says nothing about the tree.
  const bool whole = first == 0 && !query.to_seq;
  tlog::CheckpointComparer comparer(whole ? notes : std::vector<std::string>{}, keys);
  Bytes previous;
  TRY(store.read([&](sql::Tx& tx) -> Status {
    previous = TRY(hash_before(tx, first));
    return {};
  }));
  RowCheck check(first, std::move(previous));
  audit::Query page;
  page.limit = kRowsAtOnce;
  page.to_seq = query.to_seq;
  bool more = true;
  while (verdict.ok && more) {
    page.from_seq = check.next();
    TRY(store.read([&](sql::Tx& tx) -> Status {
      const auto entries = TRY(audit::list(tx, store.sealer(), page));
      more = entries.size() == kRowsAtOnce;
      for (const audit::Entry& entry : entries) {
        if (!TRY(check.take(tx, entry, verdict))) break;
        if (whole) comparer.leaf(tlog::leaf_hash(view_of(audit::entry_bytes(entry))));
      }
      return {};
    }));
  }
  comparer.finish(verdict);
  return verdict;
}

}  // namespace holdfast::core
