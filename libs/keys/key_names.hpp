// What a key may be called, in every store alike. Private to libs/keys.
#pragma once

#include <string_view>

#include "libs/base/result.hpp"

namespace holdfast::keys {

// Code::invalid_argument unless 1 to kKeyNameBytesMax of a to z, 0 to 9, '-', '_', '.', not first
// '.'.
Status check_key_name(std::string_view name);

}  // namespace holdfast::keys
