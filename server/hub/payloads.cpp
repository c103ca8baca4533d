#include "server/hub/payloads.hpp"

#include <algorithm>

namespace holdfast::hub {
namespace {

constexpr std::size_t kVersionBytesMax = 128;
constexpr std::size_t kCapabilitiesMax = 64;
constexpr std::size_t kCapabilityBytesMax = 64;
constexpr std::size_t kComponentsMax = 1'000;
constexpr std::size_t kComponentTextMax = 128;
constexpr std::size_t kInterfacesMax = 64;
constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::size_t kDigestHex = 64;

std::unexpected<Error> wrong(std::string pointer, std::string message) {
  Error error{Code::payload_malformed, std::move(message), {}, {}, std::move(pointer)};
  error.message += " at " + (error.pointer.empty() ? "the top" : error.pointer);
  return std::unexpected(std::move(error));
}

Status within(const std::string& text, std::size_t most, std::string pointer) {
  if (text.size() <= most) return {};
  return wrong(std::move(pointer), "longer than " + std::to_string(most) + " bytes");
}

Result<std::string> text_of_element(const wire::Json& element, std::size_t most,
                                    std::string pointer) {
  if (!element.is_string()) return wrong(std::move(pointer), "not a string");
  std::string text(element.get_string());
  TRY(within(text, most, pointer));
  return text;
}

Status check_hello(const wire::Json& json) {
  const auto* object = TRY(wire::as_object(json));
  TRY(within(TRY(wire::get_string(*object, "version")), kVersionBytesMax, "/version"));
  TRY(wire::get_int(*object, "protocol", "", 1));
  TRY(wire::find_object(*object, "agent"));
  const auto* capabilities = TRY(wire::find_array(*object, "capabilities"));
  if (capabilities == nullptr) return {};
  if (capabilities->size() > kCapabilitiesMax)
    return wrong("/capabilities", "more than 64 capabilities");
  for (std::size_t i = 0; i < capabilities->size(); ++i) {
    TRY(text_of_element((*capabilities)[i], kCapabilityBytesMax,
                        wire::pointer_to("/capabilities", i)));
  }
  return {};
}

bool is_digest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix) || text.size() != kDigestPrefix.size() + kDigestHex)
    return false;
  return std::ranges::all_of(text.substr(kDigestPrefix.size()), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

Status check_component(const wire::Json& json, const std::string& at) {
  const auto* component = TRY(wire::as_object(json, at));
  for (const auto* member : {"name", "version"}) {
    TRY(within(TRY(wire::get_string(*component, member, at)), kComponentTextMax,
               wire::pointer_to(at, member)));
  }
  const auto digest = TRY(wire::find_string(*component, "digest", at));
  if (digest && !is_digest(*digest))
    return wrong(wire::pointer_to(at, "digest"), "not sha256: and 64 hexadecimal digits");
  return {};
}

Status check_interface(const wire::Json& json, const std::string& at) {
  const auto* interface = TRY(wire::as_object(json, at));
  TRY(wire::get_string(*interface, "name", at));
  TRY(wire::find_string(*interface, "mac", at));
  const auto* addresses = TRY(wire::find_array(*interface, "addresses", at));
  if (addresses == nullptr) return {};
  const auto inside = wire::pointer_to(at, "addresses");
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    TRY(text_of_element((*addresses)[i], kComponentTextMax, wire::pointer_to(inside, i)));
  }
  return {};
}

Status check_list(const wire::JsonObject& object, std::string_view member, std::size_t most,
                  Status (*check)(const wire::Json&, const std::string&)) {
  const auto* list = TRY(wire::find_array(object, member));
  if (list == nullptr) return {};
  const auto at = wire::pointer_to("", member);
  if (list->size() > most) return wrong(at, "more than " + std::to_string(most) + " elements");
  for (std::size_t i = 0; i < list->size(); ++i) TRY(check((*list)[i], wire::pointer_to(at, i)));
  return {};
}

Status check_inventory(const wire::Json& json) {
  const auto* object = TRY(wire::as_object(json));
  TRY(check_list(*object, "components", kComponentsMax, check_component));
  TRY(check_list(*object, "network", kInterfacesMax, check_interface));
  TRY(wire::find_object(*object, "hardware"));
  TRY(wire::find_object(*object, "os"));
  return {};
}

Result<wire::Json> parse(View payload, Status (*check)(const wire::Json&)) {
  auto json = wire::parse_json(payload, wire::kJsonDevice);
  if (!json) return std::unexpected(wire::as_payload(std::move(json).error()));
  if (auto checked = check(*json); !checked)
    return std::unexpected(wire::as_payload(std::move(checked).error()));
  return json;
}

}  // namespace

Result<wire::Json> parse_hello(View payload) {
  return parse(payload, check_hello);
}
Result<wire::Json> parse_inventory(View payload) {
  return parse(payload, check_inventory);
}

}  // namespace holdfast::hub
