// Live: the newest batches in memory, and the followers that get each batch as it is committed.
// Threads: any. A follower's call-backs run on its loop; its Follower is destroyed there too.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "libs/base/guarded.hpp"
#include "server/store/journal/journal.hpp"

namespace holdfast::journal {

class Live final {
 public:
  Live(std::size_t recent_bytes_max, Counter& dropped)
      : recent_bytes_max_(recent_bytes_max), dropped_(dropped) {}

  void publish(const BatchPtr& batch);
  std::unique_ptr<Follower> follow(os::Loop& loop, std::size_t bytes_max, FollowFn follow);
  // Batches from the cursor on, about `bytes_max`; nothing when the cursor lies before what is
  // kept.
  std::optional<std::vector<BatchPtr>> recent(Cursor from, std::size_t bytes_max) const;

  // One follower's batches on their way to its loop.
  struct Feed {
    Feed(os::Loop& on, std::size_t max, FollowFn call)
        : loop(on), bytes_max(max), use(std::move(call)) {}
    os::Loop& loop;
    const std::size_t bytes_max;
    const FollowFn use;
    struct Waiting {
      std::vector<BatchPtr> batches;
      std::size_t bytes = 0;
      std::uint64_t dropped = 0;
      bool posted = false;
    };
    Guarded<Waiting> waiting;
    bool alive = true;  // touched on the loop only
  };

 private:
  struct State {
    std::deque<BatchPtr> recent;
    std::size_t recent_bytes = 0;
    std::vector<std::weak_ptr<Feed>> feeds;
  };
  bool offer(const std::shared_ptr<Feed>& feed, const BatchPtr& batch);

  const std::size_t recent_bytes_max_;
  Counter& dropped_;
  Guarded<State> state_;
};

}  // namespace holdfast::journal
