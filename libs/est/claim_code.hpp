// Claims and join codes, as people copy, read out and scan them (contract/device-protocol.md).
//
// A claim is "hfc_" and 26 characters of Crockford's base32 in lower case: 25 of randomness (125
// bits) and one check character, which finds any wrong character and any two that changed places.
// Shown in groups: "hfc_4k7q-9w2m-...". Reading is forgiving: any case, blanks and hyphens
// anywhere, O as 0, I and L as 1, the prefix left out.
//
// A join code is "hf1." and the base64url of a CBOR array of what a device needs to find and to
// trust its server. Both are secrets until they are spent: never in logs, never in arguments.
// Errors: Code::invalid_argument, saying what to do. Pure; thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"

namespace holdfast::est {

inline constexpr std::size_t kClaimRandomBytes = 16;
inline constexpr std::size_t kJoinCodeBytesMax = 512;  // of text
inline constexpr std::size_t kJoinHostBytesMax = 253;

// The canonical form, from 125 of the random bits.
std::string make_claim(std::span<const std::uint8_t, kClaimRandomBytes> random);
// The canonical form of what somebody typed.
Result<std::string> parse_claim(std::string_view typed);
std::string grouped_claim(std::string_view canonical);  // "hfc_xxxxx-xxxxx-xxxxx-xxxxx-xxxxxx"

struct JoinCode {
  std::string device;  // HTTPS for devices, "host:port", "[2001:db8::1]:port"
  std::string mqtt;    // the same for MQTT
  std::array<std::uint8_t, 32> ca_fingerprint{};  // SHA-256 of the root certificate's DER
  std::string claim;                              // canonical
  bool operator==(const JoinCode&) const = default;
};

Result<std::string> encode_join_code(const JoinCode& code);
// White space and line breaks anywhere are dropped, as terminals and mail wrap long lines.
Result<JoinCode> parse_join_code(std::string_view text);

}  // namespace holdfast::est
