#include "libs/crypto/evidence.hpp"

#include "libs/crypto/der.hpp"

namespace holdfast::crypto {

Extension evidence_extension(std::string_view name) {
  return {std::string(kOidEvidenceClass), false, der::wrap(der::kUtf8String, view_of(name))};
}

Result<std::string> evidence_of(const Certificate& certificate) {
  const Extension* found = certificate.find(kOidEvidenceClass);
  if (found == nullptr) return std::string();
  der::Reader reader(found->value);
  auto element = reader.element(der::kUtf8String, "evidence class");
  auto name = element ? der::text(*element) : std::unexpected(element.error());
  if (!name || !reader.done() || name->empty() || name->size() > kEvidenceNameBytesMax) {
    return fail(Code::certificate_invalid, "the certificate's evidence class cannot be read");
  }
  return name;
}

}  // namespace holdfast::crypto
