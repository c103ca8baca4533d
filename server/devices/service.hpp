// The devices domain as the others see it: the registry (who is there, where, of what type, in what
// state) and presence (who is connected, since when, why the last connection ended).
//
// Tables: `device (id, site_id, name, state)` is the one table that other domains may join, to
// scope and to name what they list; everything else goes through Service. Threads: every call may
// block on SQL; call from workers. Presence calls are cheap and may come from any thread: what
// changes with every message lives in memory and is flushed in batches.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/json.hpp"
#include "server/core/change.hpp"
#include "server/devices/model.hpp"

namespace holdfast::devices {

class Service {
 public:
  virtual ~Service() = default;

  // Inside a change of another domain (identity enrols): the record is made in that transaction.
  virtual Result<DeviceId> create(core::Change& change, const NewDevice& device) = 0;
  // State moves that identity decides (enrolled -> active on first connection happens by itself).
  virtual Status set_state(core::Change& change, DeviceId device, State state,
                           std::string_view reason) = 0;
  // A new certificate was issued in this change: it becomes the device's newest, and a revocation
  // of the earlier ones ends.
  virtual Status set_certificate(core::Change& change, DeviceId device,
                                 const Certificate& certificate) = 0;
  // Other hardware took the device's place.
  virtual Status set_serial(core::Change& change, DeviceId device, std::string_view serial) = 0;
  virtual Result<Device> find(DeviceId device) = 0;
  // Inside a transaction of the caller's; nullopt: there is none.
  virtual Result<std::optional<Device>> look(sql::Tx& tx, DeviceId device) = 0;
  // The device as operators see it (schema Device of the contract).
  virtual Result<wire::Json> view(DeviceId device) = 0;

  // What the device says of itself; stored sealed, durable on return.
  virtual Status hello(DeviceId device, const wire::Json& hello) = 0;
  virtual Status inventory(DeviceId device, const wire::Json& inventory) = 0;

  // Presence.
  virtual void connected(DeviceId device, std::string_view protocol, std::string_view address,
                         WallTime at) = 0;
  virtual void disconnected(DeviceId device, const Disconnect& why, WallTime at) = 0;
  virtual void seen(DeviceId device, WallTime at) = 0;
  virtual void https_seen(DeviceId device, std::string_view address, WallTime at) = 0;
  virtual Presence presence(DeviceId device) const = 0;
  // Told of each change between online and offline, on the thread that caused it: keep it short.
  virtual void on_presence(std::function<void(DeviceId, bool online)> told) = 0;
};

// The device, if the caller holds the permission at its site; else what to answer instead:
// forbidden, or not_found to callers who may see everything.
Result<Device> require_device(Service& devices, sql::Tx& tx, const core::Caller& caller,
                              std::string_view permission, DeviceId id);

}  // namespace holdfast::devices
