#include "libs/http/message.hpp"

#include <algorithm>

#include "libs/base/log.hpp"

namespace holdfast::http {
namespace {

void add_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += out == "{" ? "\"" : ",\"";
  out += name;
  out += "\":\"" + json_escape(value) + '"';
}

}  // namespace

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::query_values(std::string_view name) const {
  std::vector<std::string_view> out;
  for (const auto& [key, value] : query) {
    if (key == name) out.push_back(value);
  }
  return out;
}

std::string_view Request::param(std::string_view name) const {
  for (const auto& [key, value] : params) {
    if (key == name) return value;
  }
  return {};
}

std::string Request::media_type() const {
  std::string_view value = header("Content-Type").value_or("");
  value = value.substr(0, value.find(';'));
  std::string out;
  for (char c : value) {
    if (c == ' ' || c == '\t') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::uint64_t Response::size() const {
  return shared_body ? shared_body->size() : body.size();
}

Response content(int status, std::string_view content_type, std::string_view body) {
  Response out;
  out.status = status;
  out.headers.set("Content-Type", content_type);
  out.body = bytes_of(body);
  return out;
}

Response json(int status, std::string_view body) {
  return content(status, "application/json", body);
}

Response no_content() {
  Response out;
  out.status = 204;
  return out;
}

Response problem(const Error& error, const ProblemContext& context) {
  const CodeRow& row = row_of(error.code);
  std::string body = "{";
  add_member(body, "type", "/problems/" + std::string(row.name));
  add_member(body, "title", row.title);
  body += ",\"status\":" + std::to_string(row.http_status);
  add_member(body, "code", row.name);
  // What went wrong inside is for the log: it may name files, tables and keys.
  const bool inside = row.http_status == 500;
  if (!inside) add_member(body, "detail", error.text());
  add_member(body, "mend", row.mend);
  add_member(body, "instance", context.instance);
  body += ",\"request_id\":\"" + json_escape(context.request_id) + '"';
  add_member(body, "permission", error.permission);
  auto retry_after_s = context.retry_after_s;
  if (!retry_after_s && (row.http_status == 429 || row.http_status == 503)) {
    retry_after_s = kRetryAfter_s;
  }
  if (retry_after_s) body += ",\"retry_after_s\":" + std::to_string(*retry_after_s);
  if (!error.pointer.empty()) {
    body += ",\"errors\":[{\"pointer\":\"" + json_escape(error.pointer) + "\",\"code\":\"" +
            std::string(row.name) + "\",\"message\":\"" + json_escape(error.message) + "\"}]";
  }
  body += '}';
  Response out = content(row.http_status, "application/problem+json", body);
  if (retry_after_s) out.headers.set("Retry-After", std::to_string(*retry_after_s));
  if (row.http_status == 401) out.headers.set("WWW-Authenticate", "Bearer realm=\"holdfast\"");
  return out;
}

std::string_view reason_phrase(int status) {
  static constexpr std::pair<int, std::string_view> kPhrases[] = {
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {207, "Multi-Status"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {410, "Gone"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {422, "Unprocessable Content"},
      {426, "Upgrade Required"},
      {428, "Precondition Required"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  const auto* found = std::ranges::find(kPhrases, status, &std::pair<int, std::string_view>::first);
  return found == std::end(kPhrases) ? std::string_view{} : found->second;
}

}  // namespace holdfast::http
