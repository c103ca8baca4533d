#include "libs/crypto/cms.hpp"

#include "libs/crypto/der.hpp"

namespace holdfast::crypto {
namespace {

constexpr std::string_view kOidData = "1.2.840.113549.1.7.1";
constexpr std::string_view kOidSignedData = "1.2.840.113549.1.7.2";

}  // namespace

// ContentInfo { signedData, [0] { SignedData { version 1, no digests, data without content,
// certificates [0], no signers } } }: RFC 5652 3 and 5.1.
Bytes make_certs_only(const std::vector<Bytes>& certificates_der) {
  Bytes all;
  for (const Bytes& one : certificates_der) append(all, one);
  const Bytes none = der::wrap(der::kSet, View());
  const Bytes signed_data =
      der::sequence({der::put_integer(1), none, der::sequence({der::put_oid(kOidData)}),
                     der::wrap(der::explicit_tag(0), all), none});
  return der::sequence(
      {der::put_oid(kOidSignedData), der::wrap(der::explicit_tag(0), signed_data)});
}

Result<std::vector<Bytes>> parse_certs_only(View bytes) {
  der::Reader outer(bytes);
  der::Reader info = TRY(outer.enter(der::kSequence, "ContentInfo"));
  TRY(outer.end("ContentInfo"));
  if (TRY(der::oid_text(TRY(info.take(der::kOid, "contentType")))) != kOidSignedData) {
    return fail(Code::invalid_argument, "this CMS message is not SignedData");
  }
  der::Reader wrapped = TRY(info.enter(der::explicit_tag(0), "content"));
  TRY(info.end("ContentInfo"));
  der::Reader data = TRY(wrapped.enter(der::kSequence, "SignedData"));
  TRY(wrapped.end("content"));
  TRY(der::unsigned_integer(TRY(data.take(der::kInteger, "version"))));
  TRY(data.take(der::kSet, "digestAlgorithms"));
  TRY(data.take(der::kSequence, "encapContentInfo"));
  std::vector<Bytes> found;
  if (data.peek() == der::explicit_tag(0)) {
    der::Reader set = TRY(data.enter(der::explicit_tag(0), "certificates"));
    while (!set.done()) {
      if (found.size() == kCertsOnlyMax) {
        return fail(Code::invalid_argument,
                    "more than " + std::to_string(kCertsOnlyMax) + " certificates in one answer");
      }
      const View one = TRY(set.element(der::kSequence, "certificate")).whole;
      found.emplace_back(one.begin(), one.end());
    }
  }
  if (data.peek() == der::explicit_tag(1)) TRY(data.next());  // CRLs: not ours to judge
  if (!TRY(data.take(der::kSet, "signerInfos")).empty()) {
    return fail(Code::invalid_argument, "this CMS message is signed; certs-only has no signers");
  }
  TRY(data.end("SignedData"));
  return found;
}

}  // namespace holdfast::crypto
