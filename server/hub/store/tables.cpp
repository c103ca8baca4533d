#include "server/hub/store/tables.hpp"

#include "server/hub/hub.hpp"

namespace holdfast::hub {
namespace {

constexpr std::string_view kSessions = R"(
CREATE TABLE hub_session (
  tag {int} PRIMARY KEY,            -- random; names the session in the journal's resend window
  device_id {id} NOT NULL,
  kind {int} NOT NULL,              -- 0: MQTT, 1: the mailbox of a long poll
  client_id {text} NOT NULL,
  version {int} NOT NULL,           -- MQTT protocol level
  expiry_s {int} NOT NULL,
  opened_at {int} NOT NULL,
  offline_since {int},              -- NULL: live
  ends_at {int}                     -- NULL: live
) {strict};
CREATE UNIQUE INDEX hub_session_client ON hub_session (device_id, kind, client_id);
CREATE INDEX hub_session_ends ON hub_session (ends_at);

CREATE TABLE hub_subscription (
  tag {int} NOT NULL,
  filter {text} NOT NULL,
  qos {int} NOT NULL,
  PRIMARY KEY (tag, filter)
) {strict};

CREATE TABLE hub_inflight (
  tag {int} NOT NULL,
  message_key {text} NOT NULL,      -- "command:cmd_...", "twin:17"
  packet_id {int},                  -- NULL: settled, not to be sent again
  position {int} NOT NULL,          -- order of sending
  PRIMARY KEY (tag, message_key)
) {strict};
)";

constexpr std::string_view kWills = R"(
CREATE TABLE hub_will (
  id {int} PRIMARY KEY,             -- random; names it in the journal's resend window
  device_id {id} NOT NULL,
  client_id {text} NOT NULL,
  topic {text} NOT NULL,
  payload {blob} NOT NULL,          -- sealed
  delay_s {int} NOT NULL,
  due_at {int}                      -- NULL: its connection lives
) {strict};
)";

}  // namespace

std::vector<core::Migration> hub_migrations() {
  return {{"hub", 1, "sessions", kSessions, {}}, {"hub", 2, "wills", kWills, {}}};
}

}  // namespace holdfast::hub

namespace holdfast::hub::tables {
namespace {

std::int64_t number_of(std::uint64_t tag) {
  return static_cast<std::int64_t>(tag);
}

WallTime end_of(WallTime from, std::uint32_t expiry_s) {
  return from + seconds(expiry_s);
}

Status remove_rows(sql::Tx& tx, std::uint64_t tag) {
  for (const auto* statement :
       {"DELETE FROM hub_inflight WHERE tag = ?", "DELETE FROM hub_subscription WHERE tag = ?",
        "DELETE FROM hub_session WHERE tag = ?"}) {
    TRY(tx.exec(statement, {number_of(tag)}));
  }
  return {};
}

Status remove_session(sql::Tx& tx, std::uint64_t tag, Over& over) {
  over.push_back(tag);
  return remove_rows(tx, tag);
}

// What comes late for a session that is over leaves no rows.
Result<bool> exists(sql::Tx& tx, std::uint64_t tag) {
  return TRY(tx.number("SELECT COUNT(*) FROM hub_session WHERE tag = ?", {number_of(tag)})) > 0;
}

Result<Kept> load(sql::Tx& tx, std::uint64_t tag) {
  Kept kept;
  kept.tag = tag;
  kept.granted =
      TRY(tx.list("SELECT filter, qos FROM hub_subscription WHERE tag = ? ORDER BY filter",
                  {number_of(tag)}, [](sql::Row& row) {
                    return Granted{row.text(0), static_cast<std::uint8_t>(row.integer(1))};
                  }));
  TRY(tx.query("SELECT message_key, packet_id FROM hub_inflight WHERE tag = ? ORDER BY position",
               {number_of(tag)}, [&](sql::Row& row) {
                 if (const auto packet_id = row.maybe_integer(1)) {
                   kept.in_flight.push_back({static_cast<std::uint16_t>(*packet_id), row.text(0)});
                 } else {
                   kept.settled.push_back(row.text(0));
                 }
               }));
  return kept;
}

struct Found {
  std::uint64_t tag = 0;
  std::optional<WallTime> ends_at;
};

Result<std::optional<Found>> look(sql::Tx& tx, DeviceId device, Kind kind,
                                  std::string_view client_id) {
  return tx.one(
      "SELECT tag, ends_at FROM hub_session WHERE device_id = ? AND kind = ? AND client_id = ?",
      {device, static_cast<int>(kind), client_id}, [](sql::Row& row) {
        return Found{static_cast<std::uint64_t>(row.integer(0)), row.maybe_time(1)};
      });
}

}  // namespace

Result<std::optional<Kept>> open(sql::Tx& tx, DeviceId device, Kind kind, const Open& request,
                                 WallTime now, Over& over) {
  auto found = TRY(look(tx, device, kind, request.client_id));
  std::optional<Kept> kept;
  if (found && (request.clean || (found->ends_at && *found->ends_at <= now))) {
    TRY(remove_session(tx, found->tag, over));
    found.reset();
  }
  if (found) {
    kept = TRY(load(tx, found->tag));
    if (request.expiry_s == 0) {  // it goes on, but ends with this connection
      TRY(remove_rows(tx, found->tag));
    } else {
      TRY(tx.exec(
          "UPDATE hub_session SET version = ?, expiry_s = ?, opened_at = ?, offline_since = NULL, "
          "ends_at = NULL WHERE tag = ?",
          {static_cast<int>(request.version), request.expiry_s, now, number_of(found->tag)}));
    }
  } else if (request.expiry_s > 0) {
    TRY(tx.exec(
        "INSERT INTO hub_session (tag, device_id, kind, client_id, version, expiry_s, opened_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        {number_of(request.tag), device, static_cast<int>(kind), request.client_id,
         static_cast<int>(request.version), request.expiry_s, now}));
  }
  return kept;
}

