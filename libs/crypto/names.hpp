// Distinguished names and alternative names (RFC 5280 4.1.2.4, 4.2.1.6), read and written.
// Errors: Code::invalid_argument. Pure; thread-safe. Private to libs/crypto.
#pragma once

#include <string>
#include <string_view>

#include "libs/crypto/der.hpp"
#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kNameAttributesMax = 32;
inline constexpr std::size_t kAlternativeNamesMax = 128;

struct DistinguishedName {
  std::string text;           // "CN=dev_01J9, O=Example"; special characters escaped (RFC 4514 2.4)
  std::string common_name;    // the last one
  std::string serial_number;  // 2.5.4.5, the last one
};
Result<DistinguishedName> parse_name(View name_der);  // with its SEQUENCE tag

// UTF8String attributes in the order CN, O, serialNumber; empty ones are left out.
Bytes put_name(std::string_view common_name, std::string_view organisation,
               std::string_view serial_number);

Result<AlternativeNames> parse_alternative_names(View general_names_der);
// Code::invalid_argument for a DNS name, address, URI or mail address that is none.
Result<Bytes> put_alternative_names(const AlternativeNames& names);

// "192.0.2.7" or "2001:db8::1" to 4 or 16 bytes and back; nothing for other text.
std::optional<Bytes> address_bytes(std::string_view text);
std::string address_text(View bytes);
// Letters, digits, hyphens, dots; a first label of "*" if `wildcard`.
bool is_dns_name(std::string_view name, bool wildcard);

}  // namespace holdfast::crypto
