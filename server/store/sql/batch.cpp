#include "server/store/sql/batch.hpp"

#include <cassert>
#include <cmath>

#include "libs/wire/utf8.hpp"

namespace holdfast::sql {

Status check_param(const Param& param) {
  if (const auto* real = std::get_if<double>(&param.value());
      real != nullptr && std::isnan(*real)) {
    return fail(Code::invalid_argument, "a real column cannot hold NaN");
  }
  const auto* text = std::get_if<std::string>(&param.value());
  if (text == nullptr) return {};
  if (!wire::valid_mqtt_text(*text)) {
    return fail(Code::invalid_argument, "a text must be UTF-8 without zero bytes");
  }
  return {};
}

BatchWriter::BatchWriter(BatchEngine& engine, os::Threads& threads, Metrics& metrics)
    : engine_(engine),
      commits_(
          metrics.counter("holdfast_sql_commits_total", "Transactions committed by the writer")),
      mutations_(metrics.counter("holdfast_sql_mutations_total", "Mutations that were committed")),
      undone_(metrics.counter("holdfast_sql_mutations_undone_total",
                              "Mutations that failed and were undone")),
      refused_(metrics.counter("holdfast_sql_writers_refused_total",
                               "Writes refused because too many waited")),
      thread_(threads.start_workers("sql-writer", 1, kWritersMax + 16)) {}

// The writer thread is entered by call(): whoever comes first takes along everyone who queued
// meanwhile, and the others find their mutation done. A simulation runs all of it inline.
Status BatchWriter::write(const WriteFn& mutate) {
  assert(writer_thread_.load() != std::this_thread::get_id() && "write() inside a write");
  if (callers_.fetch_add(1) >= kWritersMax) {
    callers_.fetch_sub(1);
    refused_.add();
    return fail(Code::overloaded, "too many changes wait for the database: try again");
  }
  Pending mine{.mutate = mutate, .result = {}};
  queue_.with([&](auto& queue) { queue.push_back(&mine); });
  thread_->call([&] {
    while (!mine.done) run_batch();
  });
  callers_.fetch_sub(1);
  return std::move(mine.result);
}

Status BatchWriter::alone(const std::function<Status()>& task) {
  Status result;
  thread_->call([&] { result = task(); });
  return result;
}

void BatchWriter::fail_all(const std::vector<Pending*>& batch, const Error& error) {
  for (Pending* pending : batch) {
    if (pending->result) pending->result = std::unexpected(error);
  }
}

// An error here means that the transaction is lost; errors of mutations go to their callers.
Status BatchWriter::run_mutations(Tx& tx, const std::vector<Pending*>& batch, bool& any_kept) {
  for (Pending* pending : batch) {
    TRY(engine_.mark());
    pending->result = pending->mutate(tx);
    if (pending->result && !engine_.intact()) {
      pending->result = fail(Code::internal, "a change went on after a statement of it had failed");
    }
    if (pending->result) {
      TRY(engine_.keep());
      any_kept = true;
    } else {
      undone_.add();
      TRY(engine_.undo());
    }
  }
  return {};
}

void BatchWriter::run_batch() {
  std::vector<Pending*> batch;
  queue_.with([&](auto& queue) {
    while (!queue.empty() && batch.size() < kBatchMax) {
      batch.push_back(queue.front());
      queue.pop_front();
    }
  });
  writer_thread_.store(std::this_thread::get_id());
  auto tx = engine_.begin();
  if (!tx) {
    fail_all(batch, tx.error());
  } else {
    bool any_kept = false;
    Status status = run_mutations(**tx, batch, any_kept);
    if (status && any_kept) status = engine_.commit();
    if (!status) fail_all(batch, status.error());
    if (!status || !any_kept) {
      engine_.abandon();
    } else {
      commits_.add();
      for (const Pending* pending : batch) mutations_.add(pending->result ? 1 : 0);
    }
  }
  writer_thread_.store({});
  for (Pending* pending : batch) pending->done = true;
}

}  // namespace holdfast::sql
