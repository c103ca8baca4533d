#include "server/core/audit_log.hpp"

#include <algorithm>
#include <atomic>

#include "libs/crypto/aead.hpp"
#include "libs/crypto/key.hpp"
#include "libs/tlog/tiles.hpp"
#include "libs/wire/json.hpp"
#include "server/core/audit_verify.hpp"
#include "server/core/gate.hpp"

namespace holdfast::core {

namespace {

constexpr std::size_t kEntriesAtOnce = 4'096;
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::string_view kKeyName = "audit-1";
constexpr std::string_view kEd25519Pkcs8 =
    "302e020100300506032b657004220420";  // RFC 8410, then the seed

struct Newest {
  std::uint64_t size = 0;
  std::string note;  // empty: there is none yet
  WallTime at;
};

Result<std::optional<Newest>> newest_stored(sql::Tx& tx) {
  return tx.one("SELECT tree_size, note, at FROM audit_checkpoint ORDER BY tree_size DESC LIMIT 1",
                {}, [](sql::Row& row) {
                  return Newest{static_cast<std::uint64_t>(row.integer(0)), row.text(1),
                                row.time(2)};
                });
}

Result<std::vector<std::string>> stored_notes(sql::Tx& tx) {
  return tx.list("SELECT note FROM audit_checkpoint ORDER BY tree_size DESC LIMIT ?",
                 {static_cast<std::uint64_t>(kNotesMax)},
                 [](sql::Row& row) { return row.text(0); });
}

std::vector<Bytes> bytes_of_entries(const std::vector<audit::Entry>& entries) {
  std::vector<Bytes> out;
  for (const audit::Entry& entry : entries) out.push_back(bytes_of(audit::entry_bytes(entry)));
  return out;
}

class AuditLogCore : public std::enable_shared_from_this<AuditLogCore> {
 public:
  AuditLogCore(Store& store, const os::System& system, os::Workers& workers, const Log& log,
               Metrics& metrics, AuditLogSettings settings)
      : store_(store),
        system_(system),
        workers_(workers),
        log_(log),
        settings_(std::move(settings)),
        tiles_(system.files, settings_.folder),
        checkpoints_(metrics.counter("holdfast_audit_checkpoints_total",
                                     "Checkpoints of the audit that were signed")),
        copy_failures_(
            metrics.counter("holdfast_audit_copy_failures_total",
                            "Checkpoints that could not be copied outside of the data folder")) {
    metrics.gauge("holdfast_audit_broken",
                  "Whether the audit's rows fail to fit a checkpoint (1) or not (0)",
                  [broken = broken_] { return broken->load() ? 1.0 : 0.0; });
  }

  Status start();
  void wake();
  Status advance();
  Result<SignedCheckpoint> newest();
  Result<AuditProof> prove(std::uint64_t seq);
  Result<tlog::Verdict> verify(const AuditVerify& query);
  Gate gate;

 private:
  Status load_key();
  Result<std::vector<audit::Entry>> rows(std::uint64_t from, std::uint64_t to);
  Result<std::uint64_t> count();
  Status check_tree(const std::optional<Newest>& stored);
  Status rebuild(std::uint64_t size);
  Status grow(std::uint64_t& size, std::uint64_t to);
  Status advance_alone(std::uint64_t& size);
  Status store_checkpoint(const tlog::Checkpoint& checkpoint, const std::string& note,
                          WallTime before);
  void publish(const std::string& note, WallTime at);
  Status copy_outside(const std::string& note, WallTime at);
  bool continues(std::string_view old_note) const;
  void set_newest(Newest newest) {
    newest_.with([&](Newest& own) { own = std::move(newest); });
  }

