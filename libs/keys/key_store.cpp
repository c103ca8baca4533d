#include "libs/keys/key_store.hpp"

#include "libs/keys/key_names.hpp"

namespace holdfast::keys {

std::string_view name_of(Evidence evidence) {
  switch (evidence) {
    case Evidence::software:
      return "software";
    case Evidence::secure_element:
      return "secure_element";
    case Evidence::tpm:
      break;
  }
  return "tpm";
}

Status check_key_name(std::string_view name) {
  bool ok = !name.empty() && name.size() <= kKeyNameBytesMax && name[0] != '.';
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    ok = ok && (plain || c == '-' || c == '_' || c == '.');
  }
  if (ok) return {};
  return fail(Code::invalid_argument, "\"" + std::string(name.substr(0, kKeyNameBytesMax)) +
                                          "\" is no name for a key: 1 to 64 of a-z 0-9 - _ .");
}

}  // namespace holdfast::keys
