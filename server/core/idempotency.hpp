// Idempotency-Key (contract/openapi.yaml): a POST repeated with the same key, caller, operation and
// body gets the stored answer; with another body, idempotency_mismatch. Answers are kept sealed for
// 24 h. The change marks the call as done in its own transaction (Caller::once), with the object
// that it made or changed; the answer follows in one of its own. A kill between the two loses the
// answer, and never does the change again: find_answer() gives the mark, of which the answer is
// made anew.
// Threads: find_answer() from workers; mark_done() and keep_answer() inside a change.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/core/change.hpp"

namespace holdfast::core {

inline constexpr std::size_t kIdempotencyKeyBytesMax = 128;
inline constexpr std::size_t kIdempotencyAnswerBytesMax = 256 * 1024;
inline constexpr Duration kIdempotencyKeep = hours(24);

struct IdempotentCall {
  std::string caller;     // Caller::id
  std::string operation;  // operation id of the contract, with the path's ids
  std::string key;        // as sent; invalid_argument if empty, too long or not printable
  Bytes body_digest;      // SHA-256 of the request body
};
struct StoredAnswer {
  int status = 0;
  std::string headers;  // "Name: value\n" lines that a replay repeats (ETag, Location)
  std::string body;
  // The call was carried out and its answer is lost: status is 0, and this is what is known.
  bool lost() const { return status == 0; }
  std::string object{};  // id of what was made or changed
  std::string kept{};    // JSON object: members that can be read nowhere else; or empty
};

// The stored answer or the mark of a lost one, nothing (run the call), or idempotency_mismatch.
Result<std::optional<StoredAnswer>> find_answer(sql::Tx& tx, const seal::Sealer& sealer,
                                                const IdempotentCall& call, WallTime now);
Status mark_done(Change& change, const IdempotentCall& call);
Status keep_answer(Change& change, const IdempotentCall& call, const StoredAnswer& answer);
// Removes what is older than kIdempotencyKeep; for a job. Answers how many.
Result<std::int64_t> trim_answers(sql::Tx& tx, WallTime now);

}  // namespace holdfast::core
