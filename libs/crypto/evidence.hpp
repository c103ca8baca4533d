// The evidence class as a certificate carries it: what the identity of its device rests on, for
// whoever holds the certificate alone. Format and object identifier: docs/spec/certificates.md.
// Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

// Not critical: who does not know it can still verify the certificate.
inline constexpr std::string_view kOidEvidenceClass = "2.25.157168589.1";
inline constexpr std::size_t kEvidenceNameBytesMax = 64;

Extension evidence_extension(std::string_view name);
// Its name, "" when the certificate has none; Code::certificate_invalid when it cannot be read.
Result<std::string> evidence_of(const Certificate& certificate);

}  // namespace holdfast::crypto
