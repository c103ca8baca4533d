// The SQL of sessions: what must outlive the process. Payloads are not here: messages stay with the
// domain that sent them, under their keys. A session is named by its tag; times are the server's.
// Functions of a Tx run where that Tx runs.
#pragma once

#include "server/core/migrate.hpp"
#include "server/hub/session/model.hpp"
#include "server/store/seal/sealer.hpp"
#include "server/store/sql/sql.hpp"

namespace holdfast::hub::tables {

enum class Kind : std::uint8_t { mqtt = 0, mailbox = 1 };  // mailbox: what a long poll has taken

inline constexpr std::size_t kExpireBatch = 500;
inline constexpr std::size_t kWillsPage = 200;

// Tags of sessions that are over: nothing of them comes again.
using Over = std::vector<std::uint64_t>;

// Takes up or begins the session of (device, kind, client id). With `clean`, or when its time is
// over, what there was is removed. nullopt: nothing was taken up; with expiry_s > 0 a new one is
// stored.
Result<std::optional<Kept>> open(sql::Tx& tx, DeviceId device, Kind kind, const Open& request,
                                 WallTime now, Over& over);
Status save_granted(sql::Tx& tx, std::uint64_t tag, const std::vector<Granted>& granted);
Status add_in_flight(sql::Tx& tx, std::uint64_t tag, const std::vector<InFlight>& rows);
Status settle(sql::Tx& tx, std::uint64_t tag, std::string_view key);
Status forget(sql::Tx& tx, std::uint64_t tag, const std::vector<std::string>& keys);
// The connection ended. Without expiry the session goes; else it is offline, and of more than
// kOfflineSessionsMax the ones that have been offline for longest go.
Status leave(sql::Tx& tx, DeviceId device, std::uint64_t tag, std::uint32_t expiry_s, WallTime now,
             Over& over);
// The device may not come back: all its sessions go.
Status end_all(sql::Tx& tx, DeviceId device, Over& over);
// At start: whatever was live when the last process ended is offline from now on.
Status all_offline(sql::Tx& tx, WallTime now);
// The sessions of a device, by which the journal knows its resends.
Result<std::vector<std::uint64_t>> tags(sql::Tx& tx, DeviceId device);
// Removes at most kExpireBatch sessions whose time is over; answers how many.
Result<std::int64_t> expire(sql::Tx& tx, WallTime now, Over& over);

// Wills, from CONNECT until they are published or dropped; payloads are sealed.
struct StoredWill {
  DeviceId device;
  std::string client_id;
  FireWill will;
  WallTime due_at;
};
Status add_will(sql::Tx& tx, const seal::Sealer& sealer, DeviceId device,
                std::string_view client_id, const FireWill& will);
// Its connection has ended: it waits.
Status delay_will(sql::Tx& tx, std::uint64_t id, WallTime due_at);
Status drop_will(sql::Tx& tx, std::uint64_t id);
// At start: the connections of the last process have ended, all of them.
Status wills_wait(sql::Tx& tx, WallTime now);
// By rising id, at most kWillsPage; one that cannot be opened has an empty topic.
Result<std::vector<StoredWill>> waiting_wills(sql::Tx& tx, const seal::Sealer& sealer,
                                              std::optional<std::int64_t> after);

// The mailbox of a device's long polls holds the key that it has acknowledged and that the domain
// may still offer: one, the newest. It is kept for kMailboxAge after its last use.
struct Mailbox {
  std::uint64_t tag = 0;  // 0: there is none
  WallTime ends_at;
  std::vector<std::string> settled;
};
Result<Mailbox> mailbox(sql::Tx& tx, DeviceId device, WallTime now);
Status mailbox_settle(sql::Tx& tx, DeviceId device, std::string_view key, std::uint64_t new_tag,
                      WallTime now);
Status mailbox_touch(sql::Tx& tx, std::uint64_t tag, WallTime now);

}  // namespace holdfast::hub::tables
