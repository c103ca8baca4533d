// Conditional requests (RFC 9110 section 13) on revisions: the ETag of revision 7 is "7". Pure.
#pragma once

#include <cstdint>
#include <string>

#include "libs/http/message.hpp"

namespace holdfast::http {

std::string etag(std::uint64_t revision);  // with its quotes

// If-Match given as `*` or holding this revision: fine; missing: precondition_required; else
// precondition_failed. Weak tags never match (section 13.1.1).
Status require_match(const Request& request, std::uint64_t revision);

// The revision that If-Match asks for; nullopt for `*`. Missing: precondition_required; anything
// else than one strong tag of ours: precondition_failed.
Result<std::optional<std::int64_t>> wanted_revision(const Request& request);

// Only that If-Match is there: for the check that comes before the object is read.
Status require_if_match(const Request& request);

// Does If-None-Match hold this tag (weak comparison) or `*`? Then a GET is answered with 304.
bool none_match_hits(const Request& request, std::string_view tag);

}  // namespace holdfast::http
