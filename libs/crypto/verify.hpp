// Decides whether a certificate may speak: OpenSSL's chain verification (RFC 5280 6), and on top of
// it our own profiles, because plain OpenSSL accepts CAs as leaves, empty and missing extended key
// usages, version 1 and serials that no CA may issue. Each refusal says which rule failed.
//
// Errors: Code::certificate_invalid or Code::certificate_expired, with the reason.
// A TrustStore is immutable and thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/crypto/x509.hpp"

namespace holdfast::crypto {

enum class Purpose {
  client,
  server,
  endorsement,  // a TPM's endorsement key (TCG EK Credential Profile): decrypts, and proves nothing else
};
inline constexpr std::string_view kOidEndorsementUsage = "2.23.133.8.1";  // tcg-kp-EKCertificate

inline constexpr int kChainDepthMax = 4;  // CAs between a leaf and the one that ends its chain

// The rules that need nothing but the certificate itself: version 3, serial of 1 to 20 bytes and
// positive, no CA and no right to sign certificates, extendedKeyUsage there and naming the purpose
// (not only anyExtendedKeyUsage), no extension twice, no unknown critical extension, a key that
// check_key_policy() accepts, signed with SHA-2, authority key identifier there unless self-issued.
Status check_leaf_profile(const Certificate& leaf, Purpose purpose);
// A CA: version 3, basicConstraints critical with CA true, keyCertSign, subject key identifier.
Status check_ca_profile(const Certificate& ca);

struct Verification {
  Purpose purpose = Purpose::client;
  WallTime now = {};
  bool check_times = true;  // false where the clock is not to be trusted (decision 20)
  std::string host = {};    // Purpose::server: DNS name or address that the leaf must carry; "" any
};

class TrustStore final {
 public:
  // CAs, roots or not: a chain may end at any of them. Each must satisfy check_ca_profile().
  static Result<std::shared_ptr<const TrustStore>> make(const std::vector<Bytes>& cas_der);
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // The verified chain, leaf first, up to a CA of this store. `others` may help to build it.
  Result<std::vector<Bytes>> verify(View leaf_der, const std::vector<Bytes>& others,
                                    const Verification& how) const;
  const std::vector<Certificate>& cas() const;

  struct Store;
  const Store& store() const { return *store_; }  // for the TLS of this library

 private:
  explicit TrustStore(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

// Whether the leaf names the host (RFC 9525): exact or one-label wildcard DNS names, addresses as
// addresses; the common name never counts.
bool names_host(const Certificate& leaf, std::string_view host);

}  // namespace holdfast::crypto
