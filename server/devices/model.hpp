// What the registry knows of a device. Values.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/id.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"
#include "libs/wire/json.hpp"

namespace holdfast::devices {

enum class State { unmanaged, registered, enrolled, active, quarantined, decommissioned };
inline constexpr std::array kStates{State::unmanaged, State::registered,  State::enrolled,
                                    State::active,    State::quarantined, State::decommissioned};
std::string_view name_of(State state);
std::optional<State> state_named(std::string_view name);

enum class EvidenceClass { hardware_attested, hardware_asserted, software, claim };
std::string_view name_of(EvidenceClass evidence);
std::optional<EvidenceClass> evidence_named(std::string_view name);
// Whether `held` proves at least as much as `demanded`; none demands nothing.
bool satisfies(EvidenceClass held, std::optional<EvidenceClass> demanded);

using Tags = std::map<std::string, std::string>;

// The newest certificate, as identity tells it.
struct Certificate {
  std::string serial;  // hexadecimal
  WallTime not_before, not_after;
  std::optional<WallTime> renews_at;
  std::string fingerprint_sha256;                 // hexadecimal
  std::string key_algorithm;                      // "P-256"
  EvidenceClass evidence = EvidenceClass::claim;  // becomes the device's
};

struct Quarantine {
  WallTime since;
  std::string reason;
  std::string by;  // id of who did it
};

// Online means: a live MQTT session, or an HTTPS request less than kHttpsOnline ago. This is the
// one definition; every list, badge and answer uses online_at().
inline constexpr Duration kHttpsOnline = seconds(120);

struct Presence {
  int sessions = 0;               // live MQTT sessions
  std::optional<WallTime> since;  // when it came online, or went offline
  std::optional<WallTime> last_seen;
  std::optional<WallTime> last_https;
  std::string
      last_disconnect_reason;  // "client", "connection-lost", or a problem code; empty: none yet
  std::string address;
  std::string protocol;  // mqtt-3.1.1, mqtt-5.0, https

  bool online_at(WallTime now) const {
    return sessions > 0 || (last_https && now < *last_https + kHttpsOnline);
  }
};

struct Device {
  DeviceId id;
  std::string name;
  State state = State::registered;
  std::optional<TypeId> type;
  std::string type_name;
  std::optional<SiteId> site;
  std::string site_name;
  Tags tags;
  std::optional<DeviceId> parent;
  std::string serial;
  std::string connectivity = "direct";
  std::string exposure = "unknown";
  EvidenceClass evidence = EvidenceClass::claim;
  std::optional<Certificate> certificate;
  bool revoked = false;  // every certificate up to now is void; a new claim ends it
  std::optional<Quarantine> quarantine;
  wire::Json hello;      // null before the first
  wire::Json inventory;  // null before the first
  std::int64_t revision = 1;
  WallTime created_at, updated_at;
};

struct NewDevice {
  std::string name;  // suggested; need not be unique
  std::string serial;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  Tags tags;
  EvidenceClass evidence = EvidenceClass::claim;
};

// What a name and a tag may be, wherever one is given. Pure; in rules.cpp.
inline constexpr std::size_t kNameBytesMax = 128;
inline constexpr std::size_t kTagsMax = 64;
inline constexpr std::size_t kTagKeyBytesMax = 64;
inline constexpr std::size_t kTagValueBytesMax = 256;
// 1 to kNameBytesMax bytes without control characters.
Status check_name(std::string_view name, std::string_view pointer = "/name");
Status check_tag(std::string_view key, std::string_view value);
Status check_tags(const Tags& tags);

// Why a connection ended, as every list, badge and answer shows it.
struct Disconnect {
  std::string reason;  // stable word: "client", "connection-lost", or a problem code
  std::string detail;
};

}  // namespace holdfast::devices