Status save_granted(sql::Tx& tx, std::uint64_t tag, const std::vector<Granted>& granted) {
  if (!TRY(exists(tx, tag))) return {};
  TRY(tx.exec("DELETE FROM hub_subscription WHERE tag = ?", {number_of(tag)}));
  for (const auto& each : granted) {
    TRY(tx.exec("INSERT INTO hub_subscription (tag, filter, qos) VALUES (?, ?, ?)",
                {number_of(tag), each.filter, static_cast<int>(each.qos)}));
  }
  return {};
}

Status add_in_flight(sql::Tx& tx, std::uint64_t tag, const std::vector<InFlight>& rows) {
  if (!TRY(exists(tx, tag))) return {};
  auto position =
      TRY(tx.number("SELECT MAX(position) FROM hub_inflight WHERE tag = ?", {number_of(tag)}));
  for (const auto& row : rows) {
    // A settled key that is asked for again (a new SUBSCRIBE, the same twin) flies once more.
    TRY(tx.exec("DELETE FROM hub_inflight WHERE tag = ? AND message_key = ?",
                {number_of(tag), row.key}));
    TRY(tx.exec(
        "INSERT INTO hub_inflight (tag, message_key, packet_id, position) VALUES (?, ?, ?, ?)",
        {number_of(tag), row.key, static_cast<int>(row.packet_id), ++position}));
  }
  return {};
}

Status settle(sql::Tx& tx, std::uint64_t tag, std::string_view key) {
  const auto changed =
      TRY(tx.exec("UPDATE hub_inflight SET packet_id = NULL WHERE tag = ? AND message_key = ?",
                  {number_of(tag), key}));
  if (changed > 0 || !TRY(exists(tx, tag))) return {};
  TRY(tx.exec(
      "INSERT INTO hub_inflight (tag, message_key, packet_id, position) VALUES (?, ?, NULL, 0)",
      {number_of(tag), key}));
  return {};
}

Status forget(sql::Tx& tx, std::uint64_t tag, const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    TRY(tx.exec("DELETE FROM hub_inflight WHERE tag = ? AND message_key = ?",
                {number_of(tag), key}));
  }
  return {};
}

