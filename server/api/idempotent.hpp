// Idempotent: what the header Idempotency-Key promises (contract/openapi.yaml). The first call with
// a key runs, and its answer is kept for 24 h if it succeeded; the same call again gets that
// answer, with another body idempotency_mismatch; one that comes while the first still runs gets
// `conflict`. Keys are each caller's own. An answer that was lost in a kill is made anew, of the
// object as it is now (kAnews in idempotent.cpp); where that cannot be, `conflict` says so.
//
// Threads: any worker.
#pragma once

#include <set>
#include <string>

#include "libs/base/guarded.hpp"
#include "libs/base/metrics.hpp"
#include "libs/http/message.hpp"
#include "server/core/change.hpp"
#include "server/core/idempotency.hpp"
#include "server/core/operation.hpp"

namespace holdfast::api {

class Idempotent final {
 public:
  Idempotent(core::Store& store, const core::Operations& operations, Metrics& metrics);

  // Gets the caller to make its changes as: one that marks them with the key.
  using Run = std::function<Result<http::Response>(const core::Caller&)>;
  // `operation` is the operation id. Without the header, just runs.
  Result<http::Response> call(const core::Caller& caller, std::string_view operation,
                              const http::Request& request, const Run& run);

  // Can a lost answer of this operation be made anew?
  static bool can_make_anew(std::string_view operation);

 private:
  Result<http::Response> make_anew(const core::Caller& caller, const core::IdempotentCall& call,
                                   std::string_view operation, const http::Request& request,
                                   const core::StoredAnswer& lost);
  Result<std::optional<core::StoredAnswer>> find(const core::IdempotentCall& call);
  Status keep(const core::Caller& caller, const core::IdempotentCall& call,
              const http::Response& response);

  core::Store& store_;
  const core::Operations& operations_;
  Guarded<std::set<std::string>> running_;  // bounded by the number of workers
  Counter& replayed_;
  Counter& made_anew_;
};

}  // namespace holdfast::api
