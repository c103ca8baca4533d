// Claims and join codes, as people copy, read out and scan them (contract/device-protocol.md).
//
// A claim is "hfc_" and 26 characters of Crockford's base32 in lower case: 25 of randomness (125
// bits) and one check character, which finds any wrong character and any two that changed places.
// Shown in groups: "hfc_4k7q-9w2m-...". Reading is forgiving: any case, blanks and hyphens anywhere,
// O as 0, I and L as 1, the prefix left out.
//
// A join code is "hf1." and base64url of what a device needs to find and trust its server.
// Errors: Code::invalid_argument, saying what to do. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::est {

inline constexpr std::size_t kClaimRandomBytes = 16;
inline constexpr std::size_t kJoinHostsMax = 8;
inline constexpr std::size_t kJoinHostBytesMax = 253;
inline constexpr std::size_t kJoinCodeBytesMax = 4096;  // of text

// The canonical form, from 125 of the random bits.
std::string make_claim(std::span<const std::uint8_t, kClaimRandomBytes> random);
// The canonical form of what somebody typed.
Result<std::string> parse_claim(std::string_view typed);
std::string grouped_claim(std::string_view canonical);  // "hfc_xxxxx-xxxxx-xxxxx-xxxxx-xxxxxx"

struct JoinCode {
  std::vector<std::string> hosts;  // names or addresses, most promising first
  std::uint16_t device_port = 0;   // HTTPS: EST, downloads
  std::uint16_t mqtt_port = 0;
  std::array<std::uint8_t, 32> ca_fingerprint{};  // SHA-256 of the root certificate
  std::string claim;                              // canonical
  bool operator==(const JoinCode&) const = default;
};

Result<std::string> encode_join_code(const JoinCode& code);
// Blanks and line breaks inside are dropped, as terminals and mail wrap long lines.
Result<JoinCode> parse_join_code(std::string_view text);

}  // namespace holdfast::est
