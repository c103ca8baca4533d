#include "server/core/audit.hpp"

#include <algorithm>

#include "libs/base/log.hpp"
#include "libs/crypto/hash.hpp"

namespace holdfast::core::audit {

namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kSaltBytes = 32;
constexpr std::string_view kColumns =
    "seq, at, actor, action, object, request_id, payload, payload_digest, prev_hash, hash";

Bytes digest_of(View bytes) {
  const crypto::Sha256 digest = crypto::sha256(bytes);
  return {digest.begin(), digest.end()};
}

Bytes seq_key(std::uint64_t seq) {
  Bytes key;
  store_be(key, seq);
  return key;
}

std::string quoted(std::string_view text) {
  return "\"" + json_escape(text) + "\"";
}

struct Head {
  std::uint64_t next = 0;
  Bytes hash = Bytes(kHashBytes);
};

Result<Head> head_of(sql::Tx& tx) {
  const auto head =
      TRY(tx.one("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", {}, [](sql::Row& row) {
        return Head{static_cast<std::uint64_t>(row.integer(0)) + 1, row.blob(1)};
      }));
  return head.value_or(Head{});
}

Bytes payload_plain(View salt, std::string_view before, std::string_view after) {
  Bytes plain(salt.begin(), salt.end());
  store_be(plain, static_cast<std::uint64_t>(before.size()));
  holdfast::append(plain, view_of(before));
  holdfast::append(plain, view_of(after));
  return plain;
}

// Fills salt, before and after from the column; a payload whose key is gone counts as erased.
Status open_payload(const seal::Sealer& sealer, const std::optional<Bytes>& sealed, Entry& entry) {
  if (!sealed) {
    entry.erased = true;
    return {};
  }
  const Bytes row = seq_key(entry.seq);
  const auto plain = sealer.open({"audit", row, "payload"}, *sealed);
  if (!plain) {
    entry.erased = true;
    return {};
  }
  ByteReader reader(*plain);
  const View salt = TRY(reader.take(kSaltBytes));
  entry.salt.assign(salt.begin(), salt.end());
  const auto length = TRY(reader.be<std::uint64_t>());
  entry.before = string_of(TRY(reader.take(length)));
  entry.after = string_of(TRY(reader.take(reader.left())));
  return {};
}

struct StoredEntry {
  Entry entry;
  std::optional<Bytes> payload;
};

StoredEntry read_entry(sql::Row& row) {
  StoredEntry stored;
  Entry& entry = stored.entry;
  entry.seq = static_cast<std::uint64_t>(row.integer(0));
  entry.time = row.time(1);
  entry.actor = row.text(2);
  entry.action = row.text(3);
  entry.object = row.text(4);
  entry.request_id = row.maybe_text(5).value_or("");
  stored.payload = row.maybe_blob(6);
  entry.payload_digest = row.blob(7);
  entry.prev_hash = row.blob(8);
  entry.hash = row.blob(9);
  return stored;
}

Result<std::vector<Entry>> select(sql::Tx& tx, const seal::Sealer& sealer, const std::string& rest,
                                  const sql::Params& params) {
  auto stored =
      TRY(tx.list("SELECT " + std::string(kColumns) + " FROM audit " + rest, params, read_entry));
  std::vector<Entry> entries;
  for (StoredEntry& one : stored) {
    TRY(open_payload(sealer, one.payload, one.entry));
    entries.push_back(std::move(one.entry));
  }
  return entries;
}

}  // namespace

std::string entry_bytes(const Entry& entry) {
  return "{\"v\":1,\"seq\":" + std::to_string(entry.seq) +
         ",\"time\":" + quoted(to_rfc3339(entry.time)) + ",\"actor\":" + quoted(entry.actor) +
         ",\"action\":" + quoted(entry.action) + ",\"object\":" + quoted(entry.object) +
         ",\"request_id\":" + (entry.request_id.empty() ? "null" : quoted(entry.request_id)) +
         ",\"payload\":" + quoted(to_hex(entry.payload_digest)) +
         ",\"prev_hash\":" + quoted(to_hex(entry.prev_hash)) + "}";
}

