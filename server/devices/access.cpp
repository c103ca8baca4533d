#include "server/devices/service.hpp"

namespace holdfast::devices {

Result<Device> require_device(Service& devices, sql::Tx& tx, const core::Caller& caller,
                              std::string_view permission, DeviceId id) {
  auto device = TRY(devices.look(tx, id));
  if (!device)
    return std::unexpected(
        core::refuse_missing(caller, permission, "there is no device " + id.text()));
  TRY(core::require_at(caller, permission, device->site));
  return *std::move(device);
}

}  // namespace holdfast::devices
