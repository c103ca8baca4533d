// PresenceBook: who is connected, in memory, because it changes with every message; written to
// device_presence in batches (each kPresenceFlush, and transitions before a list is read). After a
// crash at most that much of "last seen" is older than it was; sessions of the former process are
// closed at start with reason `server-shutting-down`.
// Threads: all calls from any thread.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "libs/base/guarded.hpp"
#include "server/devices/tables.hpp"

namespace holdfast::devices {

inline constexpr Duration kPresenceFlush = seconds(10);

class PresenceBook {
 public:
  using Told = std::function<void(DeviceId, bool online)>;

  // Rows as loaded at start; live sessions in them ended with the process that had them.
  void load(std::vector<PresenceRow> rows, WallTime now);
  void on_change(Told told);

  void connected(DeviceId device, std::string_view protocol, std::string_view address, WallTime at);
  void disconnected(DeviceId device, const Disconnect& why, WallTime at);
  void seen(DeviceId device, WallTime at);
  void https_seen(DeviceId device, std::string_view address, WallTime at);
  Presence of(DeviceId device) const;
  std::size_t online_count(WallTime now) const;
  // Tells of HTTPS devices whose grace ended in silence since the last call.
  void lapse(WallTime now);

  // What must be written: all that changed, or only what decides about online. Taken rows
  // count as written; give them back with untake() when the write fails.
  std::vector<PresenceRow> take(bool transitions_only);
  void untake(const std::vector<PresenceRow>& rows);

 private:
  struct Book {
    std::unordered_map<DeviceId, Presence> rows;
    std::unordered_set<DeviceId> dirty, urgent;
    std::unordered_set<DeviceId> by_https;  // told to be online, perhaps by HTTPS alone
  };
  void tell(DeviceId device, bool online) const;
  Guarded<Book> book_;
  Guarded<std::vector<Told>> told_;
};

}  // namespace holdfast::devices