Bytes leaf_hash(const Entry& entry) {
  Bytes leaf{0x00};
  holdfast::append(leaf, view_of(entry_bytes(entry)));
  return digest_of(leaf);
}

Bytes payload_digest(View salt, std::string_view before, std::string_view after) {
  return digest_of(payload_plain(salt, before, after));
}

std::string payload_purpose(std::string_view object) {
  const bool subject =
      object.starts_with(DeviceTag::kPrefix) || object.starts_with(UserTag::kPrefix);
  return subject ? "subject:" + std::string(object) : std::string(seal::kPurpose);
}

Result<std::uint64_t> append(sql::Tx& tx, const seal::Sealer& sealer, os::Entropy& entropy,
                             Entry entry) {
  if (entry.actor.empty() || entry.action.empty() || entry.object.empty()) {
    return fail(Code::internal, "an audit entry needs actor, action and object");
  }
  if (entry.object.size() > kObjectBytesMax)
    return fail(Code::internal, "the object of an audit entry is no id");
  if (entry.before.size() + entry.after.size() > kPayloadBytesMax) {
    return fail(Code::body_too_large, "what the audit would keep is larger than 256 KiB");
  }
  Head head = TRY(head_of(tx));
  entry.seq = head.next;
  entry.prev_hash = std::move(head.hash);
  entry.salt = entropy.bytes(kSaltBytes);
  const Bytes plain = payload_plain(entry.salt, entry.before, entry.after);
  entry.payload_digest = digest_of(plain);
  entry.hash = digest_of(view_of(entry_bytes(entry)));
  const Bytes row = seq_key(entry.seq);
  Bytes sealed = TRY(sealer.seal({"audit", row, "payload"}, plain, payload_purpose(entry.object)));
  TRY(tx.exec(
      "INSERT INTO audit (seq, at, actor, action, object, request_id, payload, payload_digest,"
      " prev_hash, hash) VALUES (?,?,?,?,?,?,?,?,?,?)",
      {entry.seq, entry.time, entry.actor, entry.action, entry.object,
       entry.request_id.empty() ? sql::Param(nullptr) : sql::Param(entry.request_id),
       std::move(sealed), entry.payload_digest, entry.prev_hash, entry.hash}));
  return entry.seq;
}

Result<std::vector<Entry>> list(sql::Tx& tx, const seal::Sealer& sealer, const Query& query) {
  std::string where = "WHERE TRUE";
  sql::Params params;
  const auto add = [&](std::string_view condition, sql::Param value) {
    where += " AND " + std::string(condition);
    params.push_back(std::move(value));
  };
  if (query.from_seq) add("seq >= ?", *query.from_seq);
  if (query.to_seq) add("seq <= ?", *query.to_seq);
  if (!query.actor.empty()) add("actor = ?", query.actor);
  if (!query.object.empty()) add("object = ?", query.object);
  if (!query.action.empty()) add("action = ?", query.action);
  where += query.from_seq ? " ORDER BY seq LIMIT ?" : " ORDER BY seq DESC LIMIT ?";
  params.emplace_back(static_cast<std::uint64_t>(query.limit));
  return select(tx, sealer, where, params);
}

Result<std::optional<Entry>> find(sql::Tx& tx, const seal::Sealer& sealer, std::uint64_t seq) {
  auto entries = TRY(select(tx, sealer, "WHERE seq = ?", {seq}));
  if (entries.empty()) return std::optional<Entry>{};
  return std::optional<Entry>(std::move(entries.front()));
}

Result<std::uint64_t> count(sql::Tx& tx) {
  const Head head = TRY(head_of(tx));
  return head.next;
}

Result<std::uint64_t> erase_payloads(sql::Tx& tx, std::string_view object) {
  const auto erased = TRY(tx.exec(
      "UPDATE audit SET payload = NULL WHERE object = ? AND payload IS NOT NULL", {object}));
  return static_cast<std::uint64_t>(erased);
}

}  // namespace holdfast::core::audit
