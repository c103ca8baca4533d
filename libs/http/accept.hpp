// Content negotiation, as far as we need it (RFC 9110 section 12.5). Pure.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

namespace holdfast::http {

// The first of `offers` with the highest quality that `accept` grants; without the header (empty)
// the first offer; nullopt: none is acceptable.
std::optional<std::string_view> choose(std::string_view accept,
                                       std::initializer_list<std::string_view> offers);

// Does Accept-Encoding grant this coding ("br", "gzip") by name or by `*`, with quality above 0?
bool accepts_encoding(std::string_view accept_encoding, std::string_view coding);

}  // namespace holdfast::http
