#include "libs/os/real/resolver.hpp"

#include <optional>
#include <thread>

#include "libs/os/real/loop.hpp"

namespace holdfast::os::real {

Status Resolver::look_up(Endpoint endpoint, Done done) {
  enum class Next { full, queued, start };
  const Next next = state_.with([&](State& state) {
    if (state.queue.size() >= kResolverQueueMax) return Next::full;
    state.queue.push_back({std::move(endpoint), std::move(done)});
    if (state.threads == kResolverThreadsMax) return Next::queued;
    ++state.threads;
    return Next::start;
  });
  if (next == Next::full) {
    return fail(Code::overloaded, "too many names are being looked up; check the name servers");
  }
  if (next == Next::start) {
    std::thread([self = shared_from_this()] { self->work(); }).detach();
  }
  return {};
}

void Resolver::work() {
  name_this_thread("resolver");
  while (true) {
    std::optional<Job> job = state_.with([](State& state) -> std::optional<Job> {
      if (state.queue.empty()) {
        --state.threads;
        return std::nullopt;
      }
      Job first = std::move(state.queue.front());
      state.queue.pop_front();
      return first;
    });
    if (!job) return;
    job->done(real::look_up(job->endpoint, Lookup::names));
  }
}

}  // namespace holdfast::os::real
