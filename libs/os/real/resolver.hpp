// Looks names up on threads of its own, because getaddrinfo blocks for as long as name servers
// like. A thread lives while there is work; none is joined, so that a dead name server does not
// hold up the end of the program. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "libs/base/guarded.hpp"
#include "libs/os/real/address.hpp"

namespace holdfast::os::real {

inline constexpr unsigned kResolverThreadsMax = 4;
inline constexpr std::size_t kResolverQueueMax = 1024;  // names

class Resolver final : public std::enable_shared_from_this<Resolver> {
 public:
  using Done = std::move_only_function<void(Result<std::vector<Address>>)>;
  // Calls `done` on a thread of the resolver. overloaded when the queue is full: then never.
  Status look_up(Endpoint endpoint, Done done);

 private:
  struct Job {
    Endpoint endpoint;
    Done done;
  };
  struct State {
    std::deque<Job> queue;
    unsigned threads = 0;
  };
  void work();
  Guarded<State> state_;
};

}  // namespace holdfast::os::real
