// A bounded pool of read connections for any engine; more callers wait. Private to the adapters.
// Threads: any. In a simulation no one waits, unless reads nest deeper than there are connections.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <semaphore>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/base/result.hpp"

namespace holdfast::sql {

inline constexpr unsigned kReadersLimit = 64;
inline constexpr std::size_t kReadersWaitingMax = 1'024;
inline constexpr std::chrono::seconds kReaderWait{30};

template <class C>
class ReaderPool {
 public:
  using Open = std::function<Result<std::unique_ptr<C>>()>;

  ReaderPool(unsigned readers_max, Open open)
      : open_(std::move(open)), free_(static_cast<std::ptrdiff_t>(readers_max)) {}
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;

  // Runs `use` on a connection, which goes back unless it is broken or left in a transaction.
  Status with(const std::function<Status(C&)>& use) {
    TRY(wait_for_one());
    Status used = use_one(use);
    free_.release();
    return used;
  }

 private:
  Status wait_for_one() {
    if (free_.try_acquire()) return {};
    if (waiting_.fetch_add(1) >= kReadersWaitingMax) {
      waiting_.fetch_sub(1);
      return fail(Code::overloaded, "too many reads wait for the database");
    }
    const bool got = free_.try_acquire_for(kReaderWait);
    waiting_.fetch_sub(1);
    if (!got) return fail(Code::overloaded, "no reader of the database came free in 30 s");
    return {};
  }
  Status use_one(const std::function<Status(C&)>& use) {
    auto reader = idle_.with([](auto& idle) {
      std::unique_ptr<C> taken;
      if (!idle.empty()) {
        taken = std::move(idle.back());
        idle.pop_back();
      }
      return taken;
    });
    if (!reader) reader = TRY(open_());
    Status used = use(*reader);
    if (!reader->broken() && !reader->in_transaction()) {
      idle_.with([&](auto& idle) { idle.push_back(std::move(reader)); });
    }
    return used;
  }

  Open open_;
  std::counting_semaphore<kReadersLimit> free_;
  std::atomic<std::size_t> waiting_{0};
  Guarded<std::vector<std::unique_ptr<C>>> idle_;
};

}  // namespace holdfast::sql
