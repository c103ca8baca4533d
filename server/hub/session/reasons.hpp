// Which reason code a packet may carry for an error of ours. contract/problems.yaml gives each
// error one MQTT reason; MQTT 5.0 (sections 3.2.2.2, 3.4.2.1, 3.9.3, 3.14.2.1) allows each packet
// only some, and clients break off on others, so that each falls to the nearest one allowed. Pure.
#pragma once

#include <optional>

#include "libs/wire/mqtt.hpp"

namespace holdfast::hub {

wire::mqtt::Reason connack_reason(Code code);
wire::mqtt::Reason puback_reason(Code code);
wire::mqtt::Reason suback_reason(Code code);
wire::mqtt::Reason disconnect_reason(Code code);
// For what the decoder refused.
wire::mqtt::Reason disconnect_reason(wire::mqtt::Reason refused);
// 3.1.1; nullopt: close without an answer.
std::optional<std::uint8_t> connack_code(Code code);
// May a 3.1.1 client be told that such a message is stored, because sending it again can only fail?
bool final_for_sender(Code code);

}  // namespace holdfast::hub
