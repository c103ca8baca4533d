// Object identifiers of extensions and attributes that several files here know, and the reader of
// an Extensions list, which certificates and requests share. Private to libs/crypto.
#pragma once

#include <string_view>
#include <vector>

#include "libs/crypto/der.hpp"
#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

inline constexpr std::string_view kOidSubjectKeyId = "2.5.29.14";
inline constexpr std::string_view kOidKeyUsage = "2.5.29.15";
inline constexpr std::string_view kOidSubjectAltName = "2.5.29.17";
inline constexpr std::string_view kOidBasicConstraints = "2.5.29.19";
inline constexpr std::string_view kOidAuthorityKeyId = "2.5.29.35";
inline constexpr std::string_view kOidExtendedKeyUsage = "2.5.29.37";

inline constexpr std::string_view kOidCrlNumber = "2.5.29.20";
inline constexpr std::string_view kOidReasonCode = "2.5.29.21";
inline constexpr std::string_view kOidCrlPoints = "2.5.29.31";
inline constexpr std::string_view kOidAuthorityAccess = "1.3.6.1.5.5.7.1.1";

// RFC 5280 4.1: Extension.
Bytes put_extension(std::string_view oid, bool critical, View value);
// RFC 5280 4.1: Extensions, none twice.
Result<std::vector<Extension>> parse_extensions(der::Reader& from);

}  // namespace holdfast::crypto
