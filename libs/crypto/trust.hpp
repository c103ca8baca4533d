// The OpenSSL side of TrustStore, shared with TLS: one way to verify, wherever a certificate comes
// from. Private to libs/crypto; .cpp files only.
#pragma once

#include <expected>
#include <vector>

#include "libs/crypto/openssl.hpp"
#include "libs/crypto/verify.hpp"

namespace holdfast::crypto {

struct TrustStore::Store {
  X509StorePtr store;
  std::vector<Certificate> cas;
};

struct ChainFailure {
  int x509_error = 0;  // X509_V_ERR_..., from which TLS derives its alert
  Error why;
};
using Chain = std::expected<std::vector<Bytes>, ChainFailure>;

// TrustStore::verify() on certificates that OpenSSL has read already; `others` may be null.
Chain verify_chain(const TrustStore& trust, X509* leaf, STACK_OF(X509) * others,
                   const Verification& how);

// Whole input or nothing.
X509Ptr read_x509(View der);
Bytes write_x509(const X509* certificate);

}  // namespace holdfast::crypto
