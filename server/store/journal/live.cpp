#include "server/store/journal/live.hpp"

#include <algorithm>

namespace holdfast::journal {
namespace {

class LiveFollower final : public Follower {
 public:
  explicit LiveFollower(std::shared_ptr<Live::Feed> feed) : feed_(std::move(feed)) {}
  ~LiveFollower() override { feed_->alive = false; }

 private:
  std::shared_ptr<Live::Feed> feed_;
};

void deliver(Live::Feed& feed) {
  auto waiting = feed.waiting.with([](Live::Feed::Waiting& all) { return std::exchange(all, {}); });
  if (feed.alive) feed.use(waiting.batches, waiting.dropped);
}

}  // namespace

std::unique_ptr<Follower> Live::follow(os::Loop& loop, std::size_t bytes_max, FollowFn follow) {
  auto feed = std::make_shared<Feed>(loop, bytes_max, std::move(follow));
  state_.with([&](State& state) {
    std::erase_if(state.feeds, [](const std::weak_ptr<Feed>& other) { return other.expired(); });
    state.feeds.push_back(feed);
  });
  return std::make_unique<LiveFollower>(std::move(feed));
}

// True when the follower's loop has to be told.
bool Live::offer(const std::shared_ptr<Feed>& feed, const BatchPtr& batch) {
  return feed->waiting.with([&](Feed::Waiting& all) {
    if (all.bytes + batch->plain.size() > feed->bytes_max && !all.batches.empty()) {
      ++all.dropped;
      dropped_.add();
    } else {
      all.batches.push_back(batch);
      all.bytes += batch->plain.size();
    }
    return !std::exchange(all.posted, true);
  });
}

void Live::publish(const BatchPtr& batch) {
  const auto feeds = state_.with([&](State& state) {
    state.recent.push_back(batch);
    state.recent_bytes += batch->plain.size();
    while (state.recent_bytes > recent_bytes_max_ && state.recent.size() > 1) {
      state.recent_bytes -= state.recent.front()->plain.size();
      state.recent.pop_front();
    }
    return state.feeds;
  });
  for (const auto& weak : feeds) {
    auto feed = weak.lock();
    if (!feed || !offer(feed, batch)) continue;
    os::Loop& loop = feed->loop;
    loop.post([feed = std::move(feed)] { deliver(*feed); });
  }
}

std::optional<std::vector<BatchPtr>> Live::recent(Cursor from, std::size_t bytes_max) const {
  return state_.with([&](const State& state) -> std::optional<std::vector<BatchPtr>> {
    if (state.recent.empty() || from < state.recent.front()->first) return std::nullopt;
    // The first batch that ends beyond the cursor; segments follow one another, records in them
    // too.
    const auto begin = std::ranges::partition_point(
        state.recent, [&](const BatchPtr& batch) { return batch->next() <= from; });
    std::vector<BatchPtr> out;
    std::size_t bytes = 0;
    for (auto at = begin; at != state.recent.end() && (out.empty() || bytes < bytes_max); ++at) {
      out.push_back(*at);
      bytes += (*at)->plain.size();
    }
    return out;
  });
}

}  // namespace holdfast::journal
