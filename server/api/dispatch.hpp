// Dispatch: from a request to the handler of its operation, and back to an answer. The order is the
// contract's: route, credentials, permission; then body, Idempotency-Key, handler; then the answer,
// which says nothing about an object that the caller may not know of.
//
// Threads: admit() and handle() on the loops of the servers; handlers run on the workers, never on
// a loop. Everything passed in outlives it; the workers stop first.
#pragma once

#include <functional>
#include <vector>

#include "generated/api/operations.hpp"
#include "libs/base/guarded.hpp"
#include "libs/base/log.hpp"
#include "libs/base/metrics.hpp"
#include "libs/http/router.hpp"
#include "libs/http/server.hpp"
#include "libs/os/workers.hpp"
#include "server/api/credentials.hpp"
#include "server/api/idempotent.hpp"
#include "server/api/stream_watch.hpp"
#include "server/core/operation.hpp"
#include "server/core/people.hpp"

namespace holdfast::api {

inline constexpr std::size_t kBodyMax = 1024 * 1024;            // bytes
inline constexpr std::size_t kVerifyBodyMax = 6 * 1024 * 1024;  // 1,000 checkpoints

// The route table of the contract.
Result<http::Router> contract_router(std::size_t body_max = kBodyMax);
const OperationRow& operation_named(std::string_view id);

class Dispatch final {
 public:
  // Answers requests that belong to no operation (the console's files), or leaves them (nullopt).
  using Fallback = std::function<std::optional<http::Response>(const http::Request&)>;

  static Result<std::unique_ptr<Dispatch>> make(core::Store& store, core::People& people,
                                                const core::Operations& operations,
                                                os::Workers& workers, const Log& log,
                                                Metrics& metrics, Fallback fallback,
                                                std::size_t body_max = kBodyMax);

  // On a loop, before the body is read.
  std::size_t admit(const http::Request& head) const { return router_.body_max(head); }
  // On a loop; answers from a worker.
  void handle(http::Request request, http::Responder responder);
  // Each kStreamCheckEvery, on a loop: ends the streams whose credential no longer stands.
  void check_streams();
  // From here on check_streams() does nothing: the workers are about to end.
  void end_checks();

 private:
  struct Work;
  Dispatch(core::Store& store, core::People& people, const core::Operations& operations,
           os::Workers& workers, const Log& log, Metrics& metrics, Fallback fallback,
           http::Router router);
  void run(Work& work);
  Result<core::Caller> authenticate(const OperationRow& row, const http::Request& request,
                                    core::People::Purpose purpose);
  Result<http::Response> answer(const OperationRow& row, const core::Operations::Entry& entry,
                                const core::Call& call);
  void finish(Work& work, const core::Caller& caller, Result<http::Response> result);

  core::Store& store_;
  core::People& people_;
  const core::Operations& operations_;
  os::Workers& workers_;
  const Log& log_;
  const Fallback fallback_;
  const http::Router router_;
  Idempotent idempotent_;
  StreamWatch streams_;
  struct Checks {
    bool busy = false, ended = false;
  };
  Guarded<Checks> checks_;
  Counter& overloaded_;
  Counter& forbidden_;
  Counter& failed_;
  std::vector<Counter*> by_class_;  // answers by hundreds: [2] is 2xx
};

}  // namespace holdfast::api
