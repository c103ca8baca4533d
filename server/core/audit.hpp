// The audit: one entry per object changed, in a hash chain and in an RFC 9162 Merkle tree over the
// same entries (decision 15). Rows live in SQL, in the transaction of the change; the tree's tiles
// and signed checkpoints (audit_log.hpp) are made from them afterwards and can be rebuilt.
//
// An entry's bytes, which chain and tree hash, are JSON with these members in this order, no
// spaces:
//   {"v":1,"seq":N,"time":"RFC 3339","actor":"...","action":"...","object":"...",
//    "request_id":"..." or null,"payload":"<64 hex>","prev_hash":"<64 hex>"}
// payload = SHA-256(salt 32 || length of before u64 BE || before || after). Salt, before and after
// lie sealed in one column and can be erased while the entry stays provable. For devices and people
// they are sealed under a key of their own (purpose "subject:<id>"): destroying it erases them in
// backups. hash = SHA-256(bytes); prev_hash of entry 0 is 64 zeros; leaf hash = SHA-256(0x00 ||
// bytes). Threads: functions of a Tx run where that Tx runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/time.hpp"
#include "libs/os/entropy.hpp"
#include "server/store/seal/sealer.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::core::audit {

inline constexpr std::size_t kPayloadBytesMax = 256 * 1024;  // before and after together
inline constexpr std::size_t kObjectBytesMax = 128;

struct Entry {
  std::uint64_t seq = 0;
  WallTime time;
  std::string actor;
  std::string action;
  std::string object;
  std::string request_id;  // empty: none
  std::string before;      // JSON text; empty: none, or erased
  std::string after;
  bool erased = false;
  Bytes salt;            // 32; empty when erased
  Bytes payload_digest;  // 32
  Bytes prev_hash;       // 32
  Bytes hash;            // 32
};

// The bytes that are hashed.
std::string entry_bytes(const Entry& entry);
Bytes leaf_hash(const Entry& entry);
Bytes payload_digest(View salt, std::string_view before, std::string_view after);

// Appends: fills in seq, prev_hash, payload_digest and hash. Answers the sequence number.
Result<std::uint64_t> append(sql::Tx& tx, const seal::Sealer& sealer, os::Entropy& entropy,
                             Entry entry);

struct Query {
  std::optional<std::uint64_t> from_seq;  // with it: oldest first from there; else newest first
  std::optional<std::uint64_t> to_seq;    // included
  std::string actor, object, action;      // empty: any
  std::size_t limit = 100;
};
Result<std::vector<Entry>> list(sql::Tx& tx, const seal::Sealer& sealer, const Query& query);
Result<std::optional<Entry>> find(sql::Tx& tx, const seal::Sealer& sealer, std::uint64_t seq);
Result<std::uint64_t> count(sql::Tx& tx);

// The ring's purpose that the payload of entries about `object` is sealed under.
std::string payload_purpose(std::string_view object);

// Removes before and after of all entries about `object`, with their salts; the chain stays whole.
// Answers how many were erased. The caller's own change says that it was done, and destroys the
// keys of payload_purpose() after the commit.
Result<std::uint64_t> erase_payloads(sql::Tx& tx, std::string_view object);

}  // namespace holdfast::core::audit
