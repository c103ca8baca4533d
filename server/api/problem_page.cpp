#include "server/api/problem_page.hpp"

#include "libs/http/accept.hpp"

namespace holdfast::api {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// What the row says in numbers, for whoever writes a client.
std::string figures(const CodeRow& row) {
  return "HTTP status " + std::to_string(row.http_status) + ", MQTT reason code " +
         std::to_string(row.mqtt_reason) + ", exit code of the command line " +
         std::to_string(row.cli_exit) + ".";
}

}  // namespace

Result<http::Response> problem_page(std::string_view code, std::string_view accept) {
  const auto known = code_named(code);
  if (!known) return fail(Code::not_found, "There is no problem of this name.");
  const CodeRow& row = row_of(*known);
  const auto type = http::choose(accept, {"text/html", "text/markdown"});
  if (!type) return fail(Code::not_acceptable, "This page is text/html or text/markdown.");
  if (*type == "text/markdown") {
    return http::content(200, "text/markdown; charset=utf-8",
                         "# " + std::string(row.title) + "\n\n`" + std::string(row.name) + "`\n\n" +
                             std::string(row.mend) + "\n\n" + figures(row) + "\n");
  }
  return http::content(200, "text/html; charset=utf-8",
                       "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
                           escaped(row.title) + "</title>\n<main>\n<h1>" + escaped(row.title) +
                           "</h1>\n<p><code>" + escaped(row.name) + "</code></p>\n<p>" +
                           escaped(row.mend) + "</p>\n<p>" + escaped(figures(row)) +
                           "</p>\n</main>\n</html>\n");
}

}  // namespace holdfast::api
