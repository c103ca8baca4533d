#include <charconv>

#include "libs/os/network.hpp"

namespace holdfast::os {
namespace {

std::unexpected<Error> bad_endpoint(std::string_view text) {
  return fail(Code::invalid_argument, "not an address with a port: \"" +
                                          std::string(text.substr(0, 80)) +
                                          "\"; write host:port, [::1]:port or :port");
}

}  // namespace

std::string Endpoint::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  constexpr std::size_t kHostMax = 253;  // characters of a name, RFC 1035 section 2.3.4
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_endpoint(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return bad_endpoint(text);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_endpoint(text);  // an IPv6 address without brackets: where does it end?
  }
  if (host == "*") host = {};
  if (host.size() > kHostMax) return bad_endpoint(text);
  for (const char c : host) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '[' || c == ']' || c == '/' || c == '@') {
      return bad_endpoint(text);
    }
  }
  Endpoint out{std::string(host), 0};
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    return bad_endpoint(text);
  }
  return out;
}

}  // namespace holdfast::os