Status leave(sql::Tx& tx, DeviceId device, std::uint64_t tag, std::uint32_t expiry_s, WallTime now,
             Over& over) {
  if (expiry_s == 0) return remove_session(tx, tag, over);
  TRY(tx.exec("UPDATE hub_session SET expiry_s = ?, offline_since = ?, ends_at = ? WHERE tag = ?",
              {expiry_s, now, end_of(now, expiry_s), number_of(tag)}));
  const auto offline = TRY(tx.list(
      "SELECT tag FROM hub_session WHERE device_id = ? AND kind = ? AND offline_since IS NOT NULL "
      "ORDER BY offline_since DESC, tag LIMIT 64",
      {device, static_cast<int>(Kind::mqtt)},
      [](sql::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
  for (std::size_t i = kOfflineSessionsMax; i < offline.size(); ++i)
    TRY(remove_session(tx, offline[i], over));
  return {};
}

Status end_all(sql::Tx& tx, DeviceId device, Over& over) {
  const auto tags =
      TRY(tx.list("SELECT tag FROM hub_session WHERE device_id = ?", {device},
                  [](sql::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
  for (const auto tag : tags) TRY(remove_session(tx, tag, over));
  return {};
}

Status all_offline(sql::Tx& tx, WallTime now) {
  TRY(
      tx.exec("UPDATE hub_session SET offline_since = ?, ends_at = ? + expiry_s * 1000000 WHERE "
              "offline_since IS NULL",
              {now, now}));
  return {};
}

Result<std::int64_t> expire(sql::Tx& tx, WallTime now, Over& over) {
  const auto ended =
      TRY(tx.list("SELECT tag FROM hub_session WHERE ends_at <= ? ORDER BY ends_at LIMIT ?",
                  {now, std::int64_t{kExpireBatch}},
                  [](sql::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); }));
  for (const auto tag : ended) TRY(remove_session(tx, tag, over));
  return static_cast<std::int64_t>(ended.size());
}

// ---- wills

namespace {

seal::Place place_of(View id) {
  return {"hub_will", id, "payload"};
}

}  // namespace

Status add_will(sql::Tx& tx, const seal::Sealer& sealer, DeviceId device,
                std::string_view client_id, const FireWill& will) {
  const auto row = std::to_string(number_of(will.id));
  const Bytes payload = TRY(sealer.seal(place_of(view_of(row)), will.payload));
  TRY(
      tx.exec("INSERT INTO hub_will (id, device_id, client_id, topic, payload, delay_s) "
              "VALUES (?, ?, ?, ?, ?, ?)",
              {number_of(will.id), device, client_id, will.topic, payload, will.delay_s}));
  return {};
}

Status delay_will(sql::Tx& tx, std::uint64_t id, WallTime due_at) {
  TRY(tx.exec("UPDATE hub_will SET due_at = ? WHERE id = ?", {due_at, number_of(id)}));
  return {};
}

Status drop_will(sql::Tx& tx, std::uint64_t id) {
  TRY(tx.exec("DELETE FROM hub_will WHERE id = ?", {number_of(id)}));
  return {};
}

Status wills_wait(sql::Tx& tx, WallTime now) {
  TRY(tx.exec("UPDATE hub_will SET due_at = ? + delay_s * 1000000 WHERE due_at IS NULL", {now}));
  return {};
}

Result<std::vector<StoredWill>> waiting_wills(sql::Tx& tx, const seal::Sealer& sealer,
                                              std::optional<std::int64_t> after) {
  return tx.list(
      "SELECT id, device_id, client_id, topic, payload, due_at FROM hub_will WHERE id > ? AND "
      "due_at IS NOT NULL ORDER BY id LIMIT ?",
      {after.value_or(INT64_MIN), std::int64_t{kWillsPage}}, [&](sql::Row& row) {
        const auto id = row.integer(0);
        StoredWill stored{row.id<DeviceId>(1), row.text(2), {}, row.time(5)};
        stored.will.id = static_cast<std::uint64_t>(id);
        const auto name = std::to_string(id);
        auto payload = sealer.open(place_of(view_of(name)), row.blob(4));
        if (!payload) return stored;
        stored.will.topic = row.text(3);
        stored.will.payload = std::move(*payload);
        return stored;
      });
}

// ---- mailboxes

Result<Mailbox> mailbox(sql::Tx& tx, DeviceId device, WallTime now) {
  const auto found = TRY(look(tx, device, Kind::mailbox, {}));
  if (!found || !found->ends_at || *found->ends_at <= now) return Mailbox{};
  return Mailbox{found->tag, *found->ends_at, TRY(load(tx, found->tag)).settled};
}

Status mailbox_settle(sql::Tx& tx, DeviceId device, std::string_view key, std::uint64_t new_tag,
                      WallTime now) {
  Open request;
  request.expiry_s = kSessionExpiryMax_s;
  request.clean = false;
  request.tag = new_tag;
  Over over;  // it is in no resend window
  const auto kept = TRY(open(tx, device, Kind::mailbox, request, now, over));
  const auto tag = kept ? kept->tag : new_tag;
  TRY(tx.exec("DELETE FROM hub_inflight WHERE tag = ?", {number_of(tag)}));
  TRY(settle(tx, tag, key));
  return mailbox_touch(tx, tag, now);
}

Status mailbox_touch(sql::Tx& tx, std::uint64_t tag, WallTime now) {
  TRY(tx.exec("UPDATE hub_session SET offline_since = ?, ends_at = ? WHERE tag = ?",
              {now, now + kMailboxAge, number_of(tag)}));
  return {};
}

Result<std::vector<std::uint64_t>> tags(sql::Tx& tx, DeviceId device) {
  return tx.list("SELECT tag FROM hub_session WHERE device_id = ?", {device},
                 [](sql::Row& row) { return static_cast<std::uint64_t>(row.integer(0)); });
}

}  // namespace holdfast::hub::tables
