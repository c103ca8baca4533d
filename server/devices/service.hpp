// The devices domain as the others see it: the registry (who is there, where, of what type, in what
// state) and presence (who is connected, since when, why the last connection ended).
//
// Threads: every call may block on SQL; call from workers. Presence calls are cheap and may come from
// any thread: what changes with every message lives in memory and is flushed in batches.
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

namespace holdfast::devices {

enum class State { unmanaged, registered, enrolled, active, quarantined, decommissioned };
enum class EvidenceClass { hardware_attested, hardware_asserted, software, claim };
std::string_view name_of(State state);
std::string_view name_of(EvidenceClass evidence);

struct Device {
  DeviceId id;
  std::string name;
  State state = State::registered;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  std::map<std::string, std::string> tags;
  std::optional<DeviceId> parent;
  EvidenceClass evidence = EvidenceClass::claim;
  std::int64_t revision = 0;
  WallTime created_at, updated_at;
};

struct NewDevice {
  std::string name;  // suggested; need not be unique
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  std::map<std::string, std::string> tags;
  EvidenceClass evidence = EvidenceClass::claim;
};

// Why a connection ended, as every list, badge and answer shows it.
struct Disconnect {
  std::string reason;  // stable word: "client", "keep-alive-timeout", "taken-over", "network", ...
  std::string detail;
};

class Service {
 public:
  virtual ~Service() = default;

  // Inside a change of another domain (identity enrols): the record is made in that transaction.
  virtual Result<DeviceId> create(core::Change& change, const NewDevice& device) = 0;
  // State moves that identity decides (enrolled -> active on first connection happens by itself).
  virtual Status set_state(core::Change& change, DeviceId device, State state, std::string_view reason) = 0;
  virtual Result<Device> find(DeviceId device) = 0;

  // What the device says of itself; stored sealed, durable on return.
  virtual Status hello(DeviceId device, const wire::Json& hello) = 0;
  virtual Status inventory(DeviceId device, const wire::Json& inventory) = 0;

  // Presence.
  virtual void connected(DeviceId device, std::string_view protocol, std::string_view address, WallTime at) = 0;
  virtual void disconnected(DeviceId device, const Disconnect& why, WallTime at) = 0;
  virtual void seen(DeviceId device, WallTime at) = 0;
};

}  // namespace holdfast::devices
