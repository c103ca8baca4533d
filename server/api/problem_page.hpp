// What a problem means and its mend, as a page or as Markdown, from contract/problems.yaml. Pure.
#pragma once

#include "libs/http/message.hpp"

namespace holdfast::api {

// not_found: no such code; not_acceptable: neither HTML nor Markdown is wanted.
Result<http::Response> problem_page(std::string_view code, std::string_view accept);

}  // namespace holdfast::api
