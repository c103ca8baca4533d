// UTF-8 checks (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. Pure.
#pragma once

#include <string_view>

namespace holdfast::wire {

bool valid_utf8(std::string_view text);

// What MQTT allows in a string (MQTT 5.0 section 1.5.4): valid UTF-8 without U+0000.
bool valid_mqtt_text(std::string_view text);

// As valid_mqtt_text, and without what the specification advises against: control characters
// (U+0001..U+001F, U+007F..U+009F) and non-characters. For topics, filters, client ids, user names.
bool valid_mqtt_name(std::string_view text);

}  // namespace holdfast::wire
