// The TOML file as a flat list of keys and values; toml++ is seen by toml.cpp alone. Private.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/config/config.hpp"

namespace holdfast::config {

struct FileValue {
  std::string key;    // with dots
  std::string value;  // as normalise() takes it; arrays joined by commas
  int line = 0;
  bool is_array = false;
  bool unusable = false;  // a date, an array of tables, an array with something else than scalars
};

// A syntax error is one Finding.
std::vector<FileValue> read_toml(std::string_view text, std::vector<Finding>& findings);

}  // namespace holdfast::config