  Store& store_;
  os::System system_;
  os::Workers& workers_;
  const Log& log_;
  const AuditLogSettings settings_;
  tlog::Tiles tiles_;
  Counter& checkpoints_;
  Counter& copy_failures_;
  crypto::PrivateKey key_;
  std::string origin_;
  std::shared_ptr<std::atomic<bool>> broken_ =
      std::make_shared<std::atomic<bool>>(false);  // outlived by metrics
  std::atomic<std::uint64_t> pending_{0};          // entries since the newest checkpoint, about
  std::atomic<bool> posted_{false};
  Guarded<std::uint64_t> tree_size_{0U};  // of the tiles; held while they grow
  std::uint64_t newest_size_ = 0;         // of the tree that is being published; under tree_size_
  Guarded<Newest> newest_;
};

// The seed comes from our own entropy, so that simulations have their keys again.
Status AuditLogCore::load_key() {
  const Bytes row = bytes_of(kKeyName);
  const seal::Place place{"audit_key", row, "sealed"};
  Bytes der;
  TRY(store_.record(Caller::system(), "audit.key", [&](Change& change) -> Status {
    const auto sealed =
        TRY(change.tx().one("SELECT sealed FROM audit_key WHERE name = ?", {kKeyName},
                            [](sql::Row& found) { return found.blob(0); }));
    if (sealed) {
      der = TRY(change.sealer().open(place, *sealed));
      return {};
    }
    der = TRY(from_hex(kEd25519Pkcs8));
    append(der, change.entropy().bytes(32));
    const Bytes fresh = TRY(change.sealer().seal(place, der));
    TRY(change.tx().exec("INSERT INTO audit_key (name, sealed, created_at) VALUES (?,?,?)",
                         {kKeyName, fresh, change.now()}));
    return {};
  }));
  key_ = TRY(crypto::PrivateKey::from_pkcs8(der));
  crypto::wipe(der);
  const crypto::Sha256 fingerprint = key_.public_key().fingerprint();
  origin_ = "holdfast-audit/" + to_hex(View(fingerprint).first(8));
  return {};
}

Result<std::vector<audit::Entry>> AuditLogCore::rows(std::uint64_t from, std::uint64_t to) {
  std::vector<audit::Entry> entries;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    audit::Query query;
    query.from_seq = from;
    query.to_seq = to - 1;
    query.limit = to - from;
    entries = TRY(audit::list(tx, store_.sealer(), query));
    return {};
  }));
  if (entries.size() != to - from) return fail(Code::corrupt, "rows of the audit are missing");
  return entries;
}

Result<std::uint64_t> AuditLogCore::count() {
  std::uint64_t count = 0;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    count = TRY(audit::count(tx));
    return {};
  }));
  return count;
}

Status AuditLogCore::grow(std::uint64_t& size, std::uint64_t to) {
  while (size < to) {
    const std::uint64_t next = std::min(to, size + kEntriesAtOnce);
    TRY(tiles_.extend(size, bytes_of_entries(TRY(rows(size, next)))));
    size = next;
  }
  return {};
}

Status AuditLogCore::rebuild(std::uint64_t size) {
  log_.warning("the audit's tree is made anew from its rows", {{"entries", std::to_string(size)}});
  const Status removed = os::remove_tree(system_.files, os::join(settings_.folder, "tile"));
  if (!removed && removed.error().code != Code::not_found) return removed;
  std::uint64_t grown = 0;
  return grow(grown, size);
}

// The tree must end at the newest checkpoint with its root. Looks at the right edge only: the start
// does not read the history.
Status AuditLogCore::check_tree(const std::optional<Newest>& stored) {
  const std::uint64_t have = TRY(count());
  const std::uint64_t wanted = stored ? stored->size : 0;
  const std::uint64_t size = std::min(have, wanted);
  tree_size_.with([&](std::uint64_t& own) { own = size; });
  if (!stored) return {};
  const auto note =
      TRY(with_context(tlog::parse_note(stored->note), "the newest checkpoint of the audit"));
  auto root = size == wanted ? tiles_.root(size)
                             : Result<tlog::Hash>(fail(Code::corrupt, "rows are missing"));
  if (root && *root == note.checkpoint.root) return {};
  TRY(rebuild(size));
  root = tiles_.root(size);
  if (size == wanted && root && *root == note.checkpoint.root) return {};
  broken_->store(true);
  log_.error("the audit's rows do not fit its newest checkpoint: verify it",
             {{"checkpoint", std::to_string(wanted)}, {"entries", std::to_string(have)}});
  return {};
}

Status AuditLogCore::start() {
  TRY(load_key());
  std::optional<Newest> stored;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    stored = TRY(newest_stored(tx));
    return {};
  }));
  TRY(check_tree(stored));
  if (stored) {
    // A crash may have come between the row and the files.
    tree_size_.with([&](std::uint64_t& size) {
      newest_size_ = size;
      publish(stored->note, stored->at);
    });
    set_newest(*stored);
  }
  return advance();
}

