// Problems (RFC 9457) as a client reads them, and addresses of servers.
#include <boost/json.hpp>

#include "libs/http/client.hpp"

namespace holdfast::http {
namespace {

std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || !value->is_string()) return {};
  return std::string(value->get_string());
}

Code code_for(int status) {
  switch (status) {
    case 400:
      return Code::malformed_body;
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::forbidden;
    case 404:
      return Code::not_found;
    case 405:
      return Code::method_not_allowed;
    case 406:
      return Code::not_acceptable;
    case 409:
      return Code::conflict;
    case 412:
      return Code::precondition_failed;
    case 413:
      return Code::body_too_large;
    case 414:
      return Code::uri_too_long;
    case 415:
      return Code::unsupported_media_type;
    case 422:
      return Code::invalid_argument;
    case 428:
      return Code::precondition_required;
    case 429:
      return Code::rate_limited;
    case 431:
      return Code::header_too_large;
    case 503:
      return Code::unavailable;
    case 504:
      return Code::deadline_exceeded;
    default:
      return status >= 500 ? Code::internal : Code::invalid_argument;
  }
}

}  // namespace

std::optional<ProblemText> problem_of(const ClientResponse& response) {
  if (response.status < 400) return std::nullopt;
  boost::system::error_code ec;
  const auto value = boost::json::parse(response.text(), ec);
  if (ec || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  ProblemText out;
  out.code = text_member(object, "code");
  if (out.code.empty()) return std::nullopt;
  out.title = text_member(object, "title");
  out.detail = text_member(object, "detail");
  out.mend = text_member(object, "mend");
  out.request_id = text_member(object, "request_id");
  out.permission = text_member(object, "permission");
  if (const auto* retry = object.if_contains("retry_after_s"); retry && retry->is_number()) {
    out.retry_after_s = retry->to_number<double>(ec);
  }
  return out;
}

Error error_of(const ClientResponse& response) {
  Error out;
  out.code = code_for(response.status);
  if (const auto problem = problem_of(response)) {
    if (const auto code = code_named(problem->code)) out.code = *code;
    out.message = problem->detail.empty() ? problem->title : problem->detail;
    out.permission = problem->permission;
  }
  if (out.message.empty()) {
    out.message = "The server answered " + std::to_string(response.status) + ".";
  }
  return out;
}

Result<Url> parse_url(std::string_view text) {
  static constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme)) {
    return fail(Code::invalid_argument, "\"" + std::string(text.substr(0, 80)) +
                                            "\" is not an address of a server; it starts with " +
                                            std::string(kScheme) + ".");
  }
  text.remove_prefix(kScheme.size());
  const std::size_t slash = text.find_first_of("/?#");
  std::string authority(text.substr(0, slash));
  const bool six = authority.starts_with('[');
  const std::size_t colon = authority.rfind(':');
  if (six ? authority.ends_with(']') : colon == std::string::npos) authority += ":443";
  Url out;
  out.server = TRY(os::parse_endpoint(authority));
  if (out.server.host.empty() || out.server.port == 0 || authority.contains('@')) {
    return fail(Code::invalid_argument,
                "An address of a server names its host: https://host:port.");
  }
  if (slash != std::string_view::npos) out.path = text.substr(slash);
  return out;
}

}  // namespace holdfast::http
