#include "server/core/idempotency.hpp"

#include <algorithm>

#include "libs/crypto/hash.hpp"

namespace holdfast::core {

namespace {

constexpr int kDone = 0;  // status of a call whose answer is not there yet

Status check_key(const IdempotentCall& call) {
  const bool good = !call.key.empty() && call.key.size() <= kIdempotencyKeyBytesMax &&
                    std::ranges::all_of(call.key, [](char c) { return c > 0x20 && c < 0x7f; });
  if (good) return {};
  return fail(Code::invalid_argument,
              "Idempotency-Key: 1 to 128 printable characters without spaces");
}

// What the row is found by; the parts cannot run into one another.
Bytes call_digest(const IdempotentCall& call) {
  Bytes text;
  for (const std::string& part : {call.caller, call.operation, call.key}) {
    store_le(text, static_cast<std::uint32_t>(part.size()));
    append(text, view_of(part));
  }
  const crypto::Sha256 digest = crypto::sha256(text);
  return {digest.begin(), digest.end()};
}

struct StoredRow {
  Bytes body_digest;
  int status = 0;
  Bytes answer;
  WallTime at;
};

}  // namespace

Result<std::optional<StoredAnswer>> find_answer(sql::Tx& tx, const seal::Sealer& sealer,
                                                const IdempotentCall& call, WallTime now) {
  TRY(check_key(call));
  const Bytes key = call_digest(call);
  const auto row =
      TRY(tx.one("SELECT body_digest, status, answer, at FROM idempotent_answer WHERE call = ?",
                 {key}, [](sql::Row& found) {
                   return StoredRow{found.blob(0), static_cast<int>(found.integer(1)),
                                    found.blob(2), found.time(3)};
                 }));
  if (!row || row->at + kIdempotencyKeep <= now) return std::optional<StoredAnswer>{};
  if (row->body_digest != call.body_digest) {
    return fail(Code::idempotency_mismatch,
                "this Idempotency-Key was sent with another body before");
  }
  if (row->status == kDone) {
    StoredAnswer lost;
    if (row->answer.empty()) return std::optional<StoredAnswer>(std::move(lost));
    const Bytes plain = TRY(sealer.open({"idempotent_answer", key, "mark"}, row->answer));
    ByteReader reader(plain);
    lost.object = string_of(TRY(reader.take(TRY(reader.le<std::uint32_t>()))));
    lost.kept = string_of(TRY(reader.take(reader.left())));
    return std::optional<StoredAnswer>(std::move(lost));
  }
  const Bytes plain = TRY(sealer.open({"idempotent_answer", key, "answer"}, row->answer));
  ByteReader reader(plain);
  StoredAnswer answer;
  answer.status = row->status;
  const auto headers = TRY(reader.le<std::uint32_t>());
  answer.headers = string_of(TRY(reader.take(headers)));
  answer.body = string_of(TRY(reader.take(reader.left())));
  return std::optional<StoredAnswer>(std::move(answer));
}

Status mark_done(Change& change, const IdempotentCall& call) {
  TRY(check_key(call));
  const Bytes key = call_digest(call);
  Bytes plain;
  store_le(plain, static_cast<std::uint32_t>(change.object().size()));
  append(plain, view_of(change.object()));
  append(plain, view_of(change.kept_for_answer()));
  const Bytes sealed = TRY(change.sealer().seal({"idempotent_answer", key, "mark"}, plain));
  TRY(change.tx().exec(
      "INSERT INTO idempotent_answer (call, body_digest, status, answer, at) VALUES (?,?,?,?,?)"
      " ON CONFLICT (call) DO UPDATE SET body_digest = excluded.body_digest,"
      " status = excluded.status, answer = excluded.answer, at = excluded.at",
      {key, call.body_digest, kDone, sealed, change.now()}));
  return {};
}

Status keep_answer(Change& change, const IdempotentCall& call, const StoredAnswer& answer) {
  TRY(check_key(call));
  if (answer.headers.size() + answer.body.size() > kIdempotencyAnswerBytesMax) {
    return fail(Code::internal, "an answer is too large to be kept for its Idempotency-Key");
  }
  const Bytes key = call_digest(call);
  Bytes plain;
  store_le(plain, static_cast<std::uint32_t>(answer.headers.size()));
  append(plain, view_of(answer.headers));
  append(plain, view_of(answer.body));
  const Bytes sealed = TRY(change.sealer().seal({"idempotent_answer", key, "answer"}, plain));
  // The mark of mark_done() is there, or an older row that has expired.
  TRY(change.tx().exec(
      "INSERT INTO idempotent_answer (call, body_digest, status, answer, at) VALUES (?,?,?,?,?)"
      " ON CONFLICT (call) DO UPDATE SET body_digest = excluded.body_digest,"
      " status = excluded.status, answer = excluded.answer, at = excluded.at",
      {key, call.body_digest, answer.status, sealed, change.now()}));
  return {};
}

Result<std::int64_t> trim_answers(sql::Tx& tx, WallTime now) {
  return tx.exec("DELETE FROM idempotent_answer WHERE at <= ?", {now - kIdempotencyKeep});
}

}  // namespace holdfast::core