void AuditLogCore::wake() {
  if (pending_.fetch_add(1) + 1 < kCheckpointEntries || posted_.exchange(true)) return;
  const bool posted = workers_.post([self = shared_from_this()] {
    const Gate::Pass pass(self->gate);
    if (!pass) return;
    const Status done = self->advance();
    if (!done) self->log_.warning("no checkpoint of the audit", {{"error", done.error().text()}});
    self->posted_.store(false);
  });
  if (!posted) posted_.store(false);
}

Status AuditLogCore::store_checkpoint(const tlog::Checkpoint& checkpoint, const std::string& note,
                                      WallTime before) {
  return store_.record(Caller::system(), "audit.checkpoint", [&](Change& change) -> Status {
    TRY(
        change.tx().exec("INSERT INTO audit_checkpoint (tree_size, at, note) VALUES (?,?,?)"
                         " ON CONFLICT (tree_size) DO NOTHING",
                         {checkpoint.size, checkpoint.time, note}));
    if (day_of(before) != day_of(checkpoint.time)) {
      // Of days that are over, the last one stays.
      TRY(
          change.tx().exec("DELETE FROM audit_checkpoint WHERE at < ? AND tree_size NOT IN"
                           " (SELECT max(tree_size) FROM audit_checkpoint GROUP BY at / ?)",
                           {checkpoint.time - days(2), kDayUs}));
    }
    return change.notice("audit.checkpointed",
                         wire::json_text(wire::JsonObject{{"tree_size", checkpoint.size},
                                                          {"root_hash", to_hex(checkpoint.root)}}));
  });
}

void AuditLogCore::publish(const std::string& note, WallTime at) {
  const Status own = tiles_.write_checkpoint(note);
  if (!own)
    log_.error("the audit's checkpoint file was not written", {{"error", own.error().text()}});
  if (settings_.checkpoint_folder.empty()) return;
  if (const Status copied = copy_outside(note, at); !copied) {
    copy_failures_.add();
    log_.error("a checkpoint of the audit was not copied",
               {{"folder", settings_.checkpoint_folder}, {"error", copied.error().text()}});
  }
}

// The copy that is there was signed for a tree that ours must begin with.
bool AuditLogCore::continues(std::string_view old_note) const {
  const auto old = tlog::parse_note(old_note);
  if (!old || old->checkpoint.origin != origin_)
    return true;  // of another log, or none: no evidence about ours
  const std::uint64_t size = newest_size_;
  if (old->checkpoint.size > size) return false;
  const auto root = tlog::root_of(old->checkpoint.size, [&](unsigned level, std::uint64_t index) {
    return tiles_.node(level, index, size);
  });
  return root && *root == old->checkpoint.root;
}

Status AuditLogCore::copy_outside(const std::string& note, WallTime at) {
  const std::string& folder = settings_.checkpoint_folder;
  TRY(system_.files.make_folder(folder));
  const std::string latest = os::join(folder, "latest");
  const auto old = os::read_file(system_.files, latest, tlog::kNoteBytesMax);
  if (!old && old.error().code != Code::not_found) return std::unexpected(old.error());
  if (old && !continues(text_of(*old))) {
    broken_->store(true);
    TRY(os::replace_file(system_.files, os::join(folder, "diverged"), view_of(note)));
    return fail(
        Code::conflict,
        "the audit does not continue the checkpoint kept there: `latest` is evidence and was"
        " left alone; after a restore, move it away");
  }
  TRY(os::replace_file(system_.files, os::join(folder, day_text(day_of(at))), view_of(note)));
  return os::replace_file(system_.files, latest, view_of(note));
}

Status AuditLogCore::advance_alone(std::uint64_t& size) {
  const Newest before = newest_.with([](const Newest& newest) { return newest; });
  pending_.store(0);
  const std::uint64_t have = TRY(count());
  // Fewer rows than were signed for: a tail was cut, and no new signature covers that up.
  if (have <= before.size) return {};
  const std::uint64_t old_size = size;
  TRY(grow(size, have));
  tlog::Checkpoint checkpoint;
  checkpoint.origin = origin_;
  checkpoint.size = have;
  checkpoint.root = TRY(tiles_.root(have));
  checkpoint.time = system_.clock.wall();
  const std::string note = TRY(tlog::sign_note(checkpoint, key_));
  TRY(store_checkpoint(checkpoint, note, before.at));
  checkpoints_.add();
  newest_size_ = have;
  publish(note, checkpoint.time);
  set_newest({have, note, checkpoint.time});
  return tiles_.drop_partials(old_size, have);
}

