// What the server knows of TPMs: which makers it trusts, which endorsement keys it expects or has seen, what
// each TPM said last. Values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/tpm/checks.hpp"
#include "server/devices/model.hpp"

namespace holdfast::identity {

inline constexpr Duration kChallengeLife = minutes(10);
inline constexpr std::size_t kChallengesMax = 4'096;  // at once; the oldest makes room
inline constexpr Duration kAttestEvery = hours(24);    // what devices are asked for
inline constexpr Duration kAttestStaleAfter = days(3);
inline constexpr std::size_t kEndorsementRootsMax = 256;
inline constexpr std::int64_t kAttestationsKept = 100;  // of one device
// Of the SHA-256 bank: firmware, its configuration, boot loader, secure boot policy.
inline constexpr unsigned kAttestedPcrs[] = {0, 1, 2, 3, 4, 5, 6, 7};

// A CA of a TPM maker.
struct EndorsementRoot {
  std::string fingerprint;  // SHA-256 of the certificate, hexadecimal
  std::string name;
  Bytes der;
  bool admits = false;  // any TPM that chains to it may enrol; else it must be registered or bring a claim
  WallTime not_after, created_at;
  std::string created_by;
};

// An endorsement key: registered before its device came, or seen with it.
struct Endorsement {
  std::string hash;  // SHA-256 of its SubjectPublicKeyInfo, hexadecimal
  bool registered = false;
  std::string name, serial;
  std::optional<TypeId> type;
  std::optional<SiteId> site;
  devices::Tags tags;
  std::string created_by;
  WallTime created_at;
  // Since a device enrolled with it:
  std::optional<DeviceId> device;
  Bytes attestation_public;  // TPM2B_PUBLIC
  std::string root;          // fingerprint of the maker's root; empty: by its hash alone
  tpm::ClockInfo clock;
  std::optional<WallTime> last_at;
  tpm::PcrValues baseline, pcrs;  // accepted; last said
  bool stale = false;             // silent for kAttestStaleAfter, and told so
};

// One line of a device's history.
struct Attestation {
  WallTime at;
  std::string purpose;  // "enrol", "readmit", "check"
  std::string outcome;  // "ok", "drifted", or a code of problems.yaml
  std::string detail;
};

}  // namespace holdfast::identity
