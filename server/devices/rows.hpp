// Private to the registry: the columns of a device row and how rows become values.
#pragma once

#include "server/devices/tables.hpp"

namespace holdfast::devices {

// What read_devices() wants selected, and from where: d device, t device_type, s site, p
// device_presence.
extern const std::string_view kDeviceColumns;
extern const std::string_view kDeviceTables;

Result<std::vector<Device>> read_devices(sql::Tx& tx, const seal::Sealer& sealer,
                                         std::string_view query, const sql::Params& params);
std::string lower_ascii(std::string_view text);

}  // namespace holdfast::devices