Status AuditLogCore::advance() {
  return tree_size_.with(
      [&](std::uint64_t& size) { return with_context(advance_alone(size), "audit checkpoint"); });
}

Result<SignedCheckpoint> AuditLogCore::newest() {
  Newest newest = newest_.with([](const Newest& own) { return own; });
  if (newest.note.empty()) {
    TRY(advance());
    newest = newest_.with([](const Newest& own) { return own; });
    if (newest.note.empty()) return fail(Code::not_found, "the audit has no entries yet");
  }
  const auto note = TRY(tlog::parse_note(newest.note));
  return SignedCheckpoint{note.checkpoint, newest.note, note.text, note.signature,
                          key_.public_key().pem()};
}

Result<AuditProof> AuditLogCore::prove(std::uint64_t seq) {
  std::optional<audit::Entry> entry;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    entry = TRY(audit::find(tx, store_.sealer(), seq));
    return {};
  }));
  if (!entry) return fail(Code::not_found, "there is no audit entry " + std::to_string(seq));
  AuditProof proof;
  proof.checkpoint = TRY(newest());
  if (seq >= proof.checkpoint.checkpoint.size) {
    TRY(advance());
    proof.checkpoint = TRY(newest());
  }
  proof.entry = std::move(*entry);
  proof.entry_bytes = audit::entry_bytes(proof.entry);
  proof.leaf_hash = tlog::leaf_hash(view_of(proof.entry_bytes));
  proof.leaf_index = seq;
  // A partial tile goes when the next checkpoint comes: then prove under that one.
  auto path = tiles_.inclusion(seq, proof.checkpoint.checkpoint.size);
  for (int tries = 0; !path && path.error().code == Code::not_found && tries < 3; ++tries) {
    proof.checkpoint = TRY(newest());
    path = tiles_.inclusion(seq, proof.checkpoint.checkpoint.size);
  }
  proof.inclusion_path = TRY(std::move(path));
  return proof;
}

Result<tlog::Verdict> AuditLogCore::verify(const AuditVerify& query) {
  if (query.checkpoints.size() > kNotesMax)
    return fail(Code::invalid_argument, "at most 1000 checkpoints at once");
  std::vector<std::string> notes;
  TRY(store_.read([&](sql::Tx& tx) -> Status {
    notes = TRY(stored_notes(tx));
    return {};
  }));
  notes.insert(notes.end(), query.checkpoints.begin(), query.checkpoints.end());
  auto verdict = verify_rows(store_, query, notes, {key_.public_key()});
  if (verdict && !verdict->ok) {
    log_.error("the audit is broken", {{"finding", verdict->finding}, {"detail", verdict->detail}});
  }
  return verdict;
}

class AuditLogFace final : public AuditLog {
 public:
  explicit AuditLogFace(std::shared_ptr<AuditLogCore> core) : core_(std::move(core)) {}
  ~AuditLogFace() override { core_->gate.close(); }

  Status start() override { return core_->start(); }
  void wake() override { core_->wake(); }
  Status advance() override { return core_->advance(); }
  Result<SignedCheckpoint> checkpoint(const Caller& caller) override {
    TRY(require(caller, "audit.read"));
    return core_->newest();
  }
  Result<AuditProof> prove(const Caller& caller, std::uint64_t seq) override {
    TRY(require(caller, "audit.read"));
    return core_->prove(seq);
  }
  Result<tlog::Verdict> verify(const Caller& caller, const AuditVerify& query) override {
    TRY(require(caller, "audit.read"));
    return core_->verify(query);
  }

 private:
  std::shared_ptr<AuditLogCore> core_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::make(Store& store, const os::System& system,
                                                 os::Workers& workers, const Log& log,
                                                 Metrics& metrics, AuditLogSettings settings) {
  return std::make_unique<AuditLogFace>(
      std::make_shared<AuditLogCore>(store, system, workers, log, metrics, std::move(settings)));
}

}  // namespace holdfast::core
