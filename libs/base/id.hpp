// Identifiers: a kind prefix and 26 Crockford base32 characters of 128 bits (a ULID): 48 bits of
// milliseconds, then randomness, so that ids sort by creation. "dev_01J9Z3K5M7..." Strong types
// keep a site's id from being passed for a device's. Values; thread-safe.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "libs/base/bytes.hpp"
#include "libs/base/result.hpp"
#include "libs/base/time.hpp"

namespace holdfast {

using Ulid = std::array<std::uint8_t, 16>;

std::string ulid_text(const Ulid& ulid);         // 26 characters, upper case
Result<Ulid> parse_ulid(std::string_view text);  // any case; I, L, O read as 1, 1, 0
Ulid make_ulid(WallTime now, std::span<const std::uint8_t, 10> random);

// One struct per kind; kPrefix includes the underscore.
template <class Tag>
struct Id {
  Ulid ulid{};

  auto operator<=>(const Id&) const = default;
  bool empty() const { return ulid == Ulid{}; }
  std::string text() const { return std::string(Tag::kPrefix) + ulid_text(ulid); }
  static Result<Id> parse(std::string_view text) {
    if (!text.starts_with(Tag::kPrefix)) {
      return fail(Code::invalid_argument, "not an id of this kind: \"" +
                                              std::string(text.substr(0, 40)) +
                                              "\"; it starts with " + std::string(Tag::kPrefix));
    }
    auto ulid = parse_ulid(text.substr(std::string_view(Tag::kPrefix).size()));
    if (!ulid) return std::unexpected(ulid.error());
    return Id{*ulid};
  }
  static Id make(WallTime now, std::span<const std::uint8_t, 10> random) {
    return Id{make_ulid(now, random)};
  }
};

struct DeviceTag {
  static constexpr std::string_view kPrefix = "dev_";
};
struct SiteTag {
  static constexpr std::string_view kPrefix = "site_";
};
struct TypeTag {
  static constexpr std::string_view kPrefix = "typ_";
};
struct UserTag {
  static constexpr std::string_view kPrefix = "usr_";
};
struct TokenTag {
  static constexpr std::string_view kPrefix = "tok_";
};
struct ClaimTag {
  static constexpr std::string_view kPrefix = "clm_";
};
struct CommandTag {
  static constexpr std::string_view kPrefix = "cmd_";
};
struct JobTag {
  static constexpr std::string_view kPrefix = "job_";
};
struct BackupTag { static constexpr std::string_view kPrefix = "bak_"; };
struct RequestTag {
  static constexpr std::string_view kPrefix = "req_";
};

using DeviceId = Id<DeviceTag>;
using SiteId = Id<SiteTag>;
using TypeId = Id<TypeTag>;
using UserId = Id<UserTag>;
using TokenId = Id<TokenTag>;
using ClaimId = Id<ClaimTag>;
using CommandId = Id<CommandTag>;
using JobId = Id<JobTag>;
using BackupId = Id<BackupTag>;
using RequestId = Id<RequestTag>;

}  // namespace holdfast

template <class Tag>
struct std::hash<holdfast::Id<Tag>> {
  std::size_t operator()(const holdfast::Id<Tag>& id) const noexcept {
    std::uint64_t low = 0;
    std::memcpy(&low, id.ulid.data() + 8, 8);
    std::uint64_t high = 0;
    std::memcpy(&high, id.ulid.data(), 8);
    return static_cast<std::size_t>(low ^ (high * 0x9E3779B97F4A7C15ULL));
  }
};
