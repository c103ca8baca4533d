// StreamWatch: answers that stay open, and on whose behalf. A request is judged once, a stream for
// as long as it lasts: check() asks for each whether its credential still stands and still grants
// the same, and ends those of which it does not. The client comes back and is judged as anyone.
//
// Threads: any; check() from one worker at a time. A stream that ends by itself is forgotten at the
// next check().
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/http/responder.hpp"
#include "server/core/authz.hpp"

namespace holdfast::api {

inline constexpr Duration kStreamCheckEvery = seconds(2);

class StreamWatch final {
 public:
  // Who the credential stands for now; an error where it stands for nobody. Not a use of it: an
  // open page alone keeps no session alive.
  using Again = std::function<Result<core::Caller>()>;

  explicit StreamWatch(Metrics& metrics);

  // The same responder, but the stream that it opens is watched.
  http::Responder watch(http::Responder responder, core::Caller caller, Again again);
  void check();

 private:
  struct Watched {
    std::weak_ptr<http::EventStream> stream;
    core::Caller caller;
    Again again;
  };
  class WatchedAnswer;
  using List = Guarded<std::vector<std::shared_ptr<const Watched>>>;

  const std::shared_ptr<List> list_ = std::make_shared<List>();  // shared with open responders
  Counter& ended_;
};

}  // namespace holdfast::api
