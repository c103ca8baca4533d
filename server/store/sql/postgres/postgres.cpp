#include "server/store/sql/postgres/postgres.hpp"

#include "server/store/sql/batch.hpp"
#include "server/store/sql/postgres/pg_connection.hpp"
#include "server/store/sql/reader_pool.hpp"

namespace holdfast::sql {

namespace {

// Any number that other users of the database are unlikely to take.
constexpr std::string_view kTakeTurn = "SELECT pg_advisory_xact_lock(5214831877643216961)";

class PgWriter final : public BatchEngine {
 public:
  explicit PgWriter(std::string url) : url_(std::move(url)) {}

  Result<Tx*> begin() override {
    TRY(connect());
    TRY(connection_->run("BEGIN"));
    TRY(connection_->query(kTakeTurn, {}, [](Row&) {}));
    return connection_.get();
  }
  Status mark() override { return run("SAVEPOINT one"); }
  Status keep() override { return run("RELEASE one"); }
  Status undo() override {
    TRY(run("ROLLBACK TO one"));
    return run("RELEASE one");
  }
  Status commit() override {
    const std::string tag = TRY(connection_->run("COMMIT"));
    // A transaction that had failed answers COMMIT with ROLLBACK.
    if (tag != "COMMIT") return fail(Code::internal, "PostgreSQL rolled the transaction back");
    return {};
  }
  void abandon() override {
    if (connection_ && connection_->in_transaction() && !connection_->run("ROLLBACK")) {
      connection_.reset();
    }
  }
  bool intact() const override { return connection_->intact(); }

  // Opened, or opened again after it broke.
  Status connect() {
    if (connection_ && !connection_->broken()) return {};
    connection_.reset();
    connection_ = TRY(PgConnection::open(url_, true));
    return {};
  }
  Status run(const std::string& command) {
    TRY(connection_->run(command));
    return {};
  }

 private:
  std::string url_;
  std::unique_ptr<PgConnection> connection_;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(const os::System& system, Metrics& metrics, const PostgresSettings& settings)
      : engine_(settings.url),
        writer_(engine_, system.threads, metrics),
        readers_(settings.readers_max,
                 [url = settings.url] { return PgConnection::open(url, false); }) {}

  Engine engine() const override { return Engine::postgresql; }
  Status write(const WriteFn& mutate) override { return writer_.write(mutate); }
  Status read(const ReadFn& look) override {
    return readers_.with([&](PgConnection& reader) -> Status {
      TRY(reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
      Status looked = look(reader);
      const auto ended = reader.run("ROLLBACK");
      if (looked && !ended) return std::unexpected(ended.error());
      return looked;
    });
  }
  // The server's own autovacuum does the rest.
  Status maintain() override {
    return writer_.alone([this]() -> Status {
      TRY(engine_.connect());
      return engine_.run("ANALYZE");
    });
  }
  Status copy_to(const std::string&) override {
    return fail(Code::unsupported,
                "a PostgreSQL database is no file: its rows are carried into one");
  }
  Status start() {
    return writer_.alone([this] { return engine_.connect(); });
  }

 private:
  PgWriter engine_;
  BatchWriter writer_;
  ReaderPool<PgConnection> readers_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const os::System& system, Metrics& metrics,
                                                const PostgresSettings& settings) {
  if (settings.readers_max < 1 || settings.readers_max > kReadersLimit) {
    return fail(Code::invalid_argument, "readers_max must be 1 to 64");
  }
  auto database = std::make_unique<PostgresDatabase>(system, metrics, settings);
  TRY(database->start());
  return database;
}

}  // namespace holdfast::sql
