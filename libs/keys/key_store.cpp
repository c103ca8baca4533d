#include "libs/keys/key_store.hpp"

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

}  // namespace holdfast::keys
