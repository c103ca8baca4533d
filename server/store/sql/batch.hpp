// Group commit for any engine: callers queue their mutations, one writer thread runs a batch of
// them in one transaction, each in a savepoint of its own, and commits once. Private to the
// adapters.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/os/workers.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::sql {

// What the writer thread asks of an engine, always from that thread.
class BatchEngine {
 public:
  virtual ~BatchEngine() = default;
  virtual Result<Tx*> begin() = 0;
  virtual Status mark() = 0;        // before each mutation
  virtual Status keep() = 0;        // it succeeded
  virtual Status undo() = 0;        // it failed: back to the mark
  virtual Status commit() = 0;      // durable when it returns
  virtual void abandon() = 0;       // ends the transaction, whatever its state
  virtual bool intact() const = 0;  // the transaction is there and has not failed
};

class BatchWriter {
 public:
  BatchWriter(BatchEngine& engine, os::Threads& threads, Metrics& metrics);
  BatchWriter(const BatchWriter&) = delete;
  BatchWriter& operator=(const BatchWriter&) = delete;

  Status write(const WriteFn& mutate);
  // Runs between batches, on the writer's thread.
  Status alone(const std::function<Status()>& task);

 private:
  struct Pending {
    const WriteFn& mutate;
    Status result;
    bool done = false;
  };
  void run_batch();
  Status run_mutations(Tx& tx, const std::vector<Pending*>& batch, bool& any_kept);
  static void fail_all(const std::vector<Pending*>& batch, const Error& error);

  BatchEngine& engine_;
  Guarded<std::deque<Pending*>> queue_;
  std::atomic<std::size_t> callers_{0};
  using ThreadId = decltype(std::this_thread::get_id());
  std::atomic<ThreadId> writer_thread_{};  // while it runs a batch
  Counter& commits_;
  Counter& mutations_;
  Counter& undone_;
  Counter& refused_;
  std::unique_ptr<os::Workers> thread_;  // last: it ends first
};

// Status of binding values that one of the engines would refuse: NaN, texts that are no UTF-8 or
// hold a zero byte. Both adapters ask.
Status check_param(const Param& param);

}  // namespace holdfast::sql
