#include "server/store/sql/sqlite/sqlite.hpp"

#include <sys/file.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <semaphore>

#include "libs/base/guarded.hpp"
#include "server/store/sql/batch.hpp"
#include "server/store/sql/sqlite/connection.hpp"
#include "server/store/sql/sqlite/vfs.hpp"

namespace holdfast::sql {

namespace {

constexpr unsigned kReadersLimit = 64;
constexpr std::size_t kReadersWaitingMax = 1'024;
constexpr std::chrono::seconds kReaderWait{30};

// The folder belongs to one process: two would each believe in their own locks.
Result<std::unique_ptr<os::File>> take_folder(os::Files& files, const std::string& path) {
  auto file = TRY(files.open(path + ".lock", os::Open::create));
  if (file->descriptor() >= 0 && ::flock(file->descriptor(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Code::folder_locked,
                "another process uses " + path + ": stop it, or choose another folder");
  }
  return file;
}

class SqliteWriter final : public BatchEngine {
 public:
  explicit SqliteWriter(Connection::Settings settings) : settings_(std::move(settings)) {}

  Result<Tx*> begin() override {
    if (!connection_ || connection_->broken()) {
      connection_.reset();
      connection_ = TRY(Connection::open(settings_));
    }
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
  bool alive() const override { return connection_->in_transaction(); }

  // Outside of a batch, on the writer's thread.
  Result<Connection*> connection() {
    if (!connection_ || connection_->broken()) {
      connection_.reset();
      connection_ = TRY(Connection::open(settings_));
    }
    return connection_.get();
  }

 private:
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
        engine_({settings_.path, vfs_->name(), Access::write, settings_.durable}),
        writer_(engine_, system.threads, metrics),
        free_readers_(static_cast<std::ptrdiff_t>(settings_.readers_max)) {}

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
  Result<std::unique_ptr<Connection>> take_reader();
  void give_reader(std::unique_ptr<Connection> reader);
  Status look_with(Connection& reader, const ReadFn& look);

  os::Files& files_;
  const SqliteSettings settings_;
  std::unique_ptr<os::File> folder_lock_;
  std::unique_ptr<SqliteVfs> vfs_;
  SqliteWriter engine_;
  BatchWriter writer_;
  std::counting_semaphore<kReadersLimit> free_readers_;
  std::atomic<std::size_t> waiting_{0};
  Guarded<std::vector<std::unique_ptr<Connection>>> readers_;
};

Result<std::unique_ptr<Connection>> SqliteDatabase::take_reader() {
  if (!free_readers_.try_acquire()) {
    // One thread alone never waits here, unless it nests reads deeper than there are readers.
    if (waiting_.fetch_add(1) >= kReadersWaitingMax) {
      waiting_.fetch_sub(1);
      return fail(Code::overloaded, "too many reads wait for the database");
    }
    const bool got = free_readers_.try_acquire_for(kReaderWait);
    waiting_.fetch_sub(1);
    if (!got) return fail(Code::overloaded, "no reader of the database came free in 30 s");
  }
  auto reader = readers_.with([](auto& readers) {
    std::unique_ptr<Connection> taken;
    if (!readers.empty()) {
      taken = std::move(readers.back());
      readers.pop_back();
    }
    return taken;
  });
  if (reader) return reader;
  auto opened = Connection::open({settings_.path, vfs_->name(), Access::read, settings_.durable});
  if (!opened) free_readers_.release();
  return opened;
}

void SqliteDatabase::give_reader(std::unique_ptr<Connection> reader) {
  if (!reader->broken() && !reader->in_transaction()) {
    readers_.with([&](auto& readers) { readers.push_back(std::move(reader)); });
  }
  reader.reset();
  free_readers_.release();
}

Status SqliteDatabase::look_with(Connection& reader, const ReadFn& look) {
  TRY(reader.run("BEGIN"));
  Status looked = look(reader);
  const Status ended = reader.run("ROLLBACK");
  if (looked && !ended) return ended;
  return looked;
}

Status SqliteDatabase::read(const ReadFn& look) {
  auto reader = TRY(take_reader());
  Status looked = look_with(*reader, look);
  give_reader(std::move(reader));
  return looked;
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
  auto vfs = TRY(SqliteVfs::make(system));
  auto database = std::make_unique<SqliteDatabase>(system, metrics, settings,
                                                   std::move(folder_lock), std::move(vfs));
  TRY(database->start());
  return database;
}

}  // namespace holdfast::sql
