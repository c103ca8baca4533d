#include "server/hub/notices.hpp"

#include <array>

#include "libs/wire/json.hpp"
#include "server/hub/session/model.hpp"

namespace holdfast::hub {
namespace {

struct Row {
  std::string_view name;
  Order::Kind kind;
  Code code;
  std::string_view state;  // of the payload's new_state; empty: any
};

constexpr std::array kRows{
    Row{"command.created", Order::Kind::wake, Code::internal, {}},
    Row{"command.changed", Order::Kind::wake, Code::internal, "queued"},
    Row{"twin.desired_changed", Order::Kind::wake, Code::internal, {}},
    Row{"device.quarantined", Order::Kind::evict, Code::device_quarantined, {}},
    Row{"device.revoked", Order::Kind::evict, Code::device_revoked, {}},
    Row{"device.state_changed", Order::Kind::evict, Code::device_quarantined, "quarantined"},
    Row{"device.state_changed", Order::Kind::evict, Code::device_decommissioned, "decommissioned"},
    Row{"certificate.revoked", Order::Kind::evict_certificate, Code::certificate_revoked, {}},
    Row{"server_certificate.renewed", Order::Kind::renew_credential, Code::internal, {}},
};

std::string member(const wire::JsonObject& object, std::string_view name) {
  const auto text = wire::find_string(object, name);
  return text ? text->value_or("") : "";
}

}  // namespace

std::optional<Order> read_order(std::string_view name, std::string_view payload) {
  const auto json = wire::parse_json(payload);
  if (!json || !json->is_object()) return std::nullopt;
  const auto& object = json->get_object();
  for (const auto& row : kRows) {
    if (row.name != name || (!row.state.empty() && member(object, "new_state") != row.state))
      continue;
    Order order;
    order.kind = row.kind;
    if (row.kind == Order::Kind::renew_credential) return order;
    const auto device = DeviceId::parse(member(object, "device_id"));
    if (!device) return std::nullopt;
    order.device = *device;
    order.serial_hex = member(object, "serial");
    if (row.kind == Order::Kind::evict_certificate && order.serial_hex.empty()) return std::nullopt;
    order.why = failure(row.code, std::string(row_of(row.code).title));
    return order;
  }
  return std::nullopt;
}

Status follow_notices(core::Dispatcher& dispatcher, std::function<void(const Order&)> carry_out) {
  std::vector<std::string> names;
  for (const auto& row : kRows) {
    if (names.empty() || names.back() != row.name) names.emplace_back(row.name);
  }
  return dispatcher.follow(std::move(names),
                           [carry_out = std::move(carry_out)](const core::Notice& notice) {
                             if (const auto order = read_order(notice.name, notice.payload))
                               carry_out(*order);
                           });
}

}  // namespace holdfast::hub
