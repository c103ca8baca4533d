// PEM armour (RFC 7468): labels and base64 around DER. Pure; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"

namespace holdfast::crypto {

inline constexpr std::size_t kPemBlocksMax = 64;

struct PemBlock {
  std::string label;  // "CERTIFICATE"
  Bytes der;
};

std::string to_pem(std::string_view label, View der);  // 64 columns, ends with a newline
// All blocks in order; text around them is skipped (RFC 7468 5.2). LF, CRLF and blanks at line ends
// are fine. Code::invalid_argument for a block that does not end, bad base64 or more than
// kPemBlocksMax.
Result<std::vector<PemBlock>> parse_pem(std::string_view text);
// Only the blocks of one label; Code::invalid_argument when there is none.
Result<std::vector<Bytes>> parse_pem(std::string_view text, std::string_view label);
// Base64 in lines of `columns`, each ending with a newline.
std::string to_base64_lines(View bytes, std::size_t columns);

}  // namespace holdfast::crypto
