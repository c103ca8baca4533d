#include "server/store/sql/sqlite/sqlite.hpp"

#include <sqlite3.h>
#include <sys/file.h>

#include <climits>

#include "server/store/sql/batch.hpp"
#include "server/store/sql/reader_pool.hpp"
#include "server/store/sql/sqlite/connection.hpp"
#include "server/store/sql/sqlite/vfs.hpp"

namespace holdfast::sql {

namespace {

constexpr std::size_t kSettleBytes = 1024 * 1024;  // at a time

// The folder belongs to one process: two would each believe in their own locks.
Result<std::unique_ptr<os::File>> take_folder(os::Files& files, const std::string& path) {
  auto file = TRY(files.open(path + ".lock", os::Open::create));
  if (file->descriptor() >= 0 && ::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::folder_locked,
                "another process uses " + path + ": stop it, or choose another folder");
  }
  return file;
}

// SQLite draws the salts of its WAL from one generator of the process, seeded by the machine. In a
// simulation the run must depend on its own seed alone.
void seed_for_simulation(os::Entropy& entropy) {
  const auto seed = static_cast<int>(1 + entropy.below(INT_MAX));
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, seed, nullptr);
}

// After a sync that failed, what is read from the WAL may be in memory only, and no later sync brings
// it to disk. A new writer would believe it and build on it, and the next power cut would take all of
// that away. Written once more, it is what it seems to be; the same goes for the WAL's name.
Status settle_wal(os::Files& files, const std::string& path) {
  auto file = files.open(path + "-wal", os::Open::write);
  if (!file) return file.error().code == Code::not_found ? Status{} : std::unexpected(file.error());
  const std::uint64_t size = TRY((*file)->size());
  for (std::uint64_t at = 0; at < size; at += kSettleBytes) {
    TRY((*file)->write_at(at, TRY((*file)->read_at(at, kSettleBytes))));
  }
  TRY((*file)->sync());
  return files.sync_dir(os::folder_of(path));
}

class SqliteWriter final : public BatchEngine {
 public:
  SqliteWriter(os::Files& files, Connection::Settings settings)
      : files_(files), settings_(std::move(settings)) {}

  Result<Tx*> begin() override {
    TRY(connection());
    TRY(connection_->run("BEGIN IMMEDIATE"));
    return connection_.get();
  }
  Status mark() override { return connection_->run("SAVEPOINT one"); }
  Status keep() override { return connection_->run("RELEASE one"); }
  Status undo() override {
    // A full disk or an I/O error undoes the whole transaction by itself.
    if (!connection_->in_transaction()) {
      return fail(Code::io_error, "SQLite gave the transaction up");
    }
    TRY(connection_->run("ROLLBACK TO one"));
    return connection_->run("RELEASE one");
  }
  Status commit() override { return connection_->run("COMMIT"); }
  void abandon() override {
    if (connection_->in_transaction() && !connection_->run("ROLLBACK")) connection_.reset();
  }
  bool intact() const override { return connection_->in_transaction(); }

  // Outside of a batch, on the writer's thread.
  Result<Connection*> connection() {
    if (!connection_ || connection_->broken()) {
      connection_.reset();
      TRY(with_context(settle_wal(files_, settings_.path), "the database's WAL"));
      connection_ = TRY(Connection::open(settings_));
    }
    return connection_.get();
  }

 private:
  os::Files& files_;
  Connection::Settings settings_;
  std::unique_ptr<Connection> connection_;
};

class SqliteDatabase final : public Database {
 public:
  SqliteDatabase(const os::System& system, Metrics& metrics, SqliteSettings settings,
                 std::unique_ptr<os::File> folder_lock, std::unique_ptr<SqliteVfs> vfs)
      : files_(system.files),
        settings_(std::move(settings)),
        folder_lock_(std::move(folder_lock)),
        vfs_(std::move(vfs)),
        engine_(files_, {settings_.path, vfs_->name(), Access::write, settings_.durable}),
        writer_(engine_, system.threads, metrics),
        readers_(settings_.readers_max, [this] {
          return Connection::open({settings_.path, vfs_->name(), Access::read, settings_.durable});
        }) {}

  Engine engine() const override { return Engine::sqlite; }
  Status write(const WriteFn& mutate) override { return writer_.write(mutate); }
  Status read(const ReadFn& look) override;
  Status maintain() override;
  Status copy_to(const std::string& path) override;

  // Makes the file, its folder entry and its WAL, so that readers find them.
  Status start() {
    return writer_.alone([this]() -> Status {
      TRY(engine_.connection());
      return {};
    });
  }

 private:
  os::Files& files_;
  const SqliteSettings settings_;
  std::unique_ptr<os::File> folder_lock_;
  std::unique_ptr<SqliteVfs> vfs_;
  SqliteWriter engine_;
  BatchWriter writer_;
  ReaderPool<Connection> readers_;
};

Status SqliteDatabase::read(const ReadFn& look) {
  return readers_.with([&](Connection& reader) -> Status {
    TRY(reader.run("BEGIN"));
    Status looked = look(reader);
    const Status ended = reader.run("ROLLBACK");
    if (looked && !ended) return ended;
    return looked;
  });
}

Status SqliteDatabase::maintain() {
  TRY(writer_.alone([this]() -> Status {
    Connection* connection = TRY(engine_.connection());
    TRY(connection->run("PRAGMA optimize"));
    return connection->run("PRAGMA wal_checkpoint(TRUNCATE)");
  }));
  return read([](Tx& tx) -> Status {
    std::string verdict;
    TRY(tx.query("PRAGMA quick_check(1)", {}, [&](Row& row) { verdict = row.text(0); }));
    if (verdict != "ok") return fail(Code::corrupt, "the database is damaged: " + verdict);
    return {};
  });
}

Status SqliteDatabase::copy_to(const std::string& path) {
  // A connection of its own: query_only would forbid the new file. The writer's access is needed
  // for nothing else here.
  const auto source =
      TRY(Connection::open({settings_.path, vfs_->name(), Access::write, settings_.durable}));
  TRY(source->query("VACUUM INTO ?", {path}, [](Row&) {}));
  const auto copy = TRY(files_.open(path, os::Open::write));
  TRY(copy->sync());
  return files_.sync_dir(os::folder_of(path));
}

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const os::System& system, Metrics& metrics,
                                              const SqliteSettings& settings) {
  if (settings.readers_max < 1 || settings.readers_max > kReadersLimit) {
    return fail(Code::invalid_argument, "readers_max must be 1 to 64");
  }
  auto folder_lock = TRY(take_folder(system.files, settings.path));
  if (folder_lock->descriptor() < 0) seed_for_simulation(system.entropy);
  auto vfs = TRY(SqliteVfs::make(system));
  auto database = std::make_unique<SqliteDatabase>(system, metrics, settings,
                                                   std::move(folder_lock), std::move(vfs));
  TRY(database->start());
  return database;
}

}  // namespace holdfast::sql
