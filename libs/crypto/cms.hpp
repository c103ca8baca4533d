// CMS SignedData without signers, "certs-only" (RFC 5652 5, RFC 8551 3.8), as EST answers carry it.
// Pure; thread-safe.
#pragma once

#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kCertsOnlyMax = 16;

Bytes make_certs_only(const std::vector<Bytes>& certificates_der);
// The certificates in order, not checked. Code::invalid_argument for anything but DER certs-only.
Result<std::vector<Bytes>> parse_certs_only(View der);

}  // namespace holdfast::crypto
