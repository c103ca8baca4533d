// Idempotent: what the header Idempotency-Key promises (contract/openapi.yaml). The first call with
// a key runs, and its answer is kept for 24 h if it succeeded; the same call again gets that
// answer, with another body idempotency_mismatch; one that comes while the first still runs gets
// `conflict`. Keys are each caller's own.
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

namespace holdfast::api {

class Idempotent final {
 public:
  Idempotent(core::Store& store, Metrics& metrics);

  // Gets the caller to make its changes as: one that marks them with the key.
  using Run = std::function<Result<http::Response>(const core::Caller&)>;
  // `operation` is the operation id. Without the header, just runs.
  Result<http::Response> call(const core::Caller& caller, std::string_view operation,
                              const http::Request& request, const Run& run);

 private:
  Result<std::optional<core::StoredAnswer>> find(const core::IdempotentCall& call);
  Status keep(const core::Caller& caller, const core::IdempotentCall& call,
              const http::Response& response);

  core::Store& store_;
  Guarded<std::set<std::string>> running_;  // bounded by the number of workers
  Counter& replayed_;
};

}  // namespace holdfast::api
